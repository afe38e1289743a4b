"""Publishing into the catalog: deltas, past releases, killed writers, readers beside a writer."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgresql_server import text_of

from golden_records.catalog.publish import ReleaseTables, current_release, publish
from golden_records.catalog.read import as_of, by_identifier, entity, records_of, releases
from golden_records.catalog.schema import VERSIONED
from golden_records.catalog.store import Catalog, open_catalog
from golden_records.entity_id import mint
from golden_records.errors import CatalogError

State = Mapping[str, Sequence[Mapping[str, Any]]]

NOW = datetime(2026, 2, 1, 8, 30, tzinfo=UTC)
A, B, C = (mint("LP", number) for number in (1, 2, 3))
P = mint("NP", 1)


def state_of(names: Mapping[str, str], links: Mapping[str, str], codes: Mapping[str, str] | None = None) -> State:
    """Return a legal-person state: entity → name, record → entity, code → entity."""
    return {
        "legal_person": [{"entity_id": e, "name": name, "records": 1, "sources": 1} for e, name in names.items()],
        "record_link": [
            {"source": "s", "source_record_id": r, "entity_id": e, "link_basis": "identifier", "probability": 0.1 + 0.2}
            for r, e in links.items()
        ],
        "identifier": [
            {"entity_id": e, "scheme": "uscc", "value": code, "valid": 1, "first_seen": "2025-01-01", "sources": 1}
            for code, e in (codes or {}).items()
        ],
    }


FIRST = state_of({A: "深圳市甲有限公司", B: "乙"}, {"1": A, "2": A, "3": B}, {"X": A})


def since(catalog: Catalog, table: str) -> dict[str, int]:
    return dict(catalog.execute(f'select * from (select {_key(table)}, since_release from "{table}") as t').fetchall())


def _key(table: str) -> str:
    return "source_record_id" if table == "record_link" else "entity_id"


def counts_of_rows(catalog: Catalog) -> dict[str, int]:
    tables = [name for table in VERSIONED for name in (table.name, table.history)]
    return {name: catalog.execute(f'select count(*) from "{name}"').fetchone()[0] for name in tables}


def test_a_first_publish_can_be_read_back(catalog: Catalog, publish_state: Callable[..., int]) -> None:
    assert current_release(catalog) == 0
    manifest = {"rows_in": 3, "说明": "月度"}
    assert publish_state(FIRST, manifest=manifest, cause="load", models={"legal_person": "abc"}) == 1
    found = entity(catalog, A)
    assert found is not None
    assert (found.golden["name"], found.release, found.entity_type) == ("深圳市甲有限公司", 1, "legal_person")
    assert [row["source_record_id"] for row in records_of(catalog, A)] == ["1", "2"]
    assert records_of(catalog, A)[0]["probability"] == 0.1 + 0.2
    (release,) = releases(catalog)
    assert (release["kind"], release["cause"], release["published_at"]) == ("publish", "load", NOW.isoformat())
    assert (release["manifest"], release["models"]) == (manifest, {"legal_person": "abc"})
    assert release["counts"]["tables"]["record_link"] == {"rows": 3, "added": 3, "removed": 0}


def test_publishing_the_same_again_adds_a_release_and_no_rows(
    catalog: Catalog, publish_state: Callable[..., int]
) -> None:
    publish_state(FIRST)
    before = counts_of_rows(catalog)
    reordered = {table: list(reversed(rows)) for table, rows in FIRST.items()}
    assert publish_state(reordered, now=datetime(2026, 3, 1, tzinfo=UTC)) == 2
    assert counts_of_rows(catalog) == before
    first, second = releases(catalog)
    assert first["content_hash"] == second["content_hash"]


def test_only_what_changed_is_written(catalog: Catalog, publish_state: Callable[..., int]) -> None:
    publish_state(FIRST)
    publish_state(state_of({A: "深圳市甲有限公司", B: "改名"}, {"1": A, "2": B, "3": B}, {"X": A}))
    assert since(catalog, "legal_person") == {A: 1, B: 2}
    assert since(catalog, "record_link") == {"1": 1, "2": 2, "3": 1}
    assert since(catalog, "identifier") == {A: 1}
    assert catalog.execute("select name, since_release, until_release from legal_person_history").fetchall() == [
        ("乙", 1, 2)
    ]


def test_a_vanished_entity_is_read_in_the_past_only(catalog: Catalog, publish_state: Callable[..., int]) -> None:
    publish_state(FIRST)
    publish_state({**state_of({A: "甲"}, {"1": A}, {}), "redirect": [{"old_id": B, "entity_id": None}]})
    assert entity(catalog, B) is None
    past = entity(catalog, B, release=1)
    assert past is not None
    assert past.golden["name"] == "乙"
    assert by_identifier(catalog, "uscc", "X") == []
    assert [row["entity_id"] for row in by_identifier(catalog, "uscc", "X", release=1)] == [A]


def test_publishing_one_entity_type_leaves_the_other_alone(catalog: Catalog, publish_state: Callable[..., int]) -> None:
    publish_state(FIRST)
    person: State = {
        "natural_person": [{"entity_id": P, "name": "张三"}],
        "record_link": [{"source": "p", "source_record_id": "1", "entity_id": P, "link_basis": "attribute"}],
    }
    publish_state(person)
    assert since(catalog, "legal_person") == {A: 1, B: 1}
    assert len(as_of(catalog, "record_link")) == 4
    together = releases(catalog)[-1]["content_hash"]
    publish_state(FIRST)
    assert releases(catalog)[-1]["content_hash"] == together
    publish_state({"natural_person": []})
    assert as_of(catalog, "natural_person") == []
    assert releases(catalog)[-1]["content_hash"] == releases(catalog)[0]["content_hash"]


def test_the_content_hash_tells_states_apart_and_nothing_else(
    tmp_path: Path, con: DuckDBPyConnection, release_of: Callable[[State], ReleaseTables]
) -> None:
    other = state_of({A: "深圳市甲有限公司", B: "乙"}, {"1": A, "2": B, "3": B}, {"X": A})
    hashes = []
    for number, path in enumerate([(FIRST,), (other, FIRST), (other,), ({"legal_person": []}, other)]):
        with open_catalog(tmp_path / f"{number}.db") as catalog:
            for state in path:
                publish(catalog, con, release_of(state), now=NOW, manifest={"run": number})
            hashes.append(releases(catalog)[-1]["content_hash"])
    assert hashes[0] == hashes[1]
    assert hashes[2] == hashes[3]
    assert hashes[0] != hashes[2]


def test_values_no_department_should_send_come_back_as_they_were(
    catalog: Catalog, publish_state: Callable[..., int]
) -> None:
    junk = ["🙂", "\x1f\x1e", "x" * 10_000, "أهلا", "'; drop table release; --", " ", "𰻝𰻝面"]
    for number, text in enumerate(junk, start=1):
        publish_state(state_of({A: text}, {text: A}, {text: A}))
        assert as_of(catalog, "legal_person")[0]["name"] == text
        assert [row["entity_id"] for row in by_identifier(catalog, "uscc", text)] == [A]
        assert current_release(catalog) == number
    nan = [{"source": "s", "source_record_id": "1", "entity_id": A, "link_basis": "x", "probability": float("nan")}]
    publish_state({**state_of({A: "甲"}, {}), "record_link": nan})
    rows = counts_of_rows(catalog)
    publish_state({**state_of({A: "甲"}, {}), "record_link": nan})
    assert counts_of_rows(catalog) == rows


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"record_link": []}, "no entity tables"),
        ({**FIRST, "identifier": [{"entity_id": A, "scheme": "uscc", "value": None, "valid": 1}]}, "required value"),
        ({**FIRST, "legal_person": [{"entity_id": A}, {"entity_id": A, "name": "x"}]}, "two rows with the same"),
        ({**FIRST, "natural_person": [], "legal_person": [], "record_link": [{"entity_id": None}]}, "owner"),
        (
            {**FIRST, "record_link": [{"source": "s", "source_record_id": "1", "entity_id": P, "link_basis": "x"}]},
            "not of the published types",
        ),
        ({**FIRST, "event": [{"event_id": "7:x", "release": 7, "entity_id": A, "event": "created"}]}, "release 7"),
    ],
)
def test_tables_that_do_not_fit_are_refused_and_nothing_changes(
    catalog: Catalog, publish_state: Callable[..., int], state: State, message: str
) -> None:
    with pytest.raises(CatalogError, match=message):
        publish_state(state)
    assert current_release(catalog) == 0
    assert sum(counts_of_rows(catalog).values()) == 0
    assert publish_state(FIRST) == 1


def test_unknown_and_missing_columns_are_named(catalog: Catalog, con: DuckDBPyConnection) -> None:
    con.execute(f"create table odd as select '{A}' as entity_id, 1 as surnmae")
    con.execute("create table short as select 'x' as name")
    for table, message in (("odd", "surnmae"), ("short", "needs column.*entity_id")):
        with pytest.raises(CatalogError, match=message):
            publish(catalog, con, ReleaseTables(legal_person=(table,)), now=NOW, manifest={})


def test_coded_fields_have_the_code_of_their_standard_beside_the_value(
    catalog: Catalog, publish_state: Callable[..., int]
) -> None:
    rows = [
        {"entity_id": P, "sex": "F", "ethnicity": "汉族", "nationality": "中国"},
        {"entity_id": mint("NP", 9), "sex": None, "ethnicity": "穿青'人", "nationality": "香港"},
    ]
    publish_state({"natural_person": rows})
    found = catalog.execute(
        "select ethnicity, sex_code, ethnicity_code, nationality_code from natural_person order by entity_id"
    ).fetchall()
    assert found == [("汉族", "2", "01", "CHN"), ("穿青'人", None, None, "HKG")]
    publish_state({"natural_person": rows})
    assert set(since(catalog, "natural_person").values()) == {1}


def test_a_nul_is_kept_or_refused_in_words_and_never_lost(catalog: Catalog, publish_state: Callable[..., int]) -> None:
    state = state_of({A: "a\x00b"}, {}, {})
    if isinstance(catalog.place, Path):
        publish_state(state)
        assert as_of(catalog, "legal_person")[0]["name"] == "a\x00b"
    else:
        with pytest.raises(CatalogError, match="cannot keep \\(NUL\\)"):
            publish_state(state)
        assert current_release(catalog) == 0


def test_a_publish_overtaken_by_another_run_stops(
    catalog: Catalog, con: DuckDBPyConnection, release_of: Callable[[State], ReleaseTables]
) -> None:
    tables = release_of(FIRST)
    overtaken = False

    class Overtaken(Catalog):
        def writing(self) -> AbstractContextManager[None]:
            nonlocal overtaken
            if not overtaken:
                overtaken = True
                with duckdb.connect() as other, open_catalog(catalog.place) as second:
                    other.execute(f"create table l as select '{C}' as entity_id")
                    publish(second, other, ReleaseTables(legal_person=("l",)), now=NOW, manifest={})
            return super().writing()

    with pytest.raises(CatalogError, match="made by another run"):
        publish(Overtaken(catalog.place, catalog.connection), con, tables, now=NOW, manifest={})
    assert [row["entity_id"] for row in as_of(catalog, "legal_person")] == [C]


def test_rulings_access_log_and_tokens_survive_every_publish(
    catalog: Catalog, publish_state: Callable[..., int]
) -> None:
    catalog.execute(
        "insert into decision (decision_id, decided_at, actor, role, entity_type, ruling, reason, hash) "
        "values (1, 't', 'a', 'auditor', 'legal_person', 'cannot_link', 'r', 'h')"
    )
    publish_state(FIRST)
    publish_state({"legal_person": []})
    assert catalog.execute("select count(*) from decision").fetchone() == (1,)


@pytest.mark.parametrize("table", ["release", "event", "redirect", "decision", "access_log"])
def test_the_store_itself_refuses_to_rewrite_the_trail(
    catalog: Catalog, publish_state: Callable[..., int], table: str
) -> None:
    event = {"event_id": "1:x", "release": 1, "entity_id": A, "event": "created", "cause": "load"}
    publish_state({**FIRST, "event": [event], "redirect": [{"old_id": C, "entity_id": A}]})
    catalog.execute(
        "insert into decision (decision_id, decided_at, actor, role, entity_type, ruling, reason, hash) "
        "values (1, 't', 'a', 'auditor', 'legal_person', 'cannot_link', 'r', 'h')"
    )
    catalog.execute(
        "insert into access_log (entry_id, at, actor, role, action, hash) values (1, 't', 'a', 'r', 'x', 'h')"
    )
    for statement in (f'delete from "{table}"', f'update "{table}" set rowid_free = 1'):
        column = catalog.connection.columns(table)[0]
        with pytest.raises(Exception, match="never rewritten"):
            catalog.execute(statement.replace("rowid_free = 1", f'"{column}" = "{column}"'))


# --- any past release ------------------------------------------------------------------------------------------------

entities = st.sampled_from([A, B, C])
states = st.builds(
    state_of,
    st.dictionaries(entities, st.sampled_from(["甲", "乙", "", "a\x1fb"]), max_size=3),
    st.dictionaries(st.sampled_from("1234"), entities, max_size=4),
    st.dictionaries(st.sampled_from("XYZ"), entities, max_size=3),
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(states, min_size=2, max_size=4))
def test_any_past_release_reads_as_it_was_published(
    con: DuckDBPyConnection, release_of: Callable[[State], ReleaseTables], history: list[State]
) -> None:
    with tempfile.TemporaryDirectory() as folder, open_catalog(Path(folder) / "c.db") as catalog:
        for state in history:
            publish(catalog, con, release_of(state), now=NOW, manifest={})
        for number, state in enumerate(history, start=1):
            for table in ("legal_person", "record_link", "identifier"):
                published = [{k: v for k, v in row.items() if v is not None} for row in as_of(catalog, table, number)]
                assert sorted(published, key=str) == sorted(({**row} for row in state[table]), key=str)


# --- killed writers and readers beside a writer ----------------------------------------------------------------------

_PUBLISHER = textwrap.dedent(
    """
    import sys, time
    from datetime import datetime, UTC
    from pathlib import Path
    import duckdb
    from golden_records.catalog.place import read_place
    from golden_records.catalog.publish import ReleaseTables, publish
    from golden_records.catalog.store import open_catalog

    def wait(table, rows):
        if table == "record_link" and rows >= 40_000:
            print("writing", flush=True)
            time.sleep(float(sys.argv[2]))

    with duckdb.connect() as con, open_catalog(read_place(sys.argv[1], Path())) as catalog:
        con.execute("create table l as select 'LP' || lpad(i::varchar, 10, '0') as entity_id, 'new' as name "
                    "from range(20000) t(i)")
        con.execute("create table r as select 's' as source, i::varchar as source_record_id, "
                    "'LP' || lpad((i // 3)::varchar, 10, '0') as entity_id, 'identifier' as link_basis "
                    "from range(60000) t(i)")
        publish(catalog, con, ReleaseTables(legal_person=("l",), record_link=("r",)),
                now=datetime(2026, 3, 1, tzinfo=UTC), manifest={}, progress=wait)
        print("done", flush=True)
    """
)


@pytest.fixture
def publisher(catalog: Catalog) -> Iterator[Callable[[float], subprocess.Popen[str]]]:
    """Start a process that publishes 20,000 entities and pauses in the middle of its transaction."""
    started: list[subprocess.Popen[str]] = []

    def start(pause_seconds: float) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", _PUBLISHER, text_of(catalog.place), str(pause_seconds)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_a_publish_killed_in_the_middle_leaves_the_old_release_whole(
    catalog: Catalog, publish_state: Callable[..., int], publisher: Callable[[float], subprocess.Popen[str]]
) -> None:
    publish_state(FIRST)
    before = {table.name: as_of(catalog, table.name) for table in VERSIONED}
    process = publisher(60)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with open_catalog(catalog.place) as reopened:
        assert current_release(reopened) == 1
        assert {table.name: as_of(reopened, table.name) for table in VERSIONED} == before
        assert not reopened.connection.is_damaged()
    assert publish_state({"legal_person": []}) == 2


def test_a_reader_beside_a_writer_sees_the_old_release_or_the_new_one(
    catalog: Catalog, publish_state: Callable[..., int], publisher: Callable[[float], subprocess.Popen[str]]
) -> None:
    publish_state(FIRST)
    process = publisher(0.3)
    seen: set[tuple[int, int, int]] = set()
    with open_catalog(catalog.place, read_only=True) as reader:
        while process.poll() is None or 2 not in {release for release, _, _ in seen}:
            with reader.reading():
                people = reader.execute("select count(*) from legal_person").fetchone()[0]
                links = reader.execute("select count(*) from record_link").fetchone()[0]
                seen.add((current_release(reader), people, links))
    assert seen == {(1, 2, 3), (2, 20_000, 60_000)}


def test_the_order_of_rows_does_not_matter(
    tmp_path: Path, con: DuckDBPyConnection, release_of: Callable[[State], ReleaseTables]
) -> None:
    files = []
    for seed in (1, 2):
        shuffled = {table: random.Random(seed).sample(list(rows), len(rows)) for table, rows in FIRST.items()}
        with open_catalog(tmp_path / f"{seed}.db") as catalog:
            publish(catalog, con, release_of(shuffled), now=NOW, manifest={})
        files.append((tmp_path / f"{seed}.db").read_bytes())
    assert files[0] == files[1]
