"""Official numbers of a legal person, read together: credit code, registration number, organisation code, tax number.

In: four cells as a department wrote them, in any order and condition. Out: each number under its own name, completed
by what arithmetic allows: a credit code holds the organisation code, a taxpayer number holds a credit code, an
organisation code or the operator's ID number. A registration number cannot be derived. What is wrong with the credit
code is kept as a status, and what is left of it as a weak key. A row that holds two credit codes has one of them from
another subject (a branch's row that shows its parent's, a cell of the row above): neither is believed.

The law makes the credit code the only identifier to link by; the others lead to it.

Source: GB 32100-2015, GB 11714-1997, GS 15-2006, 国家税务总局公告2015年第66号.
Invariant: `uscc` is a code with both checks right, or one of the Xiamen codes whose outer check was never right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from matchers.identifiers import agreement as _agreement  # noqa: F401  (registers the similarities used below)
from matchers.identifiers import registration_number as registration
from matchers.identifiers import tax_number as taxpayer_number
from matchers.identifiers import uscc as credit_code
from matchers.identifiers.cleaning import clean, digits_for_letters
from matchers.identifiers.masks import hidden_for_display
from matchers.identifiers.placeholders import is_placeholder
from matchers.identifiers.subject_code import Column, Found, Remains, pieces_of, remains_of, sort_into
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


@dataclass(frozen=True, slots=True)
class LegalIdentifiers:
    """The official numbers of one record.

    Attributes:
        uscc: the credit code, if it can be relied on. uscc_status: valid, legacy_check (Xiamen), fabricated_inner,
        invalid, damaged (rounded or in scientific notation),
            masked, placeholder, personal_id (an ID number stood in its place), several (two different codes in one
            record and no telling which), missing.
        organization_code: nine characters with the right check, from the credit code, its own column, or a tax number.
        registration_number: 15 characters, or an older number in one spelling.
        registration_checked: whether the registration number is one of 15 characters that passes its check.
        tax_number: compact taxpayer number with a valid number inside, without the `L` of temporary registration.
        raw: a compact code that fails its checks, a weak key.
        prefix15: the first 15 characters of a rounded code.
        pattern: the credit code by position, `*` where hidden; a valid code shows all.
        operator_id: ID number of the operator, 18 characters, found in a tax number or where a code should stand.
        exclusive: the credit code; the clustering constraint.
    """

    uscc: str | None = None
    uscc_status: str = "missing"
    organization_code: str | None = None
    registration_number: str | None = None
    registration_checked: bool | None = None
    tax_number: str | None = None
    raw: str | None = None
    prefix15: str | None = None
    pattern: str | None = None
    operator_id: str | None = None
    exclusive: str | None = None


_NOTHING_LEFT: Final = Remains("missing")
_COLUMNS: Final[tuple[Column, ...]] = ("uscc", "tax_number", "registration_number", "organization_code")


def standardise(
    uscc: str | None = None,
    registration_number: str | None = None,
    organization_code: str | None = None,
    tax_number: str | None = None,
) -> LegalIdentifiers:
    """Read the official numbers of a legal person; each is typed by its content, not by the column it stands in.

    Cells longer than 200 characters count as empty.

    >>> standardise("914403001922038216").organization_code
    '192203821'
    >>> standardise(registration_number="914403001922038216").uscc
    '914403001922038216'
    """
    if uscc is not None and registration_number is None and organization_code is None and tax_number is None:
        code = digits_for_letters(clean(uscc))
        if len(code) == 18 and _surely_valid(code):
            return _of_code(code, "valid")
    found, remains = Found(), _NOTHING_LEFT
    cells = {
        "uscc": uscc,
        "tax_number": tax_number,
        "registration_number": registration_number,
        "organization_code": organization_code,
    }
    for column in _COLUMNS:
        text = cells[column]
        if text is None:
            continue
        left = _read(found, text, column)
        remains = left if remains is _NOTHING_LEFT else remains
    several = _two_subjects(found)
    return _joined(found, remains, None if several else next(iter(found.usccs), None), several)


def mask(value: str) -> str:
    """Return a number as shown to someone who may not see it; a tax number may hold a person's ID number."""
    return hidden_for_display(clean(value)) or "****"


