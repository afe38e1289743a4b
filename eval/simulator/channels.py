"""How a source sees the district: who is in it, and what it would write about them if nobody erred.

`observe` renders the canonical columns a source has for some subjects as of now, and offers the other values each
subject has (former name, old phone, a relative's number), from which `errors.py` makes the characteristic mistakes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow.compute as pc

from eval.simulator import organisation_names
from eval.simulator import organisations as firms
from eval.simulator.addresses import STYLE_NAMES, Places, render
from eval.simulator.columns import (
    Draw,
    Ints,
    Mask,
    Text,
    choose,
    constant,
    cut,
    days,
    digits,
    join,
    nothing,
    rows_of,
    take,
    where,
)
from eval.simulator.documents import DOCUMENT_NAMES, RESIDENT
from eval.simulator.error_table import Alternative, Batch
from eval.simulator.households import HEAD
from eval.simulator.organisations import Organisations
from eval.simulator.population import People
from eval.simulator.sources import SourcePlan, shape


@dataclass
class World:
    """The district in the current month: its buildings, people and organisations, and the first days of its months."""

    places: Places
    people: People
    organisations: Organisations
    months: Ints


def eligible(world: World, who: str, month: int) -> Ints:
    """Return the subjects (rows) a kind of source could have in a month."""
    return {
        "people": lambda: world.people.at(month),
        "adults": lambda: _aged(world, month, 18, 75),
        "phone_owners": lambda: _aged(world, month, 10, 90),
        "employees": lambda: _employees(world, month),
        "householders": lambda: _householders(world, month),
        "registered": lambda: _kinds(world, month, (0, 1, 2, 3, 6)),
        "taxpayers": lambda: _kinds(world, month, (0, 1, 2, 3, 4, 6)),
        "employers": lambda: _kinds(world, month, (0, 1, 3, 4, 5, 6)),
        "public": lambda: _kinds(world, month, (4, 5, 7)),
        "premises": lambda: _kinds(world, month, (0, 1, 2, 4, 6)),
    }[who]()


def observe(world: World, plan: SourcePlan, subjects: Ints, rng: Draw) -> Batch:
    """Render what a source would write about subjects now, free of errors.

    Args:
        world: the district.
        plan: the source.
        subjects: rows of people or organisations, one per record.
        rng: generator.
    """
    weights = np.array([plan.styles.get(style, 0.0) for style in STYLE_NAMES])
    style = choose(rng, weights, len(subjects))
    entity = shape(plan.name).entity
    fields = shape(plan.name).fields
    if entity == "natural_person":
        return _observe_people(world, subjects, style, fields, rng)
    return _observe_organisations(world, subjects, style, fields, rng)


def _aged(world: World, month: int, youngest: int, oldest: int) -> Ints:
    rows = world.people.at(month)
    age = (world.months[month - 1] - world.people.households.birth[rows]) / 365.25
    aged: Ints = rows[(age >= youngest) & (age < oldest)]
    return aged


def _employees(world: World, month: int) -> Ints:
    rows = world.people.at(month)
    employed: Ints = rows[world.people.employer[rows] >= 0]
    return employed


def _householders(world: World, month: int) -> Ints:
    rows = world.people.at(month)
    heads: Ints = rows[world.people.households.role[rows] == HEAD]
    return heads


def _kinds(world: World, month: int, kinds: tuple[int, ...]) -> Ints:
    rows = world.organisations.at(month)
    return rows[np.isin(world.organisations.kind[rows], kinds)]


def _observe_people(world: World, subjects: Ints, style: Ints, fields: tuple[str, ...], rng: Draw) -> Batch:
    people, places = world.people, world.places
    columns = _wanted(
        fields,
        {
            "name": lambda: rows_of(people.name, subjects),
            "former_names": lambda: rows_of(people.former_name, subjects),
            "id_type": lambda: take(DOCUMENT_NAMES, people.id_type[subjects]),
            "id_number": lambda: rows_of(people.id_number, subjects),
            "birth_date": lambda: days(people.households.birth[subjects]),
            "sex": lambda: take(("男", "女"), people.households.sex[subjects] - 1),
            "phone": lambda: digits(people.phone[subjects]),
            "address": lambda: render(places, people.place[subjects], people.room[subjects], style),
            "household_address": lambda: rows_of(people.household_address, subjects),
            "employer_name": lambda: take(world.organisations.name, people.employer[subjects]),
            "employer_uscc": lambda: take(world.organisations.uscc, people.employer[subjects]),
            "ethnicity": lambda: rows_of(people.ethnicity, subjects),
            "nationality": lambda: rows_of(people.nationality, subjects),
        },
    )

    def relative_id(rows: Ints) -> Text:
        own = subjects[rows]
        head = people.households.head[own]
        other = np.where(head == own, np.minimum(own + 1, len(people) - 1), head)
        same_home = people.households.head[other] == head
        return where(
            same_home & (people.id_type[other] == RESIDENT), rows_of(people.id_number, other), nothing(len(rows))
        )

    def next_id_type(rows: Ints) -> Text:
        return take(DOCUMENT_NAMES, people.id_type[subjects[(rows + 1) % len(subjects)]])

    alternatives: dict[str, Alternative] = {
        "former_name": lambda rows: rows_of(people.former_name, subjects[rows]),
        "latin_name": lambda rows: rows_of(people.latin_name, subjects[rows]),
        "relative_id": relative_id,
        "next_id_type": next_id_type,
        "second_number": lambda rows: rows_of(people.second_number, subjects[rows]),
        "second_type": lambda rows: take(DOCUMENT_NAMES, people.second_type[subjects[rows]]),
        "stale_phone": lambda rows: digits(people.old_phone[subjects[rows]]),
        **_addresses(places, people, subjects, style, rng),
    }
    return Batch("natural_person", columns, alternatives)


def _observe_organisations(world: World, subjects: Ints, style: Ints, fields: tuple[str, ...], rng: Draw) -> Batch:
    all_, people, places = world.organisations, world.people, world.places
    rep, kind = all_.rep[subjects], all_.kind[subjects]
    columns = _wanted(
        fields,
        {
            "name": lambda: rows_of(all_.name, subjects),
            "former_names": lambda: rows_of(all_.former_names, subjects),
            "entity_kind": lambda: take(firms.KIND_NAMES, kind),
            "uscc": lambda: rows_of(all_.uscc, subjects),
            "registration_number": lambda: rows_of(all_.registration_number, subjects),
            "organization_code": lambda: _organisation_codes(all_, subjects, rng),
            "tax_number": lambda: rows_of(all_.tax_number, subjects),
            "legal_rep_name": lambda: rows_of(people.name, rep),
            "legal_rep_id_type": lambda: take(DOCUMENT_NAMES, people.id_type[rep]),
            "legal_rep_id_number": lambda: rows_of(people.id_number, rep),
            "address": lambda: _premises(world, subjects, style),
            "phone": lambda: _phones(all_.phone[subjects]),
            "established_date": lambda: days(all_.established[subjects]),
            "status": lambda: rows_of(all_.status, subjects),
        },
    )
    individual = kind == organisation_names.INDIVIDUAL

    def old_code(rows: Ints) -> Text:
        code = rows_of(all_.uscc, subjects[rows])
        hyphened = join(cut(code, 8, 16), "-", cut(code, 16, 17))
        number = rows_of(all_.registration_number, subjects[rows])
        return where(rng.random(len(rows)) < 0.5, hyphened, pc.coalesce(number, hyphened))

    def if_individual(values: Text, rows: Ints) -> Text:
        return where(individual[rows], rows_of(values, rep[rows]), nothing(len(rows)))

    def status_note(rows: Ints) -> Text:
        status = rows_of(all_.status, subjects[rows])
        gone = np.asarray(pc.not_equal(status, firms.OPEN))
        return where(gone, take(("已注销", "吊销", "注销", "停业"), rng.integers(0, 4, len(rows))), nothing(len(rows)))

    alternatives: dict[str, Alternative] = {
        "former_name": lambda rows: rows_of(all_.former_names, subjects[rows]),
        "latin_name": lambda rows: rows_of(people.latin_name, rep[rows]),
        "old_code": old_code,
        "operator_id": lambda rows: if_individual(people.id_number, rows),
        "operator_name": lambda rows: if_individual(people.name, rows),
        "parent_name": lambda rows: take(all_.name, all_.parent[subjects[rows]]),
        "status_note": status_note,
        "code": lambda rows: rows_of(all_.uscc, subjects[rows]),
        "stale_phone": lambda rows: _phones(all_.old_phone[subjects[rows]]),
        **_addresses(places, all_, subjects, style, rng),
    }
    return Batch("legal_person", columns, alternatives)


def _wanted(fields: tuple[str, ...], values: dict[str, Callable[[], Text]]) -> dict[str, Text]:
    return {field: values[field]() for field in fields}


def _addresses(
    places: Places, all_: People | Organisations, subjects: Ints, style: Ints, rng: Draw
) -> dict[str, Alternative]:
    """Offer an address of before, one with the street names of before, one in another style."""

    def stale(rows: Ints) -> Text:
        return render(places, all_.old_place[subjects[rows]], all_.old_room[subjects[rows]], style[rows])

    def written(how: Callable[[Ints], Ints], rows: Ints) -> Text:
        return render(places, all_.place[subjects[rows]], all_.room[subjects[rows]], how(rows))

    old = STYLE_NAMES.index("old_street")
    return {
        "stale_address": stale,
        "old_street_address": partial(written, lambda rows: np.full(len(rows), old)),
        "restyled_address": partial(written, lambda rows: rng.integers(0, len(STYLE_NAMES), len(rows))),
    }


def _organisation_codes(all_: Organisations, subjects: Ints, rng: Draw) -> Text:
    """Return old organisation codes, with their hyphen mostly; codes of after 2015 have none in half of the cases."""
    code = rows_of(all_.uscc, subjects)
    plain = cut(code, 8, 17)
    written = where(rng.random(len(subjects)) < 0.7, join(cut(plain, 0, 8), "-", cut(plain, 8)), plain)
    recent = np.asarray(pc.starts_with(plain, "M"))
    return where(recent & (rng.random(len(subjects)) < 0.5), nothing(len(subjects)), written)


def _premises(world: World, subjects: Ints, style: Ints) -> Text:
    all_ = world.organisations
    address = render(world.places, all_.place[subjects], all_.room[subjects], style)
    secretary = all_.secretary[subjects]
    hosts = constant("（入驻前湾企服商务秘书有限公司）", len(subjects))
    return where(secretary, join(address, hosts), address)


def _phones(numbers: Ints) -> Text:
    landline: Mask = numbers < 100_000_000
    return join(where(landline, constant("0755", len(numbers)), constant("", len(numbers))), digits(numbers))
