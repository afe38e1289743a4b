"""Quality of the relations, and what they would be worth as evidence in a second pass over organisations.

    python -m benchmarks.relations [--people 20000] [--organisations 6000] [--months 3] [--seed 43] [--output DIR]

A simulated district goes through its monthly runs; the published relations are compared with the simulator's. An entity
stands for the true one that most of its records are of. A relation is right if the two were ever so related, `now` if
they are in the last month. Recall is over true relations of the last month of which both ends have records.

The second part asks whether organisations should be compared again once their representatives are known persons: of the
pairs of profiles that were compared and left apart, how many have one person as representative and are one organisation
or two; of those put together, how many have two persons. A person counts as found by a whole or a partial number of the
record itself. `same number` is the part that comparing the numbers themselves would give, without persons.

Written: `results/relations.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from eval.simulator import simulate
from linkage.batch import read_batch
from linkage.commands.demo import planned_loads
from linkage.commands.monthly import make_release
from linkage.ingest.loads import ingest_files
from linkage.sources import source_of
from linkage.stages import StageClock
from linkage.workspace import Workspace, create_workspace

RESULTS = Path(__file__).resolve().parent / "results"
NOW = datetime(2025, 6, 1, tzinfo=UTC)


def run_months(folder: Path, *, people: int, organisations: int, months: int, seed: int) -> Workspace:
    """Simulate a district and run its months."""
    district = folder / "district"
    simulate(people=people, organisations=organisations, months=months, output=district, seed=seed)
    workspace = create_workspace(folder / "workspace")
    for _, loads in groupby(planned_loads(district), key=lambda load: f"{load.as_of:%Y-%m}"):
        for load in loads:
            ingest_files(
                load.files,
                source=source_of(workspace, load.source),
                as_of=load.as_of,
                mode="delta" if load.mode == "delta" else "full",
                root=workspace.root,
                now=NOW,
            )
        make_release(workspace, entities=None, now=NOW, clock=StageClock())
    return workspace


def prepare(con: DuckDBPyConnection, truth: Path) -> None:
    """Make `told` (record_id, entity_id, true_id), `stands_for` (entity_id, true_id) and `true_relation`."""
    con.execute(
        """
create table told as
select m.record_id, m.entity_id, t.entity_id as true_id
from (select * from legal_person_membership union all select * from natural_person_membership) m
join (
    select source || ':' || source_record_id as record_id, entity_id from read_parquet($legal)
    union all
    select source || ':' || source_record_id, entity_id from read_parquet($natural)
) t using (record_id)""",
        {"legal": str(truth / "legal_person.parquet"), "natural": str(truth / "natural_person.parquet")},
    )
    con.execute("""
create table stands_for as
select entity_id, true_id
from (select entity_id, true_id, count(*) as records from told group by all)
qualify row_number() over (partition by entity_id order by records desc, true_id) = 1""")
    con.execute(
        "create table true_relation as select * from read_parquet($truth)", {"truth": str(truth / "relations.parquet")}
    )


def precision(con: DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the published relations by kind, basis, rule and state: how many, right ever, right now."""
    return _rows(
        con,
        """
select r.relation, r.basis, r.rule, r.state, count(*) as relations,
    count(*) filter (t.relation is not null) as right_ever,
    count(*) filter (t.relation is not null and t.month_last is null) as right_now
from relation r
join stands_for a on a.entity_id = r.entity_id
join stands_for b on b.entity_id = r.other_entity_id
left join true_relation t
    on t.entity_id = a.true_id and t.other_entity_id = b.true_id and t.relation = r.relation
group by all
order by all""",
    )


