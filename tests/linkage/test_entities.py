"""From clusters to golden records: nothing is invented, nothing is lost, the counts agree."""

from __future__ import annotations

from blocking.sql import quote
from golden_records.entity_id import is_valid
from linkage.database import columns_of
from linkage.entities import completeness
from linkage.pipeline import Linkage

NOT_VALUES = {"entity_id", "records", "sources", "conflicts", "anchor"}


def values_of_records(run: Linkage) -> dict[str, set[str]]:
    """Return, per entity, every text that any column of its records holds."""
    records = quote(run.table("records"))
    types = columns_of(run.con, run.table("records"))
    scalars = ", ".join(f"cast(r.{quote(c)} as varchar)" for c, kind in types.items() if not kind.endswith("[]"))
    lists = " || ".join(f"coalesce(r.{quote(c)}, [])" for c, kind in types.items() if kind.endswith("[]"))
    rows = run.con.execute(f"""
select m.entity_id, list_distinct(flatten(list([{scalars}] || {lists})))
from {records} r
join {quote(run.table("membership"))} m on r.record_id = m.record_id
group by m.entity_id""").fetchall()
    return {entity: {text.strip(" ") for text in texts if text is not None} for entity, texts in rows}


def test_every_golden_value_is_a_value_of_one_of_the_entitys_records(run: Linkage) -> None:
    known = values_of_records(run)
    golden = run.con.sql(f"from {quote(run.table('golden'))}").to_arrow_table().to_pylist()
    checked = 0
    for row in golden:
        for column, value in row.items():
            if column not in NOT_VALUES and value is not None:
                assert value in known[row["entity_id"]], f"{column} of an entity is a value of none of its records"
                checked += 1
    assert checked > 1_000


def test_a_golden_value_is_a_value_of_the_record_its_provenance_names(run: Linkage) -> None:
    wrong = run.con.execute(f"""
select count(*)
from {quote(run.table("provenance"))} p
left join {quote(run.table("membership"))} m on p.record_id = m.record_id
where m.entity_id is distinct from p.entity_id""").fetchall()
    assert wrong == [(0,)]


def test_every_entity_has_one_golden_record_that_counts_its_records(run: Linkage) -> None:
    rows = run.con.execute(f"""
select g.entity_id, g.records, count(m.record_id), count(distinct r.source), g.sources
from {quote(run.table("golden"))} g
full join {quote(run.table("membership"))} m on g.entity_id = m.entity_id
left join {quote(run.table("records"))} r on m.record_id = r.record_id
group by all""").fetchall()
    assert all(entity is not None and records == held for entity, records, held, _, _ in rows)
    assert all(found == counted for _, _, _, found, counted in rows)
    assert (
        sum(row[2] for row in rows)
        == run.con.execute(f"select count(*) from {quote(run.table('raw'))}").fetchall()[0][0]
    )


def test_every_entity_id_is_a_valid_one_of_its_kind(run: Linkage) -> None:
    prefix = "NP" if run.config.entity == "natural_person" else "LP"
    ids = [row[0] for row in run.con.execute(f"select entity_id from {quote(run.table('golden'))}").fetchall()]
    assert len(set(ids)) == len(ids)
    assert all(is_valid(entity_id) and entity_id.startswith(prefix) for entity_id in ids)


def test_completeness_counts_the_values_that_are_there(run: Linkage) -> None:
    figures = {figure.field: figure for figure in completeness(run)}
    golden = run.con.sql(f"from {quote(run.table('golden'))}").to_arrow_table()
    assert figures.keys() == set(golden.column_names) - NOT_VALUES
    for field, figure in figures.items():
        assert (figure.entities, figure.filled) == (golden.num_rows, golden.num_rows - golden.column(field).null_count)


def test_every_record_link_has_a_basis_and_a_probability(run: Linkage) -> None:
    rows = run.con.execute(
        f"select link_basis, min(probability), max(probability) from {quote(run.table('record_link'))} group by 1"
    ).fetchall()
    assert {basis for basis, _, _ in rows} <= {"identifier", "decision", "corroborated", "attribute"}
    assert all(0 <= low <= high <= 1 for _, low, high in rows)
