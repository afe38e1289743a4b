"""Entity ids: minting, checking, reading what people type."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_records.entity_id import (
    DIGITS,
    KINDS,
    LARGEST_SEQUENCE,
    EntityId,
    Kind,
    compact,
    is_valid,
    mint,
    mint_sql,
    parse,
    sequence_sql,
)
from golden_records.errors import InvalidEntityId

JUNK = [None, "", " ", "🙂", "x" * 10_000, "LP" + "0" * 10_000, "\ud800", "LP\x00000000011", "אבג", "LP000000001"]

kinds = st.sampled_from(KINDS)
sequences = st.integers(0, LARGEST_SEQUENCE)


@given(kinds, sequences)
def test_an_id_parses_back_to_what_it_was_minted_from(kind: Kind, sequence: int) -> None:
    identifier = mint(kind, sequence)
    assert len(identifier) == 12
    assert parse(identifier) == EntityId(kind, sequence)
    assert compact(identifier) == identifier


@pytest.mark.parametrize(
    ("kind", "sequence", "expected"),
    [
        ("LP", 0, "LP0000000000"),
        ("LP", 1, "LP0000000011"),
        ("LP", 31, "LP00000000ZZ"),
        ("LP", 32, "LP0000000150"),  # 32 to 36 would have the checks * ~ $ = U
        ("LP", 33, "LP0000000161"),
        ("NP", 1, "NP0000000018"),
    ],
)
def test_ids_are_numbered_past_the_checks_that_are_no_letters(kind: Kind, sequence: int, expected: str) -> None:
    assert mint(kind, sequence) == expected


@given(sequences)
def test_the_check_of_a_legal_person_is_crockfords_modulo_37(sequence: int) -> None:
    identifier = mint("LP", sequence)
    number = 0
    for digit in identifier[2:11]:
        number = number * 32 + DIGITS.index(digit)
    assert identifier[11] == DIGITS[number % 37]


@given(kinds, sequences)
def test_an_id_is_letters_and_digits(kind: Kind, sequence: int) -> None:
    assert mint(kind, sequence).isalnum()


@given(kinds, sequences, st.integers(2, 11), st.sampled_from(DIGITS))
def test_one_wrong_character_is_noticed(kind: Kind, sequence: int, place: int, character: str) -> None:
    identifier = mint(kind, sequence)
    wrong = identifier[:place] + character + identifier[place + 1 :]
    assert is_valid(wrong) == (wrong == identifier)


@given(kinds, sequences, st.integers(2, 10))
def test_two_swapped_neighbours_are_noticed(kind: Kind, sequence: int, place: int) -> None:
    identifier = mint(kind, sequence)
    swapped = identifier[:place] + identifier[place + 1] + identifier[place] + identifier[place + 2 :]
    assert is_valid(swapped) == (swapped == identifier)


@given(sequences)
def test_a_legal_persons_id_is_not_a_natural_persons(sequence: int) -> None:
    assert not is_valid("NP" + mint("LP", sequence)[2:])


@pytest.mark.parametrize(
    "typed",
    [
        "lp0000000011",
        "LP-0000-0000-11",
        "lp ooo ooo oo i l",
        "ＬＰ００００００００１１",
        "LP‐0000000011",
        "LPOOOOOOOOLI",
    ],
)
def test_what_people_type_is_forgiven(typed: str) -> None:
    assert compact(typed) == "LP0000000011"
    assert parse(typed) == EntityId("LP", 1)


@given(st.lists(sequences, min_size=2, max_size=2))
def test_ids_of_one_kind_sort_by_age(pair: list[int]) -> None:
    older, newer = sorted(pair)
    assert mint("NP", older)[:11] <= mint("NP", newer)[:11]


@pytest.mark.parametrize("text", JUNK)
def test_junk_is_no_id_and_no_accident(text: str | None) -> None:
    assert not is_valid(text)
    with pytest.raises(InvalidEntityId) as caught:
        parse(text)
    assert caught.value.code == "shape"


@given(st.text())
def test_any_text_is_an_id_or_not(text: str) -> None:
    assert is_valid(text) in (True, False)


def test_a_failed_check_says_so() -> None:
    with pytest.raises(InvalidEntityId) as caught:
        parse("LP0000000012")
    assert caught.value.code == "check_character"


@pytest.mark.parametrize("sequence", [-1, LARGEST_SEQUENCE + 1])
def test_a_sequence_that_does_not_fit_is_refused(sequence: int) -> None:
    with pytest.raises(InvalidEntityId):
        mint("LP", sequence)


@pytest.mark.parametrize("kind", KINDS)
def test_the_batch_mints_and_reads_the_same_ids(kind: Kind) -> None:
    numbers = [0, 1, 31, 32, 36, 37, 1023, 1024, 904_000, 5_342_000, 2**40 + 7, LARGEST_SEQUENCE]
    with duckdb.connect() as con:
        rows = con.execute(
            f"select n, {mint_sql(kind, 'n')}, {sequence_sql(mint_sql(kind, 'n'))} "
            "from (select unnest($n::bigint[]) as n)",
            {"n": numbers},
        ).fetchall()
    assert sorted(rows) == [(n, mint(kind, n), n) for n in numbers]
    assert len(DIGITS) == 32
