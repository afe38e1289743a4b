"""Numbers of people: vectors of the standards, specimens, and laws of the checks."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.identifiers import (
    foreign_resident_card,
    hong_kong_id,
    mainland_travel_permit,
    military_id,
    passport,
    residence_permit,
    resident_id,
    taiwan_travel_permit,
)
from matchers.identifiers.errors import InvalidIdentifier

DIGITS = "0123456789"


def code_of(validate: Callable[[str], str], text: str) -> str:
    with pytest.raises(InvalidIdentifier) as caught:
        validate(text)
    digits = [character for character in text if character.isdigit()]
    assert len(digits) < 6 or text not in str(caught.value), "a message never repeats the number"
    return caught.value.code


@pytest.mark.parametrize(
    "text",
    [
        "11010519491231002X",
        "440524188001010014",
        "11010219840406970X",
        "360426199101010071",
        "440308199901101512",
        "362322198709086409",
        "44032119850101001X",
    ],
)
def test_citizen_numbers_of_the_standards_and_of_old_counties_are_valid(text: str) -> None:
    assert resident_id.validate(text) == text
    assert resident_id.check_digit(text[:17]) == text[17]


@pytest.mark.parametrize(
    ("old", "full"),
    [
        ("150102880730303", "150102198807303035"),
        ("610104620927690", "610104196209276908"),
        ("440306800101123", "440306198001011231"),
    ],
)
def test_an_old_number_is_folded_to_its_18_characters(old: str, full: str) -> None:
    assert resident_id.validate(old) == full


@pytest.mark.parametrize("sequence", ["996", "997", "998", "999"])
def test_reserved_sequences_belong_to_people_born_in_the_19th_century(sequence: str) -> None:
    assert resident_id.upgrade("440524880101" + sequence)[6:10] == "1888"
    assert resident_id.upgrade("440524880101995")[6:10] == "1988"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("11010519491231002x", "11010519491231002X"),
        ("１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"),
        ("110105 19491231 002X", "11010519491231002X"),
        ("'360426199101010071\u200b", "360426199101010071"),
        ("\ufeff360426-19910101-0071", "360426199101010071"),
        ("36O426I99101010071", "360426199101010071"),
        ("11010519491231002*", "11010519491231002X"),
        ("11010519491231002×", "11010519491231002X"),
        ("360426199101010071.0", "360426199101010071"),
    ],
)
def test_spelling_does_not_matter(text: str, number: str) -> None:
    assert resident_id.validate(text) == number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "placeholder"),
        ("36042619910101007", "length"),
        ("360426199101010072", "check_digit"),
        ("36042619910101007*", "masked"),
        ("360426********0071", "masked"),
        ("360426199102300079", "date"),
        ("36042619910101A071", "alphabet"),
        ("060426199101010071", "region"),
        ("991010880730303", "region"),
        ("660102880730303", "region"),
        ("810000199408230021", "scheme"),
        ("111111111111111111", "placeholder"),
        ("123456789012345678", "placeholder"),
        ("无", "placeholder"),
        ("4.40306E+17", "spreadsheet"),
    ],
)
def test_a_wrong_citizen_number_says_what_is_wrong(text: str, code: str) -> None:
    assert code_of(resident_id.validate, text) == code
    assert not resident_id.is_valid(text)


def test_a_filler_is_refused_even_when_its_check_character_fits() -> None:
    body = "44030619000101000"
    assert code_of(resident_id.validate, body + resident_id.check_digit(body)) == "placeholder"


def test_birth_date_sex_and_region_are_read_from_the_number() -> None:
    assert resident_id.birth_date("440308199901101512") == "1999-01-10"
    assert resident_id.sex("440308199901101512") == "M"
    assert resident_id.sex("362322198709086409") == "F"
    assert resident_id.region("44032119850101001X") == "440321"


citizen_bodies = st.builds(
    lambda region, year, month, day, sequence: f"{region}{year}{month:02}{day:02}{sequence:03}",
    st.sampled_from(["440306", "110105", "659001", "440320", "513701"]),
    st.integers(1901, 2024),
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(1, 999),
)


@given(citizen_bodies, st.integers(0, 17), st.sampled_from(DIGITS))
def test_no_single_wrong_digit_passes(body: str, position: int, digit: str) -> None:
    number = body + resident_id.check_digit(body)
    assert resident_id.is_valid(number)
    wrong = number[:position] + digit + number[position + 1 :]
    assert wrong == number or not resident_id.is_valid(wrong)


@given(citizen_bodies, st.integers(0, 16))
def test_no_swap_of_neighbours_passes(body: str, position: int) -> None:
    number = body + resident_id.check_digit(body)
    left, right = number[position], number[position + 1]
    swapped = number[:position] + right + left + number[position + 2 :]
    assert left == right or not resident_id.is_valid(swapped)


@given(citizen_bodies)
def test_folding_an_old_number_gives_the_number_of_today(body: str) -> None:
    number = body + resident_id.check_digit(body)
    if body[6:8] == "19" and body[14:] not in {"996", "997", "998", "999"}:
        assert resident_id.validate(number[:6] + number[8:17]) == number


@pytest.mark.parametrize("text", ["810000199408230021", "830000199201300022"])
def test_residence_permit_specimens_are_valid(text: str) -> None:
    assert residence_permit.validate(text) == text
    assert residence_permit.check_digit(text[:17]) == text[17]
    assert not resident_id.is_valid(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("810000199408230022", "check_digit"),
        ("840000199408230021", "format"),
        ("81000019940823002", "length"),
        ("810000199413230021", "date"),
    ],
)
def test_a_wrong_residence_permit_says_what_is_wrong(text: str, code: str) -> None:
    assert code_of(residence_permit.validate, text) == code


@pytest.mark.parametrize("text", ["932682198501010017", "911124198108030024", "KAZ110090123105"])
def test_foreign_resident_cards_new_and_old_are_valid(text: str) -> None:
    assert foreign_resident_card.validate(text) == text
    assert foreign_resident_card.check_digit(text[:-1]) == text[-1]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("911124198108030025", "check_digit"),
        ("999124198108030024", "region"),
        ("911999198108030024", "country"),
        ("911124198113030024", "date"),
        ("KAZ110090123106", "check_digit"),
        ("KAZ110090133105", "date"),
        ("KA1110090123105", "format"),
        ("KAZ1100901231", "length"),
    ],
)
def test_a_wrong_foreign_resident_card_says_what_is_wrong(text: str, code: str) -> None:
    assert code_of(foreign_resident_card.validate, text) == code


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("H0482913601", "H04829136"),
        ("h04829136 02", "H04829136"),
        ("M04829136", "M04829136"),
        ("HA4829136", "HA4829136"),
        ("MA4829136", "MA4829136"),
        ("HKG004829136", "H04829136"),
        ("MAC004829136", "M04829136"),
        ("HO4829136", "H04829136"),
    ],
)
def test_a_mainland_permit_is_known_by_nine_characters(text: str, key: str) -> None:
    assert mainland_travel_permit.validate(text) == key


@pytest.mark.parametrize(
    ("text", "code"),
    [("H0482913", "length"), ("K04829136", "format"), ("H00000000", "placeholder"), ("TWN004829136", "format")],
)
def test_a_wrong_mainland_permit_says_what_is_wrong(text: str, code: str) -> None:
    assert code_of(mainland_travel_permit.validate, text) == code


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("04829136", "04829136"),
        ("0482913601", "04829136"),
        ("0482913601(B)", "04829136"),
        ("T4829136", "T4829136"),
        ("TWN004829136", "04829136"),
    ],
)
def test_a_taiwan_permit_is_known_by_eight_characters(text: str, key: str) -> None:
    assert taiwan_travel_permit.validate(text) == key


@pytest.mark.parametrize(("text", "code"), [("0482913", "length"), ("00000000", "placeholder"), ("TT829136", "format")])
def test_a_wrong_taiwan_permit_says_what_is_wrong(text: str, code: str) -> None:
    assert code_of(taiwan_travel_permit.validate, text) == code


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("A123456(3)", "A1234563"),
        ("G123456(A)", "G123456A"),
        ("ab987654(3)", "AB9876543"),
        ("A123456（3）", "A1234563"),
    ],
)
def test_hong_kong_specimens_are_valid_with_or_without_brackets(text: str, number: str) -> None:
    assert hong_kong_id.validate(text) == number
    assert hong_kong_id.check_digit(number[:-1]) == number[-1]


@given(st.from_regex(r"[A-Z]{1,2}[0-9]{6}", fullmatch=True), st.data())
def test_a_hong_kong_number_has_one_check_character(body: str, data: st.DataObject) -> None:
    right = hong_kong_id.check_digit(body)
    wrong = data.draw(st.sampled_from(sorted(set("0123456789A") - {right})))
    assert hong_kong_id.is_valid(body + right)
    assert not hong_kong_id.is_valid(body + wrong)


@pytest.mark.parametrize("text", ["G30482915", "E30482915", "EA3048291", "PE3048291", "143048291", "K30482915"])
def test_chinese_passport_forms_are_told_from_foreign_ones(text: str) -> None:
    assert passport.validate(text) == text
    assert passport.is_chinese(text)
    assert not passport.is_chinese("EI3048291")
    assert passport.is_valid("C01X00T47")


@pytest.mark.parametrize(
    ("text", "code"),
    [("E304", "length"), ("EABCDEFGH", "format"), ("E00000000", "placeholder"), ("无护照证件", "format")],
)
def test_a_wrong_passport_says_what_is_wrong(text: str, code: str) -> None:
    assert code_of(passport.validate, text) == code


def test_the_digit_behind_a_passport_number_follows_the_travel_document_standard() -> None:
    assert passport.check_digit("L898902C3") == "6"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("军字第3048291号", "军字第3048291号"),
        ("军字第 3048291 号", "军字第3048291号"),
        ("军字3048291", "军字第3048291号"),
        ("南字第3048291", "南字第3048291号"),
        ("3048291", "3048291"),
    ],
)
def test_military_numbers_come_in_one_spelling(text: str, number: str) -> None:
    assert military_id.validate(text) == number
    assert military_id.validate(number) == number


SCHEMES = (
    resident_id,
    residence_permit,
    foreign_resident_card,
    mainland_travel_permit,
    taiwan_travel_permit,
    hong_kong_id,
    passport,
    military_id,
)


@given(st.text(max_size=40) | st.from_regex(r"[0-9A-Z(]{1,3}[0-9]{5,17}[0-9X)]{0,2}", fullmatch=True))
def test_every_scheme_answers_any_text_and_a_valid_number_stays_valid(text: str) -> None:
    for scheme in SCHEMES:
        if scheme.is_valid(text):
            number = scheme.validate(text)
            assert scheme.validate(number) == number
        else:
            with pytest.raises(InvalidIdentifier):
                scheme.validate(text)


JUNK = [
    "",
    " ",
    "\x00",
    "😀" * 5,
    "9" * 10_000,
    "A" * 10_000,
    "\ud800",
    "مرحبا١٢٣٤",
    "４" * 300,
    "²" * 18,
    "٤٤٠٣٠٦١٩٩٠٠١٠١٠٠١١",
]


@pytest.mark.parametrize("text", JUNK)
def test_junk_is_no_number_of_any_scheme(text: str) -> None:
    assert not any(scheme.is_valid(text) for scheme in SCHEMES)
