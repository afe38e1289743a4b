"""What a form means: the ruling on the current release, of a case or of a selection of an entity's records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from golden_records.catalog.publish import current_release
from golden_records.catalog.store import Catalog
from golden_records.decisions import Decision
from golden_records.ruling import Kind, Ruling, ruling_on
from linkage.access.access_log import hash_of_result
from linkage.fields import ENTITIES, Entity
from linkage.review.cases import CaseFile, members_of
from linkage.review.errors import DeskError, contradicts, outdated
from linkage.review.forms import Form
from linkage.rulings.contradictions import weigh

MOST_SELECTED = 1_000


def ruling_of_case(catalog: Catalog, case: CaseFile, form: Form) -> Ruling:
    """Return the ruling on the current release; of different entities the whole entities are kept apart."""
    assert form.ruling != "cannot_tell"
    kind: Kind = form.ruling
    if case.halves is not None and kind != "not_here":
        return _ruling_on_halves(case, case.halves, kind, form)
    if kind == "not_here":
        record = form.record_id if form.record_id in (case.left, case.right) else None
        if record is None:
            raise DeskError("invalid", "请指明哪条记录不属于本主体。", "say which of the two records does not belong.")
        return ruling_on(catalog, kind, (record,), reason=form.reason, note=form.note, case_id=case.case_id)
    scope: Any = "entities" if kind == "different" and not case.together else "records"
    pair = (case.left, case.right)
    return ruling_on(catalog, kind, pair, scope=scope, reason=form.reason, note=form.note, case_id=case.case_id)


def _ruling_on_halves(
    case: CaseFile, halves: tuple[tuple[str, ...], tuple[str, ...]], kind: Kind, form: Form
) -> Ruling:
    """Return the ruling that an entity is two, half and half, or that all its records are one."""
    return Ruling(
        kind=kind,
        entity_type=case.entity,
        scope="entities",
        records=(case.left, case.right),
        groups=halves,
        release=case.release,
        reason=form.reason,
        note=form.note,
        case_id=case.case_id,
    )


def split_ruling(
    catalog: Catalog,
    entity_id: str,
    selected: Sequence[str],
    *,
    are_one: bool | None,
    reason: str,
    note: str | None,
) -> Ruling:
    """Return the ruling that some records of an entity are not one with its others.

    Args:
        catalog: the store.
        entity_id: the entity.
        selected: the records.
        are_one: whether they are one other entity and leave together; false: what the evidence says of each decides;
            None: nobody has said, which is enough for a single record.
        reason: a code.
        note: more words.

    Raises:
        DeskError: none or all of its records are selected, one stands elsewhere, or nobody says whether they are one.
    """
    members = sorted(members_of(catalog, (entity_id,)))
    chosen = [record for record in members if record in set(selected)]
    others = [record for record in members if record not in set(selected)]
    if len(chosen) < len(set(selected)):
        raise outdated()
    if len(chosen) > MOST_SELECTED:
        raise DeskError(
            "invalid",
            f"选中了 {len(chosen):,} 条记录，一次最多 {MOST_SELECTED:,} 条；请分几次拆出。",
            f"{len(chosen):,} records are selected, at most {MOST_SELECTED:,} at once; take them out in several steps.",
        )
    if not chosen or not others:
        raise DeskError(
            "invalid",
            "请选择一部分记录：至少选一条，也至少留一条。",
            "select some of the records: at least one, and leave at least one.",
        )
    if len(chosen) == 1:
        return ruling_on(catalog, "not_here", chosen, reason=reason, note=note)
    if are_one is None:
        raise DeskError(
            "invalid",
            "选中了多条记录：请说明它们是同一个别的主体，还是各看证据。",
            "several records are selected: say whether they are one other entity, or whether the evidence decides.",
        )
    entity = entity_of("natural_person" if entity_id.startswith("NP") else "legal_person")
    return Ruling(
        kind="not_here" if are_one else "different",
        entity_type=entity,
        scope="entities",
        records=(chosen[0], others[0]),
        groups=(tuple(chosen), tuple(others)),
        release=current_release(catalog),
        reason=reason,
        note=note,
    )


def entity_version(catalog: Catalog, entity_id: str) -> str:
    """Return what a page of an entity rests on: its records."""
    rows = catalog.execute(
        "select source, source_record_id from record_link where entity_id = ? order by source, source_record_id",
        (entity_id,),
    ).fetchall()
    return hash_of_result([list(row) for row in rows])[:16]


def require_no_contradiction(active: Sequence[Decision], candidate: Decision) -> None:
    """Refuse a decision that contradicts decisions in force; a `Check` for `golden_records.decisions`.

    Raises:
        DeskError: names the shortest chain of them.
    """
    others = [d for d in active if d.decision_id != candidate.decision_id]
    found = [c for c in weigh([*others, candidate]).contradictions if c.set_aside == candidate.decision_id]
    if found:
        raise contradicts(min(found, key=lambda c: (len(c.together), c.apart)))


def entity_of(name: str) -> Entity:
    """Return an entity type by its name."""
    return next(entity for entity in ENTITIES if entity == name)
