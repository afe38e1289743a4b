"""The words organisation names are built of: trades and organisation forms, read from `reference/`.

`FORMS` maps an ending to its canonical form, the kind of organisation and its use; `trade_start` finds where the trade
begins in a text of brand and trade.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from matchers.organization_text import HAN, rows, words


class Form(NamedTuple):
    """An ending of a name: canonical form, kind of organisation, and whether it stays in the trade."""

    form: str
    kind: str
    use: str


FORMS: dict[str, Form] = {surface: Form(*rest) for surface, *rest in rows("organization_forms.tsv")}
_KEPT = frozenset(surface for surface, form in FORMS.items() if form.use == "keep")
_ALL_TRADES = frozenset(words("organization_trades.txt")) | _KEPT
TRADES = frozenset(word for word in _ALL_TRADES if len(word) > 1)
_LAST_TRADES = _ALL_TRADES - TRADES
_lengths: dict[str, set[int]] = {}
for _word in TRADES:
    _lengths.setdefault(_word[:2], set()).add(len(_word))
_TRADE_LENGTHS = {start: tuple(sorted(found)) for start, found in _lengths.items()}
_LONGEST_FORM = max(map(len, FORMS))
_ENDINGS = frozenset(surface[-1] for surface in FORMS)

_heads = sorted((s for s, f in FORMS.items() if f.use == "head"), key=len, reverse=True)
# A bare 公司 inside 分公司, 子公司 or 支公司 ends no parent name; the one behind 电子 does.
HEAD = re.compile("|".join(f"(?<![分支])(?<![^电种]子){s}" if s == "公司" else s for s in _heads))

_WIDE_BODIES = {
    "company": "company",
    "partnership": "business",
    "sole": "business",
    "individual_business": "business",
    "other": "business",
    "cooperative": "cooperative",
}
_OPEN_FORMS = frozenset(("事务所", "企业", "委员会", "培训中心", "教育中心"))
"""Endings that many kinds of body share."""

_SAME: dict[str, str] = {row[0]: row[1] for row in rows("organization_trade_synonyms.tsv")}
_SYNONYM = re.compile("|".join(sorted(_SAME, key=len, reverse=True)))

SURNAMES = frozenset(words("organization_surnames.txt"))
_PERSON = re.compile(rf"[{HAN}]{{2,4}}")
_NO_PERSON_END = frozenset("店厂馆部铺吧坊档摊区市县镇村路街省园城站所院局处校队司业社会房场厦")


def ending(text: str) -> tuple[int, Form] | None:
    """Return where the longest organisation form at the end of a text begins, and the form.

    >>> ending("张三小吃店")
    (4, Form(form='店', kind='individual_business', use='strip'))
    """
    if not text or text[-1] not in _ENDINGS:
        return None
    for length in range(min(_LONGEST_FORM, len(text)), 0, -1):
        form = FORMS.get(text[-length:])
        if form is not None and form.use != "head":
            return len(text) - length, form
    return None


def body_of(form: Form) -> str | None:
    """Return the kind of body that a form tells, one value for forms that departments use for one another.

    Shops, works and centres are worded loosely and are one kind; a school, its kindergarten and its union are three,
    and so are the bodies of one community. None: bodies of many kinds end so.

    >>> body_of(FORMS["居委会"]), body_of(FORMS["商行"]), body_of(FORMS["事务所"])
    ('居民委员会', 'business', None)
    """
    return None if form.form in _OPEN_FORMS else _WIDE_BODIES.get(form.kind, form.form)


def trade_start(text: str) -> int:
    """Return where the trade begins: the longest run of trade words at the end that leaves a brand of two characters.

    A text of trade words only has no brand; the result is its length if it ends in no trade word.

    >>> trade_start("毅达电子设备"), trade_start("电子设备"), trade_start("毅达")
    (2, 0, 2)
    """
    size = len(text)
    reached = [False] * size + [True]
    if size > 1 and text[-1] in _LAST_TRADES:
        reached[size - 1] = True
    first = size - 1 if size > 2 and reached[size - 1] else size
    for start in range(size - 2, -1, -1):
        for length in _TRADE_LENGTHS.get(text[start : start + 2], ()):
            end = start + length
            if end <= size and reached[end] and (length == 2 or text[start:end] in TRADES):
                reached[start] = True
                if start >= 2:
                    first = start
                break
    if size and reached[0]:
        return 0
    if first < size:
        return first
    return 1 if size > 1 and reached[1] else size


@lru_cache(maxsize=65536)
def common_trade(trade: str) -> str:
    """Return a trade with interchangeable words written one way.

    >>> common_trade("电子技术"), common_trade("国际商贸")
    ('电子科技', '国际贸易')
    """
    return _SYNONYM.sub(lambda match: _SAME[match[0]], trade)


def is_person_like(text: str) -> bool:
    """Tell whether a text could be a person's name: two to four Chinese characters, the first a common surname."""
    if not _PERSON.fullmatch(text) or text[-1] in _NO_PERSON_END:
        return False
    return (text[0] in SURNAMES and len(text) <= 3) or (text[:2] in SURNAMES and len(text) >= 3)


def ends_given_name(text: str) -> bool:
    """Tell whether the form a text seems to end with ends a person's name: 轩, of more people than tea houses."""
    return text[-1:] == "轩" and is_person_like(text)
