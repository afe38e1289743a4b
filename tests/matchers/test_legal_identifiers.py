"""Official numbers of legal persons: every number found wherever it stands, and what two records say together."""

from collections.abc import Callable
from dataclasses import asdict, fields

import duckdb
import pyarrow as pa
import pytest
from duckdb.func import ARROW
from hypothesis import given, settings
from hypothesis import strategies as st

from matchers.identifiers import organization_code, uscc
from matchers.legal_identifiers import LegalIdentifiers, conflicting, levels, mask, standardise
from matchers.levels import Condition, Row, outcome
from matchers.similarity import SIMILARITIES

CODE = "914403001922038216"
OTHER = "91440300708461136T"
SUCCEEDED = "12440300192203821B"  # the same organisation code under another prefix
OPERATOR = "360426199101010071"
REGISTRATION = "440306109178395"


def row(**cells: str | None) -> Row:
    return {f"numbers_{name}": value for name, value in asdict(standardise(**cells)).items()}


def level_of(left: dict[str, str], right: dict[str, str]) -> str:
    return outcome(levels("numbers"), row(**left), row(**right)).name


def test_a_valid_code_brings_its_organisation_code() -> None:
    assert standardise(CODE) == LegalIdentifiers(
        uscc=CODE, uscc_status="valid", organization_code="192203821", pattern=CODE, exclusive=CODE
    )


@pytest.mark.parametrize("column", ["uscc", "registration_number", "organization_code", "tax_number"])
@pytest.mark.parametrize("text", [CODE, "９１４４０３００１９２２０３８２１６", " 91440300-1922O3821-6 "])
def test_a_code_is_found_in_any_column_and_spelling(column: str, text: str) -> None:
    found = standardise(**{column: text})
    assert (found.uscc, found.uscc_status, found.organization_code) == (CODE, "valid", "192203821")


@pytest.mark.parametrize(
    ("text", "status", "raw", "pattern", "organization"),
    [
        ("91350211M0000XUF46", "legacy_check", None, "91350211M0000XUF46", "M0000XUF4"),
        ("92440300MA5FQ2X7J0", "fabricated_inner", "92440300MA5FQ2X7J0", None, None),
        ("914403001922038217", "invalid", "914403001922038217", None, "192203821"),
        ("914493001922038216", "invalid", "914493001922038216", None, "192203821"),
        ("914403001922038116", "invalid", "914403001922038116", None, None),
        ("91440300192203821", "invalid", "91440300192203821", None, "192203821"),
        ("914403001922038000", "damaged", "914403001922038000", "914403001922038***", None),
        ("914403001922038272", "damaged", "914403001922038272", "914403001922038***", None),
        ("9.14403001922038E+17", "damaged", None, "914403001922038***", None),
        ("9.14403E+17", "damaged", None, None, None),
        ("9144********038216", "masked", None, "9144********038216", None),
        ("********1922038216", "masked", None, "********1922038216", "192203821"),
        ("91440300MA5XXXXXXX", "placeholder", None, None, None),
        ("91440300**********", "placeholder", None, None, None),
        ("111111111111111111", "placeholder", None, None, None),
        ("123456789012345678", "placeholder", None, None, None),
        ("暂无", "placeholder", None, None, None),
        (OPERATOR, "personal_id", None, None, None),
        (f"{CODE}/{OTHER}", "several", None, None, None),
        ("", "missing", None, None, None),
    ],
)
def test_a_code_that_is_not_valid_keeps_what_it_shows(
    text: str, status: str, raw: str | None, pattern: str | None, organization: str | None
) -> None:
    found = standardise(text)
    assert (found.uscc_status, found.raw, found.pattern, found.organization_code) == (
        status,
        raw,
        pattern,
        organization,
    )
    assert (found.uscc is not None) == (status == "legacy_check")
    assert found.exclusive == found.uscc


def test_each_number_of_a_full_record_has_its_place() -> None:
    found = standardise(CODE, REGISTRATION, "19220382-1", "440306192203821")
    assert (found.uscc, found.registration_number, found.registration_checked) == (CODE, REGISTRATION, True)
    assert (found.organization_code, found.tax_number) == ("192203821", "440306192203821")


def test_numbers_sharing_a_cell_are_taken_apart() -> None:
    found = standardise(None, f"{CODE}；{REGISTRATION}")
    assert (found.uscc, found.registration_number) == (CODE, REGISTRATION)
    assert standardise(f"{CODE}、{CODE}").uscc == CODE
    assert standardise(f"{CODE} {OTHER}").uscc_status == "several"


@pytest.mark.parametrize("column", ["registration_number", "organization_code", "tax_number"])
def test_a_row_with_two_codes_tells_neither(column: str) -> None:
    found = standardise(CODE, **{column: OTHER})
    assert (found.uscc_status, found.uscc, found.exclusive) == ("several", None, None)
    assert (found.organization_code, found.tax_number, found.pattern, found.raw) == (None, None, None, None)
    assert standardise(CODE, **{column: CODE}).uscc == CODE


