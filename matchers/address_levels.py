"""The ordered outcomes of comparing two addresses.

Comparison goes by the most specific part that both show. A place that both know and that cannot be the same leaves only
the last levels: another city, another district, another street, each as far as splits since do not explain it. `near`
says that no such thing is known. A street is often mistaken at its border, so the same road and number in another
street of the district still count as one neighbourhood.
"""

from __future__ import annotations

from matchers.address_names import NAME_SIMILARITY
from matchers.levels import (
    AtLeast,
    Condition,
    Contains,
    Differs,
    Level,
    Missing,
    Not,
    Same,
    all_of,
    any_of,
    different,
    missing,
)


def levels(field: str) -> tuple[Level, ...]:
    """Return the outcomes of comparing two addresses, best evidence first."""

    def column(attribute: str) -> str:
        return f"{field}_{attribute}"

    def same(attribute: str) -> Condition:
        return Same(column(attribute))

    def differs(attribute: str) -> Condition:
        return Differs(column(attribute))

    def may_be_one(value: str, values: str) -> Condition:
        return any_of(Missing((column(values),)), Contains(column(value), column(values)))

    same_district = (Not(differs("city")), may_be_one("district_code", "districts"))
    near = (*same_district, may_be_one("street", "streets"))
    one_building = any_of(same("building_key"), same("estate_key"))
    other_room = any_of(differs("room"), differs("floor"), differs("unit"))
    same_number = all_of(same("road"), same("number"))
    estate_alike = AtLeast(NAME_SIMILARITY, column("estate"), 0.9)
    same_place = any_of(same("road"), same("estate"), same("community"), same("plot"))
    same_area = any_of(same("road"), same("community"), same("street"), same("plot"))
    # The community before the road without its word: 长源公明大道293号.
    road_alike = all_of(same("number"), Not(differs("building")), AtLeast(NAME_SIMILARITY, column("road"), 0.9))
    same_estate = any_of(
        same("estate_key"),
        all_of(any_of(same("estate"), same_number), Not(differs("building"))),
        road_alike,
        all_of(
            Not(any_of(differs("number"), differs("building"))),
            any_of(all_of(same_area, estate_alike), AtLeast("gy_common", column("text"), 0.9)),
        ),
    )
    same_named_building = all_of(same("building_key"), Not(other_room))
    other_number = any_of(
        all_of(same("road"), differs("number")),
        all_of(any_of(same("estate"), same_number, same("plot")), differs("building")),
    )
    return (
        missing(column("text"), column("house_code")),
        Level(
            "same_room",
            all_of(same("room_key"), *near),
            "同一房间(楼栋、单元、房号一致)",
            "same room (building, unit and room agree)",
            term_frequency=column("room_key"),
        ),
        Level(
            "same_building",
            all_of(same_named_building, *near),
            "同一楼栋或同一门牌号, 房号至少一方未写",
            "same building or house number, room not given on both sides",
            term_frequency=column("building_key"),
            stands_for="same_room",
        ),
        Level(
            "same_text",
            all_of(same("text_key"), *near),
            "文字相同(村、路名或地块), 双方均无可识别的门牌或楼栋",
            "the same words (a village, road or plot), neither with a number or building that could be read",
            term_frequency=column("text_key"),
            stands_for="same_room",
        ),
        Level(
            "same_building_other_room",
            all_of(one_building, other_room, *near),
            "同一楼栋, 房号或楼层不同",
            "same building, another room or floor",
        ),
        Level(
            "same_estate",
            all_of(*near, same_estate),
            "同一小区、园区或门牌, 或文字几乎相同, 没有相互矛盾的门牌或楼栋",
            "same estate or house number, or nearly the same text, and no other number or building",
        ),
        Level(
            "house_number_differs",
            all_of(*near, other_number),
            "同一道路或同一小区, 门牌号或楼栋不同",
            "same road or estate, but the house numbers or buildings differ",
        ),
        Level(
            "same_neighbourhood",
            all_of(*same_district, any_of(one_building, all_of(near[-1], any_of(same_place, estate_alike)))),
            "同一道路、同一社区(村), 或小区名称相近",
            "same road, same community (village), or estates of a like name",
        ),
        Level(
            "same_street",
            all_of(any_of(same("street"), all_of(Missing((column("street"),)), same("district_code"))), *near),
            "仅街道(镇)相同; 一方未写街道时仅区县相同",
            "only the street (town) agrees, or the district where one side has no street",
        ),
        different("地址不同或没有共同部分", "other addresses, or no part in common"),
    )
