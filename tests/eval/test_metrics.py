"""Metrics against an oracle that enumerates every pair, and on files as people send them."""

from __future__ import annotations

import itertools
import json
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import duckdb
import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.errors import EvalError
from eval.metrics import Metrics, as_dict, evaluate, evaluate_files, wilson
from eval.metrics_text import as_table

Key = tuple[str, str]
ClusterRow = tuple[str, str, str | None]
TruthRow = tuple[str, str, str | None, list[str]]


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        yield connection


def measure(
    con: duckdb.DuckDBPyConnection, clusters: Sequence[ClusterRow], truth: Sequence[TruthRow], *, errors: bool = True
) -> Metrics:
    con.execute("create or replace table c (source varchar, source_record_id varchar, entity_id varchar)")
    con.execute(
        "create or replace table t (source varchar, source_record_id varchar, entity_id varchar, errors varchar[])"
    )
    con.execute("insert into c select unnest(?), unnest(?), unnest(?)", [[r[i] for r in clusters] for i in range(3)])
    con.execute(
        "insert into t select unnest(?), unnest(?), unnest(?), unnest(?::varchar[][])",
        [[r[i] for r in truth] for i in range(4)],
    )
    if not errors:
        con.execute("alter table t drop column errors")
    return evaluate(con, clusters="c", truth="t")


def pairs_of(label: dict[Key, object]) -> set[tuple[Key, Key]]:
    """All pairs of one group, through a graph: records and groups are nodes, the components are the groups."""
    graph = nx.Graph()
    for key, group in label.items():
        graph.add_edge(("record", key), ("group", group))
    found = set()
    for component in nx.connected_components(graph):
        members = sorted(key for kind, key in component if kind == "record")
        found |= set(itertools.combinations(members, 2))
    return found


record_keys = st.lists(
    st.tuples(st.sampled_from(["税务", "社保", "a'b"]), st.integers(0, 9).map(str)), unique=True, max_size=14
)


@st.composite
def partitions(draw: st.DrawFn) -> tuple[list[ClusterRow], list[TruthRow]]:
    keys = draw(record_keys)
    entity = st.one_of(st.none(), st.integers(0, 4).map(str))
    error = st.lists(st.sampled_from(["moved", "homophone", "masked_id"]), max_size=3)
    clusters = [(s, i, draw(entity)) for s, i in keys if draw(st.integers(0, 5))]
    truth = [(s, i, draw(entity), draw(error)) for s, i in keys if draw(st.integers(0, 5))]
    return clusters, truth