def levels(field: str) -> tuple[Level, ...]:
    """Return the outcomes of comparing the official numbers of two legal persons.

    `missing` means that no kind of number is shown by both in a way that can be compared: registration numbers in
    text form and taxpayer numbers count only when equal, for one subject may have had several.
    """
    uscc, pattern, raw = f"{field}_uscc", f"{field}_pattern", f"{field}_raw"
    organization, registered, tax = f"{field}_organization_code", f"{field}_registration_number", f"{field}_tax_number"
    status, checked = f"{field}_uscc_status", f"{field}_registration_checked"
    partial = any_of(Either(status, "masked"), Either(status, "damaged"))
    one_subject = Not(Differs(uscc))
    too_little = all_of(
        partial, AtLeast("gy_code_agreement", pattern, 0), Not(AtLeast("gy_code_agreement", pattern, 4))
    )
    says_nothing = all_of(
        Missing((organization,)),
        Not(Both(checked, True)),
        Not(Same(registered)),
        Not(Same(tax)),
        any_of(all_of(Missing((pattern,)), Missing((uscc, raw))), too_little),
    )
    return (
        Level("missing", says_nothing, "没有双方都有的可比代码", "no kind of number is shown by both", is_missing=True),
        Level("uscc", Same(uscc), "统一社会信用代码相同", "same unified social credit code"),
        Level(
            "organization_code",
            all_of(Same(organization), one_subject),
            "组织机构代码相同",
            "same organisation code, no two different credit codes",
        ),
        Level(
            "registration_number",
            all_of(any_of(Same(registered), Same(tax)), one_subject),
            "工商注册号或纳税人识别号相同",
            "same registration or taxpayer number, no two different credit codes",
        ),
        Level(
            "mask",
            all_of(partial, AtLeast("gy_code_agreement", pattern, 4)),
            "代码有遮盖或损坏：可见位一致，主体标识码段至少四位",
            "code partly hidden or rounded: all shown positions agree, four or more after the region",
        ),
        Level(
            "one_edit",
            any_of(AtLeast("gy_edits", raw, -1), AtLeastAcross("gy_edits", uscc, raw, -1)),
            "代码相同或仅差一个字符，且至少一方校验不通过",
            "same code or one character apart, and at least one side fails its check",
        ),
        different("代码不同", "different official numbers"),
    )


def conflicting(field: str) -> Condition:
    """Return whether both have a reliable credit code and the codes differ."""
    return Differs(f"{field}_exclusive")


def _surely_valid(code: str) -> bool:
    """Tell, cheaply, whether a code is valid and no ID number, whose century stands at positions 7 and 8."""
    return code[6:8] not in ("18", "19", "20") and credit_code.diagnose_compact(code).status == "valid"


def _of_code(code: str, status: str) -> LegalIdentifiers:
    return LegalIdentifiers(uscc=code, uscc_status=status, organization_code=code[8:17], pattern=code, exclusive=code)


def _read(found: Found, text: str, column: Column) -> Remains:
    """Sort the numbers of one cell into `found` and return what is left of a credit code that is not valid."""
    remains = _NOTHING_LEFT
    operators = len(found.operator_ids)
    for number in pieces_of(text):
        if sort_into(found, number, column):
            continue
        if column == "registration_number" and len(number) != 18:
            opaque = registration.opaque(number)
            found.opaque_numbers += [opaque] if opaque is not None else []
        elif remains is _NOTHING_LEFT and (column == "uscc" or (len(number) == 18 and not is_placeholder(number))):
            remains = remains_of(number)
    if column == "uscc" and remains is _NOTHING_LEFT and len(found.operator_ids) > operators:
        return Remains("personal_id")
    return remains


def _two_subjects(found: Found) -> bool:
    """Tell whether the cells hold two credit codes, or one and a taxpayer number made from another's code."""
    inner = {code[8:17] for code in found.usccs}
    if inner:
        inner.update(code for number in found.tax_numbers if (code := taxpayer_number.parts(number).organization_code))
    return len(inner) > 1


def _joined(found: Found, remains: Remains, code: str | None, several: bool) -> LegalIdentifiers:
    """Join what the cells held; the credit code outranks the other columns, two codes say nothing."""
    inner = code[8:17] if code is not None else None
    codes = [inner, *found.organization_codes[:1], remains.organization_code]
    registered = next(iter(found.registration_numbers), None)
    number = registered or next(iter(found.opaque_numbers), None)
    rest = remains if code is None and not several else _NOTHING_LEFT
    status = found.usccs[code] if code is not None else "several" if several else rest.status
    return LegalIdentifiers(
        uscc=code,
        uscc_status=status,
        organization_code=next((value for value in codes if value is not None), None) if not several else None,
        registration_number=number,
        registration_checked=None if number is None else registered is not None,
        tax_number=next(iter(found.tax_numbers), None) if not several else None,
        raw=rest.raw,
        prefix15=rest.prefix15,
        pattern=code if code is not None else rest.pattern,
        operator_id=next(iter(found.operator_ids), None),
        exclusive=code,
    )
