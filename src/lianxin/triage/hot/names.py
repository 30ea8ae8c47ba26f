"""Names of places and makers in a message: estates, roads, schools, companies, villages, lines – by their endings.

A pattern needs no gazetteer, so it works on anonymised text (A7县) and on a city's own. It finds where a name ends well
and where it begins only roughly; whoever compares two messages asks whether a name of the one stands anywhere in the
other (`alike`), for which a rough beginning is good enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .messages import Message

# A district by its code in anonymised text. Names of a city's own districts are given to `Reader`.
_CODED = re.compile(r"[A-Z]\d{1,2}(?:区|县|市)(?!\d)")
_COMPANY = re.compile("(?:股份|集团)?有限(?:责任)?公司")
# What a name ends in, longest first. Single characters that end many plain words (城, 园, 里) need two before them.
_ESTATE = ("小区", "新城", "新村", "花园", "家园", "公寓", "公馆", "国际", "广场", "大厦", "山庄", "华府", "名邸", "名城", "之城",
           "华城", "中心", "世纪", "天下", "半岛", "时代", "别墅", "佳园", "嘉园", "豪庭", "水岸", "海滩", "外滩", "之都", "云顶",
           "庭院", "庭苑",
           "阳光", "春天", "江山", "帝景", "林语", "悦府", "未来", "水郡", "蓝湾", "蓝岸", "香槟", "东汇", "尚层", "佳苑",
           "景苑", "学苑", "家苑", "雅苑", "万境", "苑", "城", "园", "府", "湾", "郡", "庭", "邸", "轩", "墅")
_OTHER = ("步行街", "工业园", "科技园", "产业园", "安置区", "殡仪馆", "搅拌站", "停车场", "幼儿园", "农贸市场", "菜市场", "市场", "商学院",
          "经济学院", "职业学院", "学院", "大学", "中学", "小学", "学校", "一中", "医院", "公司", "集团", "银行", "公园", "水库", "立交桥",
          "大桥", "地铁站", "车站", "火车站", "大道", "高速", "国道", "省道", "路", "街道", "街", "巷", "镇", "乡", "村", "社区", "酒店",
          "宾馆", "超市", "商城", "项目", "湖", "桥", "站")
_ENDINGS = re.compile("|".join(sorted({*_ESTATE, *_OTHER}, key=lambda ending: (-len(ending), ending))))
# Words that end as a name does and are none.
_PLAIN = frozenset([
    "小区", "社区", "住宅小区", "全小区", "本小区", "我小区", "该小区", "个小区", "新小区", "老小区", "安置小区", "广场", "公园",
    "学校", "公司", "医院", "中心", "市场", "大道", "道路", "马路", "公路", "水泥路", "油沙路", "出路", "网路", "线路", "电路",
    "铁路", "修路", "走路", "过路", "堵路", "让路", "一路", "半路", "小路", "路", "街", "村", "农村", "本村", "乡村", "全村",
    "我村", "城镇", "乡镇", "新城", "县城", "全城", "城", "商城", "长城", "幼儿园", "校园", "公寓", "国际", "停车场", "地铁站",
    "公交站", "车站", "加油站", "搅拌站", "变电站", "基站", "网站", "垃圾站", "立交桥", "天桥", "政府", "住户", "项目", "银行",
    "超市", "酒店", "大学", "中学", "小学", "入学", "上学", "开学", "放学", "同学", "文学", "科学", "教学", "集团", "物业公司",
    "开发公司", "燃气公司", "公交公司", "房地产公司", "装修公司", "网络公司", "自来水公司", "居", "定居", "邻居", "民居", "安居",
    "座", "街道", "时代", "未来", "阳光", "世纪", "江湖", "大厦", "别墅", "湖", "桥", "站", "建站", "服务中心", "营销中心",
    "销售中心", "购物中心", "政务中心", "社区中心", "居委会", "大学城", "城市", "一座", "整座", "讲座", "公园里",
    "培训学校", "驾驶培训学校", "职业学院", "职业技术学院", "职业学校", "职业技术学校",
])
# Where a name cannot go on to the left: words before it, not parts of it.
_BEFORE = re.compile(
    r".*(?:[A-Z]\d{0,2}(?:区|县|市)|市市|西地省|街道|小区|社区|大道|关于|咨询|投诉|反映|反应|举报|请求|请问|请|建议|希望|强烈|要求|位于|坐落|"
    r"座落|附近|旁边|对面|就是|我们|你们|他们|我是|本人|业主|居民|购买|买了|住在|住|再次|质疑|关注|解决|处理|规范|求助|求|尽快|加快|何时|"
    r"配套|普惠性|普惠|民办|公办|私立|公立|为何|为什么|能否|严重|违规|违法|非法|强制|开发商|物业|项目|楼盘|工地|地铁|公交|"
    r"[的在与和及是对于由到至从离给被让将把向有为某该此这那个们，。！？、：；])")
_WORD = re.compile(r"[\u4e00-\u9fffA-Za-z0-9]+")
_MARKS = re.compile(r"[\s\u200b\ufeff“”\"'《》〈〉【】（）()·—\-_]+")
_LINE = re.compile(r"(?<![\dA-Za-z])[A-Z]?\d{1,4}(?:路|号线|#线)")
_NUMBERED = re.compile(r"[一二三四五六七八九十\d]+(?:期|栋|组|标段)$")
MOST = 8
_LEFT = 7  # characters a name may have before its ending
HEAD = 120  # characters of the detail that are read for names where the title has none


def plain(text: str) -> str:
    """The text without blanks and marks that people set at will inside a name."""
    return _COMPANY.sub("公司", _MARKS.sub("", text).replace("县市", "县"))


def names(text: str) -> tuple[str, ...]:
    """The names in a text in their order, each without its general ending where enough is left; at most `MOST`."""
    found: dict[str, None] = {}
    for run in _WORD.findall(plain(text)):
        begin = 0
        for ending in _ENDINGS.finditer(run):
            name = _cut(run[max(begin, ending.start() - _LEFT):ending.start()], ending.group())
            if name:
                found[name] = None
                begin = ending.end()
            if len(found) == MOST:
                return tuple(found)
    return tuple(found)


def _cut(before: str, ending: str) -> str:
    before = _NUMBERED.sub("", _BEFORE.sub("", before))
    whole = before + ending
    least = 2 if len(ending) == 1 and ending not in "路街镇乡村桥湖" else 1
    if whole in _PLAIN or whole.endswith(("马路", "公路", "道路")) or len(before) < least or len(whole) < 3:
        return ""
    return before if ending in ("小区", "社区", "项目", "安置区") and len(before) >= 3 else whole


def lines(text: str) -> frozenset[str]:
    """Bus routes and underground lines named by number: 409路, 2号线."""
    return frozenset(found.replace("#", "号") for found in _LINE.findall(text))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message says it is: districts, names from the title (or from the beginning where the title has none),
    routes, and the text in which names of others are looked for."""

    districts: frozenset[str]
    names: tuple[str, ...]
    lines: frozenset[str]
    text: str


class Reader:
    """Reads places with the names of a city's own districts beside the coded ones."""

    def __init__(self, districts: Iterable[str] = ()) -> None:
        own = "|".join(re.escape(name) for name in sorted(set(districts), key=len, reverse=True))
        self._districts: Final = re.compile(f"{_CODED.pattern}|{own}") if own else _CODED

    def of(self, message: Message) -> Place:
        """Where a message says it is, in the district it is known to be in."""
        place = self.place(message.title, message.detail)
        return replace(place, districts=frozenset({message.district})) if message.district else place

    def place(self, title: str, detail: str) -> Place:
        title, detail = plain(title), plain(detail)
        return Place(
            frozenset(self._districts.findall(title)) or frozenset(self._districts.findall(detail[:HEAD])),
            names(title) or names(detail[:HEAD]),
            lines(title),
            f"{title} {detail}",
        )
