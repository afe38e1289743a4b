from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.fields import CANONICAL_FIELDS, FIELDS
from linkage.ingest.errors import IngestError
from linkage.ingest.source_config import SourceConfig, canonical_source, load_source_config, load_source_configs

COMPLETE = """
source = "population"
title_zh = "人口库"
title_en = "Population register"
channel = "city_platform"
entity = "natural_person"
rank = 1
[file]
format = "csv"
encoding = "GBK"
delimiter = "\\t"
header_row = 2
[key]
source_record_id = ["区", "编号"]
as_of = "更新日期"
[columns]
name = "姓名"
id_number = ["身份证号", "其他证件"]
[values.name]
"张叁" = "张三"
[delta]
operation = "操作"
delete = ["D"]
[quarantine]
share = 0.1
"""


def written(folder: Path, text: str, name: str = "population.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_complete_configuration_is_read_as_written(tmp_path: Path) -> None:
    config = load_source_config(written(tmp_path, COMPLETE))
    assert (config.source, config.rank, config.file.header_row, config.file.delimiter) == ("population", 1, 2, "\t")
    assert config.key.source_record_id == ("区", "编号")
    assert config.mapped_columns() == {"name": ("姓名",), "id_number": ("身份证号", "其他证件")}
    assert config.quarantine.share == 0.1


@pytest.mark.parametrize("name", ["GBK", "gb2312", "cp936", "GB18030"])
def test_every_name_of_the_chinese_encodings_is_read_as_their_superset(tmp_path: Path, name: str) -> None:
    config = load_source_config(written(tmp_path, COMPLETE.replace("GBK", name)))
    assert config.file.encoding == "gb18030"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "encoding",
            "encodng",
            ["population.toml", "file.encodng", "unknown key", "delimiter", "did you mean 'encoding'"],
        ),
        ("rank = 1", "rang = 1", ["rang", "unknown key", "channel", "did you mean 'rank'"]),
        ("as_of =", "asof =", ["key.asof", "source_record_id", "did you mean 'as_of'"]),
        ("operation =", "op =", ["delta.op", "known: delete, operation"]),
        ("share", "limit", ["quarantine.limit", "known: share"]),
        ('name = "姓名"', 'nmae = "姓名"', ["columns.nmae", "unknown natural_person field", "ethnicity"]),
        ("[values.name]", "[values.sex]", ["values.sex", "no entry in [columns]"]),
        ("city_platform", "city", ["channel", "'city_platform'", "'city'"]),
        ("natural_person", "person", ["entity", "'legal_person'"]),
        ('"GBK"', '"gbq"', ["file.encoding", "unknown encoding 'gbq'", "gb18030"]),
        ('"\\t"', '"ab"', ["delimiter", "one ASCII character"]),
        ("header_row = 2", "header_row = 0", ["file.header_row", "greater than or equal to 1"]),
        ("share = 0.1", "share = 2", ["quarantine.share", "less than or equal to 1"]),
        ('source = "population"', "", ["source", "required"]),
        ('source = "population"', 'source = "a:b"', ["source", "at most 50 letters", "'a:b'"]),
        ("[key]", "[key", ["not TOML", "line"]),
    ],
)
def test_a_mistake_is_an_error_that_names_its_place(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    assert old in COMPLETE
    with pytest.raises(IngestError) as error:
        load_source_config(written(tmp_path, COMPLETE.replace(old, new)))
    for word in words:
        assert word in str(error.value)
    assert error.value.exit_code == 2


def test_a_missing_configuration_is_an_error_of_usage(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="cannot be read") as error:
        load_source_config(tmp_path / "none.toml")
    assert error.value.exit_code == 2


def test_one_source_configured_twice_is_an_error(tmp_path: Path) -> None:
    written(tmp_path, COMPLETE, "a.toml")
    assert list(load_source_configs(tmp_path)) == ["population"]
    written(tmp_path, COMPLETE, "b.toml")
    with pytest.raises(IngestError, match=r"b\.toml.*configured twice"):
        load_source_configs(tmp_path)


def test_the_fingerprint_ignores_comments_and_sees_content(tmp_path: Path) -> None:
    config = load_source_config(written(tmp_path, COMPLETE))
    commented = load_source_config(written(tmp_path, "# comment\n" + COMPLETE))
    changed = load_source_config(written(tmp_path, COMPLETE.replace("rank = 1", "rank = 2")))
    assert config.fingerprint() == commented.fingerprint() != changed.fingerprint()


@pytest.mark.parametrize("entity", list(CANONICAL_FIELDS))
def test_a_canonical_source_maps_every_field_to_itself(entity: str) -> None:
    config = canonical_source(entity, "anything")  # type: ignore[arg-type]
    assert config.mapped_columns() == {name: (name,) for name in CANONICAL_FIELDS[config.entity]}


def test_the_shipped_configurations_are_valid_and_named_after_their_source() -> None:
    folder = Path(__file__).parents[3] / "configs" / "sources"
    for name, config in load_source_configs(folder).items():
        assert (folder / f"{name}.toml").is_file()
        assert all((config.title_zh, config.title_en, config.channel))


@pytest.mark.parametrize("fields", FIELDS.values(), ids=list(FIELDS))
def test_every_canonical_field_is_described_in_both_languages_once(fields: tuple) -> None:  # type: ignore[type-arg]
    assert len({field.name for field in fields}) == len(fields)
    assert all(field.zh and field.en for field in fields)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=10), v, max_size=3),
    max_leaves=6,
)


@given(JUNK)
def test_a_configuration_of_junk_is_refused_by_name(junk: object) -> None:
    from linkage.ingest.source_config import _validated

    with pytest.raises(IngestError, match="place"):
        _validated(junk, "place")  # type: ignore[arg-type]


def test_a_configuration_cannot_be_changed() -> None:
    config = canonical_source("legal_person", "x")
    with pytest.raises(ValueError, match="frozen"):
        config.source = "y"
    assert isinstance(config, SourceConfig)
