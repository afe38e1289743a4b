"""Signing in and out, the language, showing persons in full, and the desk's style sheet and script."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from golden_records.catalog.store import Catalog
from golden_records.review_trail import Deed, write_deed
from linkage.access.roles import PERMISSIONS
from linkage.access.sessions import begin_session, end_session, state_purpose
from linkage.access.tokens import Token, find_token
from linkage.review.errors import DeskError
from linkage.service.desk.pages import STATIC, page, static_file
from linkage.service.desk.state import Desk, desk_of
from linkage.service.desk.visitor import (
    COOKIE,
    LANGUAGE_COOKIE,
    ROOT,
    VisitorOf,
    back_to,
    form_of,
    language_of,
    require_same_site,
    stated_purpose,
    text_of,
)
from linkage.service.errors import ServiceError

router = APIRouter()
_LOST = (
    "登录已结束，刚才的表单没有写入任何内容。用浏览器的“后退”可以找回所写的文字；登录后请在新打开的页面上提交。",
    "You were signed out, and nothing of the form was written. Your browser's back button brings back what you wrote; "
    "sign in, and send it from a page opened anew.",
)
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


@router.get("/sign-in")
async def get_sign_in(
    request: Request,
    next: Annotated[str, Query(max_length=500)] = "",
    lost: Annotated[str, Query(max_length=5)] = "",
) -> Response:
    """Show the sign-in page; it says so if a form was not taken because nobody was signed in any more."""
    desk = desk_of(request)
    language = language_of(request, desk)
    problem = _LOST[language != "zh"] if lost else None
    return page("sign_in.html", desk, language=language, wanted=back_to(next), problem=problem)


@router.post("/sign-in")
async def post_sign_in(request: Request) -> Response:
    """Sign in with a token; its owner, role and body are those of the session."""
    desk = desk_of(request)
    require_same_site(request)
    form = await request.form(max_files=0, max_fields=10)
    wanted, text = back_to(text_of(form, "next")), text_of(form, "token").strip()
    now = desk.now()
    begun = await run_in_threadpool(_sign_in, desk, text, now)
    language = language_of(request, desk)
    if isinstance(begun, DeskError):
        return page("sign_in.html", desk, language=language, wanted=wanted, problem=begun.said(language), status=403)
    secret, lasting = begun
    answer = RedirectResponse(wanted, 303)
    answer.set_cookie(
        COOKIE, secret, max_age=lasting, path=ROOT, httponly=True, samesite="strict", secure=_is_secure(request)
    )
    return answer


@router.post("/sign-out")
async def post_sign_out(request: Request, visitor: VisitorOf) -> Response:
    """Sign out."""
    desk = desk_of(request)
    await form_of(request, visitor)

    def end() -> None:
        with desk.writing() as catalog:
            end_session(catalog, visitor.session, now=desk.now())
            _note(catalog, "signed_out", visitor.session.token, desk.now())

    await run_in_threadpool(end)
    answer = RedirectResponse(f"{ROOT}/sign-in", 303)
    answer.delete_cookie(COOKIE, path=ROOT, httponly=True, samesite="strict")
    return answer


@router.get("/language/{language}")
async def get_language(language: str, back: Annotated[str, Query(max_length=500)] = "") -> Response:
    """Choose the language of the pages."""
    answer = RedirectResponse(back_to(back), 303)
    if language in ("zh", "en"):
        answer.set_cookie(LANGUAGE_COOKIE, language, max_age=31_536_000, path=ROOT, samesite="strict", httponly=True)
    return answer


@router.post("/show")
async def post_show(request: Request, visitor: VisitorOf) -> Response:
    """Show the persons of one case or entity in full for a stated purpose; the looks that follow are logged with it."""
    desk = desk_of(request)
    form = await form_of(request, visitor)
    visitor.may("unmask")
    subject, purpose = text_of(form, "subject")[:80], stated_purpose(text_of(form, "purpose"))
    until = desk.now() + timedelta(minutes=desk.workspace.settings.desk.shown_minutes)

    def state() -> None:
        with desk.writing() as catalog:
            state_purpose(catalog, visitor.session, subject, purpose, until=until)

    await run_in_threadpool(state)
    return RedirectResponse(back_to(text_of(form, "back")), 303)


@router.get("/static/{name}")
async def get_static(name: str) -> Response:
    """Return the style sheet or the script."""
    if name not in STATIC:
        raise ServiceError(404, "not_found", "there is no such file")
    kind = _TYPES[name.rpartition(".")[2]]
    return Response(static_file(name), media_type=kind, headers={"cache-control": "max-age=300"})


def _sign_in(desk: Desk, text: str, now: datetime) -> tuple[str, int] | DeskError:
    with desk.reading() as catalog:
        token = find_token(catalog, text)
    if token is None or token.state(now) != "active":
        return DeskError(
            "not_yours",
            "令牌不存在、已过期或已撤销。请向管理员要一个新的（guiyi token create）。",
            "the token is unknown, expired or revoked; ask for a new one (guiyi token create).",
        )
    if not PERMISSIONS[token.role].desk:
        return DeskError(
            "not_yours", f"角色 {token.role} 不能使用审核台。", f"the role {token.role} has no access to the desk."
        )
    lasting = timedelta(minutes=desk.workspace.settings.desk.session_minutes)
    with desk.writing() as catalog, catalog.writing():
        secret, session = begin_session(catalog, token, now=now, lasting=lasting)
        _note(catalog, "signed_in", token, now)
    return secret, int((session.expires_at - now).total_seconds())


def _note(catalog: Catalog, action: str, token: Token, now: datetime) -> None:
    write_deed(catalog, Deed(action, token.owner, token.role, token.organization), now=now)


def _is_secure(request: Request) -> bool:
    """Say whether the browser speaks TLS, to this process or to a proxy before it."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto", "") == "https"
