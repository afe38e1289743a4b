"""Standardise a table of raw records: each field's function, applied to the repaired distinct values of its columns.

Columns are dictionary-encoded, the distinct values spread over processes, and the results taken back by index, so a
value is standardised once however many records carry it and no Python loop runs over records. The same functions serve
one record online (`standardise_row`).
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from multiprocessing.connection import wait
from operator import attrgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.entity_config import EntityConfig
from matchers.field_types import FIELD_TYPES
from matchers.raw_text import repair

_SEPARATOR = "\x1f"
_ABSENT = "\x1e"
_ESCAPES = ((_ABSENT, _ABSENT + "1"), (_SEPARATOR, _ABSENT + "2"))
_ARROW = {"varchar": pa.string(), "integer": pa.int32(), "boolean": pa.bool_(), "varchar[]": pa.list_(pa.string())}
_INLINE_LIMIT = 20_000

_AT_A_TIME = 4_096
_WRITTEN_AT_A_TIME = 122_880  # rows that DuckDB keeps together

Distinct = Callable[[], pa.Table]
Spread = Callable[[str, pa.Array], Distinct]


def standardise(
    con: DuckDBPyConnection,
    config: EntityConfig,
    *,
    raw: str,
    out: str,
    processes: int,
    batch_rows: int = 1_000_000,
    through: Callable[[Spread], Spread] | None = None,
    append: bool = False,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Make the table of standardised records.

    Args:
        con: DuckDB connection.
        config: the entity type.
        raw: table with record_id, source, source_record_id, as_of and the canonical fields as text.
        out: table to make: the columns of `raw`, then `<field>_<attribute>` for every field.
        processes: worker processes; 1 works in this process.
        batch_rows: rows held as Arrow at a time.
        through: what the values go through first, such as a look at what is known of them; it hands on the others.
        append: add the records to `out`, which is there already.
        progress: called with the number of rows done so far.

    Returns:
        The number of records.
    """
    columns = [row[0] for row in con.execute(f"describe {quote(raw)}").fetchall()]
    declared = ", ".join(
        [f"{quote(c)} varchar" for c in columns] + [f"{quote(c)} {t}" for c, t in config.columns.items()]
    )
    if not append:
        con.execute(f"create or replace table {quote(out)} ({declared})")
    done = 0
    cursor = con.cursor()
    reader = cursor.sql(f"select * from {quote(raw)}").to_arrow_reader(batch_rows)
    with spread_over(processes) as spread:
        handed = through(spread) if through else spread
        for batch in reader:
            table = pa.Table.from_batches([batch])
            standardised = standardise_table(table, config, handed)
            # DuckDB reads one batch of Arrow by one thread: in one piece, all but one would stand idle.
            parts = standardised.to_batches(max_chunksize=_WRITTEN_AT_A_TIME)
            con.register("standardised_batch", pa.Table.from_batches(parts, standardised.schema))
            con.execute(f"insert into {quote(out)} by name select * from standardised_batch")
            con.unregister("standardised_batch")
            done += table.num_rows
            if progress:
                progress(done)
    cursor.close()
    return done


def standardise_table(raw: pa.Table, config: EntityConfig, spread: Spread) -> pa.Table:
    """Return a raw Arrow table with the standardised columns of every field appended.

    Fields that read other fields' columns come last, so that the processes are not idle while one is waited for.
    """
    table = raw
    waiting: dict[str, tuple[pa.Array, Distinct]] = {}

    def finish(name: str) -> None:
        nonlocal table
        indices, distinct = waiting.pop(name)
        values = distinct().combine_chunks()
        for column in values.column_names:
            table = table.append_column(column, values.column(column).take(indices))

    made = {column: field.name for field in config.field for column in FIELD_TYPES[field.type].columns(field.name)}
    for field in sorted(config.field, key=lambda field: any(made.get(c) for c in field.columns_read)):
        for column in field.columns_read:
            if made.get(column) in waiting:
                finish(made[column])
        arguments = [_argument(table, entry) for entry in field.read]
        encoded = _encode(arguments[0] if len(arguments) == 1 else _join(arguments))
        kind = f"{field.type}:{field.name}:{len(field.read)}"
        waiting[field.name] = encoded.indices, spread(kind, encoded.dictionary)
    for name in tuple(waiting):
        finish(name)
    return table.select([*raw.column_names, *made])


def _encode(values: pa.ChunkedArray) -> pa.DictionaryArray:
    encoded = pc.dictionary_encode(values, null_encoding="encode").combine_chunks()
    if not isinstance(encoded, pa.ChunkedArray):
        return encoded
    if encoded.num_chunks:
        return encoded.chunk(0)
    return pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), pa.array([], pa.string()))


