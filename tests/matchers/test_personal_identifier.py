"""Identity documents of people: what each spelling still says, and what two of them say together."""

from collections.abc import Callable
from dataclasses import asdict, fields

import duckdb
import pyarrow as pa
import pytest
from duckdb.func import ARROW
from hypothesis import given, settings
from hypothesis import strategies as st

from matchers.identifiers.iso7064 import mod_11_2
from matchers.levels import Condition, Row, outcome
from matchers.personal_identifier import (
    EXCLUSIVE_SCHEMES,
    PersonalIdentifier,
    confirmed,
    conflicting,
    different_permits,
    disputed,
    levels,
    mask,
    near_identifiers,
    standardise,
)
from matchers.similarity import SIMILARITIES

FULL = "440306199901011514"
TWIN = "440306199901011530"
ROUND = "440306199901017000"


def row(id_number: str | None, id_type: str | None = None) -> Row:
    return {f"document_{name}": value for name, value in asdict(standardise(id_type, id_number)).items()}


def level_of(left: str | None, right: str | None, left_type: str | None = None, right_type: str | None = None) -> str:
    return outcome(levels("document"), row(left, left_type), row(right, right_type)).name


def test_a_valid_citizen_number_gives_all_it_holds() -> None:
    assert standardise("居民身份证", "440306 19990101 1514") == PersonalIdentifier(
        scheme="resident_id",
        value=FULL,
        status="valid",
        pattern=FULL,
        visible=18,
        exclusive=FULL,
        birth_date="1999-01-01",
        sex="M",
        region="440306",
        tail="1514",
    )


@pytest.mark.parametrize(
    ("id_type", "id_number", "scheme", "value"),
    [
        ("身份证", "11010519491231002x", "resident_id", "11010519491231002X"),
        ("身份证", "610104620927690", "resident_id", "610104196209276908"),
        (None, "４４０３０６１９９９０１０１１５１４", "resident_id", FULL),
        (None, "身份证号：440306199901011514", "resident_id", FULL),
        (None, "440306199901011514（已注销）", "resident_id", FULL),
        (None, "№440306199901011514", "resident_id", FULL),
        (None, "ID:440306199901011514", "resident_id", FULL),
        (None, "44D30619990I01I5I4", "resident_id", FULL),
        ("身份证", "654321198407127580", "resident_id", "654321198407127580"),
        ("554", "810000199408230021", "residence_permit", "810000199408230021"),
        (None, "440306199901011514 440306199901011514", "resident_id", FULL),
        ("护照", FULL, "resident_id", FULL),
        ("港澳居民来往内地通行证", FULL, "resident_id", FULL),
        ("身份证", "H0482913601", "hk_macau_permit", "H04829136"),
        ("护照", "H0482913601", "hk_macau_permit", "H04829136"),
        ("护照", "H04829136", "passport", "H04829136"),
        (None, "H04829136", "hk_macau_permit", "H04829136"),
        (None, "HKG004829136", "hk_macau_permit", "H04829136"),
        (None, "TWN004829136", "taiwan_permit", "04829136"),
        ("台湾居民来往大陆通行证", "0482913601(B)", "taiwan_permit", "04829136"),
        ("港澳台居民居住证", "810000199408230021", "residence_permit", "810000199408230021"),
        ("身份证", "830000199201300022", "residence_permit", "830000199201300022"),
        (None, "911124198108030024", "foreign_resident_card", "911124198108030024"),
        (None, "KAZ110090123105", "foreign_resident_card", "KAZ110090123105"),
        (None, "A123456(3)", "hkid", "A1234563"),
        (None, "E30482915", "passport", "E30482915"),
        ("外国护照", "C01X00T47", "passport", "C01X00T47"),
        ("军官证", "军字第 3048291 号", "military", "军字第3048291号"),
        (None, "军字第3048291号", "military", "军字第3048291号"),
        ("出生医学证明", "P440301234", "other", "P440301234"),
    ],
)
def test_the_number_outranks_the_label(id_type: str | None, id_number: str, scheme: str, value: str) -> None:
    found = standardise(id_type, id_number)
    assert (found.scheme, found.value, found.status) == (scheme, value, "valid")
    assert found.exclusive == (value if scheme in EXCLUSIVE_SCHEMES else None)


