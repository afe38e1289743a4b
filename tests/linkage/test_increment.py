"""Increments: what a run takes over is what it would have computed, and what changed is computed again."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from small_district import CATALOG_TABLES, ENTITIES, LOOKUP_TABLES, NOW, catalog_content, copied, ingest_month

import linkage.entity_run
import linkage.pipeline
from eval.report.summary import read_summary
from linkage.commands.console import Console
from linkage.commands.demo import PlannedLoad
from linkage.commands.monthly import run_month
from linkage.entity_config import EntityConfig, load_entity_config
from linkage.increment.made_by import keyer, scorer, standardiser
from linkage.increment.taken import PairChanges, find_changed, find_pair_changes, take_pairs, take_records
from linkage.model.parameters import load_model
from linkage.workspace import Workspace

COMPARED = (
    *("records", "profiles", "profile_record", "keys", "pairs", "scored", "judged", "clusters", "membership"),
    *("entities", "record_link", "review_case", "golden", "provenance", "identifier", "name", "address", "phone"),
)


@pytest.fixture(scope="module")
def made_anew(
    first_month: Workspace, district: list[PlannedLoad], tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """The second month computed in full."""
    workspace = copied(first_month, tmp_path_factory.mktemp("anew") / "workspace")
    last = max(load.as_of for load in district)
    ingest_month(workspace, [load for load in district if load.as_of == last])
    console = Console(quiet=True, as_json=True)
    assert run_month(workspace, entities=None, language=None, now=NOW, console=console, full=True) == 0
    return workspace


@pytest.mark.parametrize("table", [f"{entity}_{name}" for entity in ENTITIES for name in COMPARED])
def test_a_month_on_top_of_another_makes_the_tables_of_a_full_run(
    second_month: Workspace, made_anew: Workspace, table: str
) -> None:
    with duckdb.connect() as con:
        for name, workspace in (("step", second_month), ("anew", made_anew)):
            con.execute(f"attach '{workspace.batch}' as {name} (read_only)")
        left, right = (f'select * from {name}."{table}"' for name in ("step", "anew"))
        counts = con.execute(
            f"select (select count(*) from ({left})), (select count(*) from ({left} except all {right})), "
            f"(select count(*) from ({right} except all {left}))"
        ).fetchone()
    assert counts is not None
    assert counts[0] > 0
    assert counts[1:] == (0, 0)


def test_a_month_on_top_of_another_publishes_what_a_full_run_does(
    second_month: Workspace, made_anew: Workspace
) -> None:
    tables = (*CATALOG_TABLES, *LOOKUP_TABLES)
    published = catalog_content(second_month.catalog, tables)
    assert all(published.values())
    assert published == catalog_content(made_anew.catalog, tables)


def test_a_month_on_top_of_another_reports_what_a_full_run_does(second_month: Workspace, made_anew: Workspace) -> None:
    step, anew = (
        read_summary(workspace.runs / "release-0002" / "report.json") for workspace in (second_month, made_anew)
    )
    assert step.entities == anew.entities
    for section in step.entities:
        assert section.stability is not None
        assert section.stability.unchanged > 0
        assert section.stability.changes


def test_a_month_makes_lookup_tables_that_the_store_has_lost(
    first_month: Workspace, second_month: Workspace, district: list[PlannedLoad], tmp_path: Path
) -> None:
    workspace = copied(first_month, tmp_path / "workspace")
    with sqlite3.connect(workspace.catalog) as con:  # as a migration to packed tables leaves them
        for table in LOOKUP_TABLES:
            con.execute(f"delete from {table}")
    con.close()
    last = max(load.as_of for load in district)
    ingest_month(workspace, [load for load in district if load.as_of == last])
    console = Console(quiet=True, as_json=True)
    assert run_month(workspace, entities=None, language=None, now=NOW, console=console) == 0
    assert catalog_content(workspace.catalog, LOOKUP_TABLES) == catalog_content(second_month.catalog, LOOKUP_TABLES)


def test_a_rerun_of_the_same_loads_computes_no_record_pair_or_component_again(
    second_month: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    seen: dict[str, int] = {}
    standardise, score, cluster = linkage.pipeline.standardise, linkage.pipeline.score, linkage.pipeline.cluster

    def standardised(con, config, *, raw, **rest):  # type: ignore[no-untyped-def]
        seen[f"{config.entity} records"] = con.execute(f'select count(*) from "{raw}"').fetchall()[0][0]
        return standardise(con, config, raw=raw, **rest)

    def scored(con, config, model, *, pairs, **rest):  # type: ignore[no-untyped-def]
        seen[f"{config.entity} pairs"] = con.execute(f'select count(*) from "{pairs}"').fetchall()[0][0]
        return score(con, config, model, pairs=pairs, **rest)

    monkeypatch.setattr(linkage.pipeline, "standardise", standardised)

    def clustered(con, config, *, profiles, **rest):  # type: ignore[no-untyped-def]
        seen[f"{config.entity} profiles"] = con.execute(f'select count(*) from "{profiles}"').fetchall()[0][0]
        return cluster(con, config, profiles=profiles, **rest)

    monkeypatch.setattr(linkage.pipeline, "score", scored)
    monkeypatch.setattr(linkage.pipeline, "cluster", clustered)
    console = Console(quiet=True, as_json=True)
    assert run_month(workspace, entities=None, language=None, now=NOW + timedelta(days=1), console=console) == 0
    assert seen == {f"{entity} {kind}": 0 for entity in ENTITIES for kind in ("records", "pairs", "profiles")}
    assert run_month(workspace, entities=None, language=None, now=NOW, console=console, full=True) == 0
    assert min(seen.values()) > 100


def test_other_blocking_rules_make_all_keys_anew(
    second_month: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_the_first(entity: str) -> EntityConfig:
        config = load_entity_config(entity)  # type: ignore[arg-type]
        return config.model_copy(update={"blocking": config.blocking[1:]})

    monkeypatch.setattr(linkage.entity_run, "load_entity_config", without_the_first)
    made = {}
    for name, full in (("step", False), ("anew", True)):
        workspace = copied(second_month, tmp_path / name)
        now, console = NOW + timedelta(days=1), Console(quiet=True, as_json=True)
        assert run_month(workspace, entities=["legal_person"], language=None, now=now, console=console, full=full) == 0
        with duckdb.connect(str(workspace.batch), read_only=True) as con:
            made[name] = [
                con.execute(f"select count(*), bit_xor(hash(t)) from legal_person_{table} t").fetchall()
                for table in ("keys", "pairs", "scored", "judged", "clusters")
            ]
    assert made["step"] == made["anew"]


def test_a_batch_database_that_cannot_be_read_is_done_without(first_month: Workspace, tmp_path: Path) -> None:
    workspace = copied(first_month, tmp_path / "workspace")
    workspace.batch.write_bytes(b"not a database")
    assert run_month(workspace, entities=None, language=None, now=NOW, console=Console(quiet=True, as_json=True)) == 0
    assert catalog_content(workspace.catalog) == catalog_content(first_month.catalog)


def test_records_are_taken_over_only_if_everything_that_is_read_is_the_same() -> None:
    with duckdb.connect() as con:
        columns = "t(record_id, as_of, load_id, name, phone)"
        con.execute(
            "create table departed as select * from (values ('a:1', '2025-01', 'one', '王伟', '138'), "
            f"('a:2', '2025-01', 'one', '李娜', null), ('a:3', '2025-01', 'one', '张敏', '139'), "
            f"('a:5', '2025-02', 'one', '赵静', null)) {columns}"
        )
        con.execute(
            "create table arrived as select * from (values ('a:1', '2025-02', 'two', '王伟', '138'), "
            "('a:2', '2025-02', 'two', '李娜', '137'), ('a:4', '2025-02', 'two', '张敏', '139'), "
            f"('a:5', '2025-02', 'two', '赵静', null)) {columns}"
        )
        con.execute("create table records as select *, name || '!' as name_key from departed")
        con.execute("insert into records values ('a:6', '2025-01', 'one', '孙丽', null, '孙丽!')")
        find_changed(con, arrived="arrived", departed="departed", out="changed")
        changes = con.execute("select record_id, change from changed order by all").fetchall()
        assert dict(changes) == {"a:1": "date", "a:2": "content", "a:3": "gone", "a:4": "new", "a:5": "load"}
        take_records(con, raw="arrived", changed="changed", records="records", out="rest")
        assert con.execute("select * from records order by record_id").fetchall() == [
            ("a:1", "2025-02", "two", "王伟", "138", "王伟!"),
            ("a:5", "2025-02", "two", "赵静", None, "赵静!"),
            ("a:6", "2025-01", "one", "孙丽", None, "孙丽!"),
        ]
        assert con.execute("select record_id from rest order by all").fetchall() == [("a:2",), ("a:4",)]


def test_pairs_keep_their_scores_and_take_this_runs_rule() -> None:
    with duckdb.connect() as con:
        con.execute(
            "create table scored as select * from (values (1, 2, 0, 1, 7.5, 2), (1, 3, 0, 1, -4.0, 0), "
            "(4, 5, 0, 1, 1.0, 1)) t(left_id, right_id, rule, rules, match_weight, gamma_name)"
        )
        con.execute(
            "create table pairs as select * from (values (1, 2, 3, 8), (2, 3, 0, 1), (4, 5, 0, 1)) "
            "t(left_id, right_id, rule, rules)"
        )
        changes = PairChanges("gone", "otherwise", "new")
        find_pair_changes(con, pairs="pairs", scored="scored", out=changes)
        take_pairs(con, table="scored", changes=changes)
        assert [tuple(map(float, row)) for row in con.execute("select * from scored order by all").fetchall()] == [
            (1, 2, 3, 8, 7.5, 2),
            (4, 5, 0, 1, 1.0, 1),
        ]
        assert con.execute("select left_id, right_id from new").fetchall() == [(2, 3)]


def test_another_field_another_model_or_other_frequencies_are_another_maker() -> None:
    config = load_entity_config("legal_person")
    model = load_model(config)
    fields = (*config.field[:-1], config.field[-1].model_copy(update={"read": ("name",)}))
    other = config.model_copy(update={"field": fields})
    assert standardiser(config) == standardiser(load_entity_config("legal_person"))
    assert standardiser(other) != standardiser(config)
    assert scorer(config, model, "f") == scorer(config, model, "f")
    assert scorer(config, model, "g") != scorer(config, model, "f")
    assert scorer(config, model.model_copy(update={"prior": 0.5}), "f") != scorer(config, model, "f")
    blocking = config.model_copy(update={"blocking": config.blocking[1:]})
    assert keyer(blocking) != keyer(config)
    assert scorer(blocking, model, "f") == scorer(config, model, "f")
    rules = config.model_copy(update={"rule": config.rule[1:]})
    assert scorer(rules, model, "f") == scorer(config, model, "f")
