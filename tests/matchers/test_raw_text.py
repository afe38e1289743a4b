"""Raw cells: what transport did to them is undone, and nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.raw_text import repair


def as_gbk(text: str) -> str:
    """Return UTF-8 as a program shows it that takes it for GBK."""
    return text.encode().decode("gbk", errors="replace")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("&nbsp;王小明", "\xa0王小明"),
        ("王小明&nbsp;&nbsp;", "王小明\xa0\xa0"),
        ("&#29579;&#23567;&#26126;", "王小明"),
        ("&#x738B;&#X5c0f;&#26126", "王小明"),
        ("&amp;#29579;小明", "王小明"),
        ("&amp;amp;lt;王小明&amp;amp;gt;", "<王小明>"),
        ("A&amp;B贸易有限公司", "A&B贸易有限公司"),
        ("<td class='n'>王小明</td>", " 王小明 "),
        ("王小明<br/>", "王小明 "),
        ("\ufeff王小明", "王小明"),
        ("王\u200b小\u200d明\u202c", "王小明"),
        ("王\x00小\x7f明\xad", "王小明"),
        ("\\u738b\\u5c0f\\u660e", "王小明"),
        ("\\\\u738b小明", "王小明"),
        ("%u738B%u5C0F%u660E", "王小明"),
        ("%E7%8E%8B%E5%B0%8F%E6%98%8E", "王小明"),
        ("\\xe7\\x8e\\x8b小明", "王小明"),
        ("\\ud840\\udc00", "\U00020000"),
        ("王小明\\n", "王小明 "),
        ('"王小明"', "王小明"),
        ('""王小明""', "王小明"),
        ("'王小明'", "王小明"),
        ("“王小明”", "王小明"),
        ('="440301"', "440301"),
        ("'440301", "440301"),
        ("烫烫烫王小明", "王小明"),
        ("王小明屯屯屯屯", "王小明"),
        ("深圳市\ufffd宝安区12号", "深圳市宝安区12号"),
        ("深圳市锟斤拷宝安区12号", "深圳市宝安区12号"),
    ],
)
def test_what_transport_did_is_undone(text: str, meant: str) -> None:
    assert repair(text) == meant


@pytest.mark.parametrize("text", ["王小明", "张伟", "深圳市宝安区福永街道12号", "王小明（户主）", "欧阳·修"])
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_utf8_read_as_latin_is_read_again(text: str, encoding: str) -> None:
    sloppy = "".join(
        bytes((code,)).decode("latin-1" if code in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else encoding)
        for code in text.encode()
    )
    assert repair(sloppy) == text


@pytest.mark.parametrize("text", ["王小明明", "张伟", "深圳市宝安区福永街道12号a"])
def test_utf8_read_as_gbk_is_read_again(text: str) -> None:
    assert repair(as_gbk(text)) == text


def test_a_character_cut_off_by_the_wrong_encoding_is_a_lost_one() -> None:
    assert repair(as_gbk("张建国")) == "张建\ufffd"
    assert repair("寮犲缓鍥?") == "张建\ufffd"


def test_gbk_read_as_latin_is_read_again() -> None:
    assert repair("王小明".encode("gb2312").decode("latin-1")) == "王小明"


@pytest.mark.parametrize(
    "text",
    [
        "王小明",
        "陳大文",
        "張䶮",
        "劉鑫堃",
        "张锟",
        "麻辣烫店",
        "三家子屯12号",
        "Müller, Jürgen",
        "SOCIÉTÉ «ÉTOILE»",
        "José Ángel Íñiguez",
        "Łukasz Østergård",
        "Nguyễn Văn Đức",
        "O'Brien",
        "“诚信”商行“好”",
        "A&B 贸易",
        "R&D;",
        "<王小明>",
        "C:\\new",
        "100%",
        "张*",
        "*三",
        "张?明",
        "张\ue5e5",
        "\ue5e5",
        "440301199001011234",
        " 13800000000 ",
        "John NULL Smith",
    ],
)
def test_what_may_be_meant_is_left_alone(text: str) -> None:
    assert repair(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            None,
            "",
            " ",
            "\\N",
            "NULL",
            "null",
            "None",
            "(null)",
            "<NULL>",
            "nan",
            "NaN",
            "N/A",
            "n/a",
            "#N/A",
            "#REF!",
        ),
        *(
            "-",
            "--",
            "——",
            "/",
            ".",
            "***",
            "########",
            "(空)",
            " NULL ",
            '"NULL"',
            "&nbsp;",
            "<br>",
            "\x00",
            "😀",
            "\ud800",
        ),
        *("\ufffd\ufffd", "锟斤拷", "烫烫烫烫", "#NAME?", "#VALUE!", "undefined", "\ufeff"),
    ],
)
def test_words_for_nothing_are_no_value(text: str | None) -> None:
    assert repair(text) is None


def test_a_lost_character_is_kept_where_dropping_it_would_make_another_name() -> None:
    assert repair("张\ufffd\ufffd明") == "张\ufffd明"
    assert repair("�?张小明") == "\ufffd张小明"
    assert repair("锟斤拷张小明") == "\ufffd张小明"


@given(st.text(max_size=40))
def test_repairing_twice_changes_nothing_more(text: str) -> None:
    once = repair(text)
    assert repair(once) == once


@given(
    st.lists(
        st.sampled_from(
            [
                *"张伟明 \"'<>&;#\\%u5f20xE",
                "&amp;",
                "&#24352;",
                "<br>",
                "å¼\xa0",
                "锟",
                "斤拷",
                "\ufffd",
                "?",
                "寮犱紵",
                "\\N",
            ]
        )
    )
)
def test_nested_damage_is_undone_to_the_end(parts: list[str]) -> None:
    once = repair("".join(parts))
    assert repair(once) == once


@given(
    st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=4).filter(
        lambda text: text != "空值" and "斤拷" not in text
    )
)
def test_chinese_text_is_unchanged(text: str) -> None:
    assert repair(text) == text


@given(st.text(st.characters(min_codepoint=0x30, max_codepoint=0x7A, categories=["L", "N"]), min_size=6))
def test_letters_and_digits_are_unchanged(text: str) -> None:
    assert repair(text) in (text, None)


@pytest.mark.parametrize(
    "text", ["张" * 10_000, "&amp;" * 10_000, "\ufffd" * 10_000, "<" * 10_000, "å¼\xa0" * 5_000, "\\u" * 5_000]
)
def test_long_junk_is_quick_and_never_raises(text: str) -> None:
    assert repair(text) is None or isinstance(repair(text), str)
