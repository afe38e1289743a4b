"""The survivorship configuration: the shipped one fits the catalog, and mistakes are named with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_records.catalog.schema import LEGAL_PERSON, NATURAL_PERSON
from golden_records.errors import SurvivorshipConfigError
from golden_records.survivorship_config import load_survivorship
from matchers.standard_codes import CODED

SHIPPED = Path(__file__).parents[2] / "configs" / "survivorship.toml"


def test_the_shipped_configuration_fills_exactly_the_catalogs_golden_columns() -> None:
    config = load_survivorship(SHIPPED)
    made_of = {"entity_id", "records", "sources", "conflicts", "anchor", *CODED}
    assert set(config.legal_person.golden_columns()) == set(LEGAL_PERSON.column_names) - made_of
    assert set(config.natural_person.golden_columns()) == set(NATURAL_PERSON.column_names) - made_of
    assert config.of("natural_person") is config.natural_person


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("trusted_rank", "trusted_rnak", r"legal_person\.trusted_rnak: unknown key \(known: .*trusted_rank"),
        ('key = "name_text"', 'kye = "name_text"', r"legal_person\.attribute\[0\]\.kye: unknown key .*key"),
        ('"recency"', '"freshness"', r"legal_person\.attribute\[0\]\.rules\[1\]: .*'recency'"),
        ('value = "name"', "value = 3", r"legal_person\.attribute\[0\]\.value: .*string"),
        ('name = "email"', 'name = "phone"', "given twice: phone"),
        ('golden_name = "name"', 'golden_name = "nmae"', "no attribute called nmae"),
        ('scheme = "uscc"', "", "give scheme or scheme_column"),
        ('valid = { column = "name_key" }', "", "rule 'valid' needs"),
        ('value = "phone_numbers"', 'value = "phone_numbers"\nkey = "name_key"', "key and is_list do not go together"),
        ("[legal_person]", "[legal_person", "not a TOML file"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "survivorship.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SurvivorshipConfigError, match=message) as caught:
        load_survivorship(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_absent_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(SurvivorshipConfigError, match="cannot be read"):
        load_survivorship(tmp_path / "absent.toml")
    (tmp_path / "junk.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SurvivorshipConfigError, match="not a TOML file"):
        load_survivorship(tmp_path / "junk.toml")
