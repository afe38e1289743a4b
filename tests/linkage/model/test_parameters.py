"""A model: written and read back, refused when it does not fit, and complete for Splink."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.entity_config import load_entity_config
from linkage.errors import ConfigError
from linkage.model.parameters import (
    base_model,
    levels_hash,
    load_model,
    save_model,
    splink_settings,
    term_frequency_columns,
)

CONFIGS = {entity: load_entity_config(entity) for entity in ("natural_person", "legal_person")}
SHIPPED = base_model(CONFIGS["natural_person"])
ENTITY = pytest.mark.parametrize("entity", CONFIGS)


@ENTITY
def test_a_saved_model_is_read_back_as_it_was(entity: str, tmp_path: Path) -> None:
    model = load_model(CONFIGS[entity])
    path = tmp_path / "model.json"
    save_model(model, path)
    assert load_model(CONFIGS[entity], path) == model
    first = path.read_bytes()
    save_model(load_model(CONFIGS[entity], path), path)
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


@ENTITY
def test_the_shipped_model_fits_the_shipped_configuration_and_knows_every_level(entity: str) -> None:
    config = CONFIGS[entity]
    model = base_model(config)
    assert model is not None
    for name, levels in config.levels.items():
        compared = [level.name for level in levels if not level.is_missing]
        assert [p.level for p in model.comparisons[name]] == compared


@ENTITY
def test_the_weights_of_a_shipped_comparison_tell_its_levels_apart(entity: str) -> None:
    config, model = CONFIGS[entity], load_model(CONFIGS[entity])
    for comparison in config.comparison:
        weights = [p.weight for p in model.comparisons[comparison.name]]
        assert len(set(weights)) == len(weights)
        assert 0.0 not in weights
        ordered = [p.weight for p in model.comparisons[comparison.name] if p.level not in comparison.against]
        assert ordered == sorted(ordered, reverse=True)


def test_a_model_of_other_levels_is_refused_and_the_message_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    save_model(load_model(CONFIGS["legal_person"]), path)
    with pytest.raises(ConfigError, match=r"trained for other comparison levels.*`guiyi train`") as refused:
        load_model(CONFIGS["natural_person"], path)
    assert str(path) in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"not json", b"[1]", b"\xff\xfe\x00", b'{"format": 1}', "模型".encode(), b"\x00" * 100],
    ids=["empty", "no keys", "no JSON", "a list", "not UTF-8", "half", "Chinese", "NUL"],
)
def test_a_file_that_is_no_model_is_refused_with_its_place(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="not a model of this version") as refused:
        load_model(CONFIGS["natural_person"], path)
    assert str(path) in str(refused.value)


def test_a_cut_off_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    save_model(load_model(CONFIGS["natural_person"]), path)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ConfigError, match="not a model of this version"):
        load_model(CONFIGS["natural_person"], path)


def test_a_model_of_a_later_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    save_model(load_model(CONFIGS["natural_person"]), path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"format": 2}), "utf-8")
    with pytest.raises(ConfigError, match="not a model of this version"):
        load_model(CONFIGS["natural_person"], path)


@pytest.mark.parametrize("kind", ["absent", "directory"])
def test_a_model_that_cannot_be_read_is_a_configuration_error(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    if kind == "directory":
        path.mkdir()
    with pytest.raises(ConfigError, match=r"model\.json: "):
        load_model(CONFIGS["natural_person"], path)


def test_the_hash_of_the_levels_follows_their_meaning_and_not_the_rest() -> None:
    config = CONFIGS["natural_person"]
    retitled = tuple(c.model_copy(update={"title_en": "another"}) for c in config.comparison)
    assert levels_hash(type(config).model_validate(config.model_dump(by_alias=True))) == levels_hash(config)
    changed = config.model_dump(by_alias=True) | {"comparison": [c.model_dump() for c in retitled], "version": "9"}
    assert levels_hash(type(config).model_validate(changed)) == levels_hash(config)
    fewer = config.model_dump(by_alias=True) | {"comparison": [c.model_dump() for c in config.comparison[:-1]]}
    assert levels_hash(type(config).model_validate(fewer)) != levels_hash(config)


@ENTITY
def test_splink_is_given_every_level_trained_and_fixed(entity: str) -> None:
    config, model = CONFIGS[entity], load_model(CONFIGS[entity])
    settings = splink_settings(config, model)
    assert [c["output_column_name"] for c in settings["comparisons"]] == list(config.levels)
    adjusted = set()
    for comparison in settings["comparisons"]:
        null, *levels = comparison["comparison_levels"]
        assert null["is_null_level"] is True
        assert levels[-1]["sql_condition"] == "ELSE"
        for level in levels:
            assert 0 < level["m_probability"] <= 1
            assert 0 < level["u_probability"] <= 1
            assert level["fix_m_probability"] is True
            assert level["fix_u_probability"] is True
            if "tf_adjustment_column" in level:
                adjusted.add(level["tf_adjustment_column"])
    assert adjusted == set(term_frequency_columns(config))
    assert adjusted


def test_splink_may_change_only_the_comparisons_to_be_estimated() -> None:
    config, model = CONFIGS["natural_person"], load_model(CONFIGS["natural_person"])
    for comparison in splink_settings(config, model, estimate=("id",))["comparisons"]:
        free = [level for level in comparison["comparison_levels"][1:] if "fix_m_probability" not in level]
        assert bool(free) == (comparison["output_column_name"] == "id")


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.floats(1e-9, 1.0))
def test_a_smoothed_frequency_lies_between_the_values_own_and_the_average(n: int, more: int, level_u: float) -> None:
    assert SHIPPED is not None
    model, total = SHIPPED, n + more
    frequency = model.smoothed_frequency(n, total, level_u)
    own = n / total if total else level_u
    assert frequency >= model.tf_minimum
    assert min(own, level_u) * (1 - 1e-9) <= frequency <= max(own, level_u, model.tf_minimum) * (1 + 1e-9)