@pytest.mark.parametrize(
    ("id_number", "status", "pattern", "raw"),
    [
        ("440306********1514", "masked", "440306********1514", None),
        ("4403**********1514", "masked", "4403**********1514", None),
        ("440306****1514", "masked", "440306********1514", None),
        ("4403061999XXXXXXXX", "masked", "4403061999********", None),
        ("******************", "placeholder", None, None),
        ("1514", "fragment", "**************1514", None),
        ("151X", "fragment", "**************151X", None),
        ("44030619990101", "fragment", "44030619990101****", None),
        ("44030619990101151", "invalid", None, "44030619990101151"),
        ("4403061999010115144", "invalid", None, "4403061999010115144"),
        ("440306199901011000", "damaged", "440306199901011***", None),
        ("440306********710×", "masked", "440306********710*", None),
        ("440306199901XXXXXX", "masked", "440306199901******", None),
        ("44306199901XXXXXX", "masked", None, None),
        ("44030661999********1514", "masked", "**************1514", None),
        ("01****46", "masked", None, None),
        ("H7****62", "masked", "H7****************", None),
        ("H79***462", "masked", "H79***462*********", None),
        ("H7931****01", "masked", "H7931*************", None),
        ("HA****462", "masked", "HA****462*********", None),
        ("H******62", "masked", "H******62*********", None),
        ("H*******", "masked", None, None),
        ("E3****15", "masked", None, None),
        ("13943119283", "invalid", None, None),
        ("123456********5678", "placeholder", None, None),
        ("5678", "placeholder", None, None),
        ("440306199901011520", "damaged", "440306199901011***", "440306199901011520"),
        ("4.40306E+17", "damaged", None, None),
        ("4.40306199901011E+17", "damaged", "440306199901011***", None),
        ("440306199901011515", "invalid", None, "440306199901011515"),
        ("44030619990101A515", "invalid", None, "44030619990101A515"),
        ("111111111111111111", "placeholder", None, None),
        ("123456789012345678", "placeholder", None, None),
        ("440306190001010000", "placeholder", None, None),
        ("123456199001011234", "placeholder", None, None),
        ("无", "placeholder", None, None),
        ("440306199901011514/440306199901011530", "invalid", None, None),
        ("914403001922038216", "invalid", None, None),
    ],
)
def test_an_incomplete_number_keeps_what_it_shows(
    id_number: str, status: str, pattern: str | None, raw: str | None
) -> None:
    found = standardise(None, id_number)
    assert (found.status, found.pattern, found.raw) == (status, pattern, raw)
    assert found.value is None
    assert found.exclusive is None


