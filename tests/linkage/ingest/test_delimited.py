from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.ingest.delimited import detect_delimiter, is_well_quoted, parse_careful, parse_clean
from linkage.ingest.readers import Chunk, header_of

ABC = header_of(["a", "b", "c"], "f.csv")


def rows(chunk: Chunk) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in chunk.table.to_pylist()]


def told(chunk: Chunk) -> list[tuple[int, str]]:
    return [(rejected.row, rejected.reason) for rejected in chunk.rejected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2,3\n4,5,6\n", [(1, "1", "2", "3"), (2, "4", "5", "6")]),
        ("1,2,3\r\n4,5,6", [(1, "1", "2", "3"), (2, "4", "5", "6")]),
        ("1,2,3\r4,5,6\r", [(1, "1", "2", "3"), (2, "4", "5", "6")]),
        ('"x,y","q""z","l\n2"\n', [(1, "x,y", 'q"z', "l\n2")]),
        (" 1 ,007,1e5\n", [(1, " 1 ", "007", "1e5")]),
        (",NULL,NA\n", [(1, None, "NULL", "NA")]),
        ('"",,""\n', [(1, None, None, None)]),
        ("1,2,3\n\n4,5,6\n", [(1, "1", "2", "3"), (2, None, None, None), (3, "4", "5", "6")]),
        ("1,\x00,3\n", [(1, "1", "\x00", "3")]),
        ("1,a\u2028b\x0b\x1c\x85c,3\n", [(1, "1", "a\u2028b\x0b\x1c\x85c", "3")]),
    ],
)
def test_clean_text_reads_alike_on_both_paths(text: str, expected: list[tuple[object, ...]]) -> None:
    clean = parse_clean(text, ABC, ",", 1)
    assert clean is not None
    assert rows(clean) == expected
    careful, following, rest = parse_careful(text, ABC, ",", 1)
    assert (rows(careful), careful.rejected, following, rest) == (expected, (), len(expected) + 1, "")


@pytest.mark.parametrize(
    ("text", "kept", "rejected"),
    [
        ("1,2\n3,4,5\n6,7,8,9\n", [(2, "3", "4", "5")], [(1, "wrong_field_count"), (3, "wrong_field_count")]),
        ('1,"2"x,3\n4,5,6\n', [(2, "4", "5", "6")], [(1, "broken_quotes")]),
        ('1,"2,3\n4,5,6\n7,8,9\n', [(2, "4", "5", "6"), (3, "7", "8", "9")], [(1, "broken_quotes")]),
        ('1,2,3\n4,5,"6', [(1, "1", "2", "3")], [(2, "broken_quotes")]),
        ('1,"2,3\n4,5,6\n7,"8",9\n', [(2, "4", "5", "6"), (3, "7", "8", "9")], [(1, "broken_quotes")]),
        ('1,"2,3\n4,5",6,7\n', [], [(1, "broken_quotes"), (2, "wrong_field_count")]),
        ("1,\udcff,3\n4,5,6\n", [(2, "4", "5", "6")], [(1, "undecodable_bytes")]),
        ('1,"\udcff,3\n4,5,6\n', [(2, "4", "5", "6")], [(1, "undecodable_bytes")]),
        ("1,\udcff\n4,5,6\n", [(2, "4", "5", "6")], [(1, "undecodable_bytes")]),
        (f"1,{'x' * 200_000},3\n4,5,6,7\n", [], [(1, "value_too_long"), (2, "wrong_field_count")]),
    ],
)
def test_a_broken_row_is_set_aside_alone(
    text: str, kept: list[tuple[object, ...]], rejected: list[tuple[int, str]]
) -> None:
    assert parse_clean(text, ABC, ",", 1) is None
    chunk, _, _ = parse_careful(text, ABC, ",", 1)
    assert (rows(chunk), told(chunk)) == (kept, rejected)
    for row in chunk.rejected:
        assert json.loads(row.raw)
        row.raw.encode()


def test_a_quote_inside_an_unquoted_field_is_kept_as_it_is() -> None:
    assert parse_clean('1,2"3,4\n', ABC, ",", 1) is None
    chunk, _, _ = parse_careful('1,2"3,4\n', ABC, ",", 1)
    assert rows(chunk) == [(1, "1", '2"3', "4")]


def test_a_row_that_ends_in_the_next_block_is_carried_over() -> None:
    chunk, following, rest = parse_careful('1,2,3\n4,"5\n', ABC, ",", 1, final=False)
    assert (rows(chunk), following, rest) == ([(1, "1", "2", "3")], 2, '4,"5\n')


@pytest.mark.parametrize(
    ("lines", "wanted", "expected"),
    [
        (["a,b", "1,2"], (), ","),
        (["a;b", "1,5;2"], (), ";"),
        (["a\tb", "1,5\t2"], (), "\t"),
        (["a|b|c", "1|2|3"], (), "|"),
        (["a,x;b,y", "1;2"], ("a,x",), ";"),
        (["alone", "1"], (), ","),
        ([], (), ","),
        (['"a"x,b', "1,2"], (), ","),
    ],
)
def test_the_delimiter_is_the_one_that_makes_a_table(lines: list[str], wanted: tuple[str, ...], expected: str) -> None:
    assert detect_delimiter(lines, wanted) == expected


def test_a_pipe_in_the_second_byte_of_a_character_is_no_delimiter(tmp_path: Path) -> None:
    inside = next(c for c in map(chr, range(0x4E00, 0x9FFF)) if c.encode("gb18030").endswith(b"|"))
    chunk = parse_clean(f"1|{inside}|3\n", ABC, "|", 1)
    assert chunk is not None
    assert rows(chunk) == [(1, "1", inside, "3")]


FIELDS = st.text(alphabet='ab,"\n\r 深;\x00', max_size=6)


@given(st.lists(st.lists(FIELDS, min_size=3, max_size=3), min_size=1, max_size=8), st.booleans())
def test_what_a_csv_writer_wrote_comes_back_exactly(table: list[list[str]], quote_all: bool) -> None:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL).writerows(table)
    expected = [(number, *(value or None for value in row)) for number, row in enumerate(table, start=1)]
    careful, _, _ = parse_careful(written.getvalue(), ABC, ",", 1)
    assert (rows(careful), careful.rejected) == (expected, ())
    if quote_all:
        assert is_well_quoted(written.getvalue().encode(), ",")


@settings(max_examples=500)
@given(st.text(alphabet='ab,"\n\r深\udcff', max_size=40))
def test_the_fast_path_either_agrees_with_the_careful_one_or_steps_aside(text: str) -> None:
    clean = parse_clean(text, ABC, ",", 1)
    careful, following, rest = parse_careful(text, ABC, ",", 1)
    assert rest == ""
    assert following - 1 == careful.table.num_rows + len(careful.rejected)
    if clean is not None:
        assert (rows(clean), ()) == (rows(careful), careful.rejected)


@settings(max_examples=300)
@given(st.text(alphabet='a,"\n\r', max_size=40), st.integers(0, 40))
def test_where_a_block_ends_changes_nothing(text: str, cut: int) -> None:
    cut = text.rfind("\n", 0, cut) + 1
    whole, _, _ = parse_careful(text, ABC, ",", 1)
    first, row, rest = parse_careful(text[:cut], ABC, ",", 1, final=False)
    second, _, _ = parse_careful(rest + text[cut:], ABC, ",", row)
    assert rows(first) + rows(second) == rows(whole)
    assert first.rejected + second.rejected == whole.rejected
