from __future__ import annotations

import ast
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import quality, quality_errors
from benchmarks.baselines import cleaning, plain_splink
from benchmarks.baselines.script import link_file
from benchmarks.thresholds import cluster_at, sweep
from benchmarks.unknown_errors import GROUPS, KINDS, SOURCE_GROUPS, corrupt_unknown, damage
from eval.metrics import evaluate_files
from eval.simulator.canonical import simulate_canonical
from eval.simulator.profile import ErrorRates
from eval.simulator.sources import PLANS

JUNK = ("", " ", "😀", "\x00", "\ud800", "العربية", "9" * 10_000, "张" * 10_000, "()(", "NULL", "*", "（", "-" * 50)
CLEANERS = tuple(
    function
    for name, function in vars(cleaning).items()
    if callable(function) and getattr(function, "__module__", "") == cleaning.__name__ and not name.startswith("_")
)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> quality.Dataset:
    return quality.make_dataset("natural_person", 600, 5, tmp_path_factory.mktemp("people"), None)


def test_a_run_writes_one_row_for_each_system_and_counts_every_record(people: quality.Dataset, tmp_path: Path) -> None:
    rows = quality.run_dataset(people, ("guiyi",), tmp_path)
    quality.write_results(rows, {}, records=600, seed=5, folder=tmp_path / "results")
    assert [(row.system, row.records) for row in rows] == [("guiyi", 600)]
    assert rows[0].precision is not None
    assert rows[0].precision > 0.99
    assert "| natural_person | guiyi | " in (tmp_path / "results" / "quality_summary.md").read_text("utf-8")
    assert not (tmp_path / "results" / "quality_errors.md").exists()


def test_the_plain_baseline_puts_every_record_into_one_cluster(people: quality.Dataset, tmp_path: Path) -> None:
    link_file(plain_splink.link, "natural_person", people.file, tmp_path)
    metrics = evaluate_files(tmp_path / "clusters.parquet", people.truth)
    assert (metrics.records, metrics.missing_from_clusters, metrics.repeated_in_clusters) == (600, 0, 0)
    assert metrics.f1 is not None
    assert metrics.f1 > 0.5


def test_a_baseline_shares_no_code_with_the_engine() -> None:
    ours = {"matchers", "blocking", "linkage", "golden_records", "eval", "configs"}
    for path in Path(cleaning.__file__).parent.glob("*.py"):
        imported = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            for name in (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
        }
        assert not imported & ours, path.name


def test_every_kind_of_error_belongs_to_one_class_of_mistakes() -> None:
    listed = " ".join(quality_errors.CLASSES.values()).split()
    assert len(listed) == len(set(listed))
    unknown = {kind.name for kinds in KINDS.values() for kind in kinds}
    styles = {"birth_style", "established_style", "sex_style", "sex_missing", "employer_ocr", "rep_lost", "rep_id_lost"}
    assert (unknown | set(ErrorRates.model_fields)) - set(listed) <= styles | {"household_lost", "name_is_code"}


def test_every_source_of_the_simulator_errs_like_one_group() -> None:
    assert set(SOURCE_GROUPS) == {plan.name for plan in PLANS}
    assert set(SOURCE_GROUPS.values()) == set(GROUPS)


@pytest.mark.parametrize("entity", sorted(KINDS))
def test_unknown_errors_damage_values_and_leave_the_truth_alone(entity: str, tmp_path: Path) -> None:
    counts = corrupt_unknown(entity, 1_500, tmp_path / "once", 3)
    again = corrupt_unknown(entity, 1_500, tmp_path / "again", 3)
    simulate_canonical(entity, 1_500, tmp_path / "known", 3)
    table = pq.read_table(tmp_path / "once" / f"{entity}.parquet")
    truth = pq.read_table(tmp_path / "once" / "truth.parquet")
    known = pq.read_table(tmp_path / "known" / f"{entity}.parquet")
    assert table.schema.equals(known.schema)
    assert table["source_record_id"].to_pylist() == truth["source_record_id"].to_pylist()
    assert counts == again
    assert table.equals(pq.read_table(tmp_path / "again" / f"{entity}.parquet"))
    assert not set(counts) & set(ErrorRates.model_fields) - {"name_cut", "sex_wrong", "character_dropped"}
    assert sum(counts.values()) > 1_500


def test_a_record_says_which_errors_it_got() -> None:
    rows = [
        {"source": "telecom_users", "name": "林小雨", "former_names": None, "phone": "13800000000"}
        | dict.fromkeys(("id_number", "birth_date", "sex", "address", "household_address", "employer_name"))
        for _ in range(3_000)
    ]
    struck = damage("natural_person", rows, 1)
    changed = [row["name"] != "林小雨" or row["phone"] != "13800000000" for row in rows]
    assert changed == [bool(errors) for errors in struck]
    assert 100 < sum(changed) < 2_000