def test_a_mask_and_a_rounded_number_still_give_their_visible_facts() -> None:
    masked = standardise(None, "440306********1514")
    assert (masked.region, masked.birth_date, masked.sex, masked.tail) == ("440306", None, None, "1514")
    assert standardise(None, "440306199901******").birth_date == "1999-01"
    rounded = standardise(None, "440306199901011000")
    assert (rounded.prefix15, rounded.birth_date, rounded.sex) == ("440306199901011", "1999-01-01", None)
    assert standardise(None, "440306199901011515").birth_date is None, "a failed check leaves no digit to rely on"


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        (FULL, FULL, "equal"),
        ("610104620927690", "610104196209276908", "equal"),
        (FULL, "440306********1514", "mask_strong"),
        (FULL, "4403**********1514", "mask_strong"),
        ("4403**********1514", "440306********1514", "mask_strong"),
        (FULL, "440306199901011000", "mask_weak"),
        (FULL, "1514", "mask_tail"),
        (FULL, "440306199901******", "mask_weak"),
        (FULL, "440306********1515", "different"),
        (FULL, "440306199901011515", "one_edit"),
        (FULL, "440306199901015114", "one_edit"),
        (FULL, "44030619990101514", "one_edit"),
        (FULL, "44030619990101151", "one_edit"),
        (FULL, "4403061999010115144", "one_edit"),
        (FULL, "44030619990010115I4", "one_edit"),
        (FULL, "440306199910011514", "one_edit"),
        (FULL, "44030619990101151A", "one_edit"),
        ("44030619990101151", "440306********1514", "missing"),
        ("44030619990101151", "44030619990101151", "one_edit"),
        (ROUND, ROUND, "equal"),
        (ROUND, "4403061999010171**", "mask_weak"),
        (ROUND, FULL, "different"),
        ("440306199901011515", "440306199901011515", "one_edit"),
        (FULL, TWIN, "different"),
        (FULL, "362322198709086409", "different"),
        (FULL, None, "missing"),
        (FULL, "无", "missing"),
        (FULL, "4.40306E+17", "missing"),
        (FULL, "******19990101****", "missing"),
        ("440306************", "1514", "missing"),
        (FULL, "H04829136", "missing"),
        (FULL, "810000199408230021", "missing"),
        ("E30482915", "E30482916", "missing"),
        ("E30482915", "e30482915", "equal"),
        ("H0482913601", "H0482913602", "equal"),
        ("H04829136", "H04829137", "different"),
        ("A123456(3)", "G123456(A)", "different"),
        ("H79931462", "H7****62", "mask_weak"),
        ("H7993146201", "H7****01", "mask_weak"),
        ("H79931462", "H7****38", "mask_weak"),
        ("H79931462", "H2****62", "different"),
        ("H2****38", "H7****62", "different"),
        ("H79931462", "H79***463", "different"),
        ("H79931462", "M7****62", "different"),
        ("E30482915", "E4****15", "missing"),
    ],
)
def test_two_documents_meet_at_the_level_an_auditor_expects(left: str, right: str | None, level: str) -> None:
    assert level_of(left, right) == level
    assert level_of(right, left) == level


def test_a_number_in_another_cell_is_read_where_its_own_holds_none() -> None:
    for empty in (None, "", "无", "4.40306E+17", "13912340075", "111111111111111111"):
        assert standardise("身份证", empty, "1999-01-01", "男", FULL) == standardise("身份证", FULL, "1999-01-01", "男")


@pytest.mark.parametrize("own", [TWIN, "440306199901011515", "440306********1530", "1530", "H04829136"])
def test_a_number_in_another_cell_never_takes_the_place_of_ones_own(own: str) -> None:
    assert standardise(None, own, None, None, FULL) == standardise(None, own)


def test_a_number_in_another_cell_is_disputed_like_ones_own() -> None:
    assert standardise(None, None, "1962-07-30", None, FULL).disputed


@pytest.mark.parametrize(
    ("left", "right", "holds"),
    [
        ("H75114731", "H42183518", True),
        ("H75114731", "H7511473102", False),
        ("H75114731", "H7****31", False),
        ("H75114731", FULL, False),
        (FULL, TWIN, False),
        ("E30482915", "E30482916", False),
        ("H75114731", None, False),
    ],
)
def test_two_permits_for_life_are_two_numbers(left: str, right: str | None, holds: bool) -> None:
    assert different_permits("document").holds(row(left), row(right)) == holds
    assert different_permits("document").holds(row(right), row(left)) == holds


@pytest.mark.parametrize(
    ("left", "right", "holds"),
    [
        ("1999-01-01", "1999-01-01", True),
        ("1999-01-01", "1999", True),
        ("1999-01-01", None, False),
        ("1999-01-01", "1962-07-30", False),
        (None, None, False),
    ],
)
def test_a_number_is_confirmed_when_both_records_state_its_birth_date(
    left: str | None, right: str | None, holds: bool
) -> None:
    assert confirmed("document").holds(row_of(FULL, left), row_of(FULL, right)) == holds


