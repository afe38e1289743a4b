"""The queue (待审队列): every case with its state and risk, in the order in which people should look.

`bring_up` takes into `review_queue` what releases, decisions and opinions have changed since it was last called: after
a new release the cases that came and went, after a ruling the cases it touches. `find` reads a page of it by keyset:
the next page begins behind the last row shown, so that the thousandth page costs what the first does and nothing is
shown twice while cases come and go.

Invariant: the table is a function of `review_case`, `decision`, `review_opinion`: emptied, it comes back the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from golden_records.catalog.publish import current_release
from golden_records.catalog.schema import REVIEW_QUEUE
from golden_records.catalog.store import Catalog
from golden_records.decisions import Decision, read_decisions
from golden_records.opinions import Opinion, every_opinion
from linkage.review.topics import PENDING, risk_in, risk_of, topic_of

Order = Literal["risk", "age", "weight"]
ORDERS: tuple[Order, ...] = ("risk", "age", "weight")
_BATCH = 500
_COLUMNS = (
    "case_id, entity_type, topic, left_source, right_source, opened_at, match_weight, records, credit_rows, risk, state"
)
_OF_CASE = (
    "case_id, entity_type, kind, rule, match_weight, match_probability, left_record_id, right_record_id, "
    "left_entity_id, right_entity_id, since_release"
)


@dataclass(frozen=True)
class Filters:
    """Which cases are wanted; what is None is not asked for.

    Attributes:
        state: one state, `pending` for all that somebody must look at, `all`.
        topic: kind of case.
        entity_type: legal_person or natural_person.
        source: source of either record.
        month: month in which it was opened, YYYY-MM.
        least_weight: match weight of at least.
        most_weight: match weight of at most.
        assignee: who has taken it; empty: nobody.
        least_credit: attached credit rows of at least.
        cases: only these.
    """

    state: str = "pending"
    topic: str | None = None
    entity_type: str | None = None
    source: str | None = None
    month: str | None = None
    least_weight: float | None = None
    most_weight: float | None = None
    assignee: str | None = None
    least_credit: int | None = None
    cases: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Waiting:
    """A row of the queue.

    Attributes:
        case_id: the case.
        entity_type: of whom.
        topic: kind of case.
        left_source: source of the left record.
        right_source: source of the right one.
        opened_at: since when, ISO.
        match_weight: of the pair.
        records: records at stake.
        credit_rows: credit rows at stake, where known.
        risk: higher comes first.
        state: open, waiting, disputed, undecided or ruled.
        assignee: who has taken it.
        left_entity_id: entity of the left record; None if the case was dissolved.
        right_entity_id: of the right one.
        release: the release that brought its present form.
        rule: the rule or constraint that made it a case.
    """

    case_id: str
    entity_type: str
    topic: str
    left_source: str | None
    right_source: str | None
    opened_at: str
    match_weight: float | None
    records: int | None
    credit_rows: int | None
    risk: int
    state: str
    assignee: str | None
    left_entity_id: str | None
    right_entity_id: str | None
    release: int | None
    rule: str | None


@dataclass(frozen=True)
class Overview:
    """All cases at a glance.

    Attributes:
        marks: up to what the queue was brought when this was counted.
        counts: number of cases by state, topic and entity type.
        sources: the sources that records of cases come from.
        months: the months in which cases were opened, newest first.
    """

    marks: tuple[tuple[str, int], ...]
    counts: Mapping[tuple[str, str, str], int]
    sources: tuple[str, ...]
    months: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """A page of the queue, and where the next one begins."""

    rows: tuple[Waiting, ...]
    after: tuple[str, str] | None


def bring_up(catalog: Catalog) -> int:
    """Take in what changed; returns how many cases were looked at. Cheap when nothing changed."""
    if not _behind(catalog):
        return 0
    with catalog.writing():
        marks = _marks(catalog)
        now = _heads(catalog)
        if marks == now:
            return 0
        fresh: set[str] = set()
        if marks.get("release") != now["release"]:
            rows = catalog.execute(
                "select case_id from review_case where since_release > ?", (marks.get("release", 0),)
            )
            fresh = {row[0] for row in rows}
            _remove_gone(catalog)
        decisions = read_decisions(catalog)
        touched = fresh | _cases_of_decisions(catalog, decisions, since=marks.get("decision_event", 0))
        opinions = every_opinion(catalog)
        touched |= {one.case_id for one in opinions if one.opinion_id > marks.get("opinion", 0)}
        _write(catalog, sorted(touched), decisions, opinions)
        for name, value in now.items():
            catalog.execute("delete from review_mark where name = ?", (name,))
            catalog.execute("insert into review_mark (name, value) values (?, ?)", (name, value))
    return len(touched)


def set_credit(catalog: Catalog, rows: Mapping[str, int]) -> int:
    """Take in how many credit rows are attached to entities; returns the number of cases that now have a count.

    Args:
        catalog: the store.
        rows: entity → attached rows; entities that are not named have none.
    """
    with catalog.writing():
        pairs = catalog.execute("select case_id, left_entity_id, right_entity_id from review_case").fetchall()
        counts = [
            (sum(rows.get(entity, 0) for entity in {left, right} if entity), case_id) for case_id, left, right in pairs
        ]
        catalog.connection.executemany("update review_queue set credit_rows = ? where case_id = ?", counts)
        decisions, opinions = read_decisions(catalog), every_opinion(catalog)
        _write(catalog, sorted(case_id for _, case_id in counts), decisions, opinions)
    return len(counts)


def entities_of_cases(catalog: Catalog) -> list[str]:
    """Return the entities that cases are about."""
    rows = catalog.execute(
        "select left_entity_id from review_case where left_entity_id is not null "
        "union select right_entity_id from review_case where right_entity_id is not null order by 1"
    )
    return [row[0] for row in rows]


def find(
    catalog: Catalog, wanted: Filters, *, order: Order = "risk", after: tuple[str, str] | None = None, limit: int = 50
) -> Page:
    """Return a page of the queue.

    Args:
        catalog: the store.
        wanted: which cases.
        order: `risk` (highest first), `age` (oldest first) or `weight` (highest first).
        after: `Page.after` of the page before.
        limit: rows of the page.
    """
    where, values = _where(wanted)
    column, sign = {"risk": ("q.risk", "<"), "age": ("q.opened_at", ">"), "weight": ("q.match_weight", "<")}[order]
    if after is not None:
        value: Any = after[0] if order == "age" else float(after[0])
        where.append(f"({column} {sign} ? or ({column} = ? and q.case_id > ?))")
        values += [value, value, after[1]]
    if order == "weight":
        where.append("q.match_weight is not null")
    falling = "" if sign == ">" else " desc"
    names = ", ".join(f"q.{name.strip()}" for name in _COLUMNS.split(","))
    rows = catalog.execute(
        f"select {names}, a.assignee, c.left_entity_id, c.right_entity_id, c.since_release, c.rule from review_queue q "
        "left join review_assignment a on a.case_id = q.case_id left join review_case c on c.case_id = q.case_id "
        f"where {' and '.join(where) or '1 = 1'} order by {column}{falling}, q.case_id limit ?",
        (*values, limit + 1),
    ).fetchall()
    shown = tuple(Waiting(*row) for row in rows[:limit])
    if len(rows) <= limit or not shown:
        return Page(shown, None)
    last = shown[-1]
    key = {"risk": last.risk, "age": last.opened_at, "weight": last.match_weight}[order]
    return Page(shown, (str(key), last.case_id))


def row_of(catalog: Catalog, case_id: str) -> Waiting | None:
    """Return the row of one case, in whatever state."""
    return next(iter(find(catalog, Filters(state="all", cases=(case_id,))).rows), None)


def following(catalog: Catalog, wanted: Filters, case_id: str, *, order: Order = "risk") -> str | None:
    """Return the case behind one in the queue, the first one if that is not in it any more."""
    row = row_of(catalog, case_id)
    after = None
    if row is not None:
        value = {"risk": row.risk, "age": row.opened_at, "weight": row.match_weight}[order]
        after = None if value is None else (str(value), case_id)
    page = find(catalog, wanted, order=order, after=after, limit=1)
    return page.rows[0].case_id if page.rows and page.rows[0].case_id != case_id else None


def overview(catalog: Catalog, known: Overview | None = None) -> Overview:
    """Return counts, sources and months of all cases; what is known already is given back while nothing has changed."""
    marks = tuple(sorted(_marks(catalog).items()))
    if known is not None and known.marks == marks:
        return known
    counted = catalog.execute(
        "select state, topic, entity_type, count(*) from review_queue group by state, topic, entity_type"
    )
    counts = {(state, topic, entity): int(number) for state, topic, entity, number in counted}
    rows = catalog.execute(
        "select left_source from review_queue where left_source is not null "
        "union select right_source from review_queue where right_source is not null order by 1"
    ).fetchall()
    months = catalog.execute("select distinct substr(opened_at, 1, 7) from review_queue order by 1 desc").fetchall()
    return Overview(marks, counts, tuple(row[0] for row in rows), tuple(row[0] for row in months))


def assignees(catalog: Catalog) -> list[str]:
    """Return who has taken a case."""
    return [row[0] for row in catalog.execute("select distinct assignee from review_assignment order by 1")]


def _where(wanted: Filters) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []

    def ask(condition: str, *given: Any) -> None:
        where.append(condition)
        values.extend(given)

    if wanted.state == "pending":
        ask("q.pending = 1")
    elif wanted.state != "all":
        ask("q.pending = ?", int(wanted.state in PENDING))
        ask("q.state = ?", wanted.state)
    for column, value in (("topic", wanted.topic), ("entity_type", wanted.entity_type)):
        if value is not None:
            ask(f"q.{column} = ?", value)
    if wanted.source is not None:
        ask("(q.left_source = ? or q.right_source = ?)", wanted.source, wanted.source)
    if wanted.month is not None:
        ask("substr(q.opened_at, 1, 7) = ?", wanted.month)
    if wanted.least_weight is not None:
        ask("q.match_weight >= ?", wanted.least_weight)
    if wanted.most_weight is not None:
        ask("q.match_weight <= ?", wanted.most_weight)
    if wanted.assignee == "":
        ask("a.assignee is null")
    elif wanted.assignee is not None:
        ask("a.assignee = ?", wanted.assignee)
    if wanted.least_credit is not None:
        ask("q.credit_rows >= ?", wanted.least_credit)
    if wanted.cases is not None:
        ask(f"q.case_id in ({', '.join('?' for _ in wanted.cases) or 'null'})", *wanted.cases)
    return where, values


def _behind(catalog: Catalog) -> bool:
    return _marks(catalog) != _heads(catalog)


def _marks(catalog: Catalog) -> dict[str, int]:
    return {name: int(value) for name, value in catalog.execute("select name, value from review_mark")}


def _heads(catalog: Catalog) -> dict[str, int]:
    event = catalog.row("select coalesce(max(event_id), 0) from decision_event")
    opinion = catalog.row("select coalesce(max(opinion_id), 0) from review_opinion")
    return {
        "release": current_release(catalog),
        "decision_event": int(event[0]) if event else 0,
        "opinion": int(opinion[0]) if opinion else 0,
    }


def _remove_gone(catalog: Catalog) -> None:
    """Remove cases that the current release does not have, but for those that people said something on."""
    catalog.execute(
        "delete from review_queue "
        "where not exists (select 1 from review_case c where c.case_id = review_queue.case_id) "
        "and not exists (select 1 from review_opinion o where o.case_id = review_queue.case_id)"
    )
    catalog.execute(
        "update review_queue set pending = 0, state = 'ruled' where pending = 1 "
        "and not exists (select 1 from review_case c where c.case_id = review_queue.case_id)"
    )


def _cases_of_decisions(catalog: Catalog, decisions: Iterable[Decision], *, since: int) -> set[str]:
    """Return the cases around the records of decisions that something happened to."""
    moved = {
        row[0]
        for row in catalog.execute("select distinct decision_id from decision_event where event_id > ?", (since,))
    }
    found: set[str] = set()
    entities: set[str] = set()
    for decision in decisions:
        if decision.decision_id not in moved:
            continue
        if decision.ruling.case_id is not None:
            found.add(decision.ruling.case_id)
        for record in decision.records:
            source, _, key = record.partition(":")
            row = catalog.row(
                "select entity_id from record_link where source = ? and source_record_id = ?", (source, key)
            )
            if row is not None:
                entities.add(row[0])
    for entity in sorted(entities):
        for side in ("left", "right"):
            rows = catalog.execute(f"select case_id from review_case where {side}_entity_id = ?", (entity,))
            found |= {row[0] for row in rows}
    return found


def _write(catalog: Catalog, cases: Sequence[str], decisions: Sequence[Decision], opinions: Sequence[Opinion]) -> None:
    by_record: defaultdict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.state != "revoked":
            for record in decision.records:
                by_record[record].append(decision)
    proposed = {decision.decision_id for decision in decisions if decision.state == "proposed"}
    said: defaultdict[str, list[Opinion]] = defaultdict(list)
    for opinion in opinions:
        said[opinion.case_id].append(opinion)
    published = dict(catalog.execute("select release_id, published_at from release").fetchall())
    since = _first_releases(catalog) if len(cases) > _BATCH else {}
    for start in range(0, len(cases), _BATCH):
        some = cases[start : start + _BATCH]
        marks = ", ".join("?" for _ in some)
        known = {
            case_id: (opened, credit)
            for case_id, opened, credit in catalog.execute(
                f"select case_id, opened_at, credit_rows from review_queue where case_id in ({marks})", some
            )
        }
        rows = catalog.execute(f"select {_OF_CASE} from review_case where case_id in ({marks})", some).fetchall()
        living = {row[0] for row in rows}
        rows += _dissolved(catalog, [case for case in some if case not in living and case in said])
        sizes = _sizes(catalog, {entity for row in rows for entity in row[8:10] if entity})
        made = []
        for row in rows:
            case_id, entity_type, kind, rule, weight, probability, left, right, left_entity, right_entity, release = row
            topic = topic_of(kind, rule)
            records = sum(sizes.get(entity, 0) for entity in {left_entity, right_entity})
            first = since.get(case_id) or (
                _first_release(catalog, case_id, release) if case_id not in known else release
            )
            opened, credit = known.get(case_id, (published.get(first, ""), None))
            state = "ruled"
            if case_id in living:
                state = state_of(left, right, by_record, proposed, said.get(case_id, ()))
            risk = risk_of(topic, entity_type, probability=probability, records=records, credit_rows=credit)
            made.append(
                (
                    *(case_id, entity_type, topic, _source(left), _source(right), opened, weight, records, credit),
                    *(risk + risk_in(state), state, int(state in PENDING)),
                )
            )
        catalog.execute(f"delete from review_queue where case_id in ({marks})", some)
        catalog.insert(REVIEW_QUEUE.name, REVIEW_QUEUE.column_names, made)


def _dissolved(catalog: Catalog, cases: Sequence[str]) -> list[Any]:
    """Return cases that are no more as they stood last; people spoke on them."""
    found = []
    for case_id in cases:
        row = catalog.row(
            f"select {_OF_CASE} from review_case_history where case_id = ? order by until_release desc limit 1",
            (case_id,),
        )
        found += [] if row is None else [row]
    return found


def state_of(
    left: str | None,
    right: str | None,
    by_record: Mapping[str, Sequence[Decision]],
    proposed: Collection[int],
    said: Sequence[Opinion],
) -> str:
    """Return the state of a case.

    Args:
        left: its left record.
        right: its right record.
        by_record: the decisions in force or proposed that name a record.
        proposed: decisions that wait for a second person.
        said: the opinions on the case, oldest first.
    """
    about_left = by_record.get(left, ()) if left is not None and right is not None else ()
    both = [d for d in about_left if d.ruling.tells_of(str(left), str(right))]
    if any(d.state == "active" for d in both):
        return "ruled"
    about = [one for one in said if one.decision_id in proposed]
    if about or both:
        return "disputed" if len({(one.ruling, one.record_id) for one in about}) > 1 else "waiting"
    return "undecided" if said and said[-1].ruling == "cannot_tell" else "open"


def _sizes(catalog: Catalog, entities: Collection[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for table, prefix in (("legal_person", "LP"), ("natural_person", "NP")):
        wanted = sorted(entity for entity in entities if entity.startswith(prefix))
        for start in range(0, len(wanted), _BATCH):
            some = wanted[start : start + _BATCH]
            marks = ", ".join("?" for _ in some)
            rows = catalog.execute(f"select entity_id, records from {table} where entity_id in ({marks})", some)
            found |= {entity: int(records or 0) for entity, records in rows}
    return found


def _first_releases(catalog: Catalog) -> dict[str, int]:
    """Return the first release of every case of the history that is a case now."""
    rows = catalog.execute("select case_id, min(since_release) from review_case_history group by case_id")
    return {case_id: int(release) for case_id, release in rows}


def _first_release(catalog: Catalog, case_id: str, now: int) -> int:
    row = catalog.row("select min(since_release) from review_case_history where case_id = ?", (case_id,))
    return int(row[0]) if row is not None and row[0] is not None else now


def _source(record: str | None) -> str | None:
    return None if record is None else record.partition(":")[0]
