"""Small labelled messages, written for the tests: three categories whose words differ, made from parts."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

from lianxin.triage.classify.files import Example

PLACES = ("东风路", "金桥小区", "柳树巷", "南津港", "花园坪", "学院路", "三里村", "新河口", "望岳路", "梅溪里", "站前街", "竹荫里")
SAID = {
    "市政": ("路灯坏了三天没有人修", "井盖破了一个大洞", "人行道的砖松了一踩就溅水", "下水道堵了污水流到路面",
             "路面塌下去一块"),
    "教育": ("小学门口没有老师护送学生过马路", "学校食堂的饭菜学生吃不饱", "幼儿园学费又涨了",
             "老师要求学生周末补课收费", "学校操场晚上不开放"),
    "环境": ("砖厂半夜排黑烟气味刺鼻", "河水被养殖场的粪水染黑了", "工厂的机器噪声整夜不停",
             "有人在田边焚烧垃圾烟味很大", "采石场扬尘到处是灰"),
}
GREETINGS = ("", "您好，", "尊敬的领导：", "我是附近居民，")
ENDS = ("请派人来看看。", "希望尽快处理", "谢谢！", "已经反映过一次没有回音。")


def examples(each: int = 60, part: str = "") -> list[Example]:
    """`each` messages of every category, no two alike."""
    made = []
    for label, matters in SAID.items():
        # Every place with every matter before anything is said again in other words.
        ways = [(matter, place, greeting, end) for greeting, end in itertools.product(GREETINGS, ENDS)
                for place, matter in itertools.product(PLACES, matters)]
        for matter, place, greeting, end in ways[:each]:
            made.append(Example(f"{place}{matter[:8]}", f"{greeting}{place}{matter}，{end}", label, part))
    return made


def write(path: Path, rows: list[Example], *, parted: bool = False, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        out = csv.writer(file)
        out.writerow(["title", "detail", "category", *(["part"] if parted else [])])
        out.writerows([one.title, one.detail, one.label, *([one.part] if parted else [])] for one in rows)
    return path
