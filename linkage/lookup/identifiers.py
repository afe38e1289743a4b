"""Official numbers as somebody writes them, and the forms under which the catalog holds them.

In: a number and perhaps its scheme. Out: the (scheme, value) pairs to look for, old forms turned into new ones: a
15-digit resident number is folded to 18, a tax number yields the credit code in it. What a number only implies is
apart: the organisation code inside a credit code leads to bodies that were never given one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from linkage.fields import Entity
from matchers import legal_identifiers, personal_identifier
from matchers.raw_text import repair

ENTITY_ID = "entity_id"
LEGAL_SCHEMES = ("uscc", "registration_number", "organization_code", "tax_number")
PERSONAL_SCHEMES = (
    "resident_id",
    "residence_permit",
    "foreign_resident_card",
    "hk_macau_permit",
    "taiwan_permit",
    "hkid",
    "passport",
    "military",
    "other",
)
SCHEMES = (*LEGAL_SCHEMES, *PERSONAL_SCHEMES, ENTITY_ID)

TITLES = MappingProxyType(
    {
        "uscc": ("统一社会信用代码", "unified social credit code"),
        "registration_number": ("工商注册号", "registration number"),
        "organization_code": ("组织机构代码", "organisation code"),
        "tax_number": ("纳税人识别号", "taxpayer number"),
        "resident_id": ("居民身份证号码", "resident identity number"),
        "residence_permit": ("港澳台居民居住证号码", "residence permit number"),
        "foreign_resident_card": ("外国人永久居留身份证号码", "foreign resident card number"),
        "hk_macau_permit": ("港澳居民来往内地通行证号码", "Hong Kong and Macau permit number"),
        "taiwan_permit": ("台湾居民来往大陆通行证号码", "Taiwan permit number"),
        "hkid": ("香港身份证号码", "Hong Kong identity number"),
        "passport": ("护照号码", "passport number"),
        "military": ("军人证件号码", "military document number"),
        "other": ("其他证件号码", "other document number"),
        ENTITY_ID: ("主体编号", "entity id"),
    }
)


@dataclass(frozen=True)
class Given:
    """A number as it was given.

    Attributes:
        value: as written.
        scheme: one of `SCHEMES`; None: found from the value.
    """

    value: str
    scheme: str | None = None


def entity_of(scheme: str | None) -> Entity | None:
    """Return the entity type that a scheme belongs to, None where it says nothing."""
    if scheme in LEGAL_SCHEMES:
        return "legal_person"
    return "natural_person" if scheme in PERSONAL_SCHEMES else None


def forms(given: Given) -> tuple[tuple[str, str], ...]:
    """Return the (scheme, value) pairs under which the catalog may hold a number, each once.

    >>> forms(Given("91440300708461136t"))[0]
    ('uscc', '91440300708461136T')
    """
    found: dict[tuple[str, str], None] = {}
    value = repair(given.value)
    if given.scheme is None or given.scheme in LEGAL_SCHEMES:
        for column in LEGAL_SCHEMES:
            read = legal_identifiers.standardise(**{column: value})
            for scheme in (column, "uscc"):
                text = getattr(read, scheme)
                if text and given.scheme in (None, scheme):
                    found[scheme, text] = None
    if given.scheme is None or given.scheme in PERSONAL_SCHEMES:
        person = personal_identifier.standardise(given.scheme, value)
        if person.value and person.scheme and given.scheme in (None, person.scheme):
            found[person.scheme, person.value] = None
    return tuple(found)


def implied_forms(given: Given) -> tuple[tuple[str, str], ...]:
    """Return the (scheme, value) pairs that a legal person's number implies: the organisation code inside it.

    >>> implied_forms(Given("914403001922038216"))
    (('organization_code', '192203821'),)
    """
    if given.scheme not in (None, "uscc", "tax_number"):
        return ()
    read = legal_identifiers.standardise(repair(given.value))
    return (("organization_code", read.organization_code),) if read.organization_code else ()


def as_fields(given: tuple[Given, ...], entity: Entity) -> dict[str, str]:
    """Return the numbers as canonical fields of a record, for scoring: the first of each field counts."""
    fields: dict[str, str] = {}
    for one in given:
        if one.scheme == ENTITY_ID or entity_of(one.scheme) not in (None, entity):
            continue
        if entity == "legal_person":
            scheme = one.scheme or next((scheme for scheme, _ in forms(one) if scheme in LEGAL_SCHEMES), "uscc")
            fields.setdefault(scheme, one.value)
        elif "id_number" not in fields:
            fields["id_number"] = one.value
            if one.scheme:
                fields["id_type"] = one.scheme
    return fields
