"""The settings of relations: read once, checked whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkage.errors import ConfigError
from linkage.relations.settings import KINDS, load_relation_settings

GOOD = """
[representative]
operator_kinds = ["个体工商户"]
partial_names = ["exact"]
[succession]
ended = ["注销"]
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "relations.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_shipped_settings_are_right_and_derive_everything() -> None:
    assert load_relation_settings().kinds == KINDS


def test_defaults_fill_what_a_file_leaves_out(tmp_path: Path) -> None:
    settings = load_relation_settings(written(tmp_path, GOOD))
    assert (settings.kinds, settings.representative.min_positions) == (KINDS, 6)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + "[employment]\n", "employment: Extra inputs"),
        (GOOD.replace('"exact"', '"exact", "alike"'), "unknown level 'alike' .known: exact, variant"),
        (GOOD.replace("[succession]", "min_tail = 5\n[succession]"), "representative.min_tail"),
        ('kinds = ["married_to"]\n' + GOOD, "kinds.0"),
        ("kinds = [", "not a TOML file"),
    ],
    ids=["unknown section", "unknown level", "out of range", "unknown kind", "not TOML"],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match=says) as raised:
        load_relation_settings(path)
    assert str(path) in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_relation_settings(tmp_path / "absent.toml")
