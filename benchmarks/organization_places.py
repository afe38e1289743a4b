"""Rebuild `matchers/reference/organization_places.tsv` from the lists of administrative divisions.

Usage: python benchmarks/organization_places.py DIVISION_CODES_CSV DIVISIONS_STREETS_CSV OUTPUT_TSV

The first list (codes of 1981–2023 with their successors) gives provinces, cities and counties, abolished ones too:
names keep an old division's name. The second gives the streets of Shenzhen.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

HEADER = """\
# Administrative divisions as they appear in organisation names.
# Sources and licences: GitHub yescallop/areacodes (CC0), codes of 1981-2023; streets of Shenzhen: GitHub
# modood/Administrative-divisions-of-China (WTFPL), 2023. Rebuilt by benchmarks/organization_places.py.
# full: the official name; short: the name without its suffix, empty if too short; code: six digits (nine for a
# street) of the division that has the territory now. Of one code, the name in force comes first.
full\tshort\tcode
"""
PEOPLE = (
    "(?:(?:蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|高山|拉祜|水|东乡|纳西|景颇|柯尔克孜|土|达斡尔"
    "|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|乌孜别克|俄罗斯|鄂温克|德昂|保安|裕固|京|塔塔尔|独龙|鄂伦春|赫哲|门巴|珞巴"
    "|基诺|各)族|蒙古|哈萨克|维吾尔|柯尔克孜)"
)
SUFFIX = re.compile(
    rf"(?:{PEOPLE}*(?:自治区|自治州|自治县|自治旗|联合旗)|特别行政区|省|市|地区|盟|林区|特区|新区|区|县|左旗|右旗|旗|街道)$"
)
VAGUE = re.compile(r"^(?:市辖区|县|.?郊区|城区|矿区|新区|.?市区|直辖.*|省直辖.*|自治区直辖.*|东区|西区)$")


def short(name: str) -> str:
    """Return the name without its suffix, or an empty text when less than two characters are left."""
    rest = "内蒙古" if name == "内蒙古自治区" else SUFFIX.sub("", name)
    return rest if len(rest) >= 2 else ""


def resolve(row: dict[str, str], after: dict[str, str], current: dict[str, str]) -> str | None:
    """Return the code that has a division's territory now, None if the lists do not tell.

    Args:
        row: the division.
        after: abolished code to its first successor.
        current: code in force to its short name.
    """
    code, name = row["代码"], short(row["名称"])
    if row["级别"] == "地级":
        # A prefecture lives on in the city of its name, whichever county its code went to.
        cities = [c for c, n in current.items() if n == name and c[:2] == code[:2] and c.endswith("00")]
        if name and cities:
            return min(cities)
    for _ in range(10):
        if code in current or not after.get(code):
            break
        code = after[code]
    if code in current:
        return code
    heirs = [c for c, n in current.items() if name and n == name and c[:2] == code[:2]]
    return min(heirs, key=lambda c: (not c.endswith("00"), c)) if heirs else None


def main(codes: Path, streets: Path, output: Path) -> None:
    with codes.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    current = {r["代码"]: short(r["名称"]) for r in rows if r["状态"] == "在用"}
    after = {r["代码"]: r["新代码"][:6] for r in rows if r["状态"] != "在用"}
    places: dict[tuple[str, str, str], bool] = {}
    for row in rows:
        name = row["名称"]
        code = resolve(row, after, current)
        if code is not None and not VAGUE.match(name):
            place = (name, short(name), code)
            places[place] = places.get(place, False) or row["状态"] == "在用"
    with streets.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["cityCode"] == "4403" and row["name"].endswith("街道"):
                places[(row["name"], short(row["name"]), row["code"])] = True
    ordered = sorted(places, key=lambda place: (place[2], not places[place], place[0]))
    lines = ["\t".join(place) + "\n" for place in ordered]
    output.write_text(HEADER + "".join(lines), encoding="utf-8")
    print(f"{len(lines)} places")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
