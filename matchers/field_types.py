"""The field types a configuration may name, each with its functions.

An entity type's TOML names field types by these keys; nothing else in the project knows which module serves which type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

from matchers import (
    address,
    date,
    email,
    household_address,
    legal_identifiers,
    organization_name,
    person_name,
    personal_identifier,
    phone,
    sex,
    stray_numbers,
)
from matchers.levels import Condition, Level

COLUMN_TYPES = {str: "varchar", int: "integer", bool: "boolean"}


@dataclass(frozen=True)
class FieldType:
    """A kind of field.

    Attributes:
        standardise: raw texts to a frozen dataclass of attributes.
        attributes: the dataclass.
        levels: field name (and names of related fields) to the ordered levels; `None` if it is never compared alone.
        compatible: level names under which an equal identifier is believed without review.
        checks: named yes-or-no conditions for hard rules, each made for a field name.
        mask: how a value is shown to someone who may not see it.
    """

    standardise: Callable[..., Any]
    attributes: type
    levels: Callable[..., tuple[Level, ...]] | None
    compatible: frozenset[str]
    checks: dict[str, Callable[..., Condition]]
    mask: Callable[[str], str]

    def columns(self, field: str) -> dict[str, str]:
        """Return the standardised columns of a field of this type with their DuckDB types."""
        hints = get_type_hints(self.attributes)
        return {f"{field}_{a.name}": _column_type(hints[a.name]) for a in fields(self.attributes)}


def _column_type(hint: Any) -> str:
    kinds = [kind for kind in getattr(hint, "__args__", (hint,)) if kind not in (type(None), Ellipsis)]
    if getattr(hint, "__origin__", None) is tuple:
        return COLUMN_TYPES[kinds[0]] + "[]"
    return COLUMN_TYPES[kinds[0]]


FIELD_TYPES: dict[str, FieldType] = {
    "person_name": FieldType(
        person_name.standardise,
        person_name.PersonName,
        person_name.levels,
        person_name.COMPATIBLE_LEVELS,
        {"lengths_differ": person_name.lengths_differ, "one_whole_name": person_name.one_whole_name},
        person_name.mask,
    ),
    "former_person_names": FieldType(
        person_name.standardise_former, person_name.FormerNames, None, frozenset(), {}, person_name.mask
    ),
    "organization_name": FieldType(
        organization_name.standardise,
        organization_name.OrganizationName,
        organization_name.levels,
        organization_name.COMPATIBLE_LEVELS,
        {
            "branch_conflict": organization_name.branch_conflict,
            "branch_of_the_other": organization_name.branch_of_the_other,
            "character_replaced": organization_name.character_replaced,
            "company_and_other_body": organization_name.company_and_other_body,
            "complete_names": organization_name.complete_names,
            "individual_businesses": organization_name.individual_businesses,
            "named_after_operator": organization_name.named_after_operator,
            "named_after_place": organization_name.named_after_place,
            "names_operator": organization_name.names_operator,
            "operator_named": organization_name.operator_named,
            "operator_only": organization_name.operator_only,
            "other_body": organization_name.other_body,
            "other_number": organization_name.other_number,
            "other_registrar": organization_name.other_registrar,
            "parent_and_branch": organization_name.parent_and_branch,
            "region_moved": organization_name.region_moved,
            "region_wording_differs": organization_name.region_wording_differs,
            "same_sound": organization_name.same_sound,
            "same_trade": organization_name.same_trade,
            "share_company_conflict": organization_name.share_company_conflict,
        },
        organization_name.mask,
    ),
    "former_organization_names": FieldType(
        organization_name.standardise_former,
        organization_name.FormerNames,
        None,
        frozenset(),
        {},
        organization_name.mask,
    ),
    "personal_identifier": FieldType(
        personal_identifier.standardise,
        personal_identifier.PersonalIdentifier,
        personal_identifier.levels,
        frozenset(),
        {
            "near_identifiers": personal_identifier.near_identifiers,
            "conflicting": personal_identifier.conflicting,
            "confirmed": personal_identifier.confirmed,
            "different_permits": personal_identifier.different_permits,
            "disputed": personal_identifier.disputed,
            "end_in_doubt": personal_identifier.end_in_doubt,
        },
        personal_identifier.mask,
    ),
    "legal_identifiers": FieldType(
        legal_identifiers.standardise,
        legal_identifiers.LegalIdentifiers,
        legal_identifiers.levels,
        frozenset(),
        {"conflicting": legal_identifiers.conflicting},
        legal_identifiers.mask,
    ),
    "address": FieldType(address.standardise, address.Address, address.levels, frozenset(), {}, address.mask),
    "household_address": FieldType(
        household_address.standardise,
        household_address.HouseholdAddress,
        household_address.levels,
        frozenset(),
        {},
        household_address.mask,
    ),
    "phone": FieldType(phone.standardise, phone.Phone, phone.levels, frozenset(), {}, phone.mask),
    "date": FieldType(date.standardise, date.PartialDate, date.levels, frozenset(), {}, date.mask),
    "birth_date": FieldType(date.standardise, date.PartialDate, date.birth_levels, frozenset(), {}, date.mask),
    "sex": FieldType(sex.standardise, sex.Sex, sex.levels, frozenset(), {}, sex.mask),
    "stray_numbers": FieldType(
        stray_numbers.standardise, stray_numbers.StrayNumbers, None, frozenset(), {}, stray_numbers.mask
    ),
    "email": FieldType(email.standardise, email.Email, email.levels, frozenset(), {}, email.mask),
}
