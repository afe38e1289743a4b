"""Typed values of spreadsheets, Parquet and JSON as text, without loss.

An integer never gains a `.0` or an exponent; a date is ISO; a list is its elements joined by `;`; anything nested is
JSON text. A number that a float could not hold was damaged before it came here, and is written as what is left of it.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

LIST_SEPARATOR = ";"
# A spreadsheet keeps 15 significant digits: a number with no more was written as such, one with more is a bare float.
_SPREADSHEET_DIGITS = 15


def render(value: Any) -> str | None:
    """Return a value as text; None for a missing one.

    >>> render(13800138000.0), render(9.14403001922038e17), render(1.5), render(["甲", "乙"])
    ('13800138000', '914403001922038000', '1.5', '甲;乙')
    """
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return render_float(value)
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else str(value)
    if isinstance(value, datetime.date | datetime.time):
        return _render_moment(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "guiyi-undecodable") or None
    if isinstance(value, list | tuple):
        return _render_list(list(value))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=render)
    return str(value)


def render_float(value: float) -> str | None:
    """Return a float as text: whole numbers as integers, never in scientific notation; not-a-number is missing."""
    if math.isnan(value):
        return None
    if math.isinf(value):
        return str(value)
    shortest = Decimal(repr(value))
    if value.is_integer() and len(shortest.as_tuple().digits) > _SPREADSHEET_DIGITS:
        return str(int(value))
    text = format(shortest, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def text_column(column: pa.Array) -> pa.Array:
    """Return an Arrow column of any type as text.

    Raises:
        UnicodeEncodeError: a value holds bytes that are not UTF-8; the caller finds the rows with `render`.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return text_column(column.dictionary_decode())
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            return _distinct(column.cast(pa.binary()), render)
        return column.cast(pa.string())
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.string())
    return _distinct(column, render)


def _distinct(column: pa.Array, function: Callable[[Any], str | None]) -> pa.Array:
    """Apply a function to each distinct value of a column, or to each value of a type that has no dictionary."""
    try:
        encoded = column.dictionary_encode()
    except pa.ArrowNotImplementedError:
        return pa.array([function(value) for value in _python(column)], pa.string())
    values = pa.array([function(value) for value in _python(encoded.dictionary)], pa.string())
    return pc.take(values, encoded.indices)


def _python(column: pa.Array) -> list[Any]:
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):  # nanoseconds, or years that Python's dates do not have
        return list(column.cast(pa.string()).to_pylist())


def _render_moment(value: datetime.date | datetime.time) -> str:
    if isinstance(value, datetime.datetime):
        at_midnight = value.tzinfo is None and value.time() == datetime.time()
        return value.date().isoformat() if at_midnight else value.isoformat(sep=" ")
    return value.isoformat()


def _render_list(values: list[Any]) -> str | None:
    if any(isinstance(value, list | tuple | dict) for value in values):
        return json.dumps(values, ensure_ascii=False, default=render)
    return LIST_SEPARATOR.join(text for text in map(render, values) if text) or None
