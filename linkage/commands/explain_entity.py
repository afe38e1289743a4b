"""`guiyi explain` with one id: how an entity, or the membership of one record, came to be, release by release.

The past is read from the catalog (`golden_records.history`). What ties the present records to each other, rule and
weight, is read from the batch database of the last run, if that is the run of the current release. Nothing is changed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from eval.report.history import as_text, write_history
from eval.report.words import words
from golden_records.catalog.read import Entity as GoldenEntity
from golden_records.catalog.read import entity as read_entity
from golden_records.catalog.store import Catalog, has_catalog, open_catalog
from golden_records.entity_id import compact, parse
from golden_records.history import (
    EntityHistory,
    RecordHistory,
    entity_history,
    record_history,
)
from golden_records.relation_history import relation_stays
from linkage.batch import read_batch
from linkage.commands.console import Console
from linkage.commands.history_pages import (
    FIELDS_SHOWN,
    SAME_CONTENT,
    Present,
    PresentLink,
    Related,
    entity_page,
    record_page,
)
from linkage.errors import LinkageError
from linkage.fields import ENTITIES, Entity
from linkage.masking import is_personal, mask_value, mask_values
from linkage.relations.shown import names_of
from linkage.workspace import Workspace

_NOT_VALUES = ("entity_id", "anchor", "records", "sources", "conflicts")


def show_history(
    workspace: Workspace, asked: str, *, language: str, html: Path | None, unmasked: bool, console: Console
) -> int:
    """Tell the history of an entity or of a record.

    Args:
        workspace: the workspace.
        asked: an entity id, old or new, or `source:source_record_id`.
        language: zh or en.
        html: also write the history as a page here.
        unmasked: show natural persons' values in full.
        console: where it goes.

    Raises:
        LinkageError: nothing was published yet, or nobody ever heard of the id.
    """
    if not has_catalog(workspace.catalog):
        raise LinkageError(f"{workspace.root}: nothing to explain yet; next: guiyi run {workspace.root}")
    w = words(language)
    with open_catalog(workspace.catalog, read_only=True) as catalog, catalog.reading():
        if compact(asked) is None:
            of_record = record_history(catalog, asked)
            if of_record is None:
                raise LinkageError(
                    "no release has this record; write it as source:source_record_id, as in record_link, "
                    "or give an entity id"
                )
            page, data = record_page(of_record, w), _record_data(of_record)
        else:
            parse(asked)
            history = entity_history(catalog, asked)
            if history is None:
                raise LinkageError("no release has this entity id; look for it with guiyi resolve")
            living = history.resolution.state == "living"
            golden = read_entity(catalog, asked) if living else None
            present = _present(workspace, history, unmasked=unmasked) if living else None
            related = _related(catalog, history.resolution.asked, unmasked=unmasked)
            values = _golden_values(golden, unmasked=unmasked) if golden else None
            page = entity_page(_entity_type(history.resolution.asked), history, values, present, related, w)
            data = _entity_data(history, values, present)
            data["relations"] = [dataclasses.asdict(stay) for stay in related.stays]
    if html is not None:
        write_history(page, html, lang=language)
    console.result(as_text(page, width=console.width), data)
    return 0


def _entity_type(entity_id: str) -> Entity:
    return ENTITIES[[name.startswith("natural") for name in ENTITIES].index(entity_id.startswith("NP"))]


def _present(workspace: Workspace, history: EntityHistory, *, unmasked: bool) -> Present | None:
    """Return how the last run linked the entity's records; None if its batch database is not of this release."""
    if not workspace.batch.exists():
        return None
    entity = _entity_type(history.resolution.asked)
    try:
        with read_batch(workspace.batch) as con:
            records = sorted(stay.record_id for stay in history.records)
            if not _is_of_release(con, entity, history.resolution.asked, records):
                return None
            return Present(_links(con, entity, records), _values(con, entity, records, unmasked=unmasked))
    except LinkageError:
        return None


