"""Rebuild the division tables beside this file from the published ones.

    python matchers/reference/build_divisions.py SOURCE_DIRECTORY

The directory holds `division_codes_1981_2023.csv` (github.com/yescallop/areacodes, CC0) and
`divisions_{provinces,cities,areas,streets}.csv` (github.com/modood/Administrative-divisions-of-China, WTFPL).
`division_communities.tsv`, `division_street_splits.tsv` and `division_aliases.tsv` are kept by hand.
"""

from __future__ import annotations

import csv
import re
import sys
from itertools import groupby
from pathlib import Path

HISTORY_NOTE = """\
# County-level division codes of China (GB/T 2260), 1981 to 2023, with the period each name was in force.
# Source: github.com/yescallop/areacodes, release 2023. Licence: CC0 1.0.
# Columns: code, name, prefecture (- = directly under the province), first year, last year (- = in force),
# successors (code, or code[year] where only a part moved; - = none). Rebuilt by build_divisions.py.
"""
CURRENT_NOTE = """\
# Provinces (2 digits), prefectures (4) and counties (6) in force, National Bureau of Statistics, 2023.
# Source: github.com/modood/Administrative-divisions-of-China. Licence: WTFPL.
# A third column `zone` marks a statistical zone (a development zone with a code of its own) that is no division.
# Rebuilt by build_divisions.py.
"""
STREETS_NOTE = """\
# Streets and towns in force, National Bureau of Statistics, 2023: county code, then the last three digits of the
# street's code and its name, one space between. Same source and licence as division_current.tsv.
# Rebuilt by build_divisions.py.
"""
# Counties in force that are prefectures too, so that the code table lists them one level up.
PREFECTURE_COUNTIES = frozenset({"441900", "442000", "460400", "620201"})


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file, a leading byte order mark dropped."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def build(source: Path, target: Path) -> None:
    """Write the three tables into `target`."""
    codes = rows(source / "division_codes_1981_2023.csv")
    official = {r["代码"] for r in codes} | PREFECTURE_COUNTIES
    history = (
        [r["代码"], r["名称"], *(r[k] or "-" for k in ("二级行政区", "启用时间", "变更/弃用时间", "新代码"))]
        for r in codes
        if r["级别"] == "县级"
    )
    write(target / "division_history.tsv", HISTORY_NOTE, (list(map(str.strip, r)) for r in history))
    current = [
        [r["code"], r["name"]] for level in ("provinces", "cities") for r in rows(source / f"divisions_{level}.csv")
    ]
    for r in rows(source / "divisions_areas.csv"):
        zone = r["code"] not in official and r["code"][4:6] >= "71"
        current.append([r["code"], r["name"], "zone"] if zone else [r["code"], r["name"]])
    write(target / "division_current.tsv", CURRENT_NOTE, sorted(current))
    streets = sorted(rows(source / "divisions_streets.csv"), key=lambda r: r["code"])
    lines = (
        [area, " ".join(r["code"][6:9] + street_name(r["name"]) for r in group)]
        for area, group in groupby(streets, key=lambda r: r["areaCode"])
    )
    write(target / "division_streets.tsv", STREETS_NOTE, lines)


def street_name(name: str) -> str:
    """Return a street's name with one ending: `柏泉办事处街道`, `吴家山街` and `西乡街道办事处` end in 街道."""
    name = re.sub(r"\s|[（(].*", "", name)
    name = re.sub(r"(?:街道?)?办事处(?:街道)?$", "街道", name)
    return name + "道" if name.endswith("街") else name


def write(path: Path, note: str, lines: object) -> None:
    """Write a commented table."""
    text = "".join("\t".join(line) + "\n" for line in lines)  # type: ignore[attr-defined]
    path.write_text(note + text, encoding="utf-8")


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(__file__).parent)
