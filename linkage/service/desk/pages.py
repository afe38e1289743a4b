"""Filling the desk's templates: language, frame, and the headers of a page.

Every value is escaped by the template engine, and characters that are not seen and change what is (directions of
writing, widths of nothing, controls) are written out. The policy forbids inline script and style and every request to
another host, so that even an escaped mistake could not run.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from eval.report.words import Words, words
from linkage.clusters.hysteresis import BY_HYSTERESIS
from linkage.entity_config import load_entity_config
from linkage.fields import ENTITIES
from linkage.model.verdicts import BY_SCORE
from linkage.review.topics import TOPICS
from linkage.service.desk.state import Desk
from linkage.service.desk.visitor import ROOT, Visitor

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {"content-security-policy": POLICY, "cache-control": "no-store", "referrer-policy": "same-origin"}
# Direction marks and overrides, characters of no width, controls: with them one name looks like another.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
STATIC = ("desk.css", "desk.js")


def page(
    template: str,
    desk: Desk,
    *,
    language: str,
    visitor: Visitor | None = None,
    status: int = 200,
    place: str = "",
    **values: Any,
) -> HTMLResponse:
    """Return a page.

    Args:
        template: its name.
        desk: the desk.
        language: zh or en.
        visitor: who looks; None on pages without sign-in.
        status: HTTP status.
        place: which entry of the navigation it belongs to.
        values: what the template shows.
    """
    w = desk_words(language)
    text = (
        _environment()
        .get_template(template)
        .render(
            w=w,
            p=w.pick,
            root=ROOT,
            visitor=visitor,
            may=visitor.permissions if visitor else None,
            form_key=visitor.session.form_key if visitor else "",
            place=place,
            topics=TOPICS,
            source_name=lambda name: source_name(desk, name, w),
            request_key=secrets.token_hex(16),
            shown_value=lambda field, value: shown_value(w, field, value),
            **values,
        )
    )
    return HTMLResponse(text, status, headers=_HEADERS)


def source_name(desk: Desk, name: str | None, w: Words) -> str:
    """Return how a source is called."""
    if name is None:
        return w.none
    return w.pick(*desk.source_titles.get(name, (name, name)))


def shown_value(w: Words, field: str, value: object) -> str:
    """Return a golden value as people read it: codes of sex and of documents in words."""
    if value is None or value == "":
        return w.none
    group = {"sex": "sex", "id_type": "scheme", "legal_rep_id_type": "scheme"}.get(field)
    return w.label(group, str(value)) if group else str(value)


@cache
def desk_words(language: str) -> Words:
    """Return the words of the reports, and the names of the rules."""
    rules: dict[str, tuple[str, str]] = {
        BY_SCORE: ("权重介于合并与排除之间", "the weight lies between linking and rejecting"),
        BY_HYSTERESIS: ("只靠一条旧链接相连", "held together by an old link alone"),
    }
    for entity in ENTITIES:
        for rule in load_entity_config(entity).rule:
            rules[rule.name] = (rule.reason_zh.partition("：")[0], rule.reason_en.partition(":")[0])
    topics = {topic.name: (topic.title_zh, topic.title_en) for topic in TOPICS.values()}
    own: Mapping[str, Mapping[str, tuple[str, str]]] = {"rule": rules, "topic": topics, **_LABELS}
    return words(language, own)


def static_file(name: str) -> bytes:
    """Return a style sheet or script of the desk."""
    return resources.files("linkage.service.desk").joinpath("static", name).read_bytes()


class AsIs(str):
    """A text that a form sends back: written as it is, escaped."""


def seen(value: object) -> object:
    """Return a value as pages show it, with characters that nobody would see written out.

    >>> seen("深圳\u202e司公")
    '深圳⟨U+202E⟩司公'
    """
    if not isinstance(value, str) or value.isprintable() or isinstance(value, (Markup, AsIs)):
        return value
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", value)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("linkage.service.desk", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=seen,
    )
    made.filters["as_is"] = AsIs
    return made


_LABELS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "state": {
        "open": ("待裁定", "open"),
        "waiting": ("待复核", "waiting for a second person"),
        "disputed": ("意见不一", "disputed"),
        "undecided": ("难以判断", "cannot tell"),
        "ruled": ("已裁定", "ruled"),
    },
    "ruling": {
        "same": ("同一主体", "same entity"),
        "different": ("不是同一主体", "different entities"),
        "not_here": ("记录不属于本主体", "record does not belong"),
        "cannot_tell": ("无法判断", "cannot tell"),
    },
    "split_ruling": {
        "same": ("保持一体：全部记录是同一主体", "keep together: all its records are one entity"),
        "different": ("拆开：两半是两个主体", "split: the two halves are two entities"),
    },
    "decision_state": {
        "proposed": ("待复核", "waits for a second person"),
        "active": ("生效中", "in force"),
        "revoked": ("已撤销", "revoked"),
    },
    "decision_event": {
        "proposed": ("提出", "ruled"),
        "activated": ("生效", "came into force"),
        "revoked": ("撤销", "revoked"),
    },
    "part": {
        "first": ("初审", "first opinion"),
        "second": ("复核", "second opinion"),
        "settling": ("裁决", "settling"),
    },
    "why": {
        "source_confirmed": ("来源部门确认", "the department confirmed it"),
        "document_seen": ("已查验证件", "documents were seen"),
        "objection_upheld": ("异议成立", "an objection was upheld"),
        "typing_error": ("录入错误", "a typing error"),
        "number_reissued": ("号码换发", "the number was re-issued"),
        "number_misused": ("号码被他人使用", "the number is used by another"),
        "branch_or_parent": ("分支机构与上级", "branch and parent"),
        "twin_or_relative": ("双胞胎或亲属", "twins or relatives"),
        "review": ("日常审核", "routine review"),
        "other": ("其他", "other"),
    },
    "role": {
        "auditor": ("审核员", "auditor"),
        "lead_auditor": ("主审", "lead auditor"),
        "data_team": ("数据组", "data team"),
        "admin": ("管理员", "administrator"),
        "command_line": ("命令行", "command line"),
    },
    "deed": {
        "signed_in": ("登录", "signed in"),
        "signed_out": ("退出", "signed out"),
        "assigned": ("领取或指派", "assigned"),
        "released": ("放回队列", "released"),
        "ruled": ("裁定", "ruled"),
        "confirmed": ("复核同意", "confirmed"),
        "disagreed": ("复核不同意", "disagreed"),
        "settled": ("裁决", "settled"),
        "undecided": ("无法判断", "cannot tell"),
        "revoked": ("撤销", "revoked"),
        "exported": ("导出", "exported"),
        "imported": ("导入", "imported"),
    },
    "sex": {"M": ("男", "male"), "F": ("女", "female")},
    "scheme": {
        "uscc": ("统一社会信用代码", "unified social credit code"),
        "registration_number": ("注册号", "registration number"),
        "organization_code": ("组织机构代码", "organisation code"),
        "tax_number": ("纳税人识别号", "taxpayer number"),
        "resident_id": ("居民身份证", "resident identity card"),
        "residence_permit": ("港澳台居民居住证", "residence permit"),
        "foreign_resident_card": ("外国人永久居留身份证", "foreign permanent resident card"),
        "hk_macau_permit": ("港澳居民来往内地通行证", "Hong Kong and Macau permit"),
        "taiwan_permit": ("台湾居民来往大陆通行证", "Taiwan permit"),
        "hkid": ("香港身份证", "Hong Kong identity card"),
        "passport": ("护照", "passport"),
        "military": ("军人证件", "military document"),
        "other": ("其他证件", "other document"),
    },
    "survivor": {
        "only": ("唯一取值", "only one value"),
        "valid": ("校验有效", "valid"),
        "source_rank": ("来源等级", "rank of the source"),
        "recency": ("最新", "newest"),
        "support": ("支持的来源多", "most sources"),
        "completeness": ("最完整", "most complete"),
        "tie_break": ("无规则可分，固定取一", "no rule told them apart"),
        "with": ("随同主要字段", "along with its main field"),
    },
    "tie": {
        "auto": ("自动链接", "linked"),
        "review": ("待审核", "to be reviewed"),
        "conflict": ("冲突", "conflict"),
        "refused": ("被拒绝的链接", "refused link"),
    },
}
