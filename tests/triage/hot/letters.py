"""Letters written for these tests: a batching plant, a car park tied to flats, and letters of one template."""

from __future__ import annotations

from datetime import datetime, timedelta

from lianxin.triage.hot.messages import Message

FIRST = datetime(2026, 3, 1, 8)  # noqa: DTZ001 – as the file has it

PLANT = [
    ("南湖春城小区旁搅拌站灰尘大", "我家在南湖春城小区，围墙外新建的混凝土搅拌站天天扬尘，窗户不敢开，晚上机器轰鸣。"),
    ("南湖春城旁的搅拌站夜里噪音扰民", "南湖春城小区东侧搅拌站通宵生产，罐车进进出出，噪音很大，灰尘落满阳台。"),
    ("请查一查南湖春城边上的混凝土搅拌站", "搅拌站离南湖春城小区不到一百米，粉尘和噪音污染严重，孩子一直咳嗽。"),
    ("搅拌站粉尘让南湖春城居民睡不好", "南湖春城小区旁边的搅拌站半夜装料，噪音大、粉尘大，希望搬走。"),
]
PARKING = [
    ("洞庭明珠小区卖房捆绑车位", "在洞庭明珠小区买房，开发商说必须同时买车位，不买车位不签合同。"),
    ("洞庭明珠开发商强制购买车位", "洞庭明珠小区的开发商把车位和房子捆绑销售，一个车位十二万，不买就退房。"),
    ("举报洞庭明珠捆绑销售车位", "开发商强制业主买车位才肯签购房合同，洞庭明珠小区很多业主都遇到了。"),
]
TEMPLATE = [
    ("青年路临街门面油烟扰民", "青年路临街门面开餐馆，油烟直排，住户不敢开窗，多次反映没有结果，请尽快处理。"),
    ("巴陵路临街门面油烟扰民", "巴陵路临街门面开餐馆，油烟直排，住户不敢开窗，多次反映没有结果，请尽快处理。"),
    ("德胜路临街门面油烟扰民", "德胜路临街门面开餐馆，油烟直排，住户不敢开窗，多次反映没有结果，请尽快处理。"),
]
OTHERS = [
    ("医保卡余额查不到", "手机上查不到医保卡里的余额，窗口又要排队，想问别的办法。"),
    ("孩子转学需要哪些材料", "全家搬到城里，孩子读三年级，想知道转学要带什么材料。"),
    ("老人公交卡怎么补办", "父亲的老年公交卡丢了，不知道去哪里补办，要不要照片。"),
    ("村里自来水一个月没来", "我们组里自来水停了一个月，靠挑水吃，希望修好管子。"),
    ("路口红绿灯时间太短", "放学时过马路的人多，绿灯只有十秒，老人走不到一半。"),
]


def letters(*groups: list[tuple[str, str]], voices: int = 0, start: int = 0) -> list[Message]:
    """The letters of the groups, a day apart, from `voices` different people by turns (0: each from another)."""
    made = []
    for number, (title, detail) in enumerate((pair for group in groups for pair in group), start):
        voice = number % voices if voices else number
        made.append(Message(f"m{number:03}", f"v{voice}", FIRST + timedelta(days=number), title, detail))
    return made
