from __future__ import annotations

import datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.ingest.rendering import render, render_float, text_column


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", None),
        (" a ", " a "),
        (0, "0"),
        (13800138000.0, "13800138000"),
        (1.5, "1.5"),
        (1e-7, "0.0000001"),
        (-0.0, "-0"),
        (9.14403001922038e17, "914403001922038000"),
        (914403001922038216.0, "914403001922038272"),
        (float(440306198001011234), "440306198001011264"),
        (float("nan"), None),
        (float("inf"), "inf"),
        (True, "true"),
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+3"), "1000"),
        (datetime.date(2025, 1, 2), "2025-01-02"),
        (datetime.datetime(2025, 1, 2), "2025-01-02"),
        (datetime.datetime(2025, 1, 2, 3, 4, 5), "2025-01-02 03:04:05"),
        (datetime.time(3, 4), "03:04:00"),
        (datetime.timedelta(hours=1), "1:00:00"),
        (["甲", None, "乙", 3.0], "甲;乙;3"),
        ([], None),
        ({"a": [1, "甲"]}, '{"a": [1, "甲"]}'),
        ([["a"], {"b": None}], '[["a"], {"b": null}]'),
        (b"\xe5\xbc\xa0", "张"),
    ],
)
def test_a_value_is_written_without_loss(value: object, text: str | None) -> None:
    assert render(value) == text


@given(st.integers(-(2**53), 2**53))
def test_a_whole_float_is_written_as_its_integer(number: int) -> None:
    assert render_float(float(number)) in (str(number), "-0")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_written_so_that_it_reads_back(number: float) -> None:
    text = render_float(number)
    assert text is not None
    assert float(text) == number
    assert "e" not in text.lower()


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pa.array([1, None, 2**62]), ["1", None, str(2**62)]),
        (pa.array([2**64 - 1], pa.uint64()), [str(2**64 - 1)]),
        (pa.array([1.0, None, float("nan"), 1.0]), ["1", None, None, "1"]),
        (pa.array(["a", None, ""]), ["a", None, ""]),
        (pa.array(["a", None], pa.large_string()), ["a", None]),
        (pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
        (pa.nulls(2), [None, None]),
        (pa.array([True, None]), ["true", None]),
        (pa.array([Decimal("123456789012345678.90")]), ["123456789012345678.90"]),
        (pa.array([datetime.date(1980, 1, 1)]), ["1980-01-01"]),
        (pa.array([datetime.datetime(1980, 1, 1)], pa.timestamp("ns")), ["1980-01-01"]),
        (pa.array([datetime.datetime(1980, 1, 1, 2)], pa.timestamp("ms")), ["1980-01-01 02:00:00"]),
        (pa.array([["甲", "乙"], [], None]), ["甲;乙", None, None]),
        (pa.array([{"x": 1}, None]), ['{"x": 1}', None]),
        (pa.array([b"ab"]), ["ab"]),
        (pa.array([2**30], pa.date32()), None),
    ],
)
def test_an_arrow_column_of_any_type_becomes_text(column: pa.Array, texts: list[str | None] | None) -> None:
    result = text_column(column)
    assert result.type == pa.string()
    assert len(result) == len(column)
    if texts is not None:
        assert result.to_pylist() == texts


def test_text_that_is_not_unicode_is_refused_as_a_column() -> None:
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers())
    with pytest.raises(UnicodeEncodeError):
        text_column(broken)
