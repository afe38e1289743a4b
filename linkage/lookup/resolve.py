"""Which entity is this? One record, however incomplete, against one release; identifiers first.

A number that one entity holds decides, if whatever else was given goes together with it as the batch's rules see it.
Two holders, or a number and a name that do not fit, are a conflict and said as such. Without a holder the candidates of
the blocking keys are scored and judged as in the batch.

Invariant: `matched` by score means that the batch's rules would link the record to that entity and that no other entity
is near (linked, contested or for a person to look at). Nothing is ever guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from golden_records.catalog.read import resolve_id
from golden_records.catalog.schema import LEGAL_PERSON, NATURAL_PERSON
from linkage.entity_config import EntityConfig
from linkage.errors import ConfigError
from linkage.fields import CANONICAL_FIELDS, Entity
from linkage.lookup.answer import Answer, Candidate, Language, Query
from linkage.lookup.candidates import Found, ScoredProfile, find_candidates, score_against
from linkage.lookup.identifiers import ENTITY_ID, SCHEMES, TITLES, as_fields, entity_of, implied_forms
from linkage.lookup.identifiers import forms as forms_of
from linkage.lookup.snapshot import EntityModel, Snapshot
from linkage.lookup.words import explained, says
from linkage.standardise import standardise_row

_RANK = {"auto": 3, "conflict": 2, "review": 1, "reject": 0}
_TABLE = {"LP": LEGAL_PERSON, "NP": NATURAL_PERSON}
_TYPE: dict[str, Entity] = {"LP": "legal_person", "NP": "natural_person"}


class QueryError(ConfigError):
    """A question that cannot be asked so; the message holds no value."""


def resolve(snapshot: Snapshot, query: Query) -> Answer:
    """Answer one question.

    Raises:
        QueryError: the question is not one: an unknown scheme or field, or no entity type beside a name.
        LookupUnavailableError: the release cannot be searched by name.
    """
    query = _checked(query)
    if len(query.identifiers) == 1 and query.identifiers[0].scheme == ENTITY_ID and not query.values:
        return _by_entity_id(snapshot, query, query.identifiers[0].value)
    held = _holders(snapshot, query)
    entity = query.entity_type or next((_TYPE[entity_id[:2]] for entity_id in held), None) or _type_of_numbers(query)
    query = replace(query, entity_type=entity)
    if len(held) > 1:
        return _several_holders(snapshot, query, held)
    if query.values:
        return _scored(snapshot, query, held)
    if held:
        return _held(snapshot, query, held)
    return _answer(snapshot, query, "none", notes=_number_notes(query))


def _checked(query: Query) -> Query:
    for one in query.identifiers:
        if one.scheme is not None and one.scheme not in SCHEMES:
            raise QueryError(f"identifiers: unknown scheme; use one of {', '.join(SCHEMES)}, or leave it out")
        if query.entity_type and entity_of(one.scheme) not in (None, query.entity_type):
            raise QueryError(f"identifiers: {one.scheme} is no number of a {query.entity_type}")
    values = {field: text for field, text in query.values.items() if text.strip()}
    identifiers = tuple(one for one in query.identifiers if one.value.strip())
    if values:
        kinds = {entity_of(scheme) for one in identifiers for scheme, _ in forms_of(one)}
        kinds |= {entity_of(one.scheme) for one in identifiers if entity_of(one.scheme)}
        entity = query.entity_type or (kinds.pop() if len(kinds) == 1 else None)
        if entity is None:
            raise QueryError("entity_type: needed beside a name or address; give legal_person or natural_person")
        known = CANONICAL_FIELDS[entity]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise QueryError(f"{', '.join(unknown)}: no field of a {entity} (known: {', '.join(known)})")
        query = replace(query, entity_type=entity)
    return replace(query, identifiers=identifiers, values=values)


def _type_of_numbers(query: Query) -> Entity | None:
    """Return the entity type of numbers that nobody holds, if they are all of one."""
    found = {entity_of(scheme) for one in query.identifiers for scheme, _ in forms_of(one)}
    found |= {entity_of(one.scheme) for one in query.identifiers if one.scheme}
    return found.pop() if len(found) == 1 else None


def _holders(snapshot: Snapshot, query: Query) -> dict[str, str]:
    """Return the entities that hold one of the numbers, each with the scheme by which."""
    held: dict[str, str] = {}
    for one in query.identifiers:
        if one.scheme == ENTITY_ID:
            resolution = resolve_id(snapshot.catalog, one.value)
            if resolution is not None and resolution.state != "retired":
                held.setdefault(resolution.entity_id, ENTITY_ID)
            continue
        for scheme, value in forms_of(one):
            for entity_id in _holding(snapshot, scheme, value):
                held.setdefault(entity_id, scheme)
    if not held and query.entity_type != "natural_person":
        for scheme, value in (form for one in query.identifiers for form in implied_forms(one)):
            for entity_id in _holding(snapshot, scheme, value):
                # An organisation code leads to its body; one that has another credit code is not meant.
                if _anchor(snapshot, entity_id) is None:
                    held.setdefault(entity_id, scheme)
    wanted = query.entity_type
    return {e: scheme for e, scheme in sorted(held.items()) if wanted in (None, _TYPE[e[:2]])}


def _holding(snapshot: Snapshot, scheme: str, value: str) -> list[str]:
    rows = snapshot.catalog.execute(
        "select distinct entity_id from identifier where scheme = ? and value = ? and valid = 1", (scheme, value)
    )
    return [entity_id for (entity_id,) in rows]


def _anchor(snapshot: Snapshot, entity_id: str) -> str | None:
    table = _TABLE[entity_id[:2]].name
    row = snapshot.catalog.row(f"select anchor from {table} where entity_id = ?", (entity_id,))
    return None if row is None else row[0]


def _by_entity_id(snapshot: Snapshot, query: Query, value: str) -> Answer:
    resolution = resolve_id(snapshot.catalog, value)
    if resolution is None:
        return _answer(snapshot, query, "none")
    found = _TYPE[resolution.entity_id[:2]]
    asked = resolution.asked if resolution.state != "living" else None
    answer = _answer(snapshot, replace(query, entity_type=found), "none")
    if resolution.state == "retired" or query.entity_type not in (None, found):
        return replace(answer, asked=asked, state=resolution.state)
    evidence = (says(query.language, "entity_redirected" if asked else "entity_id"),)
    return replace(
        answer,
        status="matched",
        entity_id=resolution.entity_id,
        link_basis="identifier",
        evidence=evidence,
        asked=asked,
        state=resolution.state,
    )


def _several_holders(snapshot: Snapshot, query: Query, held: Mapping[str, str]) -> Answer:
    evidence = (says(query.language, "several_holders", schemes=_schemes(held.values(), query.language)),)
    return _answer(
        snapshot, query, "conflict", evidence=evidence, candidates=[_holder(query, e, s) for e, s in held.items()]
    )


def _held(snapshot: Snapshot, query: Query, held: Mapping[str, str]) -> Answer:
    ((entity_id, scheme),) = held.items()
    holder = _holder(query, entity_id, scheme)
    return _matched(snapshot, query, holder, [holder])


def _holder(query: Query, entity_id: str, scheme: str) -> Candidate:
    evidence = (says(query.language, "number_equal", scheme=_title(scheme, query.language)),)
    return Candidate(entity_id, _TYPE[entity_id[:2]], "identifier", None, "identifier", evidence)


def _scored(snapshot: Snapshot, query: Query, held: Mapping[str, str]) -> Answer:
    """Score the whole record, and let a held number decide if the rest goes together with it."""
    assert query.entity_type is not None
    model = snapshot.model(query.entity_type)
    row = standardise_row({**query.values, **as_fields(query.identifiers, query.entity_type)}, model.config)
    found = find_candidates(snapshot, model, row)
    notes = [
        *_number_notes(query, unheld=not held),
        *_value_notes(query, row, model.config),
        *_notes(found, model.config, query.language),
    ]
    candidates = _by_entity(snapshot, query, model, row, found, held)
    alive = [c for c in candidates if c.verdict != "reject"]
    if held:
        ((entity_id, scheme),) = held.items()
        own = next((c for c in candidates if c.entity_id == entity_id), None) or _against_golden(
            snapshot, query, model, row, entity_id
        )
        return _number_and_rest(snapshot, query, own, scheme, [c for c in alive if c.entity_id != entity_id], notes)
    if any(c.verdict == "conflict" for c in alive):
        first = next(c for c in alive if c.verdict == "conflict")
        return _answer(snapshot, query, "conflict", evidence=first.evidence, candidates=alive, notes=notes)
    if len(alive) == 1 and alive[0].verdict == "auto":
        return _matched(snapshot, query, alive[0], alive, notes)
    if len(alive) == 1 and _is_only(model, row, found, alive[0]):
        only = replace(alive[0], evidence=(*alive[0].evidence, says(query.language, "only_candidate")))
        return _matched(snapshot, query, only, [only], notes)
    status = "possible" if alive else "none"
    evidence = (says(query.language, "several_near" if len(alive) > 1 else "near"),) if alive else ()
    return _answer(snapshot, query, status, evidence=evidence, candidates=alive, notes=notes)


def _number_and_rest(
    snapshot: Snapshot, query: Query, own: Candidate, scheme: str, others: list[Candidate], notes: list[str]
) -> Answer:
    equal = says(query.language, "number_equal", scheme=_title(scheme, query.language))
    own = replace(own, evidence=tuple(dict.fromkeys([equal, *own.evidence])))
    if own.verdict == "auto":
        return _matched(snapshot, query, replace(own, link_basis="identifier"), [own, *others], notes)
    if own.verdict == "review":
        evidence = (says(query.language, "near"),)
        return _answer(snapshot, query, "possible", evidence=evidence, candidates=[own, *others], notes=notes)
    own = replace(own, verdict="conflict")
    told = (says(query.language, "number_and_rest"), *own.evidence)
    return _answer(snapshot, query, "conflict", evidence=told, candidates=[own, *others], notes=notes)


def _by_entity(
    snapshot: Snapshot,
    query: Query,
    model: EntityModel,
    row: Mapping[str, Any],
    found: Found,
    held: Mapping[str, str],
) -> list[Candidate]:
    """Return the entities of the profiles found, each with its best score, the likeliest first.

    Entities that the rules reject are left out, unless they hold the number given.
    """
    best: dict[str, ScoredProfile] = {}
    for profile in sorted(found.profiles, key=lambda p: (-_RANK[p.score.verdict.verdict], -p.score.weight)):
        for entity_id in profile.entity_ids:
            best.setdefault(entity_id, profile)
    exclusive = row[model.config.clustering.exclusive[0]]
    made = []
    for entity_id, profile in best.items():
        if profile.score.verdict.verdict == "reject" and entity_id not in held:
            continue
        candidate = _candidate(query, model, entity_id, profile)
        if exclusive is not None and candidate.verdict in ("auto", "review"):
            anchor = _anchor(snapshot, entity_id)
            if anchor is not None and anchor != exclusive:
                reason = says(query.language, "other_number")
                candidate = replace(candidate, verdict="review", evidence=(*candidate.evidence, reason))
        made.append((-_RANK[candidate.verdict], -profile.score.weight, entity_id, candidate))
    return [candidate for *_, candidate in sorted(made, key=lambda entry: entry[:3])]


def _candidate(query: Query, model: EntityModel, entity_id: str, profile: ScoredProfile) -> Candidate:
    verdict = profile.score.verdict
    return Candidate(
        entity_id,
        model.config.entity,
        verdict.verdict,
        profile.score.probability,
        verdict.basis,
        explained(model.config, profile.score, query.language),
    )


def _against_golden(
    snapshot: Snapshot, query: Query, model: EntityModel, row: Mapping[str, Any], entity_id: str
) -> Candidate:
    """Judge the holder of a number by its golden values, where none of its profiles shares a key with the record."""
    table = _TABLE[entity_id[:2]]
    values = snapshot.catalog.row(
        f"select {', '.join(table.column_names)} from {table.name} where entity_id = ?", (entity_id,)
    )
    assert values is not None
    golden = dict(zip(table.column_names, values, strict=True))
    score = score_against(snapshot, model, row, standardise_row(golden, model.config))
    return Candidate(
        entity_id,
        model.config.entity,
        score.verdict.verdict,
        score.probability,
        score.verdict.basis,
        explained(model.config, score, query.language),
    )


def _is_only(model: EntityModel, row: Mapping[str, Any], found: Found, candidate: Candidate) -> bool:
    """Tell whether a rule's `only_candidate` links the record: it is unsure, the one entity in question is sure.

    Stricter than the batch, which also lets an unsure entity be the only candidate of a sure record: what else that
    entity might belong to is not known here.
    """
    rules = {rule.name: rule for rule in model.config.rule if rule.only_candidate}
    mine = [p for p in found.profiles if candidate.entity_id in p.entity_ids]
    best = max(mine, key=lambda p: (_RANK[p.score.verdict.verdict], p.score.weight))
    rule = rules.get(best.score.verdict.rule)
    if rule is None or found.left_aside or best.entities > 1:
        return False
    least, against = model.config.against_below, model.config.speaking_against(rule)
    if any(
        p.score.verdict.verdict == "reject" and (p.score.weight < least or p.score.verdict.rule in against)
        for p in mine
    ):
        return False
    rivals = {rule.name for rule in model.config.rule if rule.rival}
    if any(p.score.verdict.rule in rivals and candidate.entity_id not in p.entity_ids for p in found.profiles):
        return False
    column = str(rule.only_candidate)
    return row[column] is None and any(p.columns[column] is not None for p in mine)


def _matched(
    snapshot: Snapshot, query: Query, own: Candidate, candidates: list[Candidate], notes: Iterable[str] = ()
) -> Answer:
    answer = _answer(snapshot, query, "matched", evidence=own.evidence, candidates=candidates, notes=notes)
    return replace(answer, entity_id=own.entity_id, probability=own.probability, link_basis=own.link_basis)


def _answer(
    snapshot: Snapshot,
    query: Query,
    status: Any,
    *,
    evidence: Iterable[str] = (),
    candidates: Iterable[Candidate] = (),
    notes: Iterable[str] = (),
) -> Answer:
    told = tuple(candidates)
    notes = tuple(notes)
    if len(told) > query.limit:
        notes = (*notes, says(query.language, "more_candidates", count=str(len(told) - query.limit)))
    return Answer(
        status=status,
        entity_id=None,
        entity_type=query.entity_type,
        probability=None,
        link_basis=None,
        evidence=tuple(evidence),
        candidates=told[: query.limit],
        notes=notes,
        release=snapshot.release,
    )


def _number_notes(query: Query, *, unheld: bool = True) -> list[str]:
    """Say which numbers cannot be read, and that nobody holds the others."""
    notes = []
    numbers = [one for one in query.identifiers if one.scheme != ENTITY_ID]
    if any(not forms_of(one) for one in numbers):
        notes.append(says(query.language, "number_unreadable"))
    if unheld and any(forms_of(one) for one in numbers):
        notes.append(says(query.language, "number_unheld"))
    return notes


def _value_notes(query: Query, row: Mapping[str, Any], config: EntityConfig) -> list[str]:
    """Return the note on values that say nothing once they are read, such as a birth date that is none."""
    told: dict[str, bool] = {}
    for field in config.field:
        column = field.columns_read[0]
        if column in query.values:
            told[column] = told.get(column, False) or _says_something(row, field.name)
    unread = [column for column, says_something in told.items() if not says_something]
    if not unread:
        return []
    titles = {c.field: c.title_zh if query.language == "zh" else c.title_en for c in config.comparison}
    names = {f.columns_read[0]: titles[f.name] for f in config.field if f.name in titles}
    named = [names.get(column, column) for column in unread]
    return [says(query.language, "value_unreadable", fields=("、" if query.language == "zh" else ", ").join(named))]


def _says_something(row: Mapping[str, Any], field: str) -> bool:
    return any(
        bool(value) and not column.endswith("_status")
        for column, value in row.items()
        if column.startswith(f"{field}_")
    )


def _notes(found: Found, config: Any, language: Language) -> list[str]:
    notes = []
    if found.left_aside:
        titles = {rule.name: rule.title_zh if language == "zh" else rule.title_en for rule in config.blocking}
        named = ("、" if language == "zh" else ", ").join(titles[name] or name for name in found.left_aside)
        notes.append(says(language, "left_aside", rules=named))
    if any(p.entities > len(p.entity_ids) for p in found.profiles if p.score.verdict.verdict != "reject"):
        notes.append(says(language, "too_many_alike"))
    return notes


def _schemes(schemes: Iterable[str], language: Language) -> str:
    return ("、" if language == "zh" else ", ").join(dict.fromkeys(_title(scheme, language) for scheme in schemes))


def _title(scheme: str, language: Language) -> str:
    return TITLES[scheme][0 if language == "zh" else 1]