def test_passport_and_permit_of_one_form_do_not_meet() -> None:
    assert level_of("H04829136", "H04829136", "护照", None) == "missing"


def row_of(id_number: str, birth_date: str | None, sex: str | None = None) -> Row:
    found = standardise("身份证", id_number, birth_date, sex)
    return {f"document_{name}": value for name, value in asdict(found).items()}


@pytest.mark.parametrize(
    ("birth_date", "sex", "disputed"),
    [
        ("1999-01-01", "男", False),
        ("1999-01-01", "女", False),
        ("1999", "女", False),
        ("1999-01-11", None, False),
        ("1998-12-02", None, False),
        ("1998-12-02", "女", True),
        ("1998", "男", False),
        ("1998", "女", True),
        ("1962-07-30", None, True),
        ("1962", None, True),
        ("1970-01-01", None, None),
        ("1900-01-01", None, None),
        ("不详", None, None),
        (None, "女", None),
        (None, None, None),
    ],
)
def test_a_birth_date_of_somebody_else_disputes_the_number(
    birth_date: str | None, sex: str | None, disputed: bool | None
) -> None:
    found = standardise("身份证", FULL, birth_date, sex)
    assert (found.value, found.disputed) == (FULL, disputed)
    assert found.exclusive == (None if disputed else FULL)
    assert found.sex == (None if disputed else "M")


def test_a_disputed_number_may_be_equal_but_separates_nobody() -> None:
    torn, own = row_of(FULL, "1962-07-30"), row_of(FULL, "1999-01-01")
    stranger = row("362322198709086409")
    assert outcome(levels("document"), torn, own).name == "equal"
    assert outcome(levels("document"), torn, stranger).name == "missing"
    assert not conflicting("document").holds(torn, stranger)
    assert disputed("document").holds(torn, own)
    assert not disputed("document").holds(own, stranger)


def test_a_number_that_passes_as_a_rounded_one_does_is_equal_to_itself_and_excludes_nobody() -> None:
    found = standardise(None, ROUND)
    assert (found.value, found.status, found.exclusive, found.prefix15) == (ROUND, "damaged", None, ROUND[:15])
    assert (found.tail, found.sex) == (None, None)


def test_a_mistyped_number_keeps_the_ends_it_can_be_found_by() -> None:
    for text in ("440306199901011515", "44030619990101514", "4403061999010115144"):
        found = standardise("身份证", text)
        assert (found.status, found.region, found.birth_date, found.sex) == ("invalid", "440306", None, None)
        assert found.tail == text[-4:]
    assert standardise("身份证", "990306199901011515").region is None


def test_twins_are_near_and_conflicting() -> None:
    near, conflict = near_identifiers("document"), conflicting("document")
    assert near.holds(row(FULL), row(TWIN))
    assert conflict.holds(row(FULL), row(TWIN))
    assert not near.holds(row(FULL), row(FULL))
    assert not conflict.holds(row(FULL), row("440306********1515"))
    assert not conflict.holds(row("E30482915"), row("E30482999"))
    assert not near.holds(row(FULL), row("440306199901021536"))


def test_levels_start_with_missing_and_end_with_different() -> None:
    names = [level.name for level in levels("document")]
    assert names == ["missing", "equal", "one_edit", "mask_strong", "mask_tail", "mask_weak", "different"]
    assert all(level.reason_zh and level.reason_en for level in levels("document"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (FULL, "4403************14"),
        ("440306 19990101 1514", "4403************14"),
        ("H04829136", "H*******6"),
        ("1514", "****"),
        ("", "****"),
        ("9" * 10_000, "****"),
    ],
)
def test_a_number_is_shown_without_region_and_birth_date(value: str, shown: str) -> None:
    assert mask(value) == shown


JUNK = [
    "",
    "\x00",
    "😀" * 30,
    "4" * 10_000,
    "\ud800",
    "مرحبا",
    "\u202e",
    "****",
    "X" * 18,
    "٤" * 18,
    "A/B/C",
    "()",
    "e",
    "1E5",
]