@given(rows=partitions())
@settings(max_examples=40, deadline=None)
def test_every_figure_equals_the_one_counted_pair_by_pair(con, rows: tuple[list[ClusterRow], list[TruthRow]]) -> None:
    clusters, truth = rows
    m = measure(con, clusters, truth)
    keys = sorted({(r[0], r[1]) for r in [*clusters, *truth]})
    in_clusters = {(s, i): e for s, i, e in clusters if e is not None}
    in_truth = {(s, i): e for s, i, e, _ in truth if e is not None}
    predicted_label: dict[Key, object] = {k: in_clusters.get(k, ("alone", k)) for k in keys}
    true_label: dict[Key, object] = {k: in_truth.get(k, ("alone", k)) for k in keys}
    predicted, true = pairs_of(predicted_label), pairs_of(true_label)
    found = predicted & true

    assert m.records == len(keys)
    assert (m.true_pairs, m.predicted_pairs, m.found_pairs) == (len(true), len(predicted), len(found))
    assert (m.missed_pairs, m.false_pairs) == (len(true - predicted), len(predicted - true))
    assert m.precision == (len(found) / len(predicted) if predicted else None)
    assert m.recall == (len(found) / len(true) if true else None)
    assert m.f1 == (2 * len(found) / (len(predicted) + len(true)) if predicted or true else None)
    assert m.missing_from_clusters == len(in_truth.keys() - in_clusters.keys())
    assert m.missing_from_truth == len(in_clusters.keys() - in_truth.keys())

    groups, entities = defaultdict(set), defaultdict(set)
    for k in keys:
        groups[predicted_label[k]].add(k)
        entities[true_label[k]].add(k)
    assert (m.clusters, m.entities) == (len(groups), len(entities))
    exact = {frozenset(g) for g in groups.values()} & {frozenset(e) for e in entities.values()}
    assert m.exact_clusters == len(exact)
    assert m.exact_cluster_share == (len(exact) / len(groups) if groups else None)
    multi = [e for e in entities.values() if len(e) > 1]
    assert m.exact_multi_entity_share == (sum(frozenset(e) in exact for e in multi) / len(multi) if multi else None)
    assert m.mixed_clusters == sum(len({true_label[k] for k in g}) > 1 for g in groups.values())
    assert m.split_entities == sum(len({predicted_label[k] for k in e}) > 1 for e in entities.values())
    if keys:
        shared = {k: len(groups[predicted_label[k]] & entities[true_label[k]]) for k in keys}
        precision = sum(shared[k] / len(groups[predicted_label[k]]) for k in keys) / len(keys)
        recall = sum(shared[k] / len(entities[true_label[k]]) for k in keys) / len(keys)
        assert m.bcubed_precision == pytest.approx(precision, abs=1e-12)
        assert m.bcubed_recall == pytest.approx(recall, abs=1e-12)
    else:
        assert m.bcubed_precision is None

    for kind, pairs in (("true_pairs", true), ("predicted_pairs", predicted), ("found_pairs", found)):
        by_sources = defaultdict(int)
        for a, b in pairs:
            by_sources[tuple(sorted((a[0], b[0])))] += 1
        seen = {(p.left_source, p.right_source): getattr(p, kind) for p in m.by_source_pair}
        assert {k: n for k, n in seen.items() if n} == dict(by_sources)

    errors = {(s, i): set(e) for s, i, _, e in truth}
    assert m.by_error_class is not None
    rows_by_class = {row.error_class: row for row in m.by_error_class}
    assert set(rows_by_class) == set().union(*errors.values()) | ({None} if set() in errors.values() else set())
    for name, row in rows_by_class.items():

        def touched(pair: tuple[Key, Key], name: str | None = name) -> bool:
            if name is None:
                return all(errors.get(k) == set() for k in pair)
            return any(name in errors.get(k, ()) for k in pair)

        assert row.records == sum(name in e if name else not e for e in errors.values())
        assert row.true_pairs == sum(map(touched, true))
        assert row.missed_pairs == sum(map(touched, true - predicted))
        assert row.predicted_pairs == sum(map(touched, predicted))
        assert row.false_pairs == sum(map(touched, predicted - true))


@given(rows=partitions(), random=st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None)
def test_the_order_of_rows_and_the_names_of_entities_do_not_matter(con, rows, random) -> None:
    clusters, truth = rows
    before = measure(con, clusters, truth)
    renamed = [(s, i, None if e is None else f"LP{e}") for s, i, e in clusters]
    random.shuffle(renamed)
    after = measure(con, renamed, random.sample(truth, len(truth)))
    assert before == after


