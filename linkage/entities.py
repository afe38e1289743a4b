"""From clusters to entities: permanent ids, golden records, record links and review cases.

The ids come from the ledger (`golden_records.ledger`), the values from survivorship. Both the monthly run and the
one-off link go through here; the one-off starts from an empty ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from blocking.sql import quote
from eval.report.summary import FieldCompleteness
from golden_records.catalog.publish import ReleaseTables
from golden_records.catalog.read import PreviousTables
from golden_records.ledger import LIVING, LedgerCounts, LedgerTables, assign
from golden_records.survivorship import SurvivorTables, survive
from golden_records.survivorship_config import SurvivorshipConfig, load_survivorship
from linkage.database import columns_of, count, in_memory, only_row
from linkage.entity_config import ID_PREFIX
from linkage.increment.golden_values import TABLES, MembershipTables, take_values
from linkage.increment.made_by import survivor
from linkage.increment.touched import make_previous, put_back_entities
from linkage.pipeline import Linkage, touching
from linkage.review_cases import add_spot_checks, make_review_cases
from linkage.spot_checks import draw_spot_checks

_NOT_VALUES = frozenset(("entity_id", "records", "sources", "conflicts", "anchor"))


@dataclass(frozen=True)
class History:
    """Where the ledger continues from.

    Attributes:
        tables: the last release's memberships and every id ever minted.
        next_sequence: first number never minted.
        release: the release being made.
        cause: why: load, decision, rule, model.
        as_of: date of the data, ISO.
    """

    tables: PreviousTables
    next_sequence: int
    release: int
    cause: str
    as_of: str


def no_history(run: Linkage, *, as_of: str) -> History:
    """Return an empty history, for a one-off link."""
    tables = PreviousTables(run.table("previous"), run.table("known_entities"))
    run.con.execute(f"create or replace table {quote(tables.previous)} (record_id varchar, entity_id varchar)")
    run.con.execute(
        f"create or replace table {quote(tables.entities)} "
        "(entity_id varchar, sequence bigint, anchor varchar, state varchar, resolves_to varchar)"
    )
    return History(tables, next_sequence=1, release=1, cause="load", as_of=as_of)


def identify(run: Linkage, history: History, *, spot_checks: int | None = 0) -> LedgerCounts:
    """Pass permanent ids on to the clusters.

    Args:
        run: the linkage, clustered.
        history: where the ledger continues from.
        spot_checks: links to draw for a person to look at; None: those in the table `spot_check` stand.

    Makes: membership (record_id, entity_id), event, redirect, entities, record_link (source, source_record_id,
    entity_id, link_basis, probability), review_case, spot_check. Where only a part is resolved again, the rows of this
    part in them, but for the spot checks, which are drawn from all links.
    """
    counts = _pass_on(run, history) if run.part is None else _pass_on_part(run, run.part, history)
    if spot_checks is not None:
        draw_spot_checks(run, most=spot_checks, release=history.release)
    add_spot_checks(run)
    return counts


def _pass_on(run: Linkage, history: History) -> LedgerCounts:
    anchor, anchored = f"p.{quote(run.config.clustering.exclusive[0])}", run.table("anchored")
    run.con.execute(f"""
