"""Names of organisations: region, brand, trade and form, composed as the law and custom have it.

Brands are composed of auspicious characters, so that they are fictional; generic ones are shared, some are one
character away from another, siblings carry one brand over different trades. Public bodies are told apart by an ordinal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eval.simulator.columns import (
    Draw,
    Ints,
    Mask,
    Text,
    choose,
    cut,
    digits,
    join,
    pick_rows,
    put,
    replace,
    rows_of,
    take,
    where,
    zipf,
)
from eval.simulator.profile import OrganisationSettings
from eval.simulator.reference_tables import rows, words

ENTERPRISE, INDIVIDUAL, BRANCH, PARTNERSHIP, INSTITUTION, SOCIAL, VILLAGE, COMMITTEE = range(8)


def make_names(
    rng: Draw,
    kind: NDArray[np.int8],
    sibling_of: Ints,
    parent: Ints,
    operator: Text,
    settings: OrganisationSettings,
) -> Text:
    """Compose a name for every organisation.

    Args:
        rng: generator.
        kind: kind of each organisation.
        sibling_of: row whose brand it shares, -1 for none.
        parent: row of a branch's parent, -1 for none.
        operator: name of the representative.
        settings: the organisation profile.
    """
    count = len(kind)
    brand = make_brands(rng, count, settings.generic_brand_share, settings.similar_brand_share)
    brand = take(brand, np.where(sibling_of >= 0, sibling_of, np.arange(count)))
    name = _unlike_each_other(rng, kind == ENTERPRISE, _company_names(rng, brand))
    name = where(kind == INDIVIDUAL, _shop_names(rng, brand, operator, settings), name)
    partnership = join("深圳市", brand, _words(rng, "trade_company", count), _words(rng, "form_partnership", count))
    name = where(kind == PARTNERSHIP, partnership, name)
    community = _communities(rng, count)
    public = join("深圳市宝安区", community, _words(rng, "institution", count))
    name = where(kind == INSTITUTION, public, name)
    social = join("深圳市宝安区", community, _words(rng, "social", count))
    alumni = join("深圳市", _words(rng, "university", count), "校友会")
    name = where(kind == SOCIAL, where(rng.random(count) < 0.15, alumni, social), name)
    name = where(kind == VILLAGE, join("深圳市", community, "股份合作公司"), name)
    name = where(kind == COMMITTEE, join("深圳市宝安区", community, "社区居民委员会"), name)
    name = _distinct(rng, name, (kind != INDIVIDUAL) & (kind != ENTERPRISE))
    return where(kind == BRANCH, join(take(name, np.maximum(parent, 0)), _words(rng, "branch", count)), name)


def make_brands(rng: Draw, count: int, generic_share: float, similar_share: float) -> Text:
    """Compose brands: two or three characters, some generic, some one character away from another's."""
    first, last = _words(rng, "brand_first", count), _words(rng, "brand_last", count)
    third = where(rng.random(count) < 0.35, _words(rng, "brand_third", count), "")
    brand = join(first, last, third)
    brand = where(rng.random(count) < generic_share, _words(rng, "brand_generic", count, 0.6), brand)
    similar = pick_rows(rng, count, similar_share)
    model = rows_of(brand, rng.integers(0, count, len(similar)))
    return put(brand, similar, join(cut(model, 0, 1), rows_of(last, similar), cut(model, 2)))


def _words(rng: Draw, kind: str, count: int, exponent: float = 0.5) -> Text:
    values = words("organisation_words.tsv", kind)
    return take(values, choose(rng, zipf(len(values), exponent), count))


def _communities(rng: Draw, count: int) -> Text:
    names = [name for row in rows("places.tsv") if row[0] == "宝安区" for name in row[6].split()]
    return take(names, rng.integers(0, len(names), count))


def _company_names(rng: Draw, brand: Text) -> Text:
    count = len(brand)
    factory = rng.random(count) < 0.06
    trade = where(factory, _words(rng, "trade_factory", count), _words(rng, "trade_company", count))
    form = take(words("organisation_words.tsv", "form_company"), choose(rng, (0.93, 0.02, 0.04, 0.01), count))
    form = where(factory & (rng.random(count) < 0.4), "厂", form)
    style = choose(rng, (0.80, 0.09, 0.05, 0.03, 0.03), count)
    region = take(("深圳市", "", "深圳市宝安区", "深圳", "广东"), style)
    inner = where(style == 1, take(("（深圳）", "(深圳)"), rng.integers(0, 2, count)), "")
    return join(region, brand, trade, inner, form)


def _shop_names(rng: Draw, brand: Text, operator: Text, settings: OrganisationSettings) -> Text:
    count = len(brand)
    streets = [row[2] for row in rows("places.tsv") if row[0] == "宝安区"]
    street = take(streets, choose(rng, [1.0] * len(streets), count))
    with_street = where(rng.random(count) < 0.35, street, "")
    brand = where(rng.random(count) < settings.operator_named_share, operator, brand)
    region = where(rng.random(count) < 0.9, "深圳市宝安区", "宝安区")
    factory = rng.random(count) < 0.12
    trade = where(factory, _words(rng, "trade_factory", count), _words(rng, "trade_shop", count))
    form = where(factory, _words(rng, "form_factory", count, 1.0), _words(rng, "form_shop", count, 0.8))
    suffix = where(rng.random(count) < 0.06, "（个体工商户）", "")
    name = join(region, with_street, brand, trade, form, suffix)
    return where(rng.random(count) < settings.nameless_share, operator, name)


def _unlike_each_other(rng: Draw, mask: Mask, name: Text) -> Text:
    """Give a company whose name is taken already a fresh brand: a registrar refuses the same name."""
    chosen = np.flatnonzero(mask)
    repeated = chosen[_later_ones(rows_of(name, chosen))]
    fresh = make_brands(rng, len(repeated), 0.0, 0.0)
    return put(name, repeated, _company_names(rng, join(fresh, _words(rng, "brand_third", len(repeated)))))


def _later_ones(values: Text) -> Ints:
    """Return the positions whose value has come before."""
    listed = np.array(values.to_pylist(), dtype=np.str_)
    if len(listed) == 0:
        return np.empty(0, dtype=np.int64)
    _, first = np.unique(listed, return_index=True)
    return np.delete(np.arange(len(listed)), first)


def _distinct(rng: Draw, name: Text, mask: Mask) -> Text:
    """Tell public bodies of the same name apart by an ordinal, as the registrar would."""
    chosen = np.flatnonzero(mask)
    rows_ = chosen[_later_ones(rows_of(name, chosen))]
    return put(name, rows_, join(rows_of(name, rows_), "第", digits(2 + rng.integers(0, 90, len(rows_))), "分会"))


def rebranded(rng: Draw, name: Text) -> Text:
    """Return names with the brand exchanged for another, region, trade and form kept."""
    brand = make_brands(rng, len(name), 0.1, 0.0)
    prefix = r"^(广东|深圳市?(?:宝安区)?(?:..街道)?|宝安区(?:..街道)?)?"
    head = replace(name, prefix + r".*$", r"\1")
    tail = replace(name, prefix + r".{2,3}?(..)", r"\2")
    return join(head, brand, tail)
