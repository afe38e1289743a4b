"""How two partitions of the same records overlap, counted in DuckDB.

In: two tables with `source`, `source_record_id`, `entity_id` (and `errors` in the truth). Out: `Contingency`, the few
numbers all pair measures are made of: how many cells of each shape there are, pairs per pair of sources, pairs per
class of error. Cost grows with records, never with pairs: a group of n records holds n(n-1)/2 pairs, of which
n(n-1)/2 - (n-k)(n-k-1)/2 touch one of k marked records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import duckdb

from eval.errors import EvalError
from matchers.column_titles import seen_columns

_KEYS = ("source", "source_record_id", "entity_id")
_TABLES = ("_eval_clusters", "_eval_truth", "_eval_record", "_eval_cell", "_eval_cluster", "_eval_entity")


class Cell(NamedTuple):
    """The shape of a cell (the records one cluster and one entity share), and how many cells have it."""

    size: int
    cluster_size: int
    entity_size: int
    cells: int


class SourcePairCounts(NamedTuple):
    """Pairs between two sources, the first sorted first."""

    left_source: str
    right_source: str
    true_pairs: int
    predicted_pairs: int
    found_pairs: int


class ErrorCounts(NamedTuple):
    """Pairs touched by a class of error; None for pairs of two records without any."""

    error_class: str | None
    records: int
    true_pairs: int
    predicted_pairs: int
    found_pairs: int


@dataclass(frozen=True)
class Contingency:
    """What two partitions say about each other."""

    cells: tuple[Cell, ...]
    missing_from_clusters: int
    missing_from_truth: int
    repeated_in_clusters: int
    repeated_in_truth: int
    by_source_pair: tuple[SourcePairCounts, ...]
    by_error: tuple[ErrorCounts, ...] | None


def contingency(con: duckdb.DuckDBPyConnection, *, clusters: str, truth: str) -> Contingency:
    """Count how a table of clusters overlaps with a table of the truth.

    Raises:
        EvalError: a column is missing, a key is empty, or one record is given two entities by one table.
    """
    try:
        repeated_in_clusters = _keyed(con, clusters, "_eval_clusters", errors=None)
        errors = _errors_expression(con, truth)
        repeated_in_truth = _keyed(con, truth, "_eval_truth", errors=errors)
        _overlap(con, with_errors=errors is not None)
        missing_from_clusters, missing_from_truth = _one(
            con,
            """
            select
                count(*) filter (where cluster_id is null and true_id is not null),
                count(*) filter (where true_id is null and cluster_id is not null)
            from _eval_record
            """,
        )
        return Contingency(
            cells=_cells(con),
            missing_from_clusters=missing_from_clusters,
            missing_from_truth=missing_from_truth,
            repeated_in_clusters=repeated_in_clusters,
            repeated_in_truth=repeated_in_truth,
            by_source_pair=_by_source_pair(con),
            by_error=None if errors is None else _by_error(con),
        )
    finally:
        for table in _TABLES:
            con.execute(f"drop table if exists temp.{table}")


def quote(name: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    try:
        description = con.execute(f"describe select * from {quote(table)}").fetchall()
    except duckdb.CatalogException:
        raise EvalError(f"{table}: no such table") from None
    return {str(row[0]): str(row[1]) for row in description}


def _errors_expression(con: duckdb.DuckDBPyConnection, truth: str) -> str | None:
    """Return SQL for the truth's error classes as a list of distinct text, or None where there is no such column."""
    kind = _columns(con, truth).get("errors")
    if kind is None:
        return None
    if kind.endswith("[]"):
        listed = "errors::varchar[]"
    else:
        listed = r"regexp_split_to_array(regexp_replace(errors::varchar, '[\[\]''\"]', '', 'g'), '\s*[;,|]\s*')"
    trimmed = f"list_transform(coalesce({listed}, []), lambda class: trim(class))"
    return f"list_sort(list_distinct(list_filter({trimmed}, lambda class: class <> '')))"


def _keyed(con: duckdb.DuckDBPyConnection, table: str, out: str, *, errors: str | None) -> int:
    """Make `out` (source, source_record_id, entity_id, errors if given), one row per record; return rows repeated."""
    known = _columns(con, table)
    absent = [column for column in _KEYS if column not in known]
    if absent:
        raise EvalError(
            f"{table}: column {', '.join(absent)} is missing ({seen_columns(list(known))}); expected {', '.join(_KEYS)}"
        )
    extra = f", {errors} as errors" if errors else ""
    con.execute(
        f"""
        create or replace temp table {out} as
        select source::varchar as source, source_record_id::varchar as source_record_id,
            entity_id::varchar as entity_id{extra}
        from {quote(table)}
        """
    )
    (empty,) = _one(con, f"select count(*) from {out} where source is null or source_record_id is null")
    if empty:
        raise EvalError(f"{table}: {empty:,} rows have no source or no source_record_id; every record needs both")
    repeated, torn = _one(
        con,
        f"""
        with keys as (
            select count(*) as n, min(entity_id) <> max(entity_id) as torn
            from {out}
            group by source, source_record_id
            having count(*) > 1
        )
        select coalesce(sum(n - 1), 0)::bigint, count(*) filter (where torn) from keys
        """,
    )
    if torn:
        raise EvalError(f"{table}: {torn:,} records belong to two entities; expected one entity_id per record")
    if repeated:
        merged = ", list_sort(list_distinct(flatten(list(errors)))) as errors" if errors else ""
        con.execute(
            f"""
            create or replace temp table {out} as
            select source, source_record_id, max(entity_id) as entity_id{merged}
            from {out}
            group by source, source_record_id
            """
        )
    return repeated


