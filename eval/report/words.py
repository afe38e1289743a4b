"""Every text of the report in Chinese and English, and how its figures are written.

The texts are in `texts.toml`: sentences with named places, and names of codes by group. A code without a name is shown
as it is, so that a new rule or reason needs no change there to appear.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

from eval.errors import EvalError

Lang = Literal["zh", "en"]
# Group of codes → code → its name in Chinese and in English.
Labels = Mapping[str, Mapping[str, tuple[str, str]]]

LANGS: tuple[Lang, ...] = get_args(Lang)


@dataclass(frozen=True)
class Words:
    """The texts of one language.

    Attributes:
        lang: the language.
        labels: names of codes that only the run knows, such as its rules; they come before those of `texts.toml`.
    """

    lang: Lang
    labels: Labels = field(default_factory=dict, compare=False)

    @property
    def html_lang(self) -> str:
        """The language as HTML names it."""
        return "zh-CN" if self.lang == "zh" else "en"

    def text(self, key: str, **values: Any) -> str:
        """Return a sentence with its places filled.

        In English a noun after a figure is written with both endings, `{n} entit(y|ies)`, and takes the one that fits.
        """
        filled = str(texts()["texts"][key][self.lang]).format(**values)
        return _NOUN.sub(_ending, filled) if self.lang == "en" else filled

    def label(self, group: str, code: str | None) -> str:
        """Return the name of a code, or the code itself where it has none."""
        if code is None:
            return self.none
        own = self.labels.get(group, {}).get(code)
        if own is not None:
            return self.pick(*own)
        labels = texts()["labels"]
        known = labels.get(group, {}).get(code)
        if known is None and group == "comparison":
            # A comparison is usually called after the field it compares.
            known = labels["field"].get(code)
        return code if known is None else str(known[self.lang])

    def pick(self, zh: str, en: str) -> str:
        """Return the one of two texts that is in this language."""
        return zh if self.lang == "zh" else en

    @property
    def none(self) -> str:
        """What stands where there is no figure."""
        return "–"

    def count(self, value: int | None) -> str:
        """Return a count with thousands separators."""
        return self.none if value is None else f"{value:,}"

    def percent(self, value: float | None, digits: int = 2) -> str:
        """Return a share in percent; never rounded up to 100% or down to 0%.

        >>> Words("en").percent(0.99999), Words("en").percent(1.0), Words("en").percent(0.00001)
        ('> 99.99%', '100%', '< 0.01%')
        """
        if value is None:
            return self.none
        if value in (0, 1):
            return f"{value * 100:.0f}%"
        shown = f"{value * 100:.{digits}f}"
        step = 10**-digits
        if float(shown) >= 100:
            return f"> {100 - step:.{digits}f}%"
        if float(shown) <= 0:
            return f"< {step:.{digits}f}%"
        return f"{shown}%"

    def share(self, part: int | None, whole: int | None) -> str:
        """Return part / whole in percent."""
        return self.percent(part / whole if part is not None and whole else None)

    def number(self, value: float | None, digits: int = 2) -> str:
        """Return a number with a fixed number of decimals."""
        return self.none if value is None else f"{value:,.{digits}f}"

    def weight(self, value: float | None) -> str:
        """Return a match weight with its sign.

        >>> Words("en").weight(-3.25), Words("en").weight(0.0)
        ('−3.25', '0.00')
        """
        if value is None:
            return self.none
        shown = f"{abs(value):.2f}"
        sign = "" if float(shown) == 0 else "+" if value > 0 else "−"
        return sign + shown

    def edge(self, value: float) -> str:
        """Return a match weight as briefly as it goes, such as the edge of a bin.

        >>> Words("en").edge(-3.0), Words("en").edge(2.5)
        ('−3', '2.5')
        """
        return f"{value:g}".replace("-", "−")

    def range(self, low: str, high: str) -> str:
        """Return a range from one figure to another."""
        return f"{low} {self.pick('~', 'to')} {high}"

    def duration(self, seconds: float) -> str:
        """Return a length of time in the units a person uses.

        >>> Words("en").duration(3725.2), Words("zh").duration(59.96), Words("en").duration(59.9)
        ('1 h 2 min 5 s', '1 分 0 秒', '59.9 s')
        """
        if round(seconds, 1) < 60:
            return f"{seconds:.1f} {self.pick('秒', 's')}"
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        parts = ((hours, self.pick("小时", "h")), (minutes, self.pick("分", "min")), (rest, self.pick("秒", "s")))
        return " ".join(f"{value} {unit}" for value, unit in parts[0 if hours else 1 :])

    def probability(self, value: float | None) -> str:
        """Return a probability with six decimals, and small ones as powers of ten."""
        if value is None:
            return self.none
        return f"{value:.1e}" if 0 < value < 1e-4 else f"{value:.6f}"


# A figure, perhaps adjectives, and the end of a noun in both numbers.
_NOUN = re.compile(r"(?<![\w.,])([\d,]+)( [a-z ]*)\(([a-z]*)\|([a-z]*)\)")


def _ending(match: re.Match[str]) -> str:
    figure, noun, one, many = match.groups()
    return figure + noun + (one if figure == "1" else many)


def words(lang: str, labels: Labels | None = None) -> Words:
    """Return the texts of a language.

    Args:
        lang: zh or en.
        labels: names of codes that only the run knows.

    Raises:
        EvalError: there are none.
    """
    for known in LANGS:
        if lang == known:
            return Words(known, labels or {})
    raise EvalError(f"lang: no texts in {lang!r}; expected one of {', '.join(LANGS)}")


@cache
def texts() -> dict[str, Any]:
    """Return the content of `texts.toml`: `texts` (key to languages) and `labels` (group to code to languages)."""
    return tomllib.loads(resources.files("eval.report").joinpath("texts.toml").read_text(encoding="utf-8"))