def test_a_tax_number_made_from_another_code_is_another_subjects() -> None:
    assert standardise(CODE, tax_number="440306" + OTHER[8:17]).uscc_status == "several"
    assert standardise(CODE, tax_number="440306" + CODE[8:17]).uscc == CODE
    assert standardise(CODE, tax_number=OPERATOR + "01").uscc == CODE


def test_two_codes_in_a_row_leave_its_registration_number() -> None:
    assert standardise(CODE, REGISTRATION, tax_number=OTHER).registration_number == REGISTRATION


def test_the_code_column_outranks_an_organisation_code_elsewhere() -> None:
    found = standardise(CODE, organization_code=OTHER[8:17])
    assert (found.uscc, found.uscc_status, found.organization_code) == (CODE, "valid", "192203821")


def test_a_broken_code_is_replaced_by_the_same_subjects_tax_number() -> None:
    found = standardise("9.14403E+17", tax_number=CODE)
    assert (found.uscc, found.uscc_status, found.raw) == (CODE, "valid", None)


@pytest.mark.parametrize(
    "cells",
    [
        {"tax_number": OPERATOR + "01"},
        {"tax_number": "L" + OPERATOR},
        {"uscc": OPERATOR},
        {"registration_number": OPERATOR},
    ],
)
def test_the_operator_of_an_individual_business_is_no_code(cells: dict[str, str]) -> None:
    found = standardise(**cells)
    assert (found.operator_id, found.uscc, found.exclusive) == (OPERATOR, None, None)


@pytest.mark.parametrize("number", ["362322198709086409", "120101199901013950", "440306199901010618"])
def test_an_operators_number_that_passes_the_checks_of_a_code_is_still_a_persons(number: str) -> None:
    found = standardise(number)
    assert (found.uscc, found.uscc_status, found.operator_id) == (None, "personal_id", number)
    assert uscc.is_valid(number) == (number != "362322198709086409")


@pytest.mark.parametrize(
    ("text", "number", "checked"),
    [
        (REGISTRATION, REGISTRATION, True),
        ("440306NA000012X", "440306NA000012X", True),
        ("深司字N12345", "深司N12345", False),
        ("4403012098765", "4403012098765", False),
        ("440301104001819", "440301104001819", False),
        ("无", None, None),
    ],
)
def test_registration_numbers_old_and_new_are_kept(text: str, number: str | None, checked: bool | None) -> None:
    found = standardise(registration_number=text)
    assert (found.registration_number, found.registration_checked) == (number, checked)


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ({"uscc": CODE}, {"tax_number": CODE}, "uscc"),
        ({"uscc": CODE}, {"organization_code": "19220382-1"}, "organization_code"),
        ({"uscc": CODE}, {"tax_number": "440306192203821"}, "organization_code"),
        ({"uscc": CODE}, {"uscc": "914403001922038217"}, "organization_code"),
        (
            {"uscc": CODE, "registration_number": REGISTRATION},
            {"registration_number": REGISTRATION},
            "registration_number",
        ),
        ({"registration_number": "深司字N12345"}, {"registration_number": "深司字第N12345号"}, "registration_number"),
        ({"tax_number": OPERATOR + "01"}, {"tax_number": OPERATOR + "01"}, "registration_number"),
        ({"uscc": CODE}, {"uscc": "914403001922038000"}, "mask"),
        ({"uscc": CODE}, {"uscc": "9144********038216"}, "mask"),
        ({"uscc": CODE}, {"uscc": "914403001922038116"}, "one_edit"),
        ({"uscc": "92440300MA5FQ2X7J0"}, {"uscc": "92440300MA5FQ2X7J0"}, "one_edit"),
        ({"uscc": CODE}, {"uscc": OTHER}, "different"),
        ({"uscc": CODE}, {"uscc": SUCCEEDED}, "different"),
        ({"uscc": "914403001922******"}, {"uscc": "**************8216"}, "missing"),
        ({"uscc": "914403001922******"}, {"uscc": "914403001923******"}, "different"),
        (
            {"uscc": CODE, "registration_number": REGISTRATION},
            {"uscc": OTHER, "registration_number": REGISTRATION},
            "different",
        ),
        ({"registration_number": REGISTRATION}, {"registration_number": "440306103654921"}, "different"),
        ({"registration_number": REGISTRATION}, {"registration_number": "深司字N12345"}, "missing"),
        ({"tax_number": OPERATOR + "01"}, {"tax_number": OPERATOR + "02"}, "missing"),
        ({"uscc": CODE}, {"registration_number": REGISTRATION}, "missing"),
        ({"uscc": CODE}, {"uscc": "9.14403E+17"}, "missing"),
        ({"uscc": CODE}, {"uscc": "暂无"}, "missing"),
        ({"uscc": CODE}, {}, "missing"),
    ],
)
def test_two_records_meet_at_the_level_an_auditor_expects(
    left: dict[str, str], right: dict[str, str], level: str
) -> None:
    assert level_of(left, right) == level
    assert level_of(right, left) == level


