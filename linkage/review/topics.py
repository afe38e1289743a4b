"""Kinds of case (案件类型) as people see them, and in which order they are looked at.

The catalog says of a case how the run came upon it (`kind`) and by which rule or constraint (`rule`). The topic says
what is to be judged. The risk puts first what does most harm if it is left or judged wrongly; docs/review-desk.md
tells it.
"""

from __future__ import annotations

from dataclasses import dataclass

from golden_records.opinions import Choice
from linkage.review_cases import SPOT_CHECK


@dataclass(frozen=True)
class Topic:
    """A kind of case: its name, in words what is asked, and how grave it is by itself."""

    name: str
    title_zh: str
    title_en: str
    asks_zh: str
    asks_en: str
    gravity: int


_SEVERAL = (
    Topic(
        "identifier_conflict",
        "号码冲突",
        "Identifier conflict",
        "两条记录写着同一个号码，其余却对不上：是同一主体，还是有人用错了号码？",
        "Two records give one number, and the rest does not fit: one entity, or a number used by another?",
        600,
    ),
    Topic(
        "suspicious_number",
        "可疑号码",
        "Suspicious number",
        "两条记录写着同一个号码，但号码与旁边的出生日期或性别矛盾：号码可信吗？",
        "Two records give one number that contradicts the birth date or sex beside it: can the number be trusted?",
        550,
    ),
    Topic(
        "two_numbers",
        "一体两号",
        "Two numbers",
        "两条记录像是同一主体，合并却会使一个主体有两个唯一号码：号码换发、录错，还是两个主体？",
        "Two records look alike, but one entity would hold two exclusive numbers: re-issued, mistyped, or two?",
        500,
    ),
    Topic(
        "oversized",
        "主体过大",
        "Oversized cluster",
        "再合并下去，主体会大得不像一个主体：这条链接成立吗？",
        "With this link the entity would grow beyond what one entity looks like: does the link hold?",
        450,
    ),
    Topic(
        "bridge",
        "弱桥",
        "Bridge",
        "两组记录只靠一条弱链接相连：是同一主体吗？",
        "Two groups of records hang together by one weak link only: are they one entity?",
        450,
    ),
    Topic(
        "split_proposed",
        "拆分建议",
        "Split proposed",
        "一个主体里有两条记录互相矛盾，或只靠一条旧的或弱的链接相连：拆开，还是保持一体？",
        "Two records of one entity contradict, or one old or weak link holds it together: split it or keep it?",
        440,
    ),
    Topic(
        "against_ruling",
        "与裁定相左",
        "Against a ruling",
        "数据认为是同一主体，现行裁定却说不是：裁定还成立吗？",
        "The data says one entity, a ruling in force says otherwise: does the ruling still hold?",
        420,
    ),
    Topic(
        "ambiguous",
        "去向不明",
        "Ambiguous",
        "这条记录与两个主体同样相近：它属于哪一个？",
        "The record comes as near to one entity as to another: to which does it belong?",
        400,
    ),
    Topic(
        "relatives",
        "亲属或双胞胎",
        "Relatives or twins",
        "名字只差一字或部分遮盖，同住或同日出生：同一个人，还是一家人？",
        "The names are one character apart or partly hidden, home or birth date is shared: one person, or one family?",
        300,
    ),
    Topic(
        "branch",
        "分支与上级",
        "Branch and parent",
        "名称上是分支机构与上级，其余却一致：一个主体，还是两个？",
        "By name a branch and its parent, yet the rest agrees: one entity, or two?",
        250,
    ),
    Topic(
        "grey_zone",
        "证据不足",
        "Grey zone",
        "证据既不足以合并，也不足以排除：是同一主体吗？",
        "The evidence is not enough to link and not enough to reject: are they one entity?",
        200,
    ),
    Topic(
        SPOT_CHECK,
        "抽查",
        "Spot check",
        "引擎有把握地合并了这两条记录；随机抽中，请您核对：是同一主体吗？",
        "The engine is sure that these are one entity; drawn at random to see how often it is right: are they?",
        20,
    ),
)
TOPICS = {topic.name: topic for topic in _SEVERAL}
_RULES = {
    "same_disputed_number": "suspicious_number",
    "two_codes_all_else_agrees": "two_numbers",
    "two_numbers_all_else_agrees": "two_numbers",
    "two_permits": "two_numbers",
    "numbers_differ": "two_numbers",
    "sibling_pattern": "relatives",
    "family_pattern": "relatives",
    "branch_with_a_hidden_code": "branch",
    "branch_at_the_parents_desk": "branch",
}
_CONSTRAINTS = {
    "size": "oversized",
    "bridge": "bridge",
    "cannot_link": "against_ruling",
    "ambiguous": "ambiguous",
    "contradiction": "ambiguous",
}

STATES = ("open", "waiting", "disputed", "undecided", "ruled")
PENDING = ("open", "waiting", "disputed", "undecided")
_OF_STATE = {"disputed": 1000, "waiting": 50, "undecided": -1000}
_PERSON = 100
_MOST_RECORDS = 50


def topic_of(kind: str, rule: str | None) -> str:
    """Return the topic of a case; a kind that is not known yet is its own.

    >>> topic_of("review", "score"), topic_of("refused", "exclusive:uscc"), topic_of("suspicious_id", None)
    ('grey_zone', 'two_numbers', 'suspicious_id')
    """
    if kind == "review":
        return _RULES.get(rule or "", "grey_zone")
    if kind == "conflict":
        return "identifier_conflict"
    if kind == "refused":
        return "two_numbers" if (rule or "").startswith("exclusive") else _CONSTRAINTS.get(rule or "", "grey_zone")
    return kind


def risk_of(topic: str, entity_type: str, *, probability: float | None, records: int, credit_rows: int | None) -> int:
    """Return how early a case should be looked at, before what people said of it; higher is earlier.

    Gravity of the topic; a natural person 100 more; up to 100 the nearer the probability is to one half; a point for
    each record at stake up to 50; and for attached credit rows 10 for every doubling, up to 200. A spot check is drawn
    at random, not for what is at stake: its gravity alone counts.
    """
    known = TOPICS.get(topic)
    if topic == SPOT_CHECK and known:
        return known.gravity
    unsure = 0 if probability is None else round(100 * (1 - 2 * abs(probability - 0.5)))
    credit = min(200, 10 * (credit_rows or 0).bit_length())
    person = _PERSON if entity_type == "natural_person" else 0
    return (known.gravity if known else 300) + person + unsure + min(records, _MOST_RECORDS) + credit


def risk_in(state: str) -> int:
    """Return what the state of a case adds to its risk: differing opinions come first, what nobody can tell last."""
    return _OF_STATE.get(state, 0)


def choices(*, together: bool) -> tuple[Choice, ...]:
    """Return what may be ruled on a case, whose two records stand in one entity or in two."""
    return ("same", "different", "not_here", "cannot_tell") if together else ("same", "different", "cannot_tell")
