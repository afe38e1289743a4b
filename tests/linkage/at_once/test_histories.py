"""Random histories: months and decisions in any order, step by step and in full, come to the same tables.

A few invented people share names, dates, telephones and addresses, so that blocks fill up; the caps are so low that
blocks grow over them and fall back under them between months. One workspace takes over what it can and applies
decisions at once; the other computes every month anew and knows decisions only through it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from batches import differences
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_district import NOW

import linkage.at_once.resolve
import linkage.commands.decide
import linkage.entity_run
import linkage.pipeline
from golden_records.ruling import DecisionError
from linkage.at_once.resolve import NotAtOnceError
from linkage.commands.console import Console
from linkage.commands.decide import DecideRequest, record_decision
from linkage.commands.monthly import make_release
from linkage.commands.verify import verify
from linkage.entity_config import EntityConfig, load_entity_config
from linkage.increment.touched import Touching, extract
from linkage.ingest.loads import ingest_files
from linkage.sources import source_of
from linkage.stages import StageClock
from linkage.workspace import Workspace, create_workspace, open_workspace

PERSON = "natural_person"
QUIET = Console(quiet=True, as_json=True)
FIELDS = ("name", "id_number", "birth_date", "phone", "address", "household_address", "employer_name")
NUMBERS = ("11010519491231002X", "440524188001010014", "222424200908281271", "")
PEOPLE: tuple[tuple[str, ...], ...] = tuple(
    (name, number, birth, phone, address, "", "")
    for name in ("王小明", "王晓明", "李娜")
    for number, birth in (*((n, "") for n in NUMBERS[:2]), ("", "1980-05-06"), ("", ""))
    for phone, address in (
        ("13800001234", "深圳市宝安区新安街道安乐村一坊1号103室"),
        ("", "深圳市宝安区西乡街道桃源社区8栋1803"),
        ("13800001234", ""),
    )
)
SOURCES = ("register", "residents")
_CONFIG = """source = "{source}"
channel = "city_platform"
entity = "natural_person"
rank = 1

[key]
source_record_id = "source_record_id"

[delta]
operation = "operation"
delete = "delete"

[quarantine]
share = 1.0

