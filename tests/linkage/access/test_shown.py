"""What is shown of an entity, by role and purpose; the table of the documentation is the table of the code."""

from __future__ import annotations

import re
from dataclasses import astuple
from pathlib import Path

from linkage.access.roles import PERMISSIONS, ROLES, Permissions
from linkage.access.shown import PUBLIC_FIELDS, Sight, shown_identifier, shown_row, shown_values, sight_of
from matchers.identifiers import resident_id

PAGE = Path(__file__).parents[3] / "docs" / "service.md"
NUMBER = "44030619900307123" + resident_id.check_digit("44030619900307123")
PERSON = {"entity_id": "NP0000000018", "name": "张小明", "id_number": NUMBER, "phone": "13812340001", "anchor": NUMBER}
SHOP = {
    "entity_id": "LP0000000011",
    "name": "深圳市宝安区小明商店",
    "uscc": "91440300MA5KPW5G0T",
    "tax_number": NUMBER + "00",
    "legal_rep_name": "张小明",
    "legal_rep_id_number": NUMBER,
    "phone": "13812340001",
    "anchor": "91440300MA5KPW5G0T",
}
FULL, PUBLIC, MASKED = Sight(True, True), Sight(False, False), Sight(True, False)


def test_nobody_sees_a_person_in_full_without_right_and_purpose() -> None:
    for role in ROLES:
        for purpose in (None, "核对"):
            sight = sight_of(PERMISSIONS[role], purpose)
            assert sight.unmasked == (role in ("auditor", "lead_auditor") and purpose is not None)


def test_a_person_is_masked_in_every_field_that_is_a_value_of_theirs() -> None:
    shown = shown_values("natural_person", PERSON, MASKED)
    assert not {PERSON["name"], NUMBER, PERSON["phone"]} & set(map(str, shown.values()))
    assert shown_values("natural_person", PERSON, FULL)["id_number"] == NUMBER
    assert "anchor" not in shown
    row = {"entity_id": "x", "scheme": "resident_id", "value": NUMBER, "valid": 1}
    told = shown_identifier("natural_person", row, MASKED)
    assert told is not None
    assert NUMBER not in told.values()
    assert shown_row("natural_person", "phone", {"phone": "13812340001"}, MASKED)["phone"] != "13812340001"


def test_the_public_subset_of_a_legal_person_holds_no_number_of_its_representative() -> None:
    assert set(shown_values("legal_person", SHOP, PUBLIC)) == {"name", "uscc", "legal_rep_name"}
    whole = shown_values("legal_person", SHOP, MASKED)
    assert whole["phone"] == "13812340001"
    assert NUMBER not in repr(whole), "neither as such nor inside the tax number"
    assert shown_values("legal_person", SHOP, FULL)["tax_number"] == NUMBER + "00"


def test_a_tax_number_built_on_a_persons_own_is_hidden_among_the_identifiers() -> None:
    row = {"entity_id": "x", "scheme": "tax_number", "value": NUMBER + "00", "valid": 1}
    assert shown_identifier("legal_person", row, PUBLIC) is None
    told = shown_identifier("legal_person", row, MASKED)
    assert told is not None
    assert NUMBER not in told["value"]


def test_the_documented_roles_and_public_fields_are_those_of_the_code() -> None:
    page = PAGE.read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \|" + r" (yes|no) \|" * 9 + "$", page, re.M)
    said = {row[0]: Permissions(*(cell == "yes" for cell in row[1:])) for row in rows}
    assert said.keys() == set(ROLES)
    for role in ROLES:
        assert astuple(said[role]) == astuple(PERMISSIONS[role]), role
    (listed,) = re.findall(r"^Public of a legal person: (.+)\.$", page, re.M)
    assert tuple(re.findall(r"`(\w+)`", listed)) == PUBLIC_FIELDS


def test_who_gives_out_tokens_sees_no_natural_person() -> None:
    assert not PERMISSIONS["admin"].natural_persons
    assert not PERMISSIONS["admin"].unmask
