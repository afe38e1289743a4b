"""`guiyi link`: the same bytes for the same records, whatever their order, and every row accounted for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_district import ENTITIES, NOW, rows_of

from linkage.commands.console import Console
from linkage.commands.one_off import RESULTS, LinkRequest, link_files, one_off_database
from linkage.database import only_row
from linkage.errors import ConfigError, LinkageError
from linkage.fields import CANONICAL_FIELDS, Entity

ROWS = 800
# What may differ between two runs over the same input: times, sizes of memory, and names made for one run.
PASSING = {"seconds", "peak_mb", "finished_at", "stages"}
NO_SUBJECT = {"source": "court", "source_record_id": "no-subject", "as_of": "2025-01-31"}


@dataclass(frozen=True)
class Linked:
    """The output of one link, and its exit code."""

    folder: Path
    code: int

    def bytes_of(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def rows(self, name: str) -> list[dict[str, Any]]:
        return rows_of(self.folder / f"{name}.parquet")

    def figures(self, name: str) -> Any:
        return json.loads(self.bytes_of(name))


def link(entity: Entity, *files: Path, output: Path, **options: Any) -> Linked:
    request = LinkRequest(
        entity=entity,
        files=files,
        output=output,
        **{
            "source_config": None,
            "entity_config": None,
            "model": None,
            "as_of": date(2025, 1, 31),
            "truth": None,
            "language": "en",
            **options,
        },
    )
    return Linked(output, link_files(request, now=NOW, console=Console(quiet=True, as_json=True)))


@pytest.fixture(scope="module")
def tables(canonical_files: dict[str, Path]) -> dict[str, pa.Table]:
    """A few records of either entity type, one of them saying nothing about anybody."""
    made = {}
    for entity, path in canonical_files.items():
        table = pq.read_table(path).slice(0, ROWS)
        nobody = pa.table(
            {name: pa.array([NO_SUBJECT.get(name)], table.schema.field(name).type) for name in table.column_names}
        )
        made[entity] = pa.concat_tables([table, nobody])
    return made


@pytest.fixture(scope="module", params=ENTITIES)
def entity(request: pytest.FixtureRequest) -> Entity:
    return next(name for name in get_args(Entity) if name == request.param)


@pytest.fixture(scope="module")
def outputs(tables: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> Callable[[Entity, str], Linked]:
    """The results of linking the records: `once`, `again`, and `permuted` (rows and columns in another order)."""
    folder = tmp_path_factory.mktemp("links")
    made: dict[tuple[str, str], Linked] = {}

    def of(entity: Entity, kind: str) -> Linked:
        if (entity, kind) not in made:
            table = tables[entity]
            if kind == "permuted":
                order = [(i * 577 + 11) % table.num_rows for i in range(table.num_rows)]
                assert len(set(order)) == table.num_rows
                table = table.take(order).select(table.column_names[::-1])
            place = folder / f"{entity}-{kind}"
            place.mkdir()
            pq.write_table(table, place / "records.parquet")
            made[entity, kind] = link(entity, place / "records.parquet", output=place / "output")
        return made[entity, kind]

    return of


def without_passing(figures: Any) -> Any:
    if isinstance(figures, dict):
        return {key: without_passing(value) for key, value in figures.items() if key not in PASSING}
    return [without_passing(value) for value in figures] if isinstance(figures, list) else figures


def test_linking_the_same_file_twice_gives_the_same_bytes(outputs: Callable[[Entity, str], Linked]) -> None:
    once, again = (outputs("natural_person", kind) for kind in ("once", "again"))
    for name in RESULTS:
        assert once.bytes_of(name) == again.bytes_of(name), name
    for name in ("manifest.json", "report.json"):
        assert without_passing(once.figures(name)) == without_passing(again.figures(name)), name


def test_the_order_of_rows_and_columns_changes_no_cluster_pair_or_golden_value(
    entity: Entity, outputs: Callable[[Entity, str], Linked]
) -> None:
    once, permuted = (outputs(entity, kind) for kind in ("once", "permuted"))
    for name in ("clusters.parquet", "pairs.parquet", "golden.parquet"):
        assert once.bytes_of(name) == permuted.bytes_of(name), name


def test_every_row_is_in_a_cluster_or_in_quarantine(entity: Entity, outputs: Callable[[Entity, str], Linked]) -> None:
    output = outputs(entity, "once")
    clusters, quarantine, manifest = output.rows("clusters"), output.rows("quarantine"), output.figures("manifest.json")
    assert len(clusters) + len(quarantine) == manifest["rows_in"] == ROWS + 1
    assert (manifest["kept"], manifest["quarantined"]) == (len(clusters), len(quarantine))
    assert manifest["quarantine"] == dict(Counter(row["reason"] for row in quarantine))
    assert len({(row["source"], row["source_record_id"]) for row in clusters}) == len(clusters)
    assert [row["source_record_id"] for row in quarantine] == ["no-subject"]
    assert json.loads(quarantine[0]["raw"])["source"] == "court"
    assert output.code == 0


def test_the_results_have_the_columns_other_systems_rely_on(
    entity: Entity, outputs: Callable[[Entity, str], Linked]
) -> None:
    columns = {name: pq.read_schema(outputs(entity, "once").folder / name).names for name in RESULTS}
    assert columns["clusters.parquet"] == ["source", "source_record_id", "entity_id", "link_basis", "probability"]
    assert columns["pairs.parquet"] == [
        "left_source",
        "left_record_id",
        "right_source",
        "right_record_id",
        "match_weight",
        "match_probability",
        "verdict",
        "rule",
    ]
    assert columns["quarantine.parquet"] == ["source", "source_record_id", "row", "reason", "detail", "raw"]
    assert columns["golden.parquet"][0] == "entity_id"
    assert {"name", "records", "sources"} <= set(columns["golden.parquet"])


def test_the_pairs_are_of_records_that_exist_each_once_and_linked_ones_share_an_entity(
    entity: Entity, outputs: Callable[[Entity, str], Linked]
) -> None:
    output = outputs(entity, "once")
    home = {(row["source"], row["source_record_id"]): row["entity_id"] for row in output.rows("clusters")}
    pairs = output.rows("pairs")
    named = [
        ((p["left_source"], p["left_record_id"]), (p["right_source"], p["right_record_id"]), p["verdict"])
        for p in pairs
    ]
    assert len({frozenset((left, right)) for left, right, _ in named}) == len(named) > 200
    assert {"auto", "review"} <= {verdict for _, _, verdict in named} <= {"auto", "review", "conflict"}
    together = Counter(home[left] == home[right] for left, right, verdict in named if verdict == "auto")
    assert together[True] > 50 * together[False]
    # Records whose standardised content is the same are one profile and make no pair.
    joined = {home[left] for left, right, _ in named if home[left] == home[right]}
    several = {entity_id for entity_id, records in Counter(home.values()).items() if records > 1}
    assert joined <= several
    assert len(joined) > 0.9 * len(several)


def test_a_golden_value_has_no_blank_before_or_after_it(
    entity: Entity, outputs: Callable[[Entity, str], Linked]
) -> None:
    for row in outputs(entity, "once").rows("golden"):
        for column, value in row.items():
            assert str(value) == str(value).strip(), f"{column} of a golden record has blanks around it"


def test_the_golden_records_are_the_entities_of_the_clusters(
    entity: Entity, outputs: Callable[[Entity, str], Linked]
) -> None:
    output = outputs(entity, "once")
    members = Counter(row["entity_id"] for row in output.rows("clusters"))
    assert {row["entity_id"]: row["records"] for row in output.rows("golden")} == members
    assert output.figures("manifest.json")["entities"] == len(members)
    assert output.figures("manifest.json")["merges"] == sum(members.values()) - len(members)


def test_the_review_cases_counted_are_those_a_person_is_shown(
    entity: Entity, outputs: Callable[[Entity, str], Linked]
) -> None:
    output = outputs(entity, "once")
    home = {(row["source"], row["source_record_id"]): row["entity_id"] for row in output.rows("clusters")}
    apart = {
        frozenset((left, right))
        for row in output.rows("pairs")
        if row["verdict"] in ("review", "conflict")
        for left, right in [
            ((row["left_source"], row["left_record_id"]), (row["right_source"], row["right_record_id"]))
        ]
        if row["verdict"] == "conflict" or home[left] != home[right]
    }
    refused = sum(
        home[row["left_source"], row["left_record_id"]] != home[row["right_source"], row["right_record_id"]]
        for row in output.rows("pairs")
        if row["verdict"] == "auto"
    )
    assert 0 < output.figures("manifest.json")["review_cases"] <= len(apart) + refused


def test_the_scratch_directory_is_gone_and_nothing_else_is_written(
    entity: Entity, outputs: Callable[[Entity, str], Linked]
) -> None:
    folder = outputs(entity, "once").folder
    assert sorted(p.name for p in folder.parent.iterdir()) == ["output", "records.parquet"]
    assert sorted(p.name for p in folder.iterdir()) == sorted([*RESULTS, "manifest.json", "report.html", "report.json"])


def test_reports_and_manifests_hold_no_value_of_a_person(
    tables: dict[str, pa.Table], outputs: Callable[[Entity, str], Linked]
) -> None:
    table, output = tables["natural_person"], outputs("natural_person", "once")
    texts = "".join(output.bytes_of(name).decode() for name in ("report.html", "report.json", "manifest.json"))
    for column, shortest in (("name", 3), ("id_number", 8), ("phone", 8), ("address", 6)):
        values = {value for value in table.column(column).to_pylist() if value and len(value) >= shortest}
        assert len(values) > 200
        assert [value for value in values if value in texts] == []


def test_junk_in_every_field_is_kept_or_quarantined_and_never_stops_a_link(tmp_path: Path) -> None:
    entity: Entity = "legal_person"
    junk = [
        "",
        "   ",
        "🙂🙂",
        "王" * 10_000,
        "a\x1fb\x1e",
        "\u202eمرحبا بك",
        "\x00",
        "NULL",
        "'; drop table x; --",
        "１２３",
    ]
    rows = [
        {"source": "s", "source_record_id": str(i)} | dict.fromkeys(CANONICAL_FIELDS[entity], text)
        for i, text in enumerate([*junk, *junk])
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "junk.parquet")
    output = link(entity, tmp_path / "junk.parquet", output=tmp_path / "output")
    assert len(output.rows("clusters")) + len(output.rows("quarantine")) == len(rows)
    assert {"nul_byte", "value_too_long"} <= {row["reason"] for row in output.rows("quarantine")}
    assert output.code == 3


def test_an_output_that_is_a_file_is_refused(tables: dict[str, pa.Table], tmp_path: Path) -> None:
    pq.write_table(tables["natural_person"].slice(0, 1), tmp_path / "one.parquet")
    with pytest.raises(LinkageError, match="is a file; name a directory"):
        link("natural_person", tmp_path / "one.parquet", output=tmp_path / "one.parquet")


def test_a_failed_link_leaves_the_results_of_an_earlier_one(tables: dict[str, pa.Table], tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    (output / "clusters.parquet").write_bytes(b"earlier")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1")
    with pytest.raises(LinkageError):
        link("natural_person", tmp_path / "cut.parquet", output=output)
    assert [p.name for p in output.iterdir()] == ["clusters.parquet"]
    assert (output / "clusters.parquet").read_bytes() == b"earlier"


def test_a_one_off_leaves_memory_to_others_and_spills_beside_its_results(tmp_path: Path) -> None:
    with one_off_database(tmp_path, None) as con:
        limit, spill = only_row(con, "select current_setting('memory_limit'), current_setting('temp_directory')")
    size, unit = limit.split()
    assert float(size) * {"MiB": 2**20, "GiB": 2**30}[unit] <= 3e9
    assert Path(spill) == tmp_path / "spill"


def test_a_small_memory_limit_changes_no_byte(canonical_files: dict[str, Path], tmp_path: Path) -> None:
    files = canonical_files["natural_person"]
    free, tight = (
        link("natural_person", files, output=tmp_path / str(limit), memory_limit=limit) for limit in (None, "150MB")
    )
    assert [free.bytes_of(name) for name in RESULTS] == [tight.bytes_of(name) for name in RESULTS]


@pytest.mark.parametrize("limit", ["8", "much", "-1GB", "80%", ""])
def test_a_memory_limit_that_is_no_size_is_wrong_use(limit: str, tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigError, match=r"--memory-limit: .* is not a size; give it as 8GB"),
        one_off_database(tmp_path, limit),
    ):
        raise AssertionError("opened")


ONE_NUMBER: dict[Entity, str] = {
    "natural_person": "source,source_record_id,name,id_number\n"
    "a,1,覃秀珍,430524201103051214\nb,2,{other},430524201103051214\nc,3,{unclear},430524201103051214\n",
    "legal_person": "source,source_record_id,name,uscc\n"
    "a,1,深圳市蔚泓五金有限公司,91440300MA5KPW5G0T\nb,2,{other},91440300MA5KPW5G0T\nc,3,{unclear},91440300MA5KPW5G0T\n",
}


@pytest.mark.parametrize(
    ("entity", "other", "unclear", "apart"),
    [
        ("natural_person", "祁大勇", "", True),
        ("natural_person", "覃秀珍", "", False),
        ("natural_person", "覃大", "覃*", True),
        ("natural_person", "覃秀珍", "覃*", False),
        ("legal_person", "深圳市顺发餐饮管理有限公司", "", True),
        ("legal_person", "深圳市蔚泓五金有限公司", "", False),
    ],
)
def test_a_row_without_a_whole_name_joins_no_two_that_give_its_number(
    entity: Entity, other: str, unclear: str, apart: bool, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text(ONE_NUMBER[entity].format(other=other, unclear=unclear), "utf-8")
    done = link(entity, tmp_path / "rows.csv", output=tmp_path / "out")
    found = {row["source_record_id"]: row["entity_id"] for row in done.rows("clusters")}
    assert (found["1"] != found["2"]) is apart
    assert (found["3"] in (found["1"], found["2"])) is not apart
