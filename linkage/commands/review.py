"""`guiyi review export` and `guiyi review import`: cases out to a file that a person fills in, and the rulings back.

The rules are those of the desk: a row of an outdated case changes nothing, the same file twice counts once, kinds that
need two people wait for the second, nobody confirms their own ruling. All rulings are applied together at the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from golden_records.catalog.store import Catalog, has_catalog, open_catalog
from golden_records.decisions import Decision, Person
from golden_records.opinions import CHOICES, Choice
from golden_records.review_trail import Deed, write_deed
from linkage.access.access_log import AccessLog, Look, hash_of_result, moment
from linkage.access.roles import PERMISSIONS
from linkage.access.shown import Sight
from linkage.commands.console import Console
from linkage.commands.decide import apply_at_once
from linkage.database import connect, give_texts
from linkage.errors import QUARANTINED, ConfigError, LinkageError
from linkage.fields import CANONICAL_FIELDS, ENTITIES, Entity
from linkage.review import queue
from linkage.review.cases import CaseFile, members_of, read_case
from linkage.review.deciding import rule
from linkage.review.errors import DeskError, not_among
from linkage.review.evidence import EvidenceUnavailableError, Sheet, evidence_of, sheets_of
from linkage.review.figures import spot_checks
from linkage.review.forms import Form, Outcome, Reviewer
from linkage.review.queue import Filters
from linkage.review.sheets import CASE, read_cases, write_cases
from linkage.workspace import Workspace

ROLE = "command_line"
_CHUNK = 30
_SHOWN_REFUSALS = 20


@dataclass(frozen=True)
class ExportRequest:
    """What `guiyi review export` was asked.

    Attributes:
        file: where to.
        filters: which cases.
        limit: most cases.
        unmasked: values of natural persons in full.
        purpose: why, for the access log.
        actor: who exports.
    """

    file: Path
    filters: Filters
    limit: int
    unmasked: bool
    purpose: str | None
    actor: str


@dataclass(frozen=True)
class Refusal:
    """A row that was not taken: its number, its case, and why."""

    row: int
    case_id: str
    why: str


def export_cases(workspace: Workspace, request: ExportRequest, *, now: datetime, console: Console) -> int:
    """Write cases to a file that a person can fill in.

    Raises:
        ConfigError: values in full without a purpose, or a file of another kind.
        LinkageError: nothing was released yet, or the file cannot be written.
    """
    if request.unmasked and not request.purpose:
        raise ConfigError("--unmasked needs --purpose: say why; it stands in the access log")
    if request.file.suffix.lower() not in (".xlsx", ".jsonl"):
        raise ConfigError(f"{request.file}: name a file that ends in .xlsx or .jsonl")
    _require_catalog(workspace)
    sight = Sight(True, request.unmasked)
    with open_catalog(workspace.catalog) as catalog:
        queue.bring_up(catalog)
        rows, people = _rows(workspace, catalog, request, sight)
        columns = [*CASE, *_value_columns(rows)]
        with AccessLog(workspace.catalog, workspace.root) as log:
            log.record(_looks(people, request, rows, now)).result()
        write_cases(request.file, rows, columns, workspace.settings.decisions.known_reasons)
        deed = Deed("exported", request.actor, ROLE, detail={"cases": len(rows), "unmasked": request.unmasked})
        write_deed(catalog, deed, now=now)
    console.result(f"{len(rows):,} case(s): {request.file}", {"cases": len(rows), "file": str(request.file)})
    if rows:
        console.say(
            f"fill in ruling and reason; next: guiyi review import {workspace.root} {request.file} --author NAME"
        )
    return 0


def count_credit(workspace: Workspace, folders: Sequence[Path], *, console: Console) -> int:
    """Count the credit rows that `guiyi attach` has attached to the entities of cases, so that they weigh in the order.

    Raises:
        LinkageError: nothing was released yet, or a folder is not one that `guiyi attach` made.
    """
    _require_catalog(workspace)
    files = []
    for folder in folders:
        found = sorted((folder / "attach_status=matched").glob("*.parquet"))
        if not found:
            raise LinkageError(f"{folder}: no attached rows in it; give the folder that `guiyi attach --output` made")
        files += [str(file) for file in found]
    with open_catalog(workspace.catalog) as catalog:
        queue.bring_up(catalog)
        wanted = queue.entities_of_cases(catalog)
        try:
            with connect(memory_limit=workspace.settings.memory_limit) as con:
                give_texts(con, "wanted", "entity_id", wanted)
                counted = con.execute(
                    "select entity_id, count(*) from read_parquet($files, union_by_name = true) "
                    "semi join wanted using (entity_id) group by entity_id",
                    {"files": files},
                ).fetchall()
        except duckdb.Error as error:
            raise LinkageError(f"{folders[0]}: cannot be read ({type(error).__name__}); attach again") from error
        cases = queue.set_credit(catalog, dict(counted))
    rows = sum(n for _, n in counted)
    data = {"cases": cases, "entities": len(counted), "credit_rows": rows}
    console.result(f"{rows:,} credit row(s) of {len(counted):,} entities in {cases:,} case(s)", data)
    return 0


def show_precision(workspace: Workspace, *, console: Console) -> int:
    """Show how precise the links are that the engine made by itself, by the spot checks that people ruled on.

    Raises:
        LinkageError: nothing was released yet.
    """
    _require_catalog(workspace)
    with open_catalog(workspace.catalog, read_only=True) as catalog:
        found = {entity: spot_checks(catalog, entity) for entity in ENTITIES}
    rows, data = [], {}
    for entity, one in found.items():
        right, interval = one.right, one.right.interval
        told = "–" if interval is None else f"{right.value:.2%} ({interval.low:.2%} to {interval.high:.2%})"
        rows.append((entity, f"{one.drawn:,}", f"{right.whole:,}", f"{one.undecided:,}", f"{right.part:,}", told))
        data[entity] = {
            "drawn": one.drawn,
            "settled": right.whole,
            "not_settled": one.undecided,
            "right": right.part,
            "precision": right.value,
            "low": interval.low if interval else None,
            "high": interval.high if interval else None,
        }
    columns = ("entity type", "drawn", "settled", "not settled", "right", "precision (95 %)")
    console.table("links drawn at random, as people ruled on them", columns, rows, data)
    if not any(one.drawn for one in found.values()):
        console.say("no links were drawn: set spot_checks under [desk] in guiyi.toml, and run")
    return 0


def import_rulings(workspace: Workspace, file: Path, *, author: str, now: datetime, console: Console) -> int:
    """Take the rulings of a filled-in file.

    Returns:
        The exit code: 0, or 3 if rows were refused.

    Raises:
        LinkageError: nothing was released yet, or the file cannot be read.
    """
    _require_catalog(workspace)
    if not author.strip():
        raise ConfigError("--author: is empty; say who ruled")
    rows = list(read_cases(file))
    reviewer = Reviewer(Person(author, ROLE), None, PERMISSIONS["auditor"])
    done: dict[str, int] = {}
    refused: list[Refusal] = []
    last: dict[Entity, Decision] = {}
    with open_catalog(workspace.catalog) as catalog:
        for number, row in rows:
            try:
                outcome = _take(workspace, catalog, row, reviewer, now)
            except DeskError as error:
                refused.append(Refusal(number, row["case_id"], error.en))
                continue
            state = "repeated" if outcome.repeated else outcome.state
            done[state] = done.get(state, 0) + 1
            if state == "ruled" and outcome.decision is not None:
                last[next(e for e in ENTITIES if e == outcome.decision.ruling.entity_type)] = outcome.decision
        effects = {entity: apply_at_once(workspace, catalog, decision, now) for entity, decision in last.items()}
        queue.bring_up(catalog)
        if rows:
            write_deed(catalog, Deed("imported", author, ROLE, detail={**done, "refused": len(refused)}), now=now)
    later = {entity: effect for entity, effect in effects.items() if isinstance(effect, str)}
    counts = ", ".join(f"{n:,} {state}" for state, n in sorted(done.items())) or "nothing"
    data = {
        "rows": len(rows),
        "taken": done,
        "refused": [{"row": one.row, "case_id": one.case_id, "why": one.why} for one in refused],
        "applied": {entity: not isinstance(effect, str) for entity, effect in effects.items()},
    }
    console.result(f"{len(rows):,} ruling(s) read: {counts}; {len(refused):,} refused", data)
    for one in refused[:_SHOWN_REFUSALS]:
        console.warn(f"row {one.row} ({one.case_id}): {one.why}")
    if len(refused) > _SHOWN_REFUSALS:
        console.warn(f"and {len(refused) - _SHOWN_REFUSALS:,} more; --json lists all")
    for entity, why in later.items():
        console.warn(f"{entity}: the next run applies them ({why}); next: guiyi run {workspace.root}")
    if done.get("waiting"):
        console.say(
            "those that wait need a second person: at the desk, or by a file of their own with another --author"
        )
    return QUARANTINED if refused else 0


def _take(workspace: Workspace, catalog: Catalog, row: dict[str, str], reviewer: Reviewer, now: datetime) -> Outcome:
    case_id, ruling = row["case_id"], row["ruling"]
    choice: Choice | None = next((one for one in CHOICES if one == ruling), None)
    if choice is None:
        raise not_among(ruling, CHOICES, "结论", "ruling")
    case = read_case(catalog, case_id)
    record = None
    if case is not None:
        sides = {"left": case.left, "左": case.left, "right": case.right, "右": case.right}
        record = sides.get(row.get("record", "").lower())
    told = "\x1f".join((reviewer.person.name, case_id, row["version"], choice, row["reason"], row.get("note", "")))
    levels, fingerprint = _evidence(workspace, catalog, case)
    form = Form(
        ruling=choice,
        reason=row["reason"],
        note=row.get("note") or None,
        version=row["version"],
        request_key=hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:32],
        record_id=record,
        evidence_hash=fingerprint,
        levels=levels,
    )
    return rule(workspace, catalog, case_id, form, reviewer=reviewer, now=now, apply=False)


def _evidence(
    workspace: Workspace, catalog: Catalog, case: CaseFile | None
) -> tuple[dict[str, tuple[str, float]], str | None]:
    if case is None or case.ended is not None:
        return {}, None
    members = members_of(catalog, case.entities)
    try:
        found = evidence_of(workspace, case.entity, case.left, case.right, members, sight=Sight(True, False))
    except EvidenceUnavailableError as error:
        raise DeskError("unavailable", f"读不到记录：{error}", f"the records cannot be read: {error}") from error
    return dict(found.levels), found.fingerprint


def _rows(
    workspace: Workspace, catalog: Catalog, request: ExportRequest, sight: Sight
) -> tuple[list[dict[str, Any]], dict[str, set[str]]]:
    """Return a row per case, and per case the natural persons in it."""
    rows: list[dict[str, Any]] = []
    people: dict[str, set[str]] = {}
    for cases in _chunks(catalog, request):
        sheets: dict[str, Sheet] = {}
        for entity in ENTITIES:
            records = {record for case in cases if case.entity == entity for record in (case.left, case.right)}
            try:
                sheets |= sheets_of(workspace, entity, records, sight=sight) if records else {}
            except EvidenceUnavailableError as error:
                raise LinkageError(f"the records cannot be read: {error}") from error
        for case in cases:
            if case.entity == "natural_person":
                people[case.case_id] = set(case.entities)
            values = {
                f"{side}_{field}": sheets[record].values.get(field)
                for field in CANONICAL_FIELDS[case.entity]
                for side, record in (("left", case.left), ("right", case.right))
                if record in sheets
            }
            rows.append({**_case_cells(case), **values})
    return rows, people


def _chunks(catalog: Catalog, request: ExportRequest) -> Iterator[list[CaseFile]]:
    after, left = None, request.limit
    while left > 0:
        page = queue.find(catalog, request.filters, after=after, limit=min(_CHUNK, left))
        found = [read_case(catalog, row.case_id) for row in page.rows]
        yield [case for case in found if case is not None and case.ended is None]
        left -= len(page.rows)
        after = page.after
        if after is None:
            return


def _case_cells(case: CaseFile) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "version": case.version,
        "entity_type": case.entity,
        "kind": case.topic,
        "state": case.state,
        "opened": case.opened_at[:10],
        "weight": None if case.weight is None else round(case.weight, 2),
        "probability": case.probability,
        "rule": case.rule,
        "left_record": case.left,
        "right_record": case.right,
        "left_entity": case.left_entity,
        "right_entity": case.right_entity,
    }


def _value_columns(rows: list[dict[str, Any]]) -> list[str]:
    """Return the columns of values that any row has, both sides of a field beside each other."""
    there = {name for row in rows for name, value in row.items() if value is not None}
    fields = dict.fromkeys(field for entity in ENTITIES for field in CANONICAL_FIELDS[entity])
    return [
        f"{side}_{field}"
        for field in fields
        if {f"left_{field}", f"right_{field}"} & there
        for side in ("left", "right")
    ]


def _looks(
    people: dict[str, set[str]], request: ExportRequest, rows: list[dict[str, Any]], now: datetime
) -> list[Look]:
    digest = hash_of_result(rows)
    return [
        Look(
            moment(now),
            request.actor,
            ROLE,
            "review_case",
            purpose=request.purpose,
            authorization_ref=case_id,
            entity_id=entity,
            result_hash=digest,
        )
        for case_id, entities in sorted(people.items())
        for entity in sorted(entities)
    ]


def _require_catalog(workspace: Workspace) -> None:
    if not has_catalog(workspace.catalog):
        raise LinkageError(f"{workspace.root}: nothing to review yet; next: guiyi run {workspace.root}")