def _is_of_release(con: DuckDBPyConnection, entity: Entity, entity_id: str, records: Sequence[str]) -> bool:
    needed = {f"{entity}_{name}" for name in ("membership", "profile_record", "judged", "records")}
    if not needed <= {name for (name,) in con.execute("select view_name from duckdb_views()").fetchall()}:
        return False
    found = con.execute(
        f"select record_id from {quote(entity + '_membership')} where entity_id = ? order by record_id", [entity_id]
    ).fetchall()
    return [record for (record,) in found] == list(records)


def _links(con: DuckDBPyConnection, entity: Entity, records: Sequence[str]) -> dict[str, PresentLink]:
    """Return each record's strongest link: to one with the same content, else the one of greatest weight."""
    judged, members = quote(f"{entity}_judged"), quote(f"{entity}_profile_record")
    rows = con.execute(
        f"""
with mine as (
    select record_id, profile_id from {members} where record_id in (select unnest($records))
),
edge as (
    select left_id, right_id, verdict_rule as rule, match_weight as weight
    from {judged}
    where verdict = 'auto' and left_id < right_id
        and left_id in (select profile_id from mine) and right_id in (select profile_id from mine)
),
tie as (
    select a.record_id, b.record_id as other, '{SAME_CONTENT}' as rule, null::double as weight, 0 as place
    from mine a join mine b on a.profile_id = b.profile_id and a.record_id <> b.record_id
    union all
    select a.record_id, b.record_id, e.rule, e.weight, 1
    from edge e
    join mine a on a.profile_id in (e.left_id, e.right_id)
    join mine b on b.profile_id in (e.left_id, e.right_id) and b.profile_id <> a.profile_id
)
select record_id, other, rule, weight
from tie
qualify row_number() over (partition by record_id order by place, weight desc nulls last, other) = 1
order by record_id""",
        {"records": list(records)},
    ).fetchall()
    return {record: PresentLink(other, rule, weight) for record, other, rule, weight in rows}


def _values(
    con: DuckDBPyConnection, entity: Entity, records: Sequence[str], *, unmasked: bool
) -> dict[str, dict[str, str | None]]:
    fields = FIELDS_SHOWN[entity]
    rows = con.execute(
        f"select record_id, {', '.join(map(quote, fields))} from {quote(entity + '_records')} "
        "where record_id in (select unnest($records))",
        {"records": list(records)},
    ).fetchall()

    def shown(field: str, value: str | None) -> str | None:
        hide = value is not None and not unmasked and is_personal(entity, field)
        return mask_value(field, value) if hide and value is not None else value

    return {
        record: {field: shown(field, value) for field, value in zip(fields, values, strict=True)}
        for record, *values in rows
    }


def _golden_values(golden: GoldenEntity, *, unmasked: bool) -> dict[str, Any]:
    values = {k: v for k, v in golden.golden.items() if v is not None and k not in _NOT_VALUES}
    return values if unmasked else mask_values(golden.entity_type, values)


def _related(catalog: Catalog, asked: str, *, unmasked: bool) -> Related:
    stays = relation_stays(catalog, asked)
    return Related(stays, names_of(catalog, (stay.other(asked) for stay in stays), unmasked=unmasked))


def _entity_data(history: EntityHistory, golden: Mapping[str, Any] | None, present: Present | None) -> dict[str, Any]:
    return {
        **dataclasses.asdict(history),
        "entity_type": _entity_type(history.resolution.asked),
        "golden": golden,
        "links": {record: dataclasses.asdict(link) for record, link in present.links.items()} if present else None,
        "values": {record: dict(values) for record, values in present.values.items()} if present else None,
    }


def _record_data(history: RecordHistory) -> dict[str, Any]:
    now = history.now
    return {**dataclasses.asdict(history), "entity_id": now.entity_id if now else None}
