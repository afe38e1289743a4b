"""One-file simulations and corrupted registries with canonical columns."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eval.simulator import SimulatorError, corrupt_registry, simulate_canonical
from eval.simulator.canonical import FIELDS, REGISTRY_SOURCES


def registry(rows: int = 400) -> pa.Table:
    return pa.table(
        {
            "name": [
                f"江城市东湖区鑫源{n}号电子有限公司" if n % 2 else f"江城市东湖区张三{n}五金店" for n in range(rows)
            ],
            "uscc": ["914403001922038216"] * rows,
            "legal_rep_name": ["萧国华"] * rows,
            "established_date": ["2001-02-03"] * rows,
            "address": ["江城市东湖区新湖路12号金海大厦3栋1204室"] * rows,
            "registered_capital": ["100"] * rows,
        }
    )


@pytest.mark.parametrize("entity", ["legal_person", "natural_person"])
def test_a_canonical_file_has_exactly_the_records_asked_for_and_their_truth(tmp_path, entity):
    summary = simulate_canonical(entity, 1000, tmp_path, 5)
    table = pq.read_table(tmp_path / f"{entity}.parquet")
    truth = pq.read_table(tmp_path / "truth.parquet")
    assert table.column_names == ["source", "source_record_id", "as_of", *FIELDS[entity]]
    assert table.num_rows == truth.num_rows == summary.records == 1000
    for name in ("source", "source_record_id"):
        assert table[name].equals(truth[name])
    keys = set(zip(table["source"].to_pylist(), table["source_record_id"].to_pylist(), strict=True))
    assert len(keys) == 1000
    assert 250 < summary.entities < 700
    assert len(set(table["source"].to_pylist())) > 5


def test_the_same_seed_gives_the_same_canonical_file(tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        simulate_canonical("natural_person", 300, tmp_path / name, seed)
    one, same, other = ((tmp_path / n / "natural_person.parquet").read_bytes() for n in "abc")
    assert one == same
    assert one != other


def test_records_of_one_person_agree_on_what_is_not_an_error(tmp_path):
    simulate_canonical("natural_person", 3000, tmp_path, 2)
    table = pq.read_table(tmp_path / "natural_person.parquet").to_pylist()
    truth = pq.read_table(tmp_path / "truth.parquet").to_pylist()
    clean = {}
    for record, known in zip(table, truth, strict=True):
        if not known["errors"]:
            clean.setdefault(known["entity_id"], set()).add((record["name"], record["id_number"] or ""))
    for values in clean.values():
        assert len({name for name, _ in values}) == 1
        assert len({number for _, number in values} - {""}) <= 1


def test_a_registry_is_copied_with_errors_by_several_sources(tmp_path):
    summary = corrupt_registry(registry(), output=tmp_path, copies=4, seed=1)
    table = pq.read_table(tmp_path / "legal_person.parquet")
    truth = pq.read_table(tmp_path / "truth.parquet")
    assert set(table["source"].to_pylist()) == set(REGISTRY_SOURCES[:4])
    assert table.num_rows == truth.num_rows == summary.records > 800
    assert summary.entities >= 395
    assert summary.errors["code_missing"] > 5
    original = registry().to_pylist()
    for record, known in zip(table.to_pylist(), truth.to_pylist(), strict=True):
        row = original[int(known["entity_id"][1:]) - 1]
        if not known["errors"]:
            assert record["name"] == row["name"]
            assert record["uscc"] in (row["uscc"], None)
        if (
            record["source"] == "market_registry"
            and "code_" not in str(known["errors"])
            and "row_shift" not in known["errors"]
        ):
            assert record["uscc"] == row["uscc"]


def test_a_registry_with_names_only_is_enough(tmp_path):
    summary = corrupt_registry(pa.table({"name": ["甲乙电子有限公司", "丙丁商行"]}), output=tmp_path, copies=8, seed=1)
    assert summary.entities == 2
    assert pq.read_table(tmp_path / "legal_person.parquet")["uscc"].null_count == summary.records


def test_odd_values_in_a_registry_come_through(tmp_path):
    odd = ["😀", "字" * 10_000, "\x00", "אבג", " ", "A"]
    table = pa.table({"name": odd * 20, "uscc": odd * 20, "phone": [None, ""] * 60})
    summary = corrupt_registry(table, output=tmp_path, copies=8, seed=1)
    assert summary.records > 120


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda out: simulate_canonical("company", 10, out, 1),
            "entity: 'company': known are legal_person, natural_person",
        ),
        (lambda out: simulate_canonical("legal_person", 0, out, 1), "records: 0"),
        (
            lambda out: corrupt_registry(pa.table({"title": ["x"]}), output=out, copies=1, seed=1),
            "needs a column `name`",
        ),
        (lambda out: corrupt_registry(registry(0), output=out, copies=1, seed=1), "at least one row"),
        (lambda out: corrupt_registry(registry(), output=out, copies=9, seed=1), "copies: 9: must be from 1 to 8"),
    ],
)
def test_a_wrong_call_is_refused_with_the_remedy(tmp_path, call, message):
    with pytest.raises(SimulatorError, match=message):
        call(tmp_path)
