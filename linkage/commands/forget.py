"""`guiyi forget`: takes a subject's records out of everything, leaves a tombstone, and proves it.

The steps, each done once and safe to repeat: the archive loses the rows; a release is made from what is left, of the
loads that the current release rests on; the batch database and the term frequencies lose what only the forgotten had;
the catalog's history and rulings lose it, and the tombstone is written, in one transaction; the catalog file is
written anew; and every store is searched. A journal says which steps are done (`linkage.forgetting.journal`): a
command that was killed is finished by the next one that changes the workspace, or by `--resume`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from golden_records import opinions
from golden_records.catalog.erasure import Forgotten, erase
from golden_records.catalog.read import releases
from golden_records.catalog.schema import DECISION, DECISION_EVENT, REVIEW_OPINION, REVIEW_TRAIL
from golden_records.catalog.store import has_catalog, open_catalog
from golden_records.decisions import Person, redact
from golden_records.forgetting import (
    FORGOTTEN,
    LIFTED,
    PROVED,
    ForgettingEvent,
    forgetting_events,
    happened,
    next_forgetting,
    record_event,
    refused_tokens,
    token,
)
from golden_records.hash_chain import last_hash
from golden_records.ruling import LONGEST_NAME, checked_text
from linkage.commands.console import Console
from linkage.commands.decide import ROLE
from linkage.commands.republish import publish_again, released_loads
from linkage.continuity import require_loads
from linkage.database import connect
from linkage.entity_run import Occasion
from linkage.errors import FAILED, ConfigError, LinkageError
from linkage.finishing import bring_to_end
from linkage.forgetting.archive import forget_rows, rows_to_forget
from linkage.forgetting.batch import (
    copy_batch,
    forget_frequencies,
    forget_frequencies_online,
    holds_records,
    remove_batch,
)
from linkage.forgetting.journal import Journal, read_journal, remove_journal, write_journal
from linkage.forgetting.plan import Named, look_up, named_records, require_known, still_released
from linkage.forgetting.proof import Proof, prove
from linkage.forgetting.refusal import workspace_key
from linkage.forgetting.rows import name_records, values_of
from linkage.ingest.load_folder import require_whole
from linkage.ingest.manifest import LoadManifest, list_loads
from linkage.workspace import Workspace, locked

REASONS = ("subject_request", "consent_withdrawn", "purpose_fulfilled", "retention_over", "unlawful", "other")


@dataclass(frozen=True)
class ForgetRequest:
    """What is to be forgotten.

    Attributes:
        subjects: record ids and entity ids.
        author: who has it done.
        reason: one of `REASONS`.
    """

    subjects: tuple[str, ...]
    author: str
    reason: str


@dataclass(frozen=True)
class _Plan:
    named: Named
    loads: Sequence[LoadManifest]
    rows: Mapping[str, tuple[int, ...]]
    held: set[str]
    telling: set[str]


def forget(workspace: Workspace, request: ForgetRequest, *, dry_run: bool, now: datetime, console: Console) -> int:
    """Forget records.

    Returns:
        The exit code: 0, or 1 if the proof found something.

    Raises:
        ConfigError: an unknown reason.
        LinkageError: a subject nobody knows, or another forgetting is under way.
    """
    if request.reason not in REASONS:
        raise ConfigError(f"--reason {request.reason or ''}: give one of {', '.join(REASONS)}")
    author = checked_text("author", request.author, LONGEST_NAME)
    with locked(workspace, now=now, what="forget"):
        if not dry_run:
            bring_to_end(workspace)
        if read_journal(workspace) is not None:
            raise LinkageError(
                f"{workspace.root}: an earlier forgetting is not finished; next: guiyi forget {workspace.root} --resume"
            )
        _require_loads(workspace, read_only=dry_run)
        plan = _plan(workspace, request.subjects, read_only=dry_run)
        if dry_run:
            _show_plan(plan, workspace, console)
            return 0
        workspace_key(workspace, make=True)
        with open_catalog(workspace.catalog) as catalog:
            number = next_forgetting(catalog)
        journal = Journal(
            forgetting_id=number,
            author=author,
            reason=request.reason,
            at=now.isoformat(),
            records=plan.named.records,
            entities=len(plan.named.entities),
            held=tuple(sorted(plan.held)),
            telling=tuple(sorted(plan.telling)),
        )
        write_journal(workspace, journal)
        return _carry_on(workspace, journal, now=now, console=console)


def resume(workspace: Workspace, *, now: datetime, console: Console) -> int:
    """Finish a forgetting that was begun."""
    with locked(workspace, now=now, what="forget"):
        journal = read_journal(workspace)
        if journal is None:
            console.say(f"{workspace.root}: no forgetting is under way")
            return 0
        return _carry_on(workspace, journal, now=now, console=console)


def finish_begun(workspace: Workspace, *, now: datetime, console: Console) -> None:
    """Finish a forgetting that was killed, before another command changes the workspace.

    One whose proof found something does not stop the command: everything else of it is done.
    """
    journal = read_journal(workspace)
    if journal is None:
        return
    if set(_STEPS) <= set(journal.done):
        console.warn(f"the proof of forgetting {journal.forgetting_id} is open: guiyi forget {workspace.root} --resume")
        return
    console.say(f"finishing forgetting {journal.forgetting_id}, which was interrupted")
    resume(workspace, now=now, console=console)


def lift(workspace: Workspace, request: ForgetRequest, *, now: datetime, console: Console) -> int:
    """Let forgotten records come back: the next load that brings one is taken.

    Raises:
        LinkageError: one of them was not forgotten.
    """
    if request.reason not in REASONS:
        raise ConfigError(f"--reason {request.reason or ''}: give one of {', '.join(REASONS)}")
    author = checked_text("author", request.author, LONGEST_NAME)
    with locked(workspace, now=now, what="forget"), open_catalog(workspace.catalog) as catalog:
        events = forgetting_events(catalog)
        key = workspace_key(workspace) if refused_tokens(events) else b""
        tokens = [token(key, record) for record in request.subjects]
        for place, one in enumerate(tokens, start=1):
            if one not in refused_tokens(events):
                raise LinkageError(f"record {place} of {len(tokens)}: is not refused; nothing was lifted")
        numbers = {e.forgetting_id for e in events if e.event == FORGOTTEN and set(e.tokens) & set(tokens)}
        with catalog.writing():
            for number in sorted(numbers):
                own = next(e for e in events if e.forgetting_id == number and e.event == FORGOTTEN)
                ours = tuple(one for one in tokens if one in own.tokens)
                event = ForgettingEvent(
                    number, LIFTED, now.isoformat(), Person(author, ROLE), request.reason, len(ours), 0, ours, {}
                )
                record_event(catalog, event, now=now)
    console.result(f"{len(tokens)} record(s) may come back with the next load", {"lifted": len(tokens)})
    return 0


def _require_loads(workspace: Workspace, *, read_only: bool) -> None:
    """Refuse while a load is lost: the forgotten would come back with it."""
    if has_catalog(workspace.catalog):
        with open_catalog(workspace.catalog, read_only=read_only) as catalog:
            require_loads(workspace, releases(catalog), list_loads(workspace.root))


def _plan(workspace: Workspace, subjects: Sequence[str], *, read_only: bool) -> _Plan:
    loads = list_loads(workspace.root)
    require_whole(loads)
    known = has_catalog(workspace.catalog)
    with open_catalog(workspace.catalog, read_only=read_only) if known else nullcontext() as catalog:
        named = look_up(catalog, named_records(catalog, subjects))
    with connect(memory_limit=workspace.settings.memory_limit) as con:
        name_records(con, named.records, named.kin)
        held, telling = values_of(con, loads)
        rows = rows_to_forget(con, loads, sorted(telling))
    require_known(named, sum(map(len, rows.values())), loads)
    return _Plan(named, loads, rows, held, telling)


def _show_plan(plan: _Plan, workspace: Workspace, console: Console) -> None:
    released, decisions = 0, 0
    if has_catalog(workspace.catalog):
        with open_catalog(workspace.catalog, read_only=True) as catalog:
            released = still_released(catalog, plan.named.records)
            listed = catalog.execute("select left_record_id, right_record_id, detail from decision").fetchall()
            decisions = sum(any(f'"{record}"' in row[2] for record in plan.named.records) for row in listed)
    data = {
        "dry_run": True,
        "records": len(plan.named.records),
        "records_in_current_release": released,
        "entities": list(plan.named.entities),
        "other_records_of_these_entities": len(plan.named.kin),
        "rows_by_load": {load_id: len(rows) for load_id, rows in plan.rows.items()},
        "decisions_naming_them": decisions,
        "values_to_look_for": len(plan.telling),
    }
    rows = [
        ("records", f"{data['records']:,}"),
        ("of them in the current release", f"{released:,}"),
        ("entities that hold or held them", f"{len(plan.named.entities):,}"),
        ("other records of these entities, which stay", f"{len(plan.named.kin):,}"),
        ("rows of loads", f"{sum(map(len, plan.rows.values())):,} in {len(plan.rows)} load(s)"),
        ("decisions that name them", f"{decisions:,}"),
        ("values to look for", f"{len(plan.telling):,}"),
    ]
    console.table("would be forgotten; nothing was changed", ("what", "how many"), rows, data)


def _carry_on(workspace: Workspace, journal: Journal, *, now: datetime, console: Console) -> int:
    bring_to_end(workspace)
    for name, step in _STEPS.items():
        if name in journal.done:
            continue
        removed = step(workspace, journal, now, console)
        journal = journal.model_copy(update={"done": (*journal.done, name), "removed": {**journal.removed, **removed}})
        write_journal(workspace, journal)
    proof = prove(workspace, journal)
    if proof.holds:
        _record_proof(workspace, journal, proof, now)
        remove_journal(workspace)
    _show(workspace, journal, proof, console)
    return 0 if proof.holds else FAILED


def _forget_in_archive(workspace: Workspace, journal: Journal, now: datetime, console: Console) -> dict[str, int]:
    del now, console
    loads = list_loads(workspace.root)
    with connect(memory_limit=workspace.settings.memory_limit) as con:
        name_records(con, journal.records, ())
        rows = rows_to_forget(con, loads, journal.telling)
    return dict(forget_rows(workspace.root, loads, rows))


def _release_without(workspace: Workspace, journal: Journal, now: datetime, console: Console) -> dict[str, int]:
    """Make the current release anew, if it or the batch database has any of the records."""
    released = released_loads(workspace)
    with open_catalog(workspace.catalog) as catalog:
        current = 0 if released is None else still_released(catalog, journal.records)
    if released and (current or not workspace.batch.exists() or holds_records(workspace, journal.records)):
        told = {"forgetting": journal.forgetting_id}
        occasion = Occasion(cause="forget", erased=journal.held, told=told, incomplete=True)  # begun, it must end
        publish_again(workspace, released, occasion, now=now, console=console)
    elif holds_records(workspace, journal.records):
        remove_batch(workspace)
    return {"record_link": current}


def _forget_in_batch(workspace: Workspace, journal: Journal, now: datetime, console: Console) -> dict[str, int]:
    del now, console
    counted = forget_frequencies(workspace, journal.held)
    copy_batch(workspace, journal.records, journal.held)
    return {"frequencies": counted}


def _forget_in_catalog(workspace: Workspace, journal: Journal, now: datetime, console: Console) -> dict[str, int]:
    """Erase the past and write the tombstone, in one transaction."""
    del console
    key = workspace_key(workspace)
    tokens = {record: token(key, record) for record in journal.records}
    telling = sorted(set(journal.telling) - set(journal.records), key=len)
    with open_catalog(workspace.catalog) as catalog:
        if happened(forgetting_events(catalog), journal.forgetting_id, FORGOTTEN):
            return {}
        with catalog.connection.bulk_writing(), catalog.writing(), catalog.connection.unguarded():
            cases = opinions.cases_of_records(catalog, frozenset(journal.records))
            removed = erase(catalog, Forgotten(journal.records, journal.held))
            removed["lookup_frequency"] = forget_frequencies_online(catalog, workspace, journal.held)
            chained = (DECISION, DECISION_EVENT, REVIEW_OPINION, REVIEW_TRAIL)
            before = {table.name: last_hash(catalog, table) for table in chained}
            first = redact(catalog, tokens, lambda text: _holds(text, telling, journal.records))
            first |= opinions.redact(catalog, cases, lambda text: _holds(text, telling, journal.records))
            rechained = {
                table: {"from": row, "head_before": _sealed(key, before[table])} for table, row in first.items()
            }
            detail = {"removed": {**journal.removed, **removed}, "rechained": rechained}
            record_event(catalog, _event(journal, FORGOTTEN, tokens.values(), detail), now=now)
    return removed


def _compact_catalog(workspace: Workspace, journal: Journal, now: datetime, console: Console) -> dict[str, int]:
    del journal, now, console
    with open_catalog(workspace.catalog) as catalog:
        if not catalog.connection.compact():
            raise LinkageError(
                f"{workspace.catalog}: another program reads an older state, so that its log still holds what was "
                f"removed; end that program, then: guiyi forget {workspace.root} --resume"
            )
    return {}


_Step = Callable[[Workspace, Journal, datetime, Console], dict[str, int]]
_STEPS: dict[str, _Step] = {
    "archive": _forget_in_archive,
    "release": _release_without,
    "batch": _forget_in_batch,
    "catalog": _forget_in_catalog,
    "compact": _compact_catalog,
}


def _record_proof(workspace: Workspace, journal: Journal, proof: Proof, now: datetime) -> None:
    with open_catalog(workspace.catalog) as catalog, catalog.writing():
        if not happened(forgetting_events(catalog), journal.forgetting_id, PROVED):
            record_event(catalog, _event(journal, PROVED, (), {"proof": asdict(proof)}), now=now)


def _event(journal: Journal, event: str, tokens: Iterable[str], detail: Mapping[str, Any]) -> ForgettingEvent:
    return ForgettingEvent(
        forgetting_id=journal.forgetting_id,
        event=event,
        at=journal.at,
        by=Person(journal.author, ROLE),
        reason=journal.reason,
        records=len(journal.records),
        entities=journal.entities,
        tokens=tuple(tokens),
        detail=detail,
    )


def _holds(text: str, telling: Sequence[str], records: Sequence[str]) -> bool:
    return any(value in text for value in telling) or any(record in text for record in records)


def _sealed(key: bytes, head: str | None) -> str | None:
    """Return what shows, to who has the key and the old hash, that a chain ended in it."""
    return None if head is None else hmac.digest(key, head.encode(), "sha256").hex()


def _show(workspace: Workspace, journal: Journal, proof: Proof, console: Console) -> None:
    data = {
        "forgetting": journal.forgetting_id,
        "records": len(journal.records),
        "entities": journal.entities,
        "removed": journal.removed,
        "proof": asdict(proof) | {"holds": proof.holds},
    }
    found = "nothing found" if proof.holds else f"FOUND in {len(proof.hits)} store(s)"
    console.result(
        f"forgotten: {len(journal.records):,} record(s) of {journal.entities:,} entity(ies), tombstone "
        f"{journal.forgetting_id}\nproof: {proof.values:,} values looked for in {proof.stores:,} stores, "
        f"{proof.rows:,} rows, {proof.size_bytes:,} bytes: {found}; {proof.shared:,} values stay, because other "
        "records hold them too",
        data,
    )
    for store, values in sorted(proof.hits.items()):
        console.error(
            f"{store}: still holds {values} value(s) of the forgotten; remove it if it is a file of your own, then: "
            f"guiyi forget {workspace.root} --resume"
        )
