"""The outcomes of comparing two identity documents, and the conditions hard rules use.

The columns are those of `matchers.personal_identifier.PersonalIdentifier`. Birth dates inside numbers are left to the
comparison of birth dates: no level counts those positions.
"""

from __future__ import annotations

from typing import Final

from matchers.identifiers import agreement as _agreement  # noqa: F401  (registers the similarities used below)
from matchers.levels import (
    AtLeast,
    AtLeastAcross,
    Both,
    Condition,
    Differs,
    Either,
    Level,
    Missing,
    Not,
    Same,
    all_of,
    any_of,
    different,
)

RENEWABLE_SCHEMES: Final = ("passport", "military", "other")
"""Schemes whose number changes at each renewal, so that only equality says something."""

LIFELONG_PERMITS: Final = ("hk_macau_permit", "taiwan_permit")
"""Schemes whose number a person has for life, without a check character."""


def levels(field: str) -> tuple[Level, ...]:
    """Return the outcomes of comparing two documents of a field.

    `mask_strong` asks for six agreeing positions outside the birth date, two of them among the last four; `mask_tail`
    for the last four; `mask_weak` for two agreeing positions. Fewer than that, documents of different schemes,
    renewable documents that differ, and a number its own record disputes unless it is equal, are `missing`: they say
    nothing.
    """
    pattern, value, raw = f"{field}_pattern", f"{field}_value", f"{field}_raw"
    scheme, status = f"{field}_scheme", f"{field}_status"
    partial = any_of(*(Either(status, word) for word in ("masked", "fragment", "damaged")))
    agrees = all_of(partial, AtLeast("gy_mask_agreement", pattern, 2))
    one_edit = any_of(AtLeast("gy_edits", raw, -1), AtLeastAcross("gy_edits", value, raw, -1))
    says_nothing = any_of(
        Missing((value, pattern, raw)),
        Differs(scheme),
        all_of(Missing((pattern,)), Missing((value, raw))),
        all_of(any_of(*(Both(scheme, word) for word in RENEWABLE_SCHEMES)), Not(Same(value))),
        all_of(Either(f"{field}_disputed", True), Not(Same(value))),
        all_of(partial, AtLeast("gy_mask_agreement", pattern, 0), Not(AtLeast("gy_mask_agreement", pattern, 2))),
    )
    return (
        Level("missing", says_nothing, "一方缺失或不可比", "missing on one side, or not comparable", is_missing=True),
        Level("equal", Same(value), "证件号码相同", "same valid document number"),
        Level(
            "one_edit",
            one_edit,
            "号码相同或仅差一个字符，且至少一方校验不通过",
            "same or one character apart, and at least one side fails its check",
        ),
        Level(
            "mask_strong",
            all_of(partial, AtLeast("gy_mask_agreement", pattern, 6), AtLeast("gy_mask_tail", pattern, 2)),
            "部分号码：可见位一致，出生日期以外至少六位且含末四位中的两位",
            "partly hidden: all shown positions agree, six or more outside the birth date, two of the last four",
        ),
        Level(
            "mask_tail",
            all_of(partial, AtLeast("gy_mask_agreement", pattern, 4), AtLeast("gy_mask_tail", pattern, 4)),
            "部分号码：末四位一致",
            "partly hidden: the last four agree",
        ),
        Level(
            "mask_weak",
            agrees,
            "部分号码：可见位一致，但可比位数少",
            "partly hidden: all shown positions agree, but few can be compared",
        ),
        different("证件号码不同", "different document numbers"),
    )


def near_identifiers(field: str) -> Condition:
    """Return whether both are valid citizen numbers of one region and birth date that differ (twins)."""
    return all_of(
        Both(f"{field}_scheme", "resident_id"),
        Both(f"{field}_status", "valid"),
        Same(f"{field}_region"),
        Same(f"{field}_birth_date"),
        Differs(f"{field}_value"),
    )


def conflicting(field: str) -> Condition:
    """Return whether both have a number that a person can have only one of, and the numbers differ."""
    return Differs(f"{field}_exclusive")


def end_in_doubt(field: str) -> Condition:
    """Return whether a number is wrong or rounded, and its last four characters are not those of the other.

    These tell twins apart: such a number one edit away may well be the twin's.
    """
    wrong = any_of(Missing((f"{field}_pattern",)), Either(f"{field}_status", "damaged"))
    return all_of(wrong, Not(Same(f"{field}_tail")))


def different_permits(field: str) -> Condition:
    """Return whether both have a travel permit whose number stays for life, and the numbers differ.

    No check digit tells a typing error in them: two numbers speak against one person, without ruling it out.
    """
    permit = any_of(*(Both(f"{field}_scheme", scheme) for scheme in LIFELONG_PERMITS))
    return all_of(permit, Differs(f"{field}_value"))


def disputed(field: str) -> Condition:
    """Return whether a side's number is contradicted by the birth date or sex its own record states."""
    return Either(f"{field}_disputed", True)


def confirmed(field: str) -> Condition:
    """Return whether each side's own record states a birth date that agrees with its number."""
    return Both(f"{field}_disputed", False)
