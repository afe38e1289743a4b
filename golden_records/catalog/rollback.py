"""Rolling back: publishes the state of an earlier release again, as a new release. The past is never rewritten.

Rows that came after the earlier release move to the history, rows that were true in it come back. Ids that were living
only since then redirect to the entity that now holds most of their records, or are retired; ids that had been merged
since then live again. Rulings, access log and tokens are untouched. What was forgotten since then stays forgotten: its
rows are not in the history any more, so that the content hash is counted from the rows that came back. The
tables for lookup cannot be made from the catalog; until the next run entities are found by identifier only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from golden_records.catalog.content import CONTENT_TABLES, content_sums
from golden_records.catalog.delta import load
from golden_records.catalog.lookup import end_lookup
from golden_records.catalog.publish import as_json, current_release, insert_release
from golden_records.catalog.schema import EVENT, REDIRECT, VERSIONED, Table
from golden_records.catalog.store import Catalog
from golden_records.errors import CatalogError
from golden_records.tables import quote

_ENTITY_TABLES = ("legal_person", "natural_person")


@dataclass(frozen=True)
class _End:
    """Where an id that is not living leads (None: retired); `was_living` until this rollback."""

    entity_id: str | None
    anchor: str | None
    was_living: bool
    is_news: bool


def rollback(
    catalog: Catalog,
    to_release: int,
    *,
    now: datetime,
    cause: str = "rollback",
    manifest: Mapping[str, Any] | None = None,
) -> int:
    """Publish the state of an earlier release as a new release, and return the new release's number.

    Args:
        catalog: the store, open for writing.
        to_release: the release whose state comes back.
        now: time of publishing.
        cause: why.
        manifest: kept as JSON with the new release.

    Raises:
        CatalogError: there is no such earlier release.
    """
    with catalog.connection.bulk_writing(), catalog.writing():
        current = current_release(catalog)
        if not 1 <= to_release < current:
            raise CatalogError(f"release {to_release}: cannot go back to it (earlier releases: 1 to {current - 1})")
        release = current + 1
        removed, added = {}, {}
        for table in VERSIONED:
            removed[table.name], added[table.name] = _restore(catalog, table, to_release, release)
        ended = _redirect_the_ended(catalog, to_release, release)
        events = _record_events(catalog, release, cause, ended)
        removed |= {EVENT.name: 0, REDIRECT.name: 0}
        added |= {EVENT.name: events, REDIRECT.name: sum(end.is_news for end in ended.values())}
        _insert_release(catalog, to_release, release, now, cause, manifest or {}, removed, added)
        end_lookup(catalog)
    return release


def _restore(catalog: Catalog, table: Table, to_release: int, release: int) -> tuple[int, int]:
    columns = ", ".join(quote(name) for name in table.column_names)
    name, history = quote(table.name), quote(table.history)
    catalog.execute(
        f"insert into {history} ({columns}, since_release, until_release) "
        f"select {columns}, since_release, {release} from {name} where since_release > ?",
        (to_release,),
    )
    removed = catalog.execute(f"delete from {name} where since_release > ?", (to_release,)).rowcount
    added = catalog.execute(
        f"insert into {name} ({columns}, since_release) select {columns}, {release} from {history} "
        f"where since_release <= ? and until_release > ?",
        (to_release, to_release),
    ).rowcount
    return removed, added


def _redirect_the_ended(catalog: Catalog, to_release: int, release: int) -> dict[str, _End]:
    """Append a redirect for every id that now leads elsewhere than before; return all ids that are not living."""
    last = _redirects(catalog, release)
    then = _redirects(catalog, to_release)
    lost = _lost(catalog, release)
    heirs = _heirs(catalog, release)
    ended: dict[str, _End] = {}
    for old_id in sorted(last.keys() | lost.keys()):
        if _is_living(catalog, old_id):
            continue
        if old_id in then:
            target, anchor = then[old_id]
        elif old_id in lost:
            target, anchor = heirs.get(old_id), lost[old_id]
        else:
            target, anchor = _follow(catalog, last[old_id][0], then, last, heirs), last[old_id][1]
        anchor = anchor if target is None else None
        ended[old_id] = _End(target, anchor, old_id in lost, last.get(old_id) != (target, anchor))
    catalog.insert(
        REDIRECT.name,
        ("old_id", "release", "entity_id", "anchor"),
        [(old_id, release, end.entity_id, end.anchor) for old_id, end in ended.items() if end.is_news],
    )
    return ended


def _redirects(catalog: Catalog, release: int) -> dict[str, tuple[str | None, str | None]]:
    """Return old id → (entity id, anchor) as of a release."""
    rows = catalog.execute(
        "select old_id, entity_id, anchor from redirect where release <= ? order by old_id, release", (release,)
    )
    return {old_id: (entity_id, anchor) for old_id, entity_id, anchor in rows}


def _lost(catalog: Catalog, release: int) -> dict[str, str | None]:
    """Return the ids that were living until this release and are not any more, with their anchors."""
    return {
        entity_id: anchor
        for table in _ENTITY_TABLES
        for entity_id, anchor in catalog.execute(
            f"select entity_id, anchor from {table}_history h where until_release = ? "
            f"and not exists (select 1 from {table} t where t.entity_id = h.entity_id)",
            (release,),
        )
    }


def _heirs(catalog: Catalog, release: int) -> dict[str, str]:
    """Return id → the entity that now holds most of the records it held until this release."""
    rows = catalog.execute(
        "select h.entity_id, l.entity_id, count(*) as records from record_link_history h "
        "join record_link l on l.source = h.source and l.source_record_id = h.source_record_id "
        "where h.until_release = ? group by h.entity_id, l.entity_id order by records, l.entity_id desc",
        (release,),
    )
    return {old_id: entity_id for old_id, entity_id, _ in rows}


def _follow(
    catalog: Catalog,
    target: str | None,
    then: Mapping[str, tuple[str | None, str | None]],
    last: Mapping[str, tuple[str | None, str | None]],
    heirs: Mapping[str, str],
) -> str | None:
    """Return the living or retired id that a redirect of an id unknown in the earlier release now ends at."""
    seen: set[str] = set()
    while target is not None and target not in seen and not _is_living(catalog, target):
        seen.add(target)
        following = then[target][0] if target in then else heirs.get(target, last.get(target, (None, None))[0])
        if following is None:
            return target
        target = following
    return target


def _is_living(catalog: Catalog, entity_id: str) -> bool:
    table = "natural_person" if entity_id.startswith("NP") else "legal_person"
    return catalog.row(f"select 1 from {table} where entity_id = ?", (entity_id,)) is not None


def _record_events(catalog: Catalog, release: int, cause: str, ended: Mapping[str, _End]) -> int:
    """Append what became of the ids that ended or live again, and return how many events that are."""
    events = [
        (old_id, "retired", None)
        if end.entity_id is None
        else (old_id, "redirected", as_json({"into": [end.entity_id]}))
        for old_id, end in ended.items()
        if end.was_living
    ]
    for table in _ENTITY_TABLES:
        revived = catalog.execute(
            f"select entity_id from {table} t where since_release = ? and not exists "
            f"(select 1 from {table}_history h where h.entity_id = t.entity_id and h.until_release = ?)",
            (release, release),
        )
        events += [(entity_id, "revived", None) for (entity_id,) in revived]
    catalog.insert(
        EVENT.name,
        ("event_id", "release", "entity_id", "event", "cause", "detail"),
        [
            (f"{release}:{entity_id}:{event}", release, entity_id, event, cause, detail)
            for entity_id, event, detail in sorted(events, key=str)
        ],
    )
    return len(events)


def _insert_release(
    catalog: Catalog,
    to_release: int,
    release: int,
    now: datetime,
    cause: str,
    manifest: Mapping[str, Any],
    removed: Mapping[str, int],
    added: Mapping[str, int],
) -> None:
    counts, models = {}, {}
    for number in (to_release, release - 1):
        row = catalog.row("select counts, models from release where release_id = ?", (number,))
        assert row is not None
        counts[number], models[number] = json.loads(row[0]), json.loads(row[1])
    rows = counts[release - 1]["tables"]
    tables = {
        table: {
            "rows": rows[table]["rows"] + added[table] - removed[table],
            "added": added[table],
            "removed": removed[table],
        }
        for table in rows
    }
    insert_release(
        catalog,
        release=release,
        now=now,
        kind="rollback",
        cause=cause,
        restores=to_release,
        counts={"tables": tables, "content": _content(catalog) or counts[to_release]["content"]},
        models=models[to_release],
        manifest=manifest,
    )


def _content(catalog: Catalog) -> dict[str, dict[str, dict[str, int]]] | None:
    """Return what the content hash is made of, counted from the rows; None if nothing was ever forgotten."""
    if catalog.row("select 1 from forgetting where event = 'forgotten'") is None:
        return None
    content: dict[str, dict[str, dict[str, int]]] = {}
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        for table in CONTENT_TABLES:
            names = ", ".join(quote(name) for name in table.column_names)
            load(con, "_rollback_rows", table.columns, catalog, f"select {names} from {quote(table.name)}")
            for entity_type, (rows, total) in content_sums(con, table, "select * from _rollback_rows").items():
                content.setdefault(entity_type, {})[table.name] = {"rows": rows, "sum": total}
    return content