[columns]
{columns}
"""


@dataclass(frozen=True)
class Load:
    """A file: record number to the number of the person it says, None where a delta withdraws it."""

    source: str
    mode: str
    rows: dict[int, int | None]


@dataclass(frozen=True)
class Rule:
    """A decision on two records of the current release, by their places; or a revocation."""

    kind: str
    left: int
    right: int
    scope: str | None


Step = Load | Rule
Month = Sequence[Step]

_persons = st.integers(0, len(PEOPLE) - 1)
_full = st.builds(
    Load, st.sampled_from(SOURCES), st.just("full"), st.dictionaries(st.integers(0, 11), _persons, min_size=4)
)
_delta = st.builds(
    Load,
    st.sampled_from(SOURCES),
    st.just("delta"),
    st.dictionaries(st.integers(0, 11), st.one_of(_persons, st.none()), min_size=1, max_size=6),
)
_rules = st.builds(
    Rule,
    st.sampled_from(("same", "different", "not_here", "revoke")),
    st.integers(0, 30),
    st.integers(0, 30),
    st.sampled_from((None, "entities", "records")),
)
_months = st.lists(st.lists(st.one_of(_full, _delta, _rules), min_size=1, max_size=4), min_size=2, max_size=4)


@pytest.fixture(autouse=True)
def low_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    def lowered(entity: str) -> EntityConfig:
        config = load_entity_config(entity)  # type: ignore[arg-type]
        blocking = tuple(
            rule.model_copy(update={"cap": 3 + position % 3}) for position, rule in enumerate(config.blocking)
        )
        return config.model_copy(update={"blocking": blocking})

    for module in (linkage.entity_run, linkage.at_once.resolve):
        monkeypatch.setattr(module, "load_entity_config", lowered)


class _Pair:
    """The two workspaces of a history, and how both are led through it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch, self.day = folder, monkeypatch, 0
        self.step, self.anew = (self._made(name) for name in ("step", "anew"))
        self.parts = 0

    def _made(self, name: str) -> Workspace:
        workspace = create_workspace(self.folder / name)
        (workspace.root / "sources").mkdir()
        columns = "\n".join(f'{field} = "{field}"' for field in FIELDS)
        for source in SOURCES:
            text = _CONFIG.format(source=source, columns=columns)
            (workspace.root / "sources" / f"{source}.toml").write_text(text, "utf-8")
        path = workspace.root / "guiyi.toml"
        path.write_text('sources = "sources"\n' + path.read_text("utf-8"), "utf-8")
        return open_workspace(workspace.root)

    def month(self, steps: Month) -> None:
        for step in steps:
            self.day += 1
            if isinstance(step, Load):
                self._load(step)
            elif self.step.catalog.exists():
                self._decide(step)
        self.day += 1
        now = NOW + timedelta(days=self.day)
        with self.monkeypatch.context() as patched:
            patched.setattr(linkage.pipeline, "extract", self._counted)
            make_release(self.step, entities=None, now=now, clock=StageClock())
        make_release(self.anew, entities=None, now=now, clock=StageClock(), full=True)
        assert differences(self.step, self.anew, PERSON) == {}
        assert [check.name for check in verify(self.step) if not check.holds] == []

    def _counted(self, run: Touching, *, judged: str) -> None:
        """Count the months that resolve again only what is touched: a history that had none would show nothing."""
        self.parts += 1
        extract(run, judged=judged)

    def _load(self, load: Load) -> None:
        path = self.folder / f"{self.day}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            # The same rows again come in another file: a file is loaded once.
            writer.writerow(["source_record_id", "operation", *FIELDS, "file"])
            for record, person in sorted(load.rows.items()):
                if person is not None or load.mode == "delta":
                    values = PEOPLE[person] if person is not None else ("",) * len(FIELDS)
                    writer.writerow([f"R{record}", "delete" if person is None else "upsert", *values, self.day])
        for workspace in (self.step, self.anew):
            ingest_files(
                (path,),
                source=source_of(workspace, load.source),
                as_of=date(2025, 1, 1) + timedelta(days=self.day),
                mode="delta" if load.mode == "delta" else "full",
                root=workspace.root,
                now=NOW + timedelta(days=self.day),
            )

    def _decide(self, rule: Rule) -> None:
        now = NOW + timedelta(days=self.day)
        request = self._request(rule)
        try:
            record_decision(self.step, request, now=now, console=QUIET)
        except DecisionError:
            return

        def refuse(*_: object, **__: object) -> None:
            raise NotAtOnceError("not in this workspace")

        with self.monkeypatch.context() as patched:
            patched.setattr(linkage.commands.decide, "resolve_decisions", refuse)
            record_decision(self.anew, request, now=now, console=QUIET)

    def _request(self, rule: Rule) -> DecideRequest:
        if rule.kind == "revoke":
            return DecideRequest("甲", revoke=1 + rule.left % 4, note="withdrawn")
        left, right = (f"{SOURCES[n % 2]}:R{n // 2 % 12}" for n in (rule.left, rule.right))
        return DecideRequest("甲", rule.kind, (left, right), rule.scope, "review")  # type: ignore[arg-type]


def follow(months: Sequence[Month], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = _Pair(folder, monkeypatch)
    pair.month([Load("register", "full", {n: n * 5 % len(PEOPLE) for n in range(10)})])
    for month in months:
        pair.month(month)
    assert pair.parts == len(months)


def test_a_history_of_every_kind_of_step_comes_to_the_tables_of_full_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    months: list[Month] = [
        [
            Load("residents", "full", {n: n * 7 % len(PEOPLE) for n in range(12)}),
            Rule("same", 0, 4, None),
            Rule("different", 2, 6, "entities"),
        ],
        [
            Load("residents", "delta", {0: None, 3: 1, 4: 1, 5: 1, 6: 1}),
            Rule("not_here", 8, 9, None),
            Rule("revoke", 0, 0, None),
            Load("register", "full", {n: n * 5 % len(PEOPLE) for n in range(3, 12)}),
        ],
        [Load("residents", "delta", {4: 20, 5: 21}), Rule("same", 1, 3, "entities"), Rule("revoke", 1, 0, None)],
    ]
    follow(months, tmp_path, monkeypatch)


def test_an_id_that_lost_all_its_records_is_found_by_its_number_in_a_component_with_nothing_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people of one number are two entities; when the one's records go, its id leads to the other."""
    pair = _Pair(tmp_path, monkeypatch)
    pair.month([Load("register", "full", dict(enumerate((0, 1, 2, 12, 13, 14, 25))))])
    pair.month([Load("register", "delta", {6: None})])
    made = []
    for workspace in (pair.step, pair.anew):
        with duckdb.connect(str(workspace.batch), read_only=True) as con:
            made.append(
                [
                    con.execute(f"select * from natural_person_{table} order by all").fetchall()
                    for table in ("entities", "redirect", "event", "review_case")
                ]
            )
    assert made[0] == made[1]
    (redirect,) = made[0][1]
    assert redirect[1] is not None


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(months=_months)
def test_any_history_comes_to_the_tables_of_full_runs(
    months: list[list[Step]], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(months, tmp_path_factory.mktemp("history"), monkeypatch)
