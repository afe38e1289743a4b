from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.ingest.encoding import choose_encoding, escape_undecodable, has_undecodable, profile_file, text_blocks
from linkage.ingest.errors import IngestError

TEXT = "编号,姓名\n1,张三丰在深圳市宝安区西乡街道居住\n2,䶮㛃\n"


def chosen(path: Path, content: bytes, given: str | None = None) -> str:
    path.write_bytes(content)
    return choose_encoding(path, profile_file(path), given)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("gb18030"), "gb18030"),
        (TEXT.encode("utf-16"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (b"id,name\n1,a\n", "utf-8"),
        (TEXT.encode() + b"3,\xc3\x28\n", "utf-8"),
        (TEXT.encode("gb18030") * 20 + b"3,\xff\n", "gb18030"),
        (b"id,name\n" * 200_000 + TEXT.encode("gb18030") * 10, "gb18030"),
        (b"id,name\n" * 200_000 + TEXT.encode() * 10 + b"\xff\n", "utf-8"),
    ],
)
def test_an_encoding_is_detected_from_the_whole_file(tmp_path: Path, content: bytes, expected: str) -> None:
    assert chosen(tmp_path / "f.csv", content) == expected


@pytest.mark.parametrize(
    ("encoding", "given", "found"),
    [
        ("gb18030", "utf-8", "gb18030"),
        ("utf-8", "gb18030", "utf-8"),
        ("utf-8-sig", "gb18030", "utf-8-sig"),
        ("utf-16", "utf-8", "utf-16"),
        ("utf-8", "utf-16", "utf-8"),
    ],
)
def test_a_wrong_configured_encoding_is_an_error_that_names_the_right_one(
    tmp_path: Path, encoding: str, given: str, found: str
) -> None:
    with pytest.raises(IngestError, match=f'f.csv.*not {given}: the file reads as {found}.*encoding = "{found}"'):
        chosen(tmp_path / "f.csv", TEXT.encode(encoding), given)


@pytest.mark.parametrize(
    ("encoding", "given", "used"),
    [
        ("gb18030", "gb18030", "gb18030"),
        ("utf-8", "utf-8-sig", "utf-8"),
        ("utf-8-sig", "utf-8", "utf-8-sig"),
        ("utf-16", "utf-16-le", "utf-16"),
        ("big5", "big5", "big5"),
    ],
)
def test_a_right_configured_encoding_is_used(tmp_path: Path, encoding: str, given: str, used: str) -> None:
    assert chosen(tmp_path / "f.csv", "編號,姓名\n1,張三\n".encode(encoding), given) == used


def test_a_single_bad_byte_does_not_make_a_configured_encoding_wrong(tmp_path: Path) -> None:
    assert chosen(tmp_path / "f.csv", b"id,name\n1,a\n2,\xff\xff\n", "utf-8") == "utf-8"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize("size", [7, 64, 1 << 20])
def test_text_comes_back_whole_in_blocks_that_end_at_line_ends(tmp_path: Path, encoding: str, size: int) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes((TEXT * 5 + "last").encode(encoding))
    blocks = list(text_blocks(path, encoding, size))
    assert "".join(blocks) == TEXT * 5 + "last"
    assert all(block.endswith("\n") for block in blocks[:-1])


def test_a_carriage_return_is_not_torn_from_its_line_feed(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(b"ab\r\ncd\r\nef\rgh\r")
    for size in range(1, 16):
        blocks = list(text_blocks(path, "utf-8", size))
        assert "".join(blocks) == "ab\r\ncd\r\nef\rgh\r"
        assert not any(block.startswith("\n") for block in blocks)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_an_undecodable_byte_spoils_neither_delimiters_nor_line_ends(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(b"1,\xff,2\n3,\x81,4\n5,\xc9\n")
    (text,) = text_blocks(path, encoding)
    assert [line.count(",") for line in text.splitlines()] == [2, 2, 1]
    assert has_undecodable(text)
    assert escape_undecodable(text) == "1,\\xff,2\n3,\\x81,4\n5,\\xc9\n"


@settings(max_examples=200)
@given(content=st.binary(max_size=300), encoding=st.sampled_from(["utf-8", "gb18030", "utf-16-le", "big5"]))
def test_any_bytes_are_text_in_any_encoding(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, encoding: str
) -> None:
    path = tmp_path_factory.mktemp("junk") / "f.csv"
    path.write_bytes(content)
    text = "".join(text_blocks(path, encoding, 16))
    escape_undecodable(text).encode()
    try:
        valid = content.decode(encoding)
    except UnicodeDecodeError:
        assert has_undecodable(text)
    else:
        assert text == valid
    assert choose_encoding(path, profile_file(path), None)
