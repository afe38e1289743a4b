"""Who is at the desk: the session in the cookie, what the role may, the language; forms nobody else can send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote_plus, unquote, urlsplit

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from golden_records.decisions import Person
from linkage.access.access_log import Look, hash_of_result, moment
from linkage.access.roles import PERMISSIONS, Permissions
from linkage.access.sessions import Session, find_session, is_form_key
from linkage.access.shown import Sight, sight_of
from linkage.review.errors import DeskError
from linkage.review.forms import Reviewer
from linkage.service.desk.state import Desk, desk_of
from linkage.service.errors import ServiceError

COOKIE = "guiyi_review"
LANGUAGE_COOKIE = "guiyi_language"
ROOT = "/review"
_MOST_FIELDS = 20_000
_PURPOSE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{2,200}")


class SignInNeededError(Exception):
    """Nobody is signed in; the visitor is led to the sign-in page, and back to where they wanted to go."""

    def __init__(self, wanted: str, *, lost_form: bool = False) -> None:
        super().__init__("sign in first")
        self.wanted = wanted
        self.lost_form = lost_form


@dataclass(frozen=True)
class Visitor:
    """Who looks at a page.

    Attributes:
        session: the session.
        permissions: what the role may.
        language: zh or en.
    """

    session: Session
    permissions: Permissions
    language: str

    @property
    def reviewer(self) -> Reviewer:
        """The visitor as the one who rules."""
        token = self.session.token
        return Reviewer(Person(token.owner, token.role), token.organization, self.permissions)

    @property
    def name(self) -> str:
        """Whose token it is."""
        return self.session.token.owner

    def sight(self, subject: str, now: datetime) -> Sight:
        """Return how much of a case or entity is shown: all of it only while a purpose is stated for it."""
        return sight_of(self.permissions, self.session.purpose_for(subject, now))

    def may(self, permission: str) -> None:
        """Refuse what the role may not.

        Raises:
            DeskError: the role may not.
        """
        if not getattr(self.permissions, permission):
            role = self.session.token.role
            raise DeskError("not_yours", f"角色 {role} 不能看这一页。", f"the role {role} may not see this page.")

    def look(
        self,
        desk: Desk,
        action: str,
        subject: str,
        entity_id: str | None,
        result: object,
        fields: tuple[str, ...],
        *,
        rows: int = 1,
    ) -> Look:
        """Return what the access log is told of a look at an entity, or at several (entity_id is None)."""
        token, now = self.session.token, desk.now()
        return Look(
            at=moment(now),
            actor=f"{token.owner} [{token.token_id}]",
            role=token.role,
            action=action,
            organization=token.organization,
            purpose=self.session.purpose_for(subject, now),
            authorization_ref=subject,
            entity_id=entity_id,
            fields=fields,
            rows=rows,
            result_hash=hash_of_result(result),
        )


async def visitor_of(request: Request) -> Visitor:
    """Return who looks at a page.

    Raises:
        SignInNeededError: nobody is signed in.
        DeskError: the role has no access to the desk.
    """
    desk = desk_of(request)
    if "\x00" in unquote(str(request.url)):
        raise DeskError("gone", "这里没有内容。", "there is nothing here.")
    secret = request.cookies.get(COOKIE, "")
    session = await run_in_threadpool(_session, desk, secret) if secret else None
    if session is None:
        if request.method != "GET":
            raise SignInNeededError(_page_of_form(request.url.path), lost_form=True)
        raise SignInNeededError(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
    desk.service().requests.take(session.token.token_hash)
    request.scope.get("guiyi", {})["token_id"] = session.token.token_id
    visitor = Visitor(session, PERMISSIONS[session.token.role], language_of(request, desk))
    visitor.may("desk")
    return visitor


def count_person(desk: Desk, visitor: Visitor) -> None:
    """Count a look that going through persons is made of.

    Raises:
        ServiceError: 429; there were too many.
    """
    persons, token = desk.service().persons, visitor.session.token.token_hash
    persons.check(token)
    persons.spend(token, 1)


async def form_of(request: Request, visitor: Visitor) -> FormData:
    """Return the form of a request, if it comes from a page of the visitor's own session.

    Raises:
        ServiceError: 403; it does not.
    """
    require_same_site(request)
    form = await request.form(max_files=0, max_fields=_MOST_FIELDS)
    if not is_form_key(visitor.session, text_of(form, "form_key")):
        raise ServiceError(403, "foreign_form", "the form is not of this session; open the page anew")
    return form


def require_same_site(request: Request) -> None:
    """Refuse a form that another site has sent.

    Raises:
        ServiceError: 403.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    foreign = site is not None and site not in ("same-origin", "none")
    if origin is not None and origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
        foreign = True
    if foreign:
        raise ServiceError(403, "foreign_form", "the form was sent by another site")


def text_of(form: Mapping[str, Any], name: str) -> str:
    """Return a text of a form, empty if it is not there."""
    value = form.get(name)
    return value.replace("\x00", "") if isinstance(value, str) else ""


def stated_purpose(text: str) -> str:
    """Return a purpose that can be logged.

    Raises:
        DeskError: it is too short or too long.
    """
    said = text.strip()
    if not _PURPOSE.fullmatch(said):
        raise DeskError(
            "invalid",
            "请写明目的（2 至 200 个字），它会记入访问日志。",
            "state a purpose, 2 to 200 characters; it is logged.",
        )
    return said


def language_of(request: Request, desk: Desk) -> str:
    """Return the language of the pages: as chosen, else as the workspace says."""
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in ("zh", "en") else desk.workspace.settings.language


def back_to(wanted: str) -> str:
    """Return where to go after signing in: a page of the desk and nowhere else.

    >>> back_to("/review/cases/RC-1"), back_to("https://elsewhere.example/"), back_to("/review/../v1")
    ('/review/cases/RC-1', '/review/', '/review/')
    """
    parts = urlsplit(wanted)
    inside = not parts.scheme and not parts.netloc and (parts.path == ROOT or parts.path.startswith(f"{ROOT}/"))
    return wanted if inside and ".." not in wanted and "\\" not in wanted and "//" not in wanted else f"{ROOT}/"


def sign_in_page(wanted: str, *, lost_form: bool = False) -> str:
    """Return the address of the sign-in page that leads back; with a word on a form that was not taken."""
    return f"{ROOT}/sign-in?next={quote_plus(back_to(wanted))}{'&lost=1' if lost_form else ''}"


def _page_of_form(path: str) -> str:
    """Return the page that a form stands on.

    >>> _page_of_form("/review/cases/RC-1/rule"), _page_of_form("/review/search")
    ('/review/cases/RC-1', '/review/')
    """
    parts = path.split("/")
    is_of_one = len(parts) == 5 and parts[2] in ("cases", "entities", "decisions")
    return "/".join(parts[:4]) if is_of_one else f"{ROOT}/"


def _session(desk: Desk, secret: str) -> Session | None:
    with desk.reading() as catalog:
        return find_session(catalog, secret, now=desk.now())


VisitorOf = Annotated[Visitor, Depends(visitor_of)]
