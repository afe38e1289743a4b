"""`guiyi resolve`: which entity somebody or something is, asked at the command line or by a file.

The answers are those of the service (`linkage.lookup.resolve`). Values of natural persons are masked, and looking at
them is written to the access log, under the name of the operating system's user.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from golden_records.catalog.read import entity as read_entity
from golden_records.catalog.store import Catalog, open_catalog
from linkage.access.access_log import AccessLog, Look, hash_of_result, moment
from linkage.access.shown import Sight, shown_values
from linkage.commands.console import Console
from linkage.errors import LinkageError
from linkage.fields import CANONICAL_FIELDS, ENTITIES, Entity
from linkage.lookup.answer import Answer, Language, Query
from linkage.lookup.identifiers import ENTITY_ID, LEGAL_SCHEMES, PERSONAL_SCHEMES, Given
from linkage.lookup.resolve import QueryError
from linkage.lookup.resolve import resolve as resolve_query
from linkage.lookup.snapshot import Lookup
from linkage.relations.shown import relation_lines, relations_now
from linkage.workspace import Workspace
from matchers.column_titles import are_values, seen_columns
from matchers.identifiers.document_type import stated_scheme

ROLE = "command_line"
_SIGHT = Sight(whole_legal_persons=True, unmasked=False)
_NUMBERS = {"id_number", "id_type", *LEGAL_SCHEMES}
_ASKED = {"entity_type", "identifiers", "identifier", "scheme", ENTITY_ID}
_KNOWN = _ASKED | {field for entity in ENTITIES for field in CANONICAL_FIELDS[entity]}
_AT_ONCE = 200  # answers whose looks share one synchronisation of the access log


@dataclass(frozen=True)
class Question:
    """What the command was asked.

    Attributes:
        value: an identifier or entity id.
        scheme: its scheme.
        entity: entity type.
        fields: canonical field to what was given.
        language: zh or en.
        purpose: why, for the access log.
        actor: who asks, for the access log.
    """

    value: str | None = None
    scheme: str | None = None
    entity: Entity | None = None
    fields: Mapping[str, str | None] = field(default_factory=dict)
    language: str = "zh"
    purpose: str | None = None
    actor: str = ROLE

    @property
    def tongue(self) -> Language:
        """The language of the evidence."""
        return "en" if self.language == "en" else "zh"


def show_resolution(workspace: Workspace, question: Question, *, now: datetime, console: Console) -> int:
    """Print the answer to one question."""
    row = {k: v for k, v in question.fields.items() if v is not None}
    if question.value is not None:
        row |= {"identifier": question.value} | ({"scheme": question.scheme} if question.scheme else {})
    if not row:
        raise QueryError("nothing was asked: give an identifier, an entity id, or --entity and --name")
    with open_catalog(workspace.catalog, read_only=True) as catalog, Lookup(catalog).reading() as snapshot:
        answer = resolve_query(snapshot, query_of(row, entity=question.entity, language=question.tongue))
        told = answer.as_dict() | _golden(catalog, answer.entity_id)
    looks = look_of(answer, question, now)
    if looks:
        with AccessLog(workspace.catalog, workspace.root) as log:
            log.record(looks).result()
    console.result(_text(told, question.language), told)
    return 0


def resolve_file(
    workspace: Workspace, question: Question, file: Path, output: Path | None, *, now: datetime, console: Console
) -> int:
    """Answer every row of a file, one line of JSON each; a row that cannot be asked has an `error` instead."""
    if question.value is not None or any(question.fields.values()):
        raise QueryError("--file: questions come from the file; leave the value and the other options out")
    counts: dict[str, int] = {}
    with (
        open_catalog(workspace.catalog, read_only=True) as catalog,
        AccessLog(workspace.catalog, workspace.root) as log,
        output.open("w", encoding="utf-8") if output else nullcontext(sys.stdout) as target,
    ):
        lookup = Lookup(catalog)
        rows = enumerate(_rows(file), start=1)
        while some := list(islice(rows, _AT_ONCE)):
            answers, looks = [], []
            for number, row in some:
                told, status, looked = _answer_row(lookup, question, number, row, now)
                counts[status] = counts.get(status, 0) + 1
                answers.append(told)
                looks += looked
            if looks:
                log.record(looks).result()
            for told in answers:
                target.write(json.dumps(told, ensure_ascii=False) + "\n")
    console.say(", ".join(f"{status} {n:,}" for status, n in sorted(counts.items())) or "no rows")
    return 0


def _answer_row(
    lookup: Lookup, question: Question, number: int, row: Mapping[str, Any], now: datetime
) -> tuple[dict[str, Any], str, list[Look]]:
    told: dict[str, Any] = {"row": number} | {k: row[k] for k in ("source", "source_record_id") if k in row}
    try:
        query = query_of(row, entity=question.entity, language=question.tongue)
        with lookup.reading() as snapshot:
            answer = resolve_query(snapshot, query)
    except QueryError as error:
        return told | {"error": str(error)}, "error", []
    return told | answer.as_dict(), answer.status, look_of(answer, question, now)


def query_of(row: Mapping[str, Any], *, entity: Entity | None, language: Language) -> Query:
    """Return the question that a row asks: canonical columns, or the body of `POST /v1/resolve`.

    Args:
        row: column to value; `identifiers` a list of {scheme, value}, `identifier` and `scheme` one of them.
        entity: entity type of a row that does not say.
        language: of the evidence.

    Raises:
        QueryError: a column nobody knows, or a value that is not text.
    """
    unknown = sorted(set(row) - _KNOWN - {"source", "source_record_id", "as_of"})
    if unknown:
        named = seen_columns(unknown) if are_values(unknown) else f"unknown column {', '.join(unknown)}"
        raise QueryError(f"{named} (known: {', '.join(sorted(_KNOWN))})")
    kind = next((e for e in ENTITIES if e == row.get("entity_type")), entity)
    given = [Given(str(one["value"]), one.get("scheme") or None) for one in row.get("identifiers") or ()]
    if row.get("identifier"):
        given.append(_one(str(row["identifier"]), row.get("scheme") or None))
    if row.get(ENTITY_ID):
        given.append(Given(str(row[ENTITY_ID]), ENTITY_ID))
    given += [Given(str(row[scheme]), scheme) for scheme in LEGAL_SCHEMES if row.get(scheme)]
    if row.get("id_number"):
        stated = stated_scheme(str(row["id_type"])) if row.get("id_type") else None
        given.append(Given(str(row["id_number"]), stated if stated in PERSONAL_SCHEMES else None))
    fields = CANONICAL_FIELDS[kind] if kind else tuple(f for e in ENTITIES for f in CANONICAL_FIELDS[e])
    values = {k: str(row[k]) for k in fields if k not in _NUMBERS and row.get(k) not in (None, "")}
    return Query(kind, tuple(given), values, language)


def look_of(answer: Answer, question: Question, now: datetime) -> list[Look]:
    """Return what the access log is told of an answer: nothing if it is about no natural person."""
    persons = [entity_id for entity_id in answer.entity_ids if entity_id.startswith("NP")]
    if not persons and answer.entity_type != "natural_person":
        return []
    digest = hash_of_result(answer.as_dict())
    at = moment(now)
    named: list[str | None] = [*persons] if persons else [None]
    return [
        Look(
            at,
            question.actor,
            ROLE,
            "resolve",
            purpose=question.purpose,
            entity_id=one,
            rows=int(one is not None),
            result_hash=digest,
        )
        for one in named
    ]


def _one(value: str, scheme: str | None) -> Given:
    from golden_records.entity_id import is_valid

    return Given(value, ENTITY_ID if scheme is None and is_valid(value) else scheme)


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    try:
        text = _decoded(file)
    except OSError as error:
        raise LinkageError(f"{file}: cannot be read ({error.strerror}); give a CSV or JSON Lines file") from error
    if file.suffix.lower() in (".jsonl", ".json", ".ndjson"):
        for number, line in enumerate(filter(str.strip, text.split("\n")), start=1):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise LinkageError(f"{file}: line {number}: not JSON; write one object a line") from error
            if not isinstance(row, dict):
                raise LinkageError(f"{file}: line {number}: not an object; write one object a line")
            yield row
        return
    for number, row in enumerate(csv.DictReader(text.splitlines(keepends=True)), start=1):
        if None in row:
            raise LinkageError(f"{file}: row {number}: more cells than columns; quote cells that hold a comma")
        yield row


def _decoded(file: Path) -> str:
    data = file.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            return data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise LinkageError(f"{file}: neither UTF-8 nor GB18030 at byte {error.start}; save it as UTF-8") from error


def _golden(catalog: Catalog, entity_id: str | None) -> dict[str, Any]:
    held = read_entity(catalog, entity_id) if entity_id else None
    if held is None:
        return {}
    return {
        "golden": shown_values(held.entity_type, held.golden, _SIGHT),
        "records": held.golden.get("records"),
        **relations_now(catalog, held.resolution.entity_id),
    }


def _text(told: Mapping[str, Any], language: str) -> str:
    comma, colon = ("；", "：") if language == "zh" else ("; ", ": ")
    lines = []
    if told["status"] == "matched":
        lines.append(f"{told['entity_id']} ({told['entity_type']}), release {told['release']}")
        if told.get("state") == "redirected":
            lines[0] += f"; {told['asked']} was merged into it"
        if told["probability"] is not None:
            lines[0] += f", {told['link_basis']}, probability {told['probability']:.6f}"
        lines += [f"  {name:<22}{value}" for name, value in told.get("golden", {}).items()]
    elif told["status"] == "none":
        lines.append(f"none: no entity of release {told['release']} was found")
    else:
        lines.append(f"{told['status']} in release {told['release']}{colon}{comma.join(told['evidence'])}")
        lines += [
            f"  {c['entity_id']} {c['verdict']}"
            + (f" {c['probability']:.6f}" if c["probability"] is not None else "")
            + f"{colon}{comma.join(c['evidence'])}"
            for c in told["candidates"]
        ]
    if told["status"] == "matched":
        lines += relation_lines(dict(told))
        lines.append(f"  {comma.join(told['evidence'])}")
    lines += [f"  ({note})" for note in told["notes"]]
    return "\n".join(lines)
