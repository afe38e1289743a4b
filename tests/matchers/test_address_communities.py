"""Streets and communities without their word before a road or village, and the parts of a village."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchers import divisions
from matchers.address import Address, standardise


@pytest.mark.parametrize(
    ("text", "street", "road"),
    [
        ("宝安区福永聚福南路1号", "福永街道", "聚福南路"),
        ("宝安区航城机场南路8号", "航城街道", "机场南路"),
        ("宝安区沙井蚝乡路8号", "沙井街道", "蚝乡路"),
        ("宝安区福海桥和路8号", "福海街道", "桥和路"),
        ("宝安区福海桥头新路29号", "福海街道", "桥头新路"),
        ("龙华区观湖侨香路93号", "观湖街道", "侨香路"),
        ("龙华区民治民治新路1号", "民治街道", "民治新路"),
        ("龙华区大浪龙胜路55号", "大浪街道", "龙胜路"),
        ("南山区粤海科苑路3号", "粤海街道", "科苑路"),
        ("福田区福田深南大道95号", "福田街道", "深南大道"),
        ("宝安区沙井大道8号", None, "沙井大道"),
        ("宝安区西乡新路8号", None, "西乡新路"),
        ("西乡新路231号", None, "西乡新路"),
        ("宝安区燕罗公路43号", None, "燕罗公路"),
        ("宝安区福永桥南路8号", None, "福永桥南路"),
        ("南山区科苑路3号", None, "科苑路"),
    ],
)
def test_a_street_without_its_word_is_cut_before_a_road_and_not_out_of_its_name(
    text: str, street: str | None, road: str
) -> None:
    address = standardise(text)
    assert (address.street, address.road) == (street, road)


@pytest.mark.parametrize(
    ("text", "district_code"),
    [
        ("龙华区观湖侨香路93号", "440309"),
        ("南山区桃源街道办事处平山路3号", "440305"),
        ("海口市龙华区金贸街道玉沙路3号", "460106"),
        ("龙华区金贸街道玉沙路3号", "460106"),
        ("龙华区玉沙路3号", None),
        ("南山区科苑路3号", None),
    ],
)
def test_a_district_name_of_several_cities_is_shenzhen_s_only_before_its_street(
    text: str, district_code: str | None
) -> None:
    assert standardise(text).district_code == district_code


@pytest.mark.parametrize(
    ("text", "community", "road"),
    [
        ("沙井街道办事处蚝四蚝四村四巷10号", "蚝四", "蚝四4巷"),
        ("福海街道办事处塘下涌广田路301号", "塘下涌", "广田路"),
        ("宝安区航城街道办事处钟屋机场南路92号", "钟屋", "机场南路"),
        ("宝安区沙井街道办事处民主中心路8号", "民主", "中心路"),
        ("宝安区西乡街道固戍固戍一路8号", "固戍", "固戍一路"),
        ("宝安区西乡街道固戍航空路8号", "固戍", "航空路"),
        ("宝安区西乡街道固戍社区固戍航空路8号", "固戍", "航空路"),
        ("龙华区龙华街道办事处清湖高新南四道287号", "清湖", "高新南四道"),
        ("龙岗区布吉街道办事处罗岗罗岗村三巷52号", "罗岗", "罗岗3巷"),
        ("宝安区西乡街道固戍一路8号", None, "固戍一路"),
        ("宝安区石岩街道塘头大道8号", None, "塘头大道"),
        ("宝安区西乡街道铁岗水库路8号", None, "铁岗水库路"),
        ("宝安区福永街道凤凰山大道8号", None, "凤凰山大道"),
        ("宝安区松岗街道沙浦围新路8号", None, "沙浦围新路"),
        ("宝安区松岗街道沙浦社区沙浦围新路8号", "沙浦", "沙浦围新路"),
        ("宝安区西乡街道铁岗社区铁岗水库路8号", "铁岗", "铁岗水库路"),
    ],
)
def test_a_known_community_is_cut_before_a_road_or_village_with_a_name_of_its_own(
    text: str, community: str | None, road: str
) -> None:
    address = standardise(text)
    assert (address.community, address.road) == (community, road)


ONE_BUILDING = [
    (
        "广东省深圳市宝安区福永街道聚福社区聚福新村三区34号202室",
        "福永街道聚福新村三区34号202",
        "宝安区福永聚福新村三区34号202房",
        "宝安区福永街道办事处聚福聚福新村三区34号202",
        "聚福新村三区34号202",
        "宝安区福永街道聚福社区新村三区34栋202",
    ),
    ("新安街道文汇社区文汇新村一区36号", "宝安区新安文汇新村一区36号", "文汇新村一区36号"),
    ("松岗街道朗下社区朗下新村五区1号之二407", "宝安区松岗朗下新村五区1-2号407房", "朗下新村五区1号之二407室"),
    ("航城街道九围社区九围新村十巷3号", "宝安区航城九围新村10巷3号", "九围新村十巷3号"),
    ("西乡街道富华社区富华新村二区3号", "宝安区西乡富华新村2区3号"),
    ("光明区西田社区新村七巷10号", "光明区公明街道西田社区西田新村七巷10号"),
    (
        "宝安区沙井街道蚝二社区蚝二村二十区14号101",
        "蚝二村二十区14号101",
        "沙井蚝二村20区14号101",
        "宝安区沙井街道办事处蚝二蚝二村二十区14号101",
    ),
    ("公明街道根竹园社区根竹园村十五区20号502", "光明区马田根竹园村十五区20号502房", "根竹园村十五区20号502"),
    ("沙井街道蚝二社区蚝二村五坊3号之二", "沙井蚝二村五坊3-2号", "蚝二村五坊3-2号"),
    ("宝安区石岩街道石新社区石新村二区41号304", "宝安区石岩石新村二区41号304房"),
    ("固戍一路3号之二306", "固戍一路3-2号306", "固戍一路3号之二306室", "固戍一路三号之二306房"),
    ("固戍一路306号之一603", "固戍一路306-1号603室"),
    ("固戍一路1号之一1004", "固戍一路1-1号10楼1004"),
]


@pytest.mark.parametrize("group", ONE_BUILDING, ids=[g[0] for g in ONE_BUILDING])
def test_ways_of_writing_one_place_share_its_keys(group: tuple[str, ...]) -> None:
    addresses = [standardise(text) for text in group]
    assert len({(a.building_key, a.room_key) for a in addresses}) == 1
    assert addresses[0].building_key is not None


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("福永街道聚福新村三区34号", "新安街道文汇新村三区34号"),
        ("航城街道九围新村十巷3号", "航城街道九围村十巷3号"),
        ("沙井蚝二村二十区14号", "沙井蚝二村十九区14号"),
        ("沙井蚝二村十四坊7号", "沙井蚝三村十四坊7号"),
        ("沙井蚝二村十四坊7号", "沙井蚝二村七坊7号"),
        ("沙井蚝二村四区7号", "沙井蚝二村四巷7号"),
        ("固戍一路3号之二306", "固戍一路3号306"),
        ("固戍一路3号之二306", "固戍一路3号2306"),
        ("北流市松花路三区150号楼", "北流市松花路一区150号楼"),
        ("东阜社区B区2幢", "新河社区B区2幢"),
    ],
)
def test_buildings_of_other_villages_or_parts_have_other_keys(left: str, right: str) -> None:
    keys = standardise(left).building_key, standardise(right).building_key
    assert None not in keys
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    "text", ["新村三区34号", "新村七巷3号", "十四坊7号", "二十区14号", "古镇A区32栋", "小区C区6栋", "西村一巷6号"]
)
def test_a_part_of_an_unnamed_village_makes_no_key_that_others_share(text: str) -> None:
    key = standardise(text).building_key
    assert key is None or standardise("水田社区" + text).building_key != key
    assert key not in ("新村3区34栋", "新村7巷3号", "14坊7栋", "20区14栋", "A区32栋", "小区C区6栋")


def test_a_village_s_part_is_no_plot_and_a_plot_is_no_village_s_part() -> None:
    village = standardise("宝安区沙井蚝三村四区24号503房")
    assert (village.plot, village.building_key) == (None, "蚝三4区24栋")
    assert standardise("宝安区新安街道翻身47区3栋").plot == "47区"
    assert standardise("深圳市宝安区新安街道海旺社区N26区海秀路2021号").plot == "N26区"
    assert standardise("宝安71区留仙二路").plot == "71区"


def test_the_lane_s_village_is_the_one_written_last() -> None:
    assert standardise("航城街道三围社区钟屋村三巷6号").building_key == "钟屋3巷6号"
    assert standardise("坂田街道大发埔村西村一巷六号").building_key == "大发埔西村1巷6号"
    assert standardise("西乡固戍海滨新村一区七巷四号").building_key == "海滨新村1区7巷4号"


def test_a_number_in_a_quarter_is_not_the_road_s() -> None:
    assert standardise("新成路261弄迎园东一坊32号").building_key == "迎园东1坊32栋"
    assert standardise("东莞市爱国路四坊13号楼").building_key == "爱国路4坊13栋"


NAMES = sorted(n for names in divisions.community_names(divisions.BAOAN).values() for n in names)
PIECES = st.sampled_from([*NAMES, *"村路街区坊巷号之一二十3新老南道", "新村", "社区", "大道", "街道办事处", "宝安区"])


@settings(deadline=None)  # the first call reads the tables
@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_run_of_communities_and_words_gives_values_and_reads_again_alike(text: str) -> None:
    address = standardise(text)
    assert isinstance(address, Address)
    assert address.community != ""
    assert standardise(address.text).building_key == address.building_key