def test_swapping_clusters_and_truth_swaps_precision_and_recall(con) -> None:
    a = [("s", str(i), str(i // 3)) for i in range(12)]
    b = [("s", str(i), str(i // 2)) for i in range(2, 14)]
    forth = measure(con, a, [(*row, []) for row in b], errors=False)
    back = measure(con, b, [(*row, []) for row in a], errors=False)
    assert (forth.precision, forth.bcubed_precision) == (back.recall, back.bcubed_recall)
    assert forth.mixed_clusters == back.split_entities
    assert forth.precision != forth.recall


def test_a_perfect_partition_scores_one_everywhere(con) -> None:
    rows = [("s", str(i), str(i // 3)) for i in range(9)]
    m = measure(con, rows, [(*row, []) for row in rows])
    assert (m.precision, m.recall, m.f1, m.bcubed_f1, m.exact_entity_share) == (1.0, 1.0, 1.0, 1.0, 1.0)
    assert (m.mixed_clusters, m.split_entities, m.missed_pairs, m.false_pairs) == (0, 0, 0, 0)


def test_a_quarantined_record_costs_recall_and_is_reported(con) -> None:
    truth = [("s", "1", "E", []), ("s", "2", "E", []), ("s", "3", "E", [])]
    m = measure(con, [("s", "1", "X"), ("s", "2", "X")], truth)
    assert (m.missing_from_clusters, m.precision, m.recall) == (1, 1.0, 1 / 3)


def test_a_clustered_record_the_truth_does_not_know_costs_precision_and_is_reported(con) -> None:
    m = measure(con, [("s", "1", "X"), ("s", "2", "X")], [("s", "1", "E", [])])
    assert (m.missing_from_truth, m.precision, m.mixed_clusters, m.recall) == (1, 0.0, 1, None)


def test_nothing_at_all_gives_no_rate_rather_than_zero(con) -> None:
    m = measure(con, [], [])
    assert m.records == 0
    assert (m.precision, m.recall, m.f1, m.bcubed_precision, m.precision_interval) == (None,) * 5
    assert "precision" in as_table(m)


def test_a_truth_without_errors_has_no_table_of_error_classes(con) -> None:
    m = measure(con, [("s", "1", "X")], [("s", "1", "E", [])], errors=False)
    assert m.by_error_class is None


def test_large_groups_are_counted_without_enumerating_pairs(con) -> None:
    columns = "'s' as source, i as source_record_id, 'E' as entity_id"
    con.execute(f"create or replace table big as select {columns} from range(200000) r(i)")
    m = evaluate(con, clusters="big", truth="big")
    assert m.true_pairs == 200_000 * 199_999 // 2
    assert m.recall == 1.0


def test_evaluate_leaves_no_table_behind_and_changes_neither_input(con) -> None:
    measure(con, [("s", "1", "X")], [("s", "1", "E", [])])
    tables = {row[0] for row in con.execute("select table_name from duckdb_tables()").fetchall()}
    assert not {name for name in tables if name.startswith("_eval")}
    assert con.execute("from c").fetchall() == [("s", "1", "X")]


@pytest.mark.parametrize(
    ("clusters", "truth", "message"),
    [
        ("select 's' as source, '1' as source_record_id", "from good", "clusters_in: column entity_id is missing"),
        ("from good", "select 1 as x", "truth_in: column source, source_record_id, entity_id is missing"),
        ("select 's' as 张三丰, '1' as \"440306199001010000\"", "from good", "the line where the column names should"),
        ("select null::int as source, '1' as source_record_id, 'E' as entity_id", "from good", "1 rows have no source"),
        ("from good", "from good union all select 's', '440306199001010000', 'F'", "1 records belong to two entities"),
    ],
)  # fmt: skip
def test_unusable_input_is_refused_with_the_place_and_the_remedy(con, clusters: str, truth: str, message: str) -> None:
    columns = "'s' as source, '440306199001010000' as source_record_id, 'E' as entity_id"
    con.execute(f"create or replace table good as select {columns}")
    con.execute(f"create or replace view clusters_in as {clusters}")
    con.execute(f"create or replace view truth_in as {truth}")
    with pytest.raises(EvalError, match=message) as caught:
        evaluate(con, clusters="clusters_in", truth="truth_in")
    assert "440306199001010000" not in str(caught.value)


def test_an_unknown_table_is_refused_by_name(con) -> None:
    with pytest.raises(EvalError, match="nowhere: no such table"):
        evaluate(con, clusters="nowhere", truth="nowhere")


def test_a_repeated_row_counts_once_and_is_reported(con) -> None:
    truth = [("s", "1", "E", ["moved"]), ("s", "1", "E", ["masked_id"]), ("s", "2", "E", [])]
    m = measure(con, [("s", "1", "X"), ("s", "1", "X"), ("s", "2", "X")], truth)
    assert (m.records, m.repeated_in_clusters, m.repeated_in_truth, m.true_pairs) == (2, 1, 1, 1)
    assert m.by_error_class is not None
    assert {row.error_class for row in m.by_error_class} == {"moved", "masked_id", None}


def test_parquet_and_csv_files_of_the_same_rows_give_the_same_metrics(tmp_path: Path, con) -> None:
    con.execute(
        """
        create or replace table f as
        select 's' || i % 2 as source, lpad(i::varchar, 4, '0') as source_record_id, 'E' || i // 3 as entity_id,
            case when i % 2 = 0 then ['moved', 'masked_id'] else [] end as errors
        from range(20) r(i)
        """
    )
    clusters = "select source, source_record_id, 'C' || substr(entity_id, 2, 1) as entity_id from f"
    con.execute(f"copy ({clusters}) to '{tmp_path}/c.parquet'")
    con.execute(f"copy f to '{tmp_path}/t.parquet'")
    con.execute(f"copy ({clusters}) to '{tmp_path}/c.csv'")
    con.execute(f"copy f to '{tmp_path}/listed.csv'")
    con.execute(f"copy (select * replace (array_to_string(errors, ';') as errors) from f) to '{tmp_path}/split.csv'")
    expected = evaluate_files(tmp_path / "c.parquet", tmp_path / "t.parquet")
    assert expected.by_error_class
    assert evaluate_files(tmp_path / "c.csv", tmp_path / "listed.csv") == expected
    assert evaluate_files(str(tmp_path / "c.csv"), tmp_path / "split.csv") == expected


def test_ids_with_leading_zeros_stay_text_in_a_csv(tmp_path: Path) -> None:
    text = "source,source_record_id,entity_id\ns,01,E\ns,1,F\n"
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    m = evaluate_files(tmp_path / "c.csv", tmp_path / "c.csv")
    assert m.records == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.parquet", b"PAR1 cut off", "cannot be read as parquet"),
        ("t.xlsx", b"PK", "unknown kind of file '.xlsx'; expected .parquet, .csv or .tsv"),
        ("t", b"", "unknown kind of file"),
        (None, b"", "no such file; expected the truth"),
    ],
)
def test_an_unreadable_file_is_named_with_what_was_expected(tmp_path: Path, name, content, message: str) -> None:
    good = tmp_path / "c.csv"
    good.write_text("source,source_record_id,entity_id\ns,1,E\n", encoding="utf-8")
    if name:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(EvalError, match=message):
        evaluate_files(good, tmp_path / (name or "absent.csv"))


@pytest.mark.parametrize("junk", ["🙂", "\u202eabc", "x" * 10_000, "a,b", "'; drop table c; --", "\\", "[a]"])
def test_odd_text_in_ids_and_classes_is_just_text(con, junk: str) -> None:
    m = measure(con, [(junk, junk, junk), (junk, "2", junk)], [(junk, junk, junk, [junk]), (junk, "2", junk, [])])
    assert (m.found_pairs, m.precision) == (1, 1.0)
    assert [p.left_source for p in m.by_source_pair] == [junk]


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_wilson_brackets_the_share_and_narrows_with_more_trials(a: int, b: int) -> None:
    successes, trials = min(a, b), max(a, b)
    interval = wilson(successes, trials)
    if trials == 0:
        assert interval is None
        return
    assert interval is not None
    assert 0 <= interval.low <= successes / trials <= interval.high <= 1
    more = wilson(successes * 4, trials * 4)
    assert more is not None
    assert more.high - more.low < interval.high - interval.low


def test_wilson_gives_the_published_bounds() -> None:
    # 81 of 263: Newcombe (1998), table I, score method without continuity correction.
    interval = wilson(81, 263)
    assert interval is not None
    assert math.isclose(interval.low, 0.2553, abs_tol=5e-5)
    assert math.isclose(interval.high, 0.3662, abs_tol=5e-5)


def test_the_dictionary_is_plain_json_and_the_table_shows_the_breakdowns(con) -> None:
    clusters = [("税务", "1", "X"), ("社保", "2", "X"), ("社保", "3", "X")]
    truth = [("税务", "1", "E", ["moved"]), ("社保", "2", "E", []), ("社保", "3", "F", [])]
    m = measure(con, clusters, truth)
    assert json.loads(json.dumps(as_dict(m), allow_nan=False)) == as_dict(m)
    assert as_dict(m)["by_error_class"][0] == {
        "error_class": "moved",
        "records": 1,
        "true_pairs": 1,
        "missed_pairs": 0,
        "predicted_pairs": 2,
        "false_pairs": 1,
        "missed_share": 0.0,
        "false_share": 0.5,
    }
    table = as_table(m)
    assert "0.333333" in table
    assert "社保 + 税务" in table
    assert "moved" in table
