"""What happens in the district from one month to the next.

`advance` changes the world in place and returns whom something happened to, so that the sources can learn of it. What
was true before stays known as the old address, phone or former name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from eval.simulator import documents, names
from eval.simulator.addresses import homes, premises
from eval.simulator.channels import World
from eval.simulator.columns import Draw, Ints, Mask, cut, join, matches, pick_rows, put, rows_of, take, where
from eval.simulator.households import HEAD
from eval.simulator.organisation_names import BRANCH, ENTERPRISE, INDIVIDUAL, rebranded
from eval.simulator.organisations import CLOSED
from eval.simulator.population import mobile_numbers
from eval.simulator.profile import MonthSettings


@dataclass(frozen=True)
class Changes:
    """Who changed in a month, by row of people and of organisations."""

    people: Mask
    organisations: Mask


def advance(world: World, month: int, settings: MonthSettings, rng: Draw) -> Changes:
    """Let a month pass.

    Args:
        world: the district; changed in place.
        month: the month that begins, 2 or later.
        settings: the shares of subjects things happen to.
        rng: generator.
    """
    changed = Changes(np.zeros(len(world.people), dtype=bool), np.zeros(len(world.organisations), dtype=bool))
    present = world.people.at(month - 1)
    for rows in (
        _leave(world, present, month, settings, rng),
        _move(world, present, settings.moves, rng),
        _change_phones(world, present, settings.phone_changes, rng),
        _rename(world, present, settings.renames, rng),
        _change_jobs(world, present, settings.job_changes, rng),
        _renew_documents(world, present, settings.document_renewals, rng),
    ):
        changed.people[rows] = True
    existing = world.organisations.at(month - 1)
    for rows in (
        _close(world, existing, settings.closures, rng),
        _rename_firms(world, existing, settings.company_renames, rng),
        _move_firms(world, existing, settings.company_moves, rng),
        _change_representatives(world, existing, settings, rng),
        _reregister(world, month, settings.reregistrations, rng),
    ):
        changed.organisations[rows] = True
    return changed


def _some(rng: Draw, rows: Ints, share: float) -> Ints:
    return rows[pick_rows(rng, len(rows), share)]


def _leave(world: World, rows: Ints, month: int, settings: MonthSettings, rng: Draw) -> Ints:
    people = world.people
    age = (world.months[month - 1] - people.households.birth[rows]) / 365.25
    # Deaths fall mostly on the old; the share is of everybody.
    risk = settings.deaths * np.where(age > 65, 12.0, 0.3)
    died = rows[rng.random(len(rows)) < risk]
    heads = rows[people.households.role[rows] == HEAD]
    left = np.isin(people.households.head[rows], _some(rng, heads, settings.departures))
    gone = np.union1d(died, rows[left])
    people.leaves[gone] = month
    return gone


def _move(world: World, rows: Ints, share: float, rng: Draw) -> Ints:
    people = world.people
    movers = _some(rng, rows[people.households.role[rows] == HEAD], share)
    place, room = homes(rng, world.places, len(people))
    moved = rows[np.isin(people.households.head[rows], movers)]
    head = people.households.head[moved]
    people.old_place[moved], people.old_room[moved] = people.place[moved], people.room[moved]
    people.place[moved], people.room[moved] = place[head], room[head]
    return moved


def _change_phones(world: World, rows: Ints, share: float, rng: Draw) -> Ints:
    people, chosen = world.people, _some(rng, rows, share)
    people.old_phone[chosen] = people.phone[chosen]
    people.phone[chosen] = mobile_numbers(rng, len(chosen))
    return chosen


def _rename(world: World, rows: Ints, share: float, rng: Draw) -> Ints:
    people = world.people
    plain = (people.id_type == documents.RESIDENT) & matches(people.name, "^..{1,2}$")
    chosen: Ints = _some(rng, rows[plain[rows]], share)
    before = rows_of(people.name, chosen)
    sex = np.where(plain, people.households.sex, 0).astype(np.int8)
    people.name = names.renamed(rng, people.name, chosen, given=cut(people.name, 1), sex=sex)
    people.former_name = put(people.former_name, chosen, before)
    return chosen


def _change_jobs(world: World, rows: Ints, share: float, rng: Draw) -> Ints:
    people = world.people
    chosen = _some(rng, rows[people.employer[rows] >= 0], share)
    people.employer[chosen] = people.employer[rng.permutation(chosen)]
    return chosen


def _renew_documents(world: World, rows: Ints, share: float, rng: Draw) -> Ints:
    people = world.people
    outsiders = rows[people.id_type[rows] != documents.RESIDENT]
    chosen = _some(rng, outsiders, share)
    old = rows_of(people.id_number, chosen)
    fresh = documents.other_documents(rng, people.households, people.id_type, np.zeros(len(people), dtype=np.int64))
    passport = people.id_type[chosen] == documents.PASSPORT
    renewed = where(passport, rows_of(fresh, chosen), documents.renewed_permit(rng, cut(old, 0, 9)))
    taiwan = people.id_type[chosen] == documents.TAIWAN_PERMIT
    people.id_number = put(people.id_number, chosen, where(taiwan, old, renewed))
    renewals: Ints = chosen[~taiwan]
    return renewals


def _close(world: World, rows: Ints, share: float, rng: Draw) -> Ints:
    chosen = _some(rng, rows, share)
    world.organisations.status = put(
        world.organisations.status, chosen, take((CLOSED,), np.zeros(len(chosen), dtype=int))
    )
    return chosen


def _rename_firms(world: World, rows: Ints, share: float, rng: Draw) -> Ints:
    all_ = world.organisations
    chosen = _some(rng, rows[np.isin(all_.kind[rows], (ENTERPRISE, INDIVIDUAL))], share)
    before = rows_of(all_.name, chosen)
    earlier = rows_of(all_.former_names, chosen)
    all_.name = put(all_.name, chosen, rebranded(rng, before))
    both = where(np.asarray(pc.is_valid(earlier)), join(earlier, ";", before), before)
    all_.former_names = put(all_.former_names, chosen, both)
    return chosen


def _move_firms(world: World, rows: Ints, share: float, rng: Draw) -> Ints:
    all_, chosen = world.organisations, _some(rng, rows, share)
    all_.old_place[chosen], all_.old_room[chosen] = all_.place[chosen], all_.room[chosen]
    place, room = premises(rng, world.places, all_.kind[chosen] == INDIVIDUAL)
    all_.place[chosen], all_.room[chosen] = place, room
    all_.secretary[chosen] = False
    return chosen


def _change_representatives(world: World, rows: Ints, settings: MonthSettings, rng: Draw) -> Ints:
    all_ = world.organisations
    operators = rows[all_.kind[rows] == INDIVIDUAL]
    others = rows[all_.kind[rows] != INDIVIDUAL]
    chosen = np.concatenate(
        [_some(rng, operators, settings.operator_changes), _some(rng, others, settings.representative_changes)]
    )
    adults = world.people.adults(int(world.months[0]))
    if len(adults):
        all_.rep[chosen] = adults[rng.integers(0, len(adults), len(chosen))]
    return chosen


def _reregister(world: World, month: int, share: float, rng: Draw) -> Ints:
    """Let some organisations founded this month be closed ones again: same name, place and people, a new code."""
    all_ = world.organisations
    opening = _some(rng, np.flatnonzero((all_.opens == month) & np.isin(all_.kind, (ENTERPRISE, INDIVIDUAL))), share)
    closed = np.asarray(pc.equal(all_.status, CLOSED)) & (all_.opens < month) & (all_.kind != BRANCH)
    models = np.flatnonzero(closed)
    if len(models) == 0 or len(opening) == 0:
        return np.empty(0, dtype=np.int64)
    model = rng.permutation(models)[: len(opening)]
    opening = opening[: len(model)]
    all_.name = put(all_.name, opening, rows_of(all_.name, model))
    for column in (all_.rep, all_.place, all_.room, all_.phone):
        column[opening] = column[model]
    all_.predecessor[opening] = model
    return opening
