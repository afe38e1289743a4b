"""What a ruling, or undoing one, would change: worked out by the code that applies it, and nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence

from golden_records.catalog.schema import DECISION
from golden_records.catalog.store import Catalog
from golden_records.decisions import Decision, DecisionEvent, Person, read_decisions
from golden_records.hash_chain import next_key
from golden_records.ruling import DecisionError, Ruling
from linkage.at_once.preview import Preview, preview
from linkage.at_once.resolve import NotAtOnceError
from linkage.fields import Entity
from linkage.review.cases import CaseFile
from linkage.review.errors import DeskError, refused
from linkage.review.forms import Form
from linkage.review.meaning import entity_of, require_no_contradiction, ruling_of_case
from linkage.workspace import Workspace


def foresee(workspace: Workspace, catalog: Catalog, case: CaseFile, form: Form) -> Preview | None:
    """Return what a ruling on a case would change, None for one that changes nothing by itself.

    Raises:
        DeskError: the ruling could not be taken, or its effect cannot be told now.
    """
    if form.ruling == "cannot_tell":
        return None
    try:
        return foresee_ruling(workspace, catalog, ruling_of_case(catalog, case, form))
    except DecisionError as error:
        raise refused(error) from error


def foresee_ruling(workspace: Workspace, catalog: Catalog, ruling: Ruling) -> Preview:
    """Return what a ruling would change if it came into force now.

    Raises:
        DeskError: it would contradict decisions in force, or its effect cannot be told now.
    """
    entity = entity_of(ruling.entity_type)
    known = read_decisions(catalog, entity_type=entity)
    active = [d for d in known if d.state == "active"]
    event = DecisionEvent("activated", "", Person("", ""))
    candidate = Decision(next_key(catalog, DECISION), ruling, (event,))
    require_no_contradiction(active, candidate)
    return _foreseen(workspace, catalog, entity, [*active, candidate])


def foresee_undo(workspace: Workspace, catalog: Catalog, decision: Decision) -> Preview:
    """Return what revoking a decision would change.

    Raises:
        DeskError: its effect cannot be told now.
    """
    entity = entity_of(decision.ruling.entity_type)
    active = read_decisions(catalog, entity_type=entity, state="active")
    return _foreseen(workspace, catalog, entity, [d for d in active if d.decision_id != decision.decision_id])


def _foreseen(workspace: Workspace, catalog: Catalog, entity: Entity, active: Sequence[Decision]) -> Preview:
    try:
        return preview(workspace, catalog, entity, active)
    except NotAtOnceError as error:
        raise DeskError(
            "unavailable",
            f"现在算不出影响（{error.chinese}）；仍可裁定，下次运行时生效。",
            f"its effect cannot be told now ({error}); a ruling is kept and applied by the next run.",
        ) from error
