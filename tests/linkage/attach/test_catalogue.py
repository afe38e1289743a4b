"""The catalogue of credit information: complete items, and messages for those that are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkage.attach.catalogue import CATEGORY_TITLES, load_catalogue
from linkage.errors import ConfigError

ITEM = """
[[item]]
id = "{id}"
title_zh = "行政处罚"
title_en = "penalties"
category = "{category}"
concerns = "legal_person"
publicity = "public"
sharing = "open"
update = "daily"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "catalogue.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_shipped_catalogue_has_items_of_every_category_for_both_kinds_of_subject() -> None:
    items = load_catalogue().values()
    assert {item.category for item in items} == set(CATEGORY_TITLES)
    assert {item.concerns for item in items} == {"legal_person", "natural_person"}
    assert all(item.id.startswith("LP" if item.concerns == "legal_person" else "NP") for item in items)


def test_an_adverse_item_of_the_shipped_catalogue_says_how_long_it_is_kept() -> None:
    adverse = [item for item in load_catalogue().values() if item.category in ("penalty", "judicial", "supervision")]
    assert all(item.retention_months for item in adverse)


def test_a_districts_own_catalogue_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, ITEM.format(id="LP-FINE-453", category="penalty"))
    assert list(load_catalogue(path)) == ["LP-FINE-453"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ITEM.format(id="LP-A-1", category="penalty"), "item.0.id"),
        (ITEM.format(id="LP-AA-001", category="fine"), "item.0.category"),
        (ITEM.format(id="LP-AA-001", category="penalty") + 'colour = "red"\n', "item.0.colour"),
        (ITEM.format(id="LP-AA-001", category="penalty") * 2, "LP-AA-001 stands twice"),
        ("[[item]", "not TOML"),
    ],
)
def test_a_catalogue_that_cannot_be_used_is_refused_with_its_place(text: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=expected):
        load_catalogue(written(tmp_path, text))