def standardise_row(row: Mapping[str, Any], config: EntityConfig) -> dict[str, Any]:
    """Return the standardised columns of one record, for the online path.

    Args:
        row: canonical field to raw text; absent fields count as missing.
        config: the entity type.
    """
    made: dict[str, Any] = {}
    for field in config.field:
        arguments = [repair(_first({**row, **made}, entry)) for entry in field.read]
        kind = FIELD_TYPES[field.type]
        result = kind.standardise(*arguments)
        for attribute in fields(kind.attributes):
            value = getattr(result, attribute.name)
            made[f"{field.name}_{attribute.name}"] = None if value == () else value
    return made


def _first(row: Mapping[str, Any], entry: str) -> str | None:
    values = (row.get(column) for column in entry.split("|"))
    return next((str(v) for v in values if v is not None and str(v).strip()), None)


def _argument(table: pa.Table, entry: str) -> pa.ChunkedArray:
    columns = [_column(table, name) for name in entry.split("|")]
    if len(columns) == 1:
        return columns[0]
    filled = [pc.if_else(pc.equal(pc.utf8_trim_whitespace(c), ""), pa.scalar(None, pa.string()), c) for c in columns]
    return pc.coalesce(*filled)


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        return pa.chunked_array([pa.nulls(table.num_rows, pa.string())])
    return table.column(name).cast(pa.string())


def _join(arguments: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Join the arguments of each row; the separators themselves, which a damaged value may hold, are escaped."""
    for character, escaped in _ESCAPES:
        arguments = [pc.replace_substring(argument, character, escaped) for argument in arguments]
    return pc.binary_join_element_wise(*arguments, _SEPARATOR, null_handling="replace", null_replacement=_ABSENT)


@contextmanager
def spread_over(processes: int) -> Iterator[Spread]:
    """Give a function that starts standardising values and returns how to get the result, computed then if few."""
    pool: ProcessPoolExecutor | None = None

    def spread(kind: str, values: pa.Array) -> Distinct:
        nonlocal pool
        if processes <= 1 or len(values) < _INLINE_LIMIT:
            return lambda: _standardise_values(kind, values)
        if pool is None:
            context = multiprocessing.get_context("forkserver")
            pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_end_with_parent)
        size = max(_INLINE_LIMIT // 2, -(-len(values) // (processes * 4)))
        chunks = [values.slice(start, size) for start in range(0, len(values), size)]
        parts = pool.map(_standardise_values, [kind] * len(chunks), chunks)
        return lambda: pa.concat_tables(parts)

    try:
        yield spread
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """See to it that a worker does not outlive a killed parent, for whose next task it would wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _standardise_values(kind: str, values: pa.Array) -> pa.Table:
    """Standardise distinct values of one field; `kind` is `type:field name:number of columns read`.

    A value of a field that reads several columns is its arguments joined by a separator. Results become columns some
    thousand at a time and are gone again, without the collector searching the ever more objects for cycles: there are
    none, and looking takes a fifth of the time.
    """
    type_name, field_name, arity = kind.split(":")
    columns = FIELD_TYPES[type_name].columns(field_name)
    schema = pa.schema([(name, _ARROW[sql_type]) for name, sql_type in columns.items()])
    collecting = gc.isenabled()
    gc.disable()
    try:
        batches = [
            _standardised(type_name, schema, values.slice(start, _AT_A_TIME).to_pylist(), several=arity != "1")
            for start in range(0, len(values), _AT_A_TIME)
        ]
    finally:
        if collecting:
            gc.enable()
    return pa.Table.from_batches(batches, schema)


def _standardised(type_name: str, schema: pa.Schema, values: list[str | None], *, several: bool) -> pa.RecordBatch:
    """Return the attributes of some values as columns."""
    field_type = FIELD_TYPES[type_name]
    function = field_type.standardise
    if several:
        results = [function(*map(repair, _split(value))) for value in values]
    else:
        results = [function(repair(value)) for value in values]
    names = [attribute.name for attribute in fields(field_type.attributes)]
    rows = map(attrgetter(*names), results)
    columns = zip(*rows, strict=True) if len(names) > 1 else [rows]
    arrays = [
        pa.array([cell or None for cell in cells] if pa.types.is_list(kind) else cells, type=kind)
        for kind, cells in zip(schema.types, columns, strict=True)
    ]
    return pa.record_batch(arrays, schema=schema)


def _split(value: str | None) -> list[str | None]:
    assert value is not None
    return [
        part if _ABSENT not in part else None if part == _ABSENT else _unescaped(part)
        for part in value.split(_SEPARATOR)
    ]


def _unescaped(part: str) -> str:
    for character, escaped in reversed(_ESCAPES):
        part = part.replace(escaped, character)
    return part