create or replace temp table {quote(anchored)} as
select c.record_id, c.cluster_id, {anchor} as anchor
from {quote(run.table("clusters"))} c
join {quote(run.table("profiles"))} p on c.profile_id = p.profile_id""")
    counts = assign(
        run.con,
        clusters=anchored,
        previous=history.tables.previous,
        entities=history.tables.entities,
        out=LedgerTables(*(run.table(name) for name in ("membership", "event", "redirect", "entities"))),
        kind=ID_PREFIX[run.config.entity],
        next_sequence=history.next_sequence,
        cause=history.cause,
        release=history.release,
        as_of=history.as_of,
    )
    run.con.execute(f"drop table {quote(anchored)}")
    _link_records(run)
    make_review_cases(run)
    return counts


def _pass_on_part(run: Linkage, part: Linkage, history: History) -> LedgerCounts:
    con = run.con
    previous = PreviousTables(part.table("previous"), part.table("known_entities"))
    with in_memory(con):
        make_previous(touching(run), previous=history.tables, out=previous)
        counts = _pass_on(part, replace(history, tables=previous))
    put_back_entities(touching(run), known=previous.entities)
    (living,) = only_row(con, f"select count(*) from {quote(run.table('entities'))} where state = '{LIVING}'")
    return replace(counts, records=count(con, run.table("membership")), living=int(living))


def survive_values(run: Linkage, ranks: Mapping[str, int], *, config: Path | None = None) -> None:
    """Build the golden records.

    Makes: golden, provenance, identifier, name, address, phone, named after the entity type.

    Args:
        run: the linkage after `identify`.
        ranks: source to rank, 1 is the most trusted.
        config: survivorship configuration instead of the shipped one.
    """
    ranked = run.table("source_rank")
    run.con.execute(f"create or replace table {quote(ranked)} (source varchar, rank integer)")
    if ranks:
        run.con.executemany(f"insert into {quote(ranked)} values (?, ?)", sorted(ranks.items()))
    settings = (load_survivorship(config) if config else shipped_survivorship()).of(run.config.entity)
    made_by = survivor(run.config, settings.model_dump_json(), ranks)
    out = SurvivorTables(*(run.table(name) for name in TABLES))

    def fresh(membership: str, made: SurvivorTables) -> None:
        survive(run.con, records=run.table("records"), membership=membership, sources=ranked, config=settings, out=made)

    before, changed = run.taking, run.options.changed
    same_maker = before is not None and before.made_by(run.con, "survived_by") == made_by
    if before is not None and changed is not None and same_maker and before.holds(run.con, *TABLES):
        run.revalued = run.table("revalued")
        members = MembershipTables(quote(run.table("membership")), before.table("membership"))
        if run.part is not None:
            parted = quote(run.part.table("membership")), quote(run.part.table("previous"))
            members = replace(members, parted=parted)
        take_values(run.con, fresh, members=members, changed=changed, revalued=run.revalued, out=out)
    else:
        fresh(run.table("membership"), out)
    run.con.execute(f"update {quote(run.table('made_by'))} set survived_by = ?", [made_by])


def shipped_survivorship() -> SurvivorshipConfig:
    """Return the configuration of golden values that monthly runs use."""
    with resources.as_file(resources.files("configs").joinpath("survivorship.toml")) as shipped:
        return load_survivorship(shipped)


def release_tables(runs: tuple[Linkage, ...], *, relation: str | None = None) -> ReleaseTables:
    """Return the tables of the linkages given, as one release; with `relation`, the relations of their entities."""

    def each(name: str) -> tuple[str, ...]:
        return tuple(run.table(name) for run in runs)

    return ReleaseTables(
        legal_person=tuple(run.table("golden") for run in runs if run.config.entity == "legal_person"),
        natural_person=tuple(run.table("golden") for run in runs if run.config.entity == "natural_person"),
        identifier=each("identifier"),
        name=each("name"),
        address=each("address"),
        phone=each("phone"),
        record_link=each("record_link"),
        relation=(relation,) if relation else (),
        provenance=each("provenance"),
        review_case=each("review_case"),
        entities=each("entities"),
        event=each("event"),
        redirect=each("redirect"),
    )


def completeness(run: Linkage) -> tuple[FieldCompleteness, ...]:
    """Return, per golden field, how many entities have a value and how many have records that disagree."""
    golden, provenance = run.table("golden"), run.table("provenance")
    fields = [c for c in columns_of(run.con, golden) if c not in _NOT_VALUES]
    filled = only_row(run.con, f"select {', '.join(f'count({quote(c)})' for c in fields)} from {quote(golden)}")
    conflicts = dict(
        run.con.execute(f"select attribute, sum(conflict) from {quote(provenance)} group by attribute").fetchall()
    )
    entities = count(run.con, golden)
    return tuple(
        FieldCompleteness(field=c, entities=entities, filled=n, conflicts=int(conflicts.get(c) or 0))
        for c, n in zip(fields, filled, strict=True)
    )


def _link_records(run: Linkage) -> None:
    run.con.execute(f"""
create or replace table {quote(run.table("record_link"))} as
select r.source, r.source_record_id, m.entity_id, c.link_basis, c.probability
from {quote(run.table("records"))} r
join {quote(run.table("membership"))} m on r.record_id = m.record_id
join {quote(run.table("clusters"))} c on r.record_id = c.record_id
order by m.entity_id""")