def recall(con: DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the true relations of the last month by kind: how many, published in any state, published as current."""
    return _rows(
        con,
        """
with seen as (select distinct true_id from told),
published as (
    select a.true_id as entity_id, r.relation, b.true_id as other_entity_id, bool_or(r.state = 'current') as current
    from relation r
    join stands_for a on a.entity_id = r.entity_id
    join stands_for b on b.entity_id = r.other_entity_id
    group by all
)
select t.relation, count(*) as true_relations, count(p.relation) as published,
    count(*) filter (p.current) as published_as_current
from true_relation t
left join published p using (entity_id, relation, other_entity_id)
where t.month_last is null and t.entity_id in (from seen) and t.other_entity_id in (from seen)
group by all
order by all""",
    )


def second_pass(con: DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return compared pairs of organisations' profiles by what the persons say, and where they ended up."""
    con.execute("""
create temp table represented as
select p.profile_id, min(c.entity_id) as person
from relation_claim c
join legal_person_profile_record p using (record_id)
where c.relation in ('legal_representative_of', 'operator_of')
    and c.rule in ('number', 'operator_number', 'partial_number')
group by p.profile_id
having count(distinct c.entity_id) = 1""")
    con.execute("""
create temp table shown as
select p.profile_id, min(r.rep_id_value) as number, min(r.code_uscc) as code, min(t.entity_id) as cluster,
    min(t.true_id) as true_id, min(r.rep_key) as name
from legal_person_profile_record p
join legal_person_records r using (record_id)
join told t using (record_id)
group by p.profile_id""")
    return _rows(
        con,
        """
select
    case when l.person = r.person then 'one person' else 'two persons' end as persons,
    j.verdict,
    case when a.cluster = b.cluster then 'together' else 'apart' end as ended,
    coalesce(a.code <> b.code, false) as two_codes,
    case when a.name = b.name then 'same name' else 'other name' end as names,
    coalesce(a.number = b.number, false) as same_number,
    count(*) as pairs,
    count(*) filter (a.true_id = b.true_id) as one_organisation
from legal_person_judged j
join represented l on l.profile_id = j.left_id
join represented r on r.profile_id = j.right_id
join shown a on a.profile_id = j.left_id
join shown b on b.profile_id = j.right_id
where j.left_id < j.right_id
group by all
order by all""",
    )


def never_compared(con: DuckDBPyConnection) -> dict[str, int]:
    """Return organisations that ended in several entities: how many pairs of those have one person on both sides."""
    row = con.execute("""
with piece as (
    select t.true_id, t.entity_id, list(distinct c.entity_id) filter (c.entity_id is not null) as persons,
        count(distinct r.code_uscc) as codes
    from told t
    join legal_person_records r using (record_id)
    left join (
        select * from relation_claim where rule in ('number', 'operator_number', 'partial_number')
    ) c using (record_id)
    group by all
)
select count(*), count(*) filter (list_has_any(a.persons, b.persons)),
    count(*) filter (len(a.persons) > 0 and len(b.persons) > 0 and not list_has_any(a.persons, b.persons))
from piece a
join piece b on a.true_id = b.true_id and a.entity_id < b.entity_id""").fetchall()[0]
    return {"pieces_of_one_organisation": row[0], "with_one_person": row[1], "with_two_persons": row[2]}


def measure(workspace: Workspace, truth: Path) -> dict[str, Any]:
    """Return all figures of a workspace."""
    with read_batch(workspace.batch) as con:
        prepare(con, truth)
        return {
            "precision": precision(con),
            "recall": recall(con),
            "second_pass": second_pass(con),
            "split_organisations": never_compared(con),
        }


def _rows(con: DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = con.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--organisations", type=int, default=6_000)
    parser.add_argument("--months", type=int, default=3)
    parser.add_argument("--seed", type=int, default=43)
    parser.add_argument("--output", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    size = {name: getattr(given, name) for name in ("people", "organisations", "months", "seed")}
    with tempfile.TemporaryDirectory() as scratch:
        started = time.process_time()
        workspace = run_months(Path(scratch), **size)
        figures = measure(workspace, Path(scratch) / "district" / "truth")
        seconds = time.process_time() - started
    given.output.mkdir(parents=True, exist_ok=True)
    about = {**size, "cores": os.cpu_count(), "processor_seconds": round(seconds), **figures}
    path = given.output / "relations.json"
    path.write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", "utf-8")
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
