"""The configuration of an entity type: what is wrong is said with its place, the value and what is known."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from linkage.entity_config import EntityConfig, load_entity_config, parse_model
from linkage.errors import ConfigError

SHIPPED = {
    entity: resources.files("configs").joinpath(f"{entity}.toml").read_text("utf-8")
    for entity in ("natural_person", "legal_person")
}
PERSON = SHIPPED["natural_person"]


def refused(text: str | bytes, tmp_path: Path, entity: str = "natural_person") -> str:
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load_entity_config(entity, path)
    assert caught.value.exit_code == 2
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message


def changed(old: str, new: str) -> str:
    assert old in PERSON, f"the shipped configuration no longer holds {old!r}"
    return PERSON.replace(old, new, 1)


@pytest.mark.parametrize("entity", SHIPPED)
def test_the_shipped_configuration_loads_and_names_only_columns_it_makes(entity: str) -> None:
    config = load_entity_config(entity)
    assert set(config.profile_columns) <= set(config.columns)
    assert all(levels[0].is_missing and levels[-1].condition is None for levels in config.levels.values())


@pytest.mark.parametrize("entity", SHIPPED)
def test_a_copy_of_the_shipped_configuration_is_the_same_configuration(entity: str, tmp_path: Path) -> None:
    path = tmp_path / "copy.toml"
    path.write_text("# a remark\n" + SHIPPED[entity], "utf-8")
    assert load_entity_config(entity, path) == load_entity_config(entity)
    assert load_entity_config(entity, path).hash == load_entity_config(entity).hash


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('version = "1"', 'version = "1"\nthreshold = 3', ["threshold: unknown key", "thresholds"]),
        ("auto = 6.0", "auto = 6.0\nrevieww = 1.0", ["thresholds.revieww: unknown key", "review", "did you mean"]),
        ("cap = 500", "capp = 500", ["blocking[0].capp: unknown key", "cap", "keys", "refine", "did you mean 'cap'"]),
        (
            'type = "person_name"',
            'type = "person_nam"',
            ["field[2].type", "'person_nam'", "did you mean 'person_name'"],
        ),
        ('from = ["phone"]', 'from = ["fone"]', ["field[", "].from", "'fone'", "did you mean 'phone'"]),
        ('from = ["phone"]', 'from = ["phone|fone"]', ["field[", "].from", "'fone'", "phone"]),
        ('field = "phone"', 'field = "phon"', ["comparison[", "].field", "'phon'", "did you mean 'phone'"]),
        ('field = "work"', 'field = "works"', ["comparison[", "].field", "'works'", "did you mean 'work'"]),
        ('{ former = "former" }', '{ former = "formerly" }', ["comparison[0].", "'formerly'", "did you mean 'former'"]),
        ('{ former = "former" }', '{ formerr = "former" }', ["comparison[0].", "'formerr'", "former"]),
        ('field = "name"\nrelated', 'field = "former"\nrelated', ["comparison[0].", "'former'", "cannot be compared"]),
        (
            'against = ["same_surname"]',
            'against = ["same_surnam"]',
            ["comparison[0].", "'same_surnam'", "same_surname"],
        ),
        (
            'evidence = ["same_day"]',
            'evidence = ["same_dy"]',
            ["comparison[", "'same_dy'", "did you mean 'same_day'"],
        ),
        ('check = "conflicting"', 'check = "conflict"', ["check[0].check", "'conflict'", "conflicting"]),
        ('field = "id"\ncheck', 'field = "idd"\ncheck', ["check[0].field", "'idd'", "did you mean 'id'"]),
        ('keys = [["id_value"]]', 'keys = [["id_valu"]]', ["blocking[0].keys", "'id_valu'", "did you mean 'id_value'"]),
        ('keys = [["id_value"]]', "keys = []", ["blocking[0].keys"]),
        ('keys = [["id_value"]]', 'keys = [["id value"]]', ["blocking[0].keys", "id value", "name_pinyin[:4]"]),
        ('refine = ["sex_code"]', 'refine = ["sex_cod"]', ["blocking[", "'sex_cod'", "did you mean 'sex_code'"]),
        ("when = { id = [", "when = { idd = [", ["rule[0].when", "unknown comparison 'idd'", "did you mean 'id'"]),
        ('when = { id = ["equal"]', 'when = { id = ["equl"]', ["rule[0].when.id", "'equl'", "did you mean 'equal'"]),
        ('when = { id = ["equal"]', "when = { id = []", ["rule[0].when.id"]),
        ('when = { id = ["equal"]', 'when = { id = ["not"]', ["rule[0].when.id"]),
        (
            'checks = ["different_numbers"]',
            'checks = ["not different_number"]',
            ["rule[", "].checks", "'different_number'", "did you mean 'different_numbers'"],
        ),
        ('verdict = "auto"', 'verdict = "maybe"', ["rule[1].verdict", "maybe", "'review'"]),
        ('basis = "identifier"', 'basis = "decision"', ["rule[1].basis", "decision"]),
        ('verdict = "auto"', 'verdict = "auto"\nagainst = true', ["rule[1].against", "'reject'"]),
        ('verdict = "auto"', 'verdict = "auto"\nrival = true', ["rule[1].rival", "'reject'"]),
        ('verdict = "auto"', 'verdict = "auto"\ndespite = ["x"]', ["rule[1].despite", "`only_candidate`"]),
        (
            "only_candidate = ",
            'despite = ["twins"]\nonly_candidate = ',
            ["].despite", "'twins'", "rule with `against`"],
        ),
        ("auto = 6.0", 'auto = "much"', ["thresholds.auto", "much"]),
        ("cap = 500", "cap = 1", ["blocking[0].cap", "1"]),
        (
            'label = "id_exclusive"',
            'label = "id_exclusiv"',
            ["training", "'id_exclusiv'", "did you mean 'id_exclusive'"],
        ),
        ('label_blind = ["id"]', 'label_blind = ["idd"]', ["training.label_blind", "'idd'", "did you mean 'id'"]),
        ('em_block = ["name_key"', 'em_block = ["name_kee"', ["training", "'name_kee'", "did you mean 'name_key'"]),
        ('exclusive = ["id_exclusive"]', 'exclusive = ["id_x"]', ["clustering", "'id_x'", "id_exclusive"]),
        ('label = "id_exclusive"\n', "", ["training.label", "required key is missing"]),
        ('entity = "natural_person"', 'entity = "person"', ["entity", "person", "natural_person"]),
        ('name = "damaged_number"', 'name = "room"', ["blocking[", "].name", "'room'", "taken"]),
        ('name = "other_name"', 'name = "two_numbers"', ["rule[", "].name", "'two_numbers'", "taken"]),
        ('name = "former"\ntype', 'name = "name"\ntype', ["field[", "].name", "'name'", "taken"]),
    ],
)
def test_a_mistake_is_named_with_its_place_value_and_what_is_known(
    old: str, new: str, words: list[str], tmp_path: Path
) -> None:
    message = refused(changed(old, new), tmp_path)
    for word in words:
        assert word in message


def test_several_mistakes_are_named_at_once(tmp_path: Path) -> None:
    message = refused(changed("auto = 6.0", 'auto = "much"').replace("cap = 500", "capp = 500", 1), tmp_path)
    assert "thresholds.auto" in message
    assert "blocking[0].capp" in message


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("entity = natural_person", "not valid TOML"),
        ("[[field]\n", "not valid TOML"),
        ('entity = "natural_person"\nentity = "natural_person"', "not valid TOML"),
        ("", "required key is missing"),
        (b"\xff\xfee\x00n\x00", "UTF-8"),
        ("# 中文\nversion = '1'".encode("gb18030"), "UTF-8"),
        (b"\x00" * 10, "not valid TOML"),
    ],
    ids=["bare word", "open bracket", "twice", "empty", "UTF-16", "GB18030", "NUL"],
)
def test_a_file_that_is_no_configuration_is_refused(text: str | bytes, word: str, tmp_path: Path) -> None:
    assert word in refused(text, tmp_path)


def test_the_place_in_wrong_toml_is_named(tmp_path: Path) -> None:
    assert "line 3" in refused("# one\n# two\nversion = \n", tmp_path)


@pytest.mark.parametrize("kind", ["absent", "directory"])
def test_a_file_that_cannot_be_read_is_named(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    if kind == "directory":
        path.mkdir()
    with pytest.raises(ConfigError, match=r"mine\.toml: cannot be read.*give an existing file") as caught:
        load_entity_config("natural_person", path)
    assert caught.value.exit_code == 2


def test_the_configuration_of_the_other_entity_type_is_refused(tmp_path: Path) -> None:
    message = refused(SHIPPED["legal_person"], tmp_path)
    assert "'legal_person'" in message
    assert "'natural_person'" in message


def test_an_unknown_entity_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'person' is unknown: use one of legal_person, natural_person"):
        load_entity_config("person")


def test_the_hash_follows_everything_that_affects_the_result() -> None:
    first = load_entity_config("natural_person").hash
    for old, new in (("auto = 6.0", "auto = 8.5"), ("cap = 500", "cap = 501"), ('basis = "identifier"', "")):
        assert parse_model(EntityConfig, changed(old, new), "mine.toml").hash != first


def test_a_configuration_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_entity_config("natural_person").version = "2"
