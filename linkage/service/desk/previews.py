"""What a ruling would change, as a page of its own or as a part that the script puts into a page."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from linkage.access.shown import Sight, shown_values
from linkage.at_once.preview import Preview
from linkage.review.errors import DeskError
from linkage.service.desk.pages import page
from linkage.service.desk.state import Desk
from linkage.service.desk.visitor import Visitor


def preview_page(
    desk: Desk,
    visitor: Visitor,
    found: Preview | None,
    problem: DeskError | None,
    *,
    entity: str,
    sight: Sight,
    choice: str,
    fragment: str,
    place: str = "queue",
    case_id: str | None = None,
) -> Response:
    """Return the page of a preview.

    Args:
        desk: the desk.
        visitor: who looks.
        found: what would change; None: nothing, or it cannot be told.
        problem: why it cannot be told.
        entity: entity type of what is ruled on.
        sight: how much of its values is shown.
        choice: the ruling, or `undo` or `split`.
        fragment: not empty: the part alone.
        place: which entry of the navigation the page belongs to.
        case_id: the case, if it is one's.
    """
    return page(
        "preview_part.html" if fragment else "preview.html",
        desk,
        language=visitor.language,
        visitor=visitor,
        place=place,
        case_id=case_id,
        choice=choice,
        preview=found,
        changes=_shown_changes(found, entity, sight) if found else [],
        problem=problem and problem.said(visitor.language),
    )


def _shown_changes(found: Preview, entity: str, sight: Sight) -> list[dict[str, Any]]:
    """Return the golden values that would change, as the reader may see them."""
    rows = []
    for change in found.values:
        before = shown_values(entity, {change.attribute: change.before}, sight).get(change.attribute)
        after = shown_values(entity, {change.attribute: change.after}, sight).get(change.attribute)
        hidden = before == after
        rows.append(
            {"entity_id": change.entity_id, "attribute": change.attribute, "before": before, "after": after}
            | {"hidden": hidden}
        )
    return rows
