"""Numbers of legal persons: public codes, old numbers, and laws of the checks."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from matchers.identifiers import organization_code, registration_number, tax_number, uscc
from matchers.identifiers.errors import InvalidIdentifier
from matchers.identifiers.uscc_repair import repair_candidates

VALID = [
    "914403001922038216",
    "9144030071526726XG",
    "91440300708461136T",
    "91440300192317458F",
    "91440300192185379H",
    "91330100799655058B",
    "91110108551385082Q",
    "91350100M000100Y43",
    "92440300MA5EQ7GQ4X",
    "12440600MB2C07549J",
    "914402320684889549",
    "914403000940931047",
]


@pytest.mark.parametrize("code", VALID)
def test_public_codes_pass_both_checks(code: str) -> None:
    assert uscc.validate(code) == code
    assert uscc.check_digit(code[:17]) == code[17]
    assert organization_code.validate(code[8:17]) == code[8:17]


@pytest.mark.parametrize(
    ("code", "status", "part"),
    [
        ("91350211M0000XUF46", "legacy_check", "registration"),
        ("91350203M0001QKT19", "legacy_check", "registration"),
        ("92440300MA5FQ2X7J0", "fabricated_inner", "organization_code"),
        ("914403001922038217", "invalid", "registration"),
        ("914403001922038116", "invalid", "organization_code"),
        ("914403001922038000", "damaged", None),
        ("914403001922038272", "damaged", None),
        ("9.14403E+17", "damaged", None),
        ("9144****1922038216", "masked", None),
        ("91440300MA5XXXXXXX", "masked", None),
        ("111111111111111111", "placeholder", None),
        ("123456789012345678", "placeholder", None),
        ("暂无", "placeholder", None),
        ("未办理", "placeholder", None),
        ("91440300192203821", "invalid", "shape"),
        ("91440300192203821Z", "invalid", "shape"),
    ],
)
def test_a_diagnosis_names_the_trouble_and_the_wrong_part(code: str, status: str, part: str | None) -> None:
    diagnosis = uscc.diagnose(code)
    assert (diagnosis.status, diagnosis.part) == (status, part)
    assert not uscc.is_valid(code)
    with pytest.raises(InvalidIdentifier) as caught:
        uscc.validate(code)
    assert caught.value.code == diagnosis.code


def test_a_remainder_of_zero_gives_the_check_character_zero() -> None:
    body = next(
        body
        for number in range(1000)
        if (body := f"9144030019220{number:04}"[:17])
        and sum(uscc.ALPHABET.index(c) * 3**i for i, c in enumerate(body)) % 31 == 0
    )
    assert uscc.check_digit(body) == "0"


@pytest.mark.parametrize("prefix", ["A1", "G1", "J1", "N2", "Q1", "Y1", "K7"])
def test_no_prefix_is_refused_but_an_unknown_one_is_reported(prefix: str) -> None:
    body = prefix + "440306" + "192203821"
    code = body + uscc.check_digit(body)
    assert uscc.validate(code) == code
    assert uscc.diagnose(code).unknown_prefix == (prefix == "K7")


@pytest.mark.parametrize(
    "text",
    [
        "９１４４０３００１９２２０３８２１６",
        " 91440300 1922 038216\t",
        "'914403001922038216",
        "914403001922038216\u200b\ufeff",
        "9144O3OO1922O382I6",
        "914403001922038216.0",
        "91440300-192203821-6",
        '="914403001922038216"',
    ],
)
def test_spelling_does_not_matter(text: str) -> None:
    assert uscc.validate(text) == "914403001922038216"


codes = st.builds(
    lambda prefix, region, body: (lambda b17: b17 + uscc.check_digit(b17))(
        prefix + region + body + organization_code.check_digit(body)
    ),
    st.sampled_from(sorted(uscc.PREFIXES)),
    st.sampled_from(["440300", "440306", "110108", "100000"]),
    st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8).filter(lambda body: "XXX" not in body),
)


@given(codes, st.integers(0, 17), st.sampled_from(uscc.ALPHABET))
def test_no_single_wrong_character_passes_both_checks(code: str, position: int, character: str) -> None:
    assume(uscc.is_valid(code))
    wrong = code[:position] + character + code[position + 1 :]
    assert wrong == code or not uscc.is_valid(wrong)


@given(codes, st.integers(0, 16))
def test_no_swap_of_neighbours_passes_both_checks(code: str, position: int) -> None:
    assume(uscc.is_valid(code))
    swapped = code[:position] + code[position + 1] + code[position] + code[position + 2 :]
    assert swapped == code or not uscc.is_valid(swapped)


@given(codes, st.integers(0, 17), st.sampled_from(uscc.ALPHABET))
def test_the_truth_is_always_among_the_repairs(code: str, position: int, character: str) -> None:
    assume(uscc.is_valid(code))
    wrong = code[:position] + character + code[position + 1 :]
    if wrong != code and uscc.diagnose(wrong).status == "invalid":
        assert code in repair_candidates(wrong, regions=[code[2:8]])


def test_a_repair_is_never_offered_for_a_code_that_stands() -> None:
    assert repair_candidates("914403001922038216") == ()
    assert repair_candidates("91350211M0000XUF46") == (), "a Xiamen code is real as it is"
    assert repair_candidates("无") == ()


def test_a_lost_last_character_and_an_extra_one_are_repaired() -> None:
    assert "914403001922038216" in repair_candidates("91440300192203821")
    assert "914403001922038216" in repair_candidates("9144030019222038216")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("19220382-2", "check_digit"),
        ("19220382", "length"),
        ("19220382Y", "alphabet"),
        ("000000000", "placeholder"),
        ("", "length"),
    ],
)
def test_a_wrong_organisation_code_says_what_is_wrong(text: str, code: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        organization_code.validate(text)
    assert caught.value.code == code
    assert organization_code.validate("19220382-1") == "192203821"


@pytest.mark.parametrize(
    "number",
    [
        "440306109178395",
        "440306103654921",
        "440306104978713",
        "440301103097413",
        "320508000332537",
        "510109000393051",
        "110108000000016",
        "310115600985533",
    ],
)
def test_public_registration_numbers_are_valid(number: str) -> None:
    assert registration_number.validate(number) == number
    assert registration_number.check_digit(number[:14]) == number[14]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("440301104001819", "check_digit"),
        ("44030110400181", "length"),
        ("44030110400181A", "alphabet"),
        ("440306000000000", "placeholder"),
    ],
)
def test_a_wrong_registration_number_says_what_is_wrong(text: str, code: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        registration_number.validate(text)
    assert caught.value.code == code


def test_a_cooperative_has_letters_in_its_registration_number() -> None:
    assert registration_number.validate("440306na000012x") == "440306NA000012X"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("企独粤深总字第303456号", "企独粤深总303456"),
        ("企独粤深总字第 303456 号", "企独粤深总303456"),
        ("深司字N12345", "深司N12345"),
        ("4403012098765", "4403012098765"),
        ("无", None),
        ("0000000000000", None),
        ("4.40301E+12", None),
        ("企业注册", None),
        ("440301*****8765", None),
    ],
)
def test_older_numbers_come_in_one_spelling(text: str, number: str | None) -> None:
    assert registration_number.opaque(text) == number


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("914403001922038216", tax_number.TaxNumberParts(uscc="914403001922038216")),
        ("L914403001922038216", tax_number.TaxNumberParts(uscc="914403001922038216")),
        ("440306192203821", tax_number.TaxNumberParts(organization_code="192203821")),
        ("36042619910101007102", tax_number.TaxNumberParts(operator_id="360426199101010071")),
        ("15010288073030301", tax_number.TaxNumberParts(operator_id="150102198807303035")),
        ("360426199101010071", tax_number.TaxNumberParts(operator_id="360426199101010071")),
        ("L360426199101010071", tax_number.TaxNumberParts(operator_id="360426199101010071")),
        ("440306192203822", tax_number.TaxNumberParts()),
        ("", tax_number.TaxNumberParts()),
    ],
)
def test_a_tax_number_gives_up_the_number_inside(text: str, parts: tax_number.TaxNumberParts) -> None:
    assert tax_number.parts(text) == parts
    assert tax_number.is_valid(text) == (parts != tax_number.TaxNumberParts())


LEGAL = (uscc, organization_code, registration_number, tax_number)


@given(st.text(max_size=40) | st.from_regex(r"[0-9A-Z]{9,20}", fullmatch=True))
def test_every_scheme_answers_any_text_and_a_valid_number_stays_valid(text: str) -> None:
    for scheme in LEGAL:
        if scheme.is_valid(text):
            assert scheme.validate(scheme.validate(text)) == scheme.validate(text)
        else:
            with pytest.raises(InvalidIdentifier):
                scheme.validate(text)


@pytest.mark.parametrize("text", ["", "\x00", "😀", "9" * 10_000, "\ud800" * 18, "مرحبا", "²" * 18, "X" * 18])
def test_junk_is_no_number_and_needs_no_repair(text: str) -> None:
    assert not any(scheme.is_valid(text) for scheme in LEGAL)
    assert repair_candidates(text) == ()
    assert registration_number.opaque(text) is None
