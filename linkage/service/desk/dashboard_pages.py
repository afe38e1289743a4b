"""The dashboard: last loads and runs, the queue, how far reviewers agree, how precise automatic links are, alarms."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from linkage.fields import ENTITIES
from linkage.review import figures, queue
from linkage.review.topics import PENDING
from linkage.service.desk.pages import page
from linkage.service.desk.state import desk_of
from linkage.service.desk.visitor import VisitorOf

router = APIRouter()


@router.get("/dashboard")
async def get_dashboard(request: Request, visitor: VisitorOf) -> Response:
    """Show how the desk and the linkage are doing; counts and shares only."""
    desk = desk_of(request)

    def read() -> dict[str, Any]:
        desk.bring_up()
        with desk.reading() as catalog:
            releases = catalog.execute(
                "select release_id, published_at, kind, cause from release order by release_id desc limit 8"
            ).fetchall()
            oldest = catalog.row("select min(opened_at) from review_queue where pending = 1")
            by_kind: dict[tuple[str, str], int] = {}
            by_state: dict[str, int] = {}
            desk.overview = queue.overview(catalog, desk.overview)
            for (state, topic, entity), number in desk.overview.counts.items():
                by_state[state] = by_state.get(state, 0) + number
                if state in PENDING:
                    by_kind[topic, entity] = by_kind.get((topic, entity), 0) + number
            agreement, precision = figures.agreement(catalog), figures.precision(catalog)
            checks = {entity: figures.spot_checks(catalog, entity) for entity in ENTITIES}
        release, alarms = figures.alarms_of(desk.workspace)
        return {
            "loads": figures.loads_of(desk.workspace),
            "releases": releases,
            "oldest": oldest[0] if oldest else None,
            "by_kind": sorted(by_kind.items(), key=lambda one: -one[1]),
            "by_state": by_state,
            "agreement": agreement,
            "precision": precision,
            "spot_checks": checks,
            "alarms": alarms,
            "report_release": release,
        }

    values = await run_in_threadpool(read)
    return page("dashboard.html", desk, language=visitor.language, visitor=visitor, place="dashboard", **values)
