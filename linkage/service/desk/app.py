"""The desk as an application of its own, mounted at /review: pages, and errors as pages."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from linkage.lookup.snapshot import LookupUnavailableError
from linkage.review.errors import DeskError
from linkage.review.evidence import EvidenceUnavailableError
from linkage.service.desk import (
    case_pages,
    dashboard_pages,
    decision_pages,
    entity_pages,
    queue_pages,
    signing_in,
    trail_pages,
)
from linkage.service.desk.pages import page
from linkage.service.desk.state import Desk
from linkage.service.desk.visitor import SignInNeededError, language_of, sign_in_page
from linkage.service.errors import ServiceError

LOGGER = logging.getLogger("guiyi.desk")
_STATUS = {"gone": 410, "stale": 409, "refused": 409, "contradiction": 409, "not_yours": 403, "invalid": 422}
_NOT_AS_EXPECTED = (
    "请求的内容不合要求，请从页面上重新操作。",
    "The request is not as expected; start again from the page.",
)
_WORDS = {
    "foreign_form": ("表单不是由本页发出的，没有写入任何内容。请重新打开页面。", "The form was not sent by this page."),
    "unavailable": (
        "目录现在不能用：正在更新，请稍后再试；若从未运行过，请先运行 guiyi run。",
        "The catalog cannot be used now: it is being written, try again in a moment; if nothing was ever released, "
        "guiyi run comes first.",
    ),
    "too_many": ("操作过于频繁，请稍后再试。", "Too often; try again in a moment."),
}


def desk_app(desk: Desk) -> FastAPI:
    """Return the application."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = desk
    for part in (
        signing_in,
        queue_pages,
        case_pages,
        decision_pages,
        entity_pages,
        trail_pages,
        dashboard_pages,
    ):
        app.include_router(part.router)
    _add_error_pages(app, desk)
    return app


def _add_error_pages(app: FastAPI, desk: Desk) -> None:
    def told(request: Request, status: int, zh: str, en: str, decisions: tuple[int, ...] = ()) -> Response:
        language = language_of(request, desk)
        request_id = request.scope.get("guiyi", {}).get("request_id", "")
        return page(
            "error.html",
            desk,
            language=language,
            status=status,
            message=zh if language == "zh" else en,
            decisions=decisions,
            request_id=request_id,
        )

    @app.exception_handler(SignInNeededError)
    async def _sign_in(request: Request, error: SignInNeededError) -> Response:
        del request
        return RedirectResponse(sign_in_page(error.wanted, lost_form=error.lost_form), 303)

    @app.exception_handler(DeskError)
    async def _desk(request: Request, error: DeskError) -> Response:
        return told(request, _STATUS.get(error.code, 503), error.zh, error.en, error.decisions)

    @app.exception_handler(ServiceError)
    async def _service(request: Request, error: ServiceError) -> Response:
        zh, en = _WORDS.get(error.code, ("请求未能完成。", error.message))
        return told(request, error.status, zh, en)

    @app.exception_handler(EvidenceUnavailableError)
    async def _evidence(request: Request, error: EvidenceUnavailableError) -> Response:
        return told(request, 503, f"现在读不到记录：{error}", f"The records cannot be read now: {error}")

    @app.exception_handler(LookupUnavailableError)
    async def _lookup(request: Request, error: LookupUnavailableError) -> Response:
        return told(request, 503, f"现在不能按名称查找：{error}", str(error))

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        del error
        return told(request, 422, *_NOT_AS_EXPECTED)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code not in (404, 405):
            return told(request, error.status_code, *_NOT_AS_EXPECTED)
        return told(request, error.status_code, "这里没有内容。", "There is nothing here.")

    @app.exception_handler(Exception)
    async def _defect(request: Request, error: Exception) -> Response:
        del error  # the edge logs where it came from; its words may hold a value
        return told(
            request, 500, "程序出错了，请把下面的编号告诉管理员。", "Something is broken here; report the number."
        )
