"""Rebuild the generated reference tables: `divisions.tsv`, `sounds.tsv` and `glyphs.tsv`.

`python -m eval.simulator.build_reference DIVISION_CODES.csv` reads the table of county-level division codes 1981-2023
(github.com/yescallop/areacodes, CC0) and the simulator's own word lists; readings come from pypinyin (MIT), traditional
glyphs from OpenCC's tables (Apache-2.0). Only needed when a word list changes.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import defaultdict
from pathlib import Path

from eval.simulator.reference_tables import REFERENCE

_HAN = re.compile(r"[㐀-鿿\U00020000-\U0002ffff]")
_WORD_LISTS = ("surnames.txt", "given_names.tsv", "organisation_words.tsv", "address_words.tsv", "places.tsv")


def division_lines(source: Path) -> list[str]:
    """Return `code, province, city, county, first year, last year` lines of every county-level code."""
    lines = []
    with source.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file):
            if len(row) > 7 and row[4] == "县级":
                code, province, city, county, start, end = row[0], row[1], row[2], row[3], row[6], row[7]
                city = "" if city in ("直辖", "") else city
                lines.append("\t".join((code, province, city, county, start, end or "9999")))
    return sorted(set(lines))


def han_characters() -> list[str]:
    """Return every Han character of the word lists, sorted."""
    found: set[str] = set()
    for name in _WORD_LISTS:
        for line in (REFERENCE / name).read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                found.update(_HAN.findall(line))
    return sorted(found)


def sound_lines(characters: list[str]) -> list[str]:
    """Return groups of characters with one toneless reading; single ones are left out."""
    from pypinyin import lazy_pinyin

    groups: dict[str, list[str]] = defaultdict(list)
    for character in characters:
        groups[lazy_pinyin(character)[0]].append(character)
    return [f"{sound}\t{''.join(group)}" for sound, group in sorted(groups.items()) if len(group) > 1]


def glyph_lines(characters: list[str]) -> list[str]:
    """Return `simplified, traditional` for characters with another traditional form."""
    from opencc import OpenCC

    convert = OpenCC("s2t").convert
    pairs = ((c, convert(c)) for c in characters)
    return [f"{c}\t{t}" for c, t in pairs if t != c and len(t) == 1]


def main(source: str) -> None:
    """Write the three tables beside the word lists."""
    characters = han_characters()
    write(
        "divisions.tsv",
        "County-level division codes with the years they were in force (9999: still).\n"
        "# Columns: code, province, city, county, first year, last year.\n"
        "# Source: github.com/yescallop/areacodes, read 2025. Licence: CC0-1.0.",
        division_lines(Path(source)),
    )
    write(
        "sounds.tsv",
        "Characters of the simulator's word lists with the same toneless reading. Columns: reading, characters.\n"
        "# Source: readings by pypinyin 0.55 (MIT), 2025. Licence: Apache-2.0.",
        sound_lines(characters),
    )
    write(
        "glyphs.tsv",
        "Simplified characters of the simulator's word lists and their traditional form.\n"
        "# Source: OpenCC s2t (Apache-2.0), 2025. Licence: Apache-2.0.",
        glyph_lines(characters),
    )


def write(name: str, head: str, lines: list[str]) -> None:
    """Write one commented table."""
    text = f"# {head}\n# Rebuild: python -m eval.simulator.build_reference\n" + "\n".join(lines) + "\n"
    (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