def _overlap(con: duckdb.DuckDBPyConnection, *, with_errors: bool) -> None:
    """Make `_eval_record` (source, cluster_id, true_id, errors) and the sizes of cells, clusters and entities."""
    errors = "t.errors" if with_errors else "null::varchar[]"
    con.execute(
        f"""
        create or replace temp table _eval_record as
        select coalesce(c.source, t.source) as source, c.entity_id as cluster_id, t.entity_id as true_id,
            {errors} as errors
        from _eval_clusters c
        full outer join _eval_truth t on c.source = t.source and c.source_record_id = t.source_record_id
        """
    )
    for out, keys in (("cluster", "cluster_id"), ("entity", "true_id"), ("cell", "cluster_id, true_id")):
        present = " and ".join(f"{key.strip()} is not null" for key in keys.split(","))
        con.execute(
            f"""
            create or replace temp table _eval_{out} as
            select {keys}, count(*) as n
            from _eval_record
            where {present}
            group by {keys}
            """
        )


def _cells(con: duckdb.DuckDBPyConnection) -> tuple[Cell, ...]:
    rows = con.execute(
        """
        with shapes as (
            select cell.n, cluster.n as cluster_n, entity.n as entity_n, count(*) as cells
            from _eval_cell cell
            join _eval_cluster cluster using (cluster_id)
            join _eval_entity entity using (true_id)
            group by all
            union all
            select 1, cluster.n, 1, count(*)
            from _eval_record record
            join _eval_cluster cluster using (cluster_id)
            where record.true_id is null
            group by all
            union all
            select 1, 1, entity.n, count(*)
            from _eval_record record
            join _eval_entity entity using (true_id)
            where record.cluster_id is null
            group by all
            union all
            select 1, 1, 1, count(*)
            from _eval_record
            where cluster_id is null and true_id is null
            having count(*) > 0
        )
        select n, cluster_n, entity_n, sum(cells)::bigint
        from shapes
        group by n, cluster_n, entity_n
        order by n, cluster_n, entity_n
        """
    ).fetchall()
    return tuple(Cell(*row) for row in rows)


# How a record is grouped, and the table of the sizes of those groups.
_GROUPINGS = (
    ("true", "true_id", "_eval_entity"),
    ("predicted", "cluster_id", "_eval_cluster"),
    ("found", "cluster_id, true_id", "_eval_cell"),
)


def _by_source_pair(con: duckdb.DuckDBPyConnection) -> tuple[SourcePairCounts, ...]:
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for name, keys, sizes in _GROUPINGS:
        rows = con.execute(
            f"""
            with parts as (
                select {keys}, source, count(*) as k
                from _eval_record
                join (select {keys} from {sizes} where n > 1) using ({keys})
                group by {keys}, source
            )
            select l.source, r.source,
                sum(case when l.source = r.source then l.k * (l.k - 1) // 2 else l.k * r.k end)
            from parts l
            join parts r using ({keys})
            where l.source <= r.source
            group by l.source, r.source
            """
        ).fetchall()
        for left, right, pairs in rows:
            counts.setdefault((left, right), {})[name] = int(pairs)
    return tuple(
        SourcePairCounts(left, right, found.get("true", 0), found.get("predicted", 0), found.get("found", 0))
        for (left, right), found in sorted(counts.items())
        if found.get("true") or found.get("predicted")
    )


def _by_error(con: duckdb.DuckDBPyConnection) -> tuple[ErrorCounts, ...]:
    records: dict[str | None, int] = dict(
        con.execute(
            """
            select class, count(*)
            from (select unnest(errors) as class from _eval_record)
            group by class
            """
        ).fetchall()
    )
    records[None] = _one(con, "select count(*) from _eval_record where len(errors) = 0")[0]
    pairs: dict[str | None, dict[str, int]] = {}
    for name, keys, sizes in _GROUPINGS:
        rows = con.execute(
            f"""
            with marked as (
                select {keys}, unnest(errors) as class
                from _eval_record
            ),
            touched as (
                select {keys}, class, count(*) as k
                from marked
                group by {keys}, class
            ),
            clean as (
                select {keys}, count(*) as k
                from _eval_record
                where len(errors) = 0
                group by {keys}
            )
            select class, sum(n * (n - 1) // 2 - (n - k) * (n - k - 1) // 2)
            from touched
            join {sizes} using ({keys})
            group by class
            union all
            select null, sum(k * (k - 1) // 2)
            from clean
            join {sizes} using ({keys})
            """
        ).fetchall()
        for error_class, n in rows:
            pairs.setdefault(error_class, {})[name] = int(n or 0)
    order = sorted(records, key=lambda error_class: (error_class is None, error_class or ""))
    return tuple(
        ErrorCounts(
            error_class, records[error_class], *(pairs.get(error_class, {}).get(name, 0) for name, *_ in _GROUPINGS)
        )
        for error_class in order
        if records[error_class]
    )


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    row = con.execute(sql).fetchone()
    if row is None:
        raise AssertionError("an aggregate always returns a row")
    return tuple(int(value) for value in row)
