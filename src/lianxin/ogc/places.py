"""Areas and sites as features: names, codes and shapes that anyone may know.

Of sites only the kinds named here are shown: places that everybody finds by their sign. What is patrolled, and how often, and
what was found there is nobody's business, and `other` may be anything. A position that was guessed says `approximate`.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from lianxin.places.models import Area, AreaLevel, Site

from .held import Held
from .sources import Collection, Feature, Property

SHOWN_SITES: Final = ("road", "school", "park", "hospital", "station", "estate", "office", "market")

AREA: Final = (
    Property("code", _("代码"), filters=True),
    Property("name", _("名称")),
    Property("name_en", _("英文名称")),
    Property("level", _("级别"), choices=tuple(AreaLevel.values)),
    Property("parent", _("上一级的代码"), filters=True),
    Property("county", _("县市区的代码"), filters=True),
    Property("town", _("乡镇街道的代码"), filters=True),
    Property("lon", _("所在经度（WGS 84）"), kind="number"),
    Property("lat", _("所在纬度（WGS 84）"), kind="number"),
    Property("synthetic", _("边界是推算的，不是测绘的"), kind="boolean", filters=True),
    Property("overlay", _("功能区，与县市区重叠"), kind="boolean", filters=True),
)
SITE: Final = (
    Property("code", _("代码"), filters=True),
    Property("name", _("名称")),
    Property("kind", _("种类"), filters=True, choices=SHOWN_SITES),
    Property("area", _("所在区域的代码"), filters=True),
    Property("county", _("县市区的代码"), filters=True),
    Property("approximate", _("位置是约略的"), kind="boolean", filters=True),
)


def many(boundary: dict[str, Any] | None) -> dict[str, Any] | None:
    """The same shape as a MultiPolygon, so that a layer holds one type only."""
    if boundary is None or boundary["type"] == "MultiPolygon":
        return boundary
    return {"type": "MultiPolygon", "coordinates": [boundary["coordinates"]]}


def read_areas(level: str) -> list[Feature]:
    """The active areas of a level by code."""
    rows = Area.objects.filter(level=level, active=True).order_by("code").values_list(
        "code", "name", "name_en", "parent__code", "county__code", "town__code", "lon", "lat", "synthetic", "overlay", "boundary")
    return [
        Feature(code, many(boundary), {
            "code": code, "name": name, "name_en": name_en or None, "level": level, "parent": parent, "county": county, "town": town,
            "lon": lon, "lat": lat, "synthetic": synthetic, "overlay": overlay,
        }, page=f"/area/{code}/" if level != AreaLevel.GRID else "")
        for code, name, name_en, parent, county, town, lon, lat, synthetic, overlay, boundary in rows.iterator(chunk_size=500)
    ]


def read_sites() -> list[Feature]:
    """The active sites of the shown kinds by code."""
    rows = Site.objects.filter(active=True, kind__in=SHOWN_SITES).order_by("code").values_list(
        "code", "name", "kind", "area__code", "area__level", "area__county__code", "lon", "lat", "approximate")
    return [
        Feature(code, None if lon is None or lat is None else {"type": "Point", "coordinates": [lon, lat]}, {
            "code": code, "name": name, "kind": kind, "area": area, "county": area if level == AreaLevel.COUNTY else county,
            "approximate": approximate,
        })
        for code, name, kind, area, level, county, lon, lat, approximate in rows.iterator(chunk_size=500)
    ]


def _areas(level: str, title: Any, description: Any) -> Collection:
    return Collection(f"areas-{level}", title, description, "MultiPolygon", AREA, Held(f"areas-{level}", partial(read_areas, level)))


COLLECTIONS: Final = (
    _areas("county", _("县市区"), _("县、县级市、区和与它们重叠的功能区。")),
    _areas("town", _("乡镇街道"), _("乡、镇、街道。边界是推算的，标有 synthetic。")),
    _areas("village", _("村社区"), _("村和社区。边界是推算的，标有 synthetic。")),
    _areas("grid", _("网格"), _("村社区里的网格：只有名称和边界，不涉及网格员和办理情况。")),
    Collection("sites", _("地点"), _("道路、学校、公园、医院、车站、小区、办事机构、市场：人人都找得到的地方。"), "Point", SITE,
               Held("sites", read_sites)),
)