def test_owners_are_drawn_with_all_their_organisations() -> None:
    owners = [f"owner {i // 3}" for i in range(300)]
    registry = pa.table({"name": [f"firm {i}" for i in range(300)], "legal_rep_name": owners})
    drawn = quality.owners_drawn(registry, 90, 4)["legal_rep_name"].to_pylist()
    assert len(drawn) == 90
    assert len(set(drawn)) == 30
    assert drawn != quality.owners_drawn(registry, 90, 5)["legal_rep_name"].to_pylist()


@settings(max_examples=15, deadline=None)
@given(
    entities=st.lists(st.integers(0, 3), min_size=2, max_size=9),
    scores=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(-4, 12)), max_size=14),
)
def test_a_threshold_of_the_sweep_gives_what_clustering_at_it_gives(
    tmp_path_factory: pytest.TempPathFactory, entities: list[int], scores: list[tuple[int, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("sweep")
    ids = [str(i) for i in range(len(entities))]
    truth = pa.table({"source": ["s"] * len(ids), "source_record_id": ids, "entity_id": [str(e) for e in entities]})
    pq.write_table(truth, folder / "truth.parquet")
    pairs = [(f"s:{a}", f"s:{b}", w / 2) for a, b, w in scores if a < b < len(ids)]
    columns = list(zip(*pairs, strict=True)) or [(), (), ()]
    names = ("left_id", "right_id", "match_weight")
    types = (pa.string(), pa.string(), pa.float64())
    pq.write_table(
        pa.table({n: pa.array(c, t) for n, c, t in zip(names, columns, types, strict=True)}), folder / "pairs.parquet"
    )
    for threshold in sweep(folder / "pairs.parquet", folder / "truth.parquet"):
        cluster_at(folder / "pairs.parquet", folder / "truth.parquet", threshold.weight, folder / "clusters.parquet")
        metrics = evaluate_files(folder / "clusters.parquet", folder / "truth.parquet")
        assert threshold.precision == (1.0 if metrics.precision is None else metrics.precision)
        assert threshold.recall == (1.0 if metrics.recall is None else metrics.recall)


@pytest.mark.parametrize(
    ("function", "value", "cleaned"),
    [
        (cleaning.resident_id, "11010519491231002x", "11010519491231002X"),
        (cleaning.resident_id, "440306800101123", "440306198001011231"),
        (cleaning.resident_id, "110105194912310021", None),
        (cleaning.credit_code, "91350100M000100Y43", "91350100M000100Y43"),
        (cleaning.credit_code, "9135O1OOM0001OOY43", "91350100M000100Y43"),
        (cleaning.credit_code, "91350100M000100Y44", None),
        (cleaning.visible_tail, "440306********1234", None),
        (cleaning.visible_tail, "440306********1239", "1239"),
        (cleaning.iso_day, "1980年1月5日", "1980-01-05"),
        (cleaning.iso_day, "1980-02-30", None),
        (cleaning.iso_month, "1980-05", "1980-05"),
        (cleaning.year, "1980", "1980"),
        (cleaning.phone, "+86 138-1111-2222", "13811112222"),
        (cleaning.phone, "27671234", "075527671234"),
        (cleaning.person_name, "林 曉雨 女士", "林晓雨"),
        (cleaning.whole_name, "林*雨", None),
        (cleaning.company_core, "深圳市宝安区西乡街道林小雨早餐店", "林小雨早餐店"),
        (cleaning.company_core, "恒达（深圳）电子有限公司", "恒达电子"),
        (cleaning.branch, "深圳市恒达电子有限公司西乡分公司", "西乡分公司"),
        (cleaning.address, "深圳市宝安区西乡街道龙腾社区龙腾路12号3座201室", "龙腾路12号3栋201"),
        (cleaning.building, "宝安区西乡龙腾路12号之二3幢2楼201", "龙腾路12-2号3栋"),
    ],
)
def test_the_expert_cleans_a_value(function: object, value: str, cleaned: str | None) -> None:
    assert callable(function)
    assert function(value) == cleaned


@pytest.mark.parametrize("function", CLEANERS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("value", [None, *JUNK], ids=range(len(JUNK) + 1))
def test_cleaning_junk_gives_a_value_or_nothing(function: object, value: str | None) -> None:
    assert callable(function)
    assert function(value) is None or function(value)
