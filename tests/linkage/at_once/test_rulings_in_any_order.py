"""Rulings in any order, each at once, on either kind of store: what one full run with all of them makes.

Entities of several records with and without a number, rulings on them, their contraries and revocations, some of them
killed after the release and before the batch database.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count

import pytest
from batches import differences, ids_of
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from postgresql_server import Server
from small_district import NOW, copied, release_month
from test_decisions_at_once import QUIET, decide, release

import linkage.at_once.resolve
from golden_records.catalog.store import Catalog, open_catalog
from golden_records.decisions import Decision, propose, read_decisions, revoke
from golden_records.ruling import DecisionError
from linkage.at_once.resolve import Effect, Resolved
from linkage.commands.decide import DecideRequest, record_decision
from linkage.commands.verify import verify
from linkage.ingest.loads import ingest_files
from linkage.rulings.contradictions import refuse_contradiction
from linkage.sources import source_of
from linkage.workspace import Workspace, create_workspace, open_workspace

PERSON = "natural_person"
FIELDS = ("name", "id_number", "birth_date", "phone", "address")
WANG, LI = "11010519491231002X", "440524188001010014"
HOME, ROOM = "深圳市宝安区新安街道安乐村一坊1号103室", "深圳市宝安区西乡街道侨香路48号丽景城8栋1803"
# Two entities with a number, one without, two alone; the sixth and seventh rows say the same.
ROWS = (
    ("王小明", WANG, "", "13800001234", HOME),
    ("王小明", WANG, "", "", ""),
    ("王小明", "", "1949-12-31", "13800001234", HOME),
    ("李娜", LI, "", "13900005678", ROOM),
    ("李娜", "", "1880-01-01", "13900005678", ROOM),
    ("欧阳静", "", "1990-03-04", "13700004321", ROOM),
    ("欧阳静", "", "1990-03-04", "13700004321", ROOM),
    ("欧阳静", "", "1990-03-04", "13700004321", ""),
    ("赵一", "", "1971-02-03", "", ""),
    ("钱二", "", "1972-03-04", "", ""),
)
_CONFIG = f"""source = "register"
channel = "city_platform"
entity = "{PERSON}"
rank = 1

[key]
source_record_id = "source_record_id"