def test_two_reliable_codes_that_differ_are_a_conflict() -> None:
    condition = conflicting("numbers")
    assert condition.holds(row(uscc=CODE), row(uscc=OTHER))
    assert not condition.holds(row(uscc=CODE), row(uscc="914403001922038217"))
    assert not condition.holds(row(uscc=CODE), row(tax_number=CODE))


def test_levels_start_with_missing_and_end_with_different() -> None:
    names = [level.name for level in levels("numbers")]
    assert names == ["missing", "uscc", "organization_code", "registration_number", "mask", "one_edit", "different"]
    assert all(level.reason_zh and level.reason_en for level in levels("numbers"))


def test_a_tax_number_is_shown_without_the_persons_number_inside() -> None:
    assert mask(OPERATOR + "01") == "3604**************01"
    assert mask("") == "****"


JUNK = ["", "\x00", "😀" * 30, "9" * 10_000, "\ud800", "مرحبا", "****", "X" * 18, "٤" * 18, "//;;", "()", "e", "1E5"]


@pytest.mark.parametrize("text", JUNK)
def test_junk_is_no_number(text: str) -> None:
    found = standardise(text, text, text, text)
    assert (found.uscc, found.organization_code, found.registration_number, found.tax_number) == (None,) * 4


def test_nothing_in_gives_nothing_out() -> None:
    assert standardise(None, None, None, None) == LegalIdentifiers()


@st.composite
def written(draw: st.DrawFn) -> str | None:
    """Draw one of few subjects' codes, in one of the shapes departments give them."""
    body = draw(st.sampled_from(["19220382", "MA5EQ7GQ", "70846113"]))
    body17 = "91440300" + body + organization_code.check_digit(body)
    code = body17 + uscc.check_digit(body17)
    place = draw(st.integers(0, 17))
    return draw(
        st.sampled_from(
            [
                code,
                code[8:17],
                "440306" + code[8:17],
                code[:4] + "********" + code[12:],
                code[:15] + "000",
                code[:place] + "7" + code[place + 1 :],
                code[:place] + code[place + 1 :],
                REGISTRATION,
                "440306103654921",
                "深司字N12345",
                OPERATOR,
                OPERATOR + "01",
                "9.14403E+17",
                None,
            ]
        )
    )


texts = written() | st.none() | st.text(max_size=25) | st.text("0123456789X*EM/", max_size=20)
records = st.tuples(texts, texts, texts, texts)


@given(records)
def test_every_attribute_is_a_value_or_nothing(cells: tuple[str | None, ...]) -> None:
    found = standardise(*cells)
    for name, value in asdict(found).items():
        assert value is None or (
            isinstance(value, bool) if name.endswith("checked") else isinstance(value, str) and value
        )
    assert (found.uscc is not None) == (found.uscc_status in {"valid", "legacy_check"})
    assert found.uscc is None or found.organization_code == found.uscc[8:17]
    assert found.organization_code is None or organization_code.is_valid(found.organization_code)
    assert found.pattern is None or len(found.pattern) == 18


def in_duckdb(pairs: list[tuple[Row, Row]], conditions: list[Condition]) -> list[tuple[bool, ...]]:
    names = [f"numbers_{field.name}" for field in fields(LegalIdentifiers)]
    kinds = {name: pa.bool_() if name.endswith("checked") else pa.string() for name in names}
    sides = [
        pa.table(
            {name: pa.array([pair[side][name] for pair in pairs], kinds[name]) for name in names}
            | {"n": range(len(pairs))}
        )
        for side in (0, 1)
    ]
    with duckdb.connect() as con:
        for name, similarity in SIMILARITIES.items():
            con.create_function(name, as_arrow(similarity.many), ["VARCHAR", "VARCHAR"], "DOUBLE", type=ARROW)
        con.register("l", sides[0])
        con.register("r", sides[1])
        rendered = [condition.sql("l.{}".format, "r.{}".format) for condition in conditions]
        return con.execute(f"select {', '.join(rendered)} from l join r using (n) order by n").fetchall()


def as_arrow(many: Callable[..., object]) -> Callable[[pa.Array, pa.Array], pa.Array]:
    return lambda left, right: pa.array(many(left.to_pylist(), right.to_pylist()))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(records, records), min_size=1, max_size=30))
def test_the_batch_and_one_pair_give_the_same_levels_in_either_order(
    drawn: list[tuple[tuple[str | None, ...], tuple[str | None, ...]]],
) -> None:
    columns = ("uscc", "registration_number", "organization_code", "tax_number")
    pairs = [(row(**dict(zip(columns, a, strict=True))), row(**dict(zip(columns, b, strict=True)))) for a, b in drawn]
    conditions = [level.condition for level in levels("numbers") if level.condition is not None]
    conditions.append(conflicting("numbers"))
    expected = [tuple(condition.holds(a, b) for condition in conditions) for a, b in pairs]
    assert in_duckdb(pairs, conditions) == expected
    assert in_duckdb([(b, a) for a, b in pairs], conditions) == expected
