"""How values of natural persons are shown to someone who may not see them, field by field.

A legal person's own values are public; the document number of its representative is a natural person's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matchers import address, date, person_name, personal_identifier, phone
from matchers.standard_codes import CODED

_MASKS = {
    "name": person_name.mask,
    "former_names": person_name.mask,
    "legal_rep_name": person_name.mask,
    "id_number": personal_identifier.mask,
    "legal_rep_id_number": personal_identifier.mask,
    "birth_date": date.mask,
    "phone": phone.mask,
    "address": address.mask,
    "household_address": address.mask,
}
_OF_REPRESENTATIVE = frozenset(("legal_rep_id_number",))
_PLAIN = frozenset(
    (
        *("sex", "ethnicity", "nationality", *CODED),
        *("id_type", "employer_name", "employer_uscc", "records", "sources", "conflicts"),
    )
)


def is_personal(entity: str, field: str) -> bool:
    """Return whether a field of an entity type holds values of a natural person that are masked by default.

    >>> is_personal("legal_person", "name"), is_personal("legal_person", "legal_rep_id_number")
    (False, True)
    """
    return entity == "natural_person" or field in _OF_REPRESENTATIVE


def is_plain(field: str) -> bool:
    """Return whether a canonical field's values are shown as they are, whoever looks.

    >>> is_plain("id_type"), is_plain("id_number")
    (True, False)
    """
    return field in _PLAIN


def mask_value(field: str, value: str) -> str:
    """Return a canonical field's value as it is shown; a field without a rule is hidden whole.

    >>> mask_value("phone", "13812340001")
    '138****0001'
    """
    if is_plain(field):
        return value
    mask = _MASKS.get(field)
    return mask(value) if mask else "***"


def mask_values(entity: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record's or golden record's values with the personal ones masked."""
    return {k: mask_value(k, v) if isinstance(v, str) and is_personal(entity, k) else v for k, v in values.items()}