[columns]
{chr(10).join(f'{field} = "{field}"' for field in FIELDS)}
"""


@dataclass(frozen=True)
class Step:
    """A ruling on two records by their places, or the revocation of a decision; and whether it is cut off."""

    kind: str
    left: int
    right: int
    scope: str | None = None
    cut: bool = False

    @property
    def request(self) -> DecideRequest:
        if self.kind == "revoke":
            return DecideRequest("甲", revoke=1 + self.left % 4, note="withdrawn")
        records = tuple(f"register:R{number}" for number in (self.left, self.right))
        return DecideRequest("甲", self.kind, records, self.scope, "review")  # type: ignore[arg-type]


_places = st.integers(0, len(ROWS) - 1)
_kinds = st.sampled_from(("same", "different", "not_here", "revoke", "revoke"))
_pairs = st.tuples(_places, _places).filter(lambda pair: pair[0] != pair[1])
_steps = st.builds(
    lambda kind, pair, scope, cut: Step(kind, *pair, scope, cut),
    _kinds,
    _pairs | st.sampled_from(((2, 4), (0, 4), (2, 5))),
    st.sampled_from((None, "entities")),
    st.booleans(),
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of the rows, released once. Never changed: work on a copy."""
    folder = tmp_path_factory.mktemp("rulings")
    workspace = create_workspace(folder / "town")
    (workspace.root / "sources").mkdir()
    (workspace.root / "sources" / "register.toml").write_text(_CONFIG, "utf-8")
    path = workspace.root / "guiyi.toml"
    path.write_text('sources = "sources"\n' + path.read_text("utf-8"), "utf-8")
    workspace = open_workspace(workspace.root)
    with (folder / "register.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["source_record_id", *FIELDS])
        writer.writerows((f"R{number}", *row) for number, row in enumerate(ROWS))
    ingest_files(
        (folder / "register.csv",), source=source_of(workspace, "register"), as_of=date(2025, 1, 1), mode="full",
        root=workspace.root, now=NOW,
    )  # fmt: skip
    copied(workspace, folder / "unreleased")
    release_month(workspace)
    return workspace


@pytest.fixture(scope="module")
def stores(town: Workspace, postgresql_server: Server) -> Iterator[tuple[Workspace, Server, str]]:
    """The same town released into a database, to copy as a template."""
    name = "rulings_in_any_order"
    there = open_workspace(town.root.parent / "unreleased")
    with postgresql_server.database(name) as place:
        path = there.root / "guiyi.toml"
        path.write_text(path.read_text("utf-8").replace('"catalog.sqlite"', json.dumps(place.secret())), "utf-8")
        there = open_workspace(there.root)
        release_month(there)
        yield there, postgresql_server, name


_numbers = count(1)


def require_ruled(decisions: Sequence[Decision], homes: Mapping[str, str]) -> None:
    """Require that what is ruled the same stands in one entity, and what is kept apart in several."""
    for decision in decisions:
        first = [homes[group[0]] for group in decision.ruling.groups]
        if decision.ruling.kind == "same":
            assert len({homes[record] for record in decision.records}) == 1
        else:
            assert len(set(first)) == len(first)


def say_the_same(here: Workspace, anew: Workspace, day: int) -> None:
    """Record what was ruled last on the one workspace on the other as well: of whole entities, those of the one."""
    with open_catalog(here.catalog, read_only=True) as catalog:
        last = max(read_decisions(catalog), key=lambda decision: (decision.events[-1].at, decision.decision_id))
    now = NOW + timedelta(days=day)
    with open_catalog(anew.catalog) as catalog:
        if last.state == "revoked":
            revoke(catalog, last.decision_id, by=last.author, now=now, note="withdrawn")
        else:
            policy = anew.settings.decisions.policy
            propose(catalog, last.ruling, policy=policy, author=last.author, now=now, check=refuse_contradiction)


_publish = linkage.at_once.resolve._publish


def cut_off(again: Resolved, catalog: Catalog, *, now: datetime) -> Effect:
    """Publish the release, and leave the batch database as it was; catching up before it is not cut off."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(linkage.at_once.resolve, "splice", lambda *_, **__: None)
        return _publish(again, catalog, now=now)


def follow(here: Workspace, there: Workspace, anew: Workspace, steps: Sequence[Step]) -> None:
    """Lead two workspaces through the steps at once, and a third through all of them in one full run."""
    for day, step in enumerate(steps, start=1):
        with pytest.MonkeyPatch.context() as patched:
            if step.cut:
                patched.setattr(linkage.at_once.resolve, "_publish", cut_off)
            try:
                decide(here, step.request, day)
            except DecisionError:
                with pytest.raises(DecisionError):
                    decide(there, step.request, day)
                continue
            decide(there, step.request, day)
        say_the_same(here, anew, day)
        for workspace in (here, there):
            with open_catalog(workspace.catalog, read_only=True) as catalog:
                rows = catalog.execute("select source || ':' || source_record_id, entity_id from record_link")
                require_ruled(read_decisions(catalog, state="active"), dict(rows.fetchall()))
    for workspace in (here, there):  # what was cut off last is made up for
        record_decision(workspace, Step("same", 8, 9).request, now=NOW + timedelta(days=90), console=QUIET)
    say_the_same(here, anew, 90)
    release(anew, 91, full=True)
    assert differences(here, there, PERSON) == {}
    assert ids_of(here, PERSON) == ids_of(there, PERSON)
    assert differences(here, anew, PERSON) == {}
    for workspace in (here, there):
        assert [check for check in verify(workspace) if not check.holds] == []


@settings(
    max_examples=4, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck)
)
@example(steps=[Step("different", 2, 4), Step("same", 2, 4), Step("revoke", 0, 0), Step("same", 2, 4)])
@example(steps=[Step("same", 2, 8, cut=True)])
@example(steps=[Step("same", 0, 4, cut=True), Step("same", 2, 5, cut=True)])
@example(steps=[Step("same", 2, 4, "entities", cut=True), Step("revoke", 0, 0), Step("different", 1, 2)])
@example(steps=[Step("same", 0, 3), Step("different", 2, 4, "entities"), Step("revoke", 0, 0, cut=True)])
@given(steps=st.lists(_steps.filter(lambda s: {s.left, s.right} != {8, 9}), min_size=2, max_size=7))
def test_rulings_in_any_order_make_the_tables_of_a_full_run_on_either_store(
    steps: list[Step],
    town: Workspace,
    stores: tuple[Workspace, Server, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("order")
    there, server, template = stores
    here, anew = (copied(town, folder / name) for name in ("here", "anew"))
    with server.database(f"rulings_{next(_numbers)}", template=template) as place:
        other = copied(there, folder / "there")
        path = other.root / "guiyi.toml"
        path.write_text(path.read_text("utf-8").replace(f"/{template}?", f"/{_name(place.secret())}?"), "utf-8")
        follow(here, open_workspace(other.root), anew, steps)


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]
