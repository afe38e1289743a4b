"""What of an entity's values is shown: masked by default, public fields only, or all.

Public of a legal person is what its registry publishes. The number of its representative's document, and a taxpayer
number that is built on the operator's own number, are a natural person's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from linkage.access.roles import Permissions
from linkage.masking import mask_value, mask_values
from matchers import legal_identifiers

PUBLIC_FIELDS = (
    "name",
    "entity_kind",
    "uscc",
    "registration_number",
    "organization_code",
    "legal_rep_name",
    "address",
    "established_date",
    "status",
)
_PUBLIC_SCHEMES = frozenset(("uscc", "registration_number", "organization_code"))
_INTERNAL = frozenset(("entity_id", "anchor"))


@dataclass(frozen=True)
class Sight:
    """How much somebody sees.

    Attributes:
        whole_legal_persons: every field of a legal person.
        unmasked: values of natural persons in full.
    """

    whole_legal_persons: bool
    unmasked: bool


def sight_of(permissions: Permissions, purpose: str | None) -> Sight:
    """Return how much a role sees with a stated purpose; the purpose alone gives no right."""
    return Sight(permissions.whole_legal_persons, permissions.unmask and purpose is not None)


def shown_values(entity_type: str, values: Mapping[str, Any], sight: Sight) -> dict[str, Any]:
    """Return an entity's golden values as they are shown; values that are not there are left out."""
    held = {k: v for k, v in values.items() if v is not None and k not in _INTERNAL}
    if entity_type == "legal_person" and not sight.whole_legal_persons:
        held = {k: v for k, v in held.items() if k in PUBLIC_FIELDS}
    if sight.unmasked:
        return held
    masked = mask_values(entity_type, held)
    if entity_type == "legal_person" and "tax_number" in masked:
        masked["tax_number"] = _tax_number(masked["tax_number"])
    return masked


def shown_identifier(entity_type: str, row: Mapping[str, Any], sight: Sight) -> dict[str, Any] | None:
    """Return a row of `identifier` as it is shown, None if it is not."""
    told = {k: v for k, v in row.items() if k != "entity_id"}
    if entity_type == "natural_person":
        return told if sight.unmasked else told | {"value": mask_value("id_number", row["value"])}
    if not sight.whole_legal_persons and row["scheme"] not in _PUBLIC_SCHEMES:
        return None
    return told if sight.unmasked else told | {"value": _tax_number(row["value"])}


def shown_row(entity_type: str, field: str, row: Mapping[str, Any], sight: Sight) -> dict[str, Any]:
    """Return a row of `name`, `address` or `phone` as it is shown."""
    told = {k: v for k, v in row.items() if k != "entity_id"}
    if entity_type == "legal_person" or sight.unmasked:
        return told
    return told | {field: mask_value(field, row[field])}


def _tax_number(value: str) -> str:
    holds_a_persons = legal_identifiers.standardise(tax_number=value).operator_id is not None
    return legal_identifiers.mask(value) if holds_a_persons else value
