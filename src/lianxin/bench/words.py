"""Plausible messages, written by chance from parts: long enough to search in, never the same twice."""

from __future__ import annotations

import random
from dataclasses import dataclass

STREETS = ("五里牌", "洞庭大道", "建设路", "金鹗山", "得胜路", "南湖", "巴陵中路", "梅溪", "云溪", "青年路", "站前路", "炮台山",
            "花板桥", "王家河", "奇家岭", "求索路", "学院路", "珍珠山", "枫桥湖", "黄茅山")
PLACES = ("菜市场门口", "小学旁边", "三号楼楼下", "公交站对面", "加油站西侧", "医院后门", "桥头", "广场东边", "社区活动室外",
           "铁路涵洞里", "停车场入口", "河堤上")
WHEN = ("已经三天了", "从上周开始", "每天晚上十点以后", "昨天夜里", "半个月没有人管", "下雨以后", "早高峰时", "连续一个月")
WHAT = ("路灯不亮，晚上很黑，老人小孩走路不方便", "井盖缺了一块，电动车容易摔倒", "工地打桩，噪声太大，孩子睡不着",
         "垃圾没有清运，气味难闻", "摊贩占道，消防车进不去", "没有自来水，楼上用水困难", "电梯坏了，物业一直不修",
         "楼顶搭建，漏水到我家", "饭店油烟直接排到窗前", "工资没有发，包工头电话不接", "红绿灯时间太短，过不了马路",
         "下水道堵塞，污水流到路上", "绿化带的树枝挡住了监控和窗户", "健身器材松动，螺丝掉了")
ASK = ("请有关部门尽快处理。", "希望给一个答复。", "以前反映过，没有解决。", "请问由哪个单位负责？", "麻烦派人来看一下，谢谢。")
# Named in a third of the messages, the first often and the last seldom.
SHOPS = ("华联", "天润", "步步", "鸿运", "永辉", "祥和", "富源", "金盛", "佳惠", "德福", "聚贤", "湘味", "巴蜀", "春晖", "蓝湾",
         "旭日", "锦绣", "恒泰", "康乐", "宏达", "瑞丰", "同仁", "百草", "雅苑", "翠竹", "银杏", "御景", "凯旋", "明珠", "阳光",
         "汇丰", "兴隆", "万家", "乐购", "优品", "尚都", "名仕", "龙腾", "凤凰", "麒麟")
RARE = "榕樟柚栾桦椿楠榆槐柏杉柳桐枣梓檀"


@dataclass(slots=True)
class Writer:
    """Messages from one seed."""

    chance: random.Random

    def message(self) -> tuple[str, str, str]:
        """Title, words and place of one case. About one in a hundred names a rare tree in two characters."""
        pick = self.chance.choice
        street, place, what = pick(STREETS), pick(PLACES), pick(WHAT)
        shop = f"就在{SHOPS[int(len(SHOPS) * self.chance.random() ** 3)]}对面。" if self.chance.random() < 0.3 else ""
        rare = f"旁边有棵{pick(RARE)}{pick(RARE)}。" if self.chance.random() < 0.01 else ""
        number = self.chance.randrange(1, 2000)
        return (
            f"{street}{what[:8]}",
            f"{street}{number}号{place}，{pick(WHEN)}，{what}。{shop}{rare}{pick(ASK)}{pick(WHAT)}，{pick(ASK)}",
            f"{street}{number}号",
        )