@pytest.mark.parametrize("text", JUNK)
def test_junk_is_no_number(text: str) -> None:
    for id_type in (None, "居民身份证", "护照", "军官证", "台胞证", "出生证明", text):
        assert standardise(id_type, text).value is None


def test_nothing_in_gives_nothing_out() -> None:
    assert standardise(None, None) == PersonalIdentifier()
    assert standardise("身份证", "") == PersonalIdentifier()


@st.composite
def citizen(draw: st.DrawFn) -> str:
    body = draw(st.sampled_from(["440306", "110105"])) + draw(st.sampled_from(["19990101", "20000229"]))
    body += f"{draw(st.integers(1, 999)):03}"
    return body + mod_11_2(body)


@st.composite
def written(draw: st.DrawFn) -> str | None:
    """Draw one of few people's numbers, in one of the shapes departments give them."""
    number = draw(citizen())
    place = draw(st.integers(0, 17))
    return draw(
        st.sampled_from(
            [
                number,
                number[:6] + number[8:17],
                number[:6] + "********" + number[14:],
                number[:4] + "**********" + number[14:],
                number[14:],
                number[:15] + "000",
                number[:place] + "7" + number[place + 1 :],
                number[:place] + number[place + 1 :],
                str(int(float(number[:17] + "0"))),
                "H" + number[10:18],
                "E" + number[10:18],
                "81000019" + number[8:],
                "4.40306E+17",
                None,
            ]
        )
    )


texts = written() | st.text(max_size=25) | st.text("0123456789X*EHM()", max_size=20)
labels = st.sampled_from([None, "居民身份证", "护照", "港澳居民来往内地通行证", "台胞证", "军官证", "其他证件"])


@given(labels, texts)
def test_every_attribute_is_a_value_or_nothing(label: str | None, text: str | None) -> None:
    found = standardise(label, text)
    for name, value in asdict(found).items():
        assert value is None or (isinstance(value, int) if name == "visible" else isinstance(value, str) and value)
    assert found.status == "valid" or found.value is None or found.value.endswith("000")
    assert found.status != "valid" or found.value is not None
    assert found.pattern is None or (len(found.pattern) == 18 and found.visible == 18 - found.pattern.count("*"))
    if found.value is not None and found.scheme != "other":
        assert standardise(found.scheme, found.value).value == found.value


@given(citizen(), st.integers(0, 17))
def test_hiding_any_positions_never_contradicts_the_number(number: str, cut: int) -> None:
    for hidden in (number[:cut] + "*" * (18 - cut), "*" * cut + number[cut:]):
        assert level_of(number, hidden) in {"equal", "mask_strong", "mask_tail", "mask_weak", "missing"}


COLUMNS = [f"document_{field.name}" for field in fields(PersonalIdentifier)]


def in_duckdb(pairs: list[tuple[Row, Row]], conditions: list[Condition]) -> list[tuple[bool, ...]]:
    sides = [
        pa.table(
            {
                name: pa.array(
                    [pair[side][name] for pair in pairs], pa.int32() if name.endswith("visible") else pa.string()
                )
                for name in COLUMNS
            }
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
@given(st.lists(st.tuples(labels, texts, labels, texts), min_size=1, max_size=40))
def test_the_batch_and_one_pair_give_the_same_levels_in_either_order(
    drawn: list[tuple[str | None, str | None, str | None, str | None]],
) -> None:
    pairs = [(row(b, a), row(d, c)) for a, b, c, d in drawn]
    conditions = [level.condition for level in levels("document") if level.condition is not None]
    conditions += [near_identifiers("document"), conflicting("document"), different_permits("document")]
    expected = [tuple(condition.holds(a, b) for condition in conditions) for a, b in pairs]
    assert in_duckdb(pairs, conditions) == expected
    assert in_duckdb([(b, a) for a, b in pairs], conditions) == expected
