"""How names of places are cut short, mistaken and told from common words."""

# ruff: noqa: E501  wide characters
from __future__ import annotations

import re

SUFFIXES = ("街道办事处", "社区居委会", "居民委员会", "村民委员会", "村委会", "居委会", "管理处", "街道", "社区", "办事处", "管理区", "自治县",
             "镇", "乡", "村", "区", "县", "市")
TAILS = ("街道", "社区", "管理处", "大道", "小区", "新村", "镇", "乡", "村", "区", "县", "市", "路", "街")  # of names that may hold a slip

# Short forms that are words of every day, whatever the city; what else is one in a city's mouth its `city.yaml` says.
WORDS = frozenset((
    "长寿", "安定", "江南", "龙门", "虹桥", "长安", "金龙", "凤凰", "路口", "湖滨", "五星", "开发区", "公司", "中心", "胜利", "光明",
    "前进", "建设", "红旗", "团结", "幸福", "和平", "友谊", "联合", "新华", "复兴", "振兴", "和谐", "黄金", "桥头", "向阳", "朝阳", "太平",
))
AROUND_AFTER = re.compile(r"(?:街道|社区|[村镇乡县组]|这边|这里|这块|那边|那里|那块|附近|旁边|周边|一带|路口|小区|屋场|片区|办事处|管区|小学|中学|完小|卫生|医院|"
                           r"派出所|市场|老街|街上|境内|方向|政府)")
AROUND_BEFORE = re.compile(r"(?:[在住到去从于往]|来自|属于|我是|家是)$")
# Characters that are taken one for the other, by sound or by look.
CONFUSED = tuple(map(frozenset, (
    "王汪旺", "齐奇其祁", "州洲", "院垸苑园", "词祠", "月岳越", "桥乔侨", "湾弯", "坪平萍", "陵凌岭零", "矶几机基", "城成程", "板版", "枫风丰封", "塘糖堂唐",
    "鹤赫", "鹿麓", "古谷", "茅毛矛", "树数", "盛圣胜", "托拖", "雷擂", "鲶鲇", "粮粱梁良", "加家佳嘉", "杨羊洋阳", "赛寨", "穿川", "踏塔", "笼龙隆", "鄂鹗",
    "吕先仙", "兹滋", "枇琵", "得德", "完院", "里理李", "法发", "张章", "刘柳", "陈程", "何河合", "黄王", "姚饶", "肖萧", "徐许", "付傅")))
# What tells two names apart and is never a slip.
TELLING = frozenset("东南西北中上下前后左右内外新老大小一二三四五六七八九十0123456789")
