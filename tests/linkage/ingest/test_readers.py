from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.ingest.errors import IngestError
from linkage.ingest.readers import choose_format, header_of


@pytest.mark.parametrize(
    ("name", "head", "given", "expected"),
    [
        ("a.csv", b"x", None, "csv"),
        ("a.TXT", b"x", None, "csv"),
        ("a.dat", b"{}", "jsonl", "jsonl"),
        ("a.parquet", b"PAR1", None, "parquet"),
        ("a.xlsx", b"PK\x03\x04", None, "xlsx"),
        ("a.xls", b"\xd0\xcf\x11\xe0", None, "xlsx"),
        ("a.unknown", b"PK\x03\x04", "xlsx", "xlsx"),
    ],
)
def test_the_format_is_the_configured_one_or_that_of_the_extension(
    name: str, head: bytes, given: str | None, expected: str
) -> None:
    assert choose_format(Path(name), head, given) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "head", "words"),
    [
        ("a.doc", b"x", "unknown extension '.doc'.*xlsx.*set format"),
        ("a.csv", b"PK\x03\x04", 'content is XLSX.*expected csv.*format = "xlsx"'),
        ("a.csv", b"PAR1", 'content is Parquet.*format = "parquet"'),
        ("a.csv", b"\x1f\x8b", "content is gzip.*unpack it"),
        ("a.csv", b"%PDF-1.7", "content is PDF.*export it as CSV"),
        ("a.parquet", b"id,name", "content is not PARQUET.*ask for the file again"),
        ("a.xlsx", b"id,name", "content is not XLSX"),
        ("a.parquet", b"PK\x03\x04", "content is XLSX.*expected parquet"),
    ],
)
def test_a_file_of_another_format_is_an_error_that_says_which(name: str, head: bytes, words: str) -> None:
    with pytest.raises(IngestError, match=f"{name}.*{words}"):
        choose_format(Path(name), head, None)


def test_titles_become_unique_safe_names() -> None:
    header = header_of([" 姓名 ", "", "ID", "id", "row", "姓名", None, "a\x00b", "\ufeff号"], "f")
    assert header.names == ("姓名", "column_2", "ID", "id (2)", "row (2)", "姓名 (2)", "column_7", "a·b", "号")
    assert header.by_title["姓名"] == "姓名"
    assert header.by_title["row"] == "row (2)"
    assert header.repeated == {"姓名"}


@pytest.mark.parametrize("titles", [[], [""], ["  ", None], ["x"] * 2001])
def test_a_header_that_is_none_is_an_error(titles: list[str | None]) -> None:
    with pytest.raises(IngestError, match="place"):
        header_of(titles, "place")


@given(st.lists(st.text(), min_size=1, max_size=20))
def test_any_titles_become_names_that_no_database_confuses(titles: list[str]) -> None:
    try:
        names = header_of([*titles, "x"], "f").names
    except IngestError:
        return
    assert len({name.casefold() for name in names} | {"row"}) == len(titles) + 2
    "".join(names).encode()
