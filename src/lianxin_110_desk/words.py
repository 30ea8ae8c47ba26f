"""Words on the screen: Chinese in the source, English in `english.json`. A test finds the Chinese that has none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

LANGUAGES: Final = {"zh": "中文", "en": "English"}

# Codes of the interface, as people read them.
LABELS: Final[dict[str, dict[str, str]]] = {
    "state": {
        "offered": "待查看", "acknowledged": "已查看，待答复", "negotiating": "协商中", "withdrawing": "撤回中，待对方确认",
        "accepted": "已接收", "in_progress": "处置中", "outcome_returned": "已反馈结果", "closed": "已办结",
        "refused": "不接收", "defaulted": "归先接单位", "withdrawn": "已撤回",
    },
    "basis": {"clear": "权属清楚", "unclear": "权属不清", "emergency": "紧急", "returned": "交回", "followup": "后续处理"},
    "mode": {"transfer": "移交", "joint": "联动（各办各的）"},
    "wish": {"agrees": "来电人同意", "asked": "来电人要求", "not_asked": "未征询"},
    "shared": {"full": "完整提供", "masked": "部分遮盖", "none": "不提供"},
    "agreed": {"ours": "归我方", "theirs": "归对方", "unclear": "仍不清楚"},
    "phoned": {"accepted": "对方同意接收", "refused": "对方不接收", "unclear": "没有说定"},
    "reason": {
        "not_police": "不属本台管辖", "duplicate": "重复移交", "elsewhere": "应由别的单位办", "insufficient": "情况不足，无法处置",
        "stale_term": "移交已过时", "defaulted": "归先接单位", "other": "其他",
    },
    "result": {
        "settled": "已平息", "mediated": "已劝解", "case_filed": "已立案", "not_found": "到场未发现", "handed_on": "已交其他单位",
        "no_action": "无需处置", "other": "其他",
    },
    "step": {"dispatched": "已派警", "on_scene": "已到场", "working": "正在处置", "other": "其他进展"},
    "kind": {
        "offer": "提出移交", "acknowledge": "已查看", "accept": "接收", "refuse": "不接收", "negotiate": "协商记录", "withdraw": "要求撤回",
        "withdrawn": "确认撤回", "supplement": "补充情况", "phone": "电话记录", "progress": "进展", "outcome": "处置结果",
        "close": "知悉办结",
        "ping": "问线路", "query": "问在谁手里", "rule": "联审规则",
    },
    "by": {"person": "人工", "default": "按首接负责", "phone": "按电话约定"},
    "crash": {
        "": "不崩溃", "before_commit": "写库之前", "after_commit": "写库之后、回答之前", "after_send": "对方回答之后、记下之前",
        "any": "随机位置",
    },
}

ENGLISH: Final[dict[str, str]] = json.loads((Path(__file__).with_name("english.json")).read_text(encoding="utf-8"))


class Said(Exception):
    """Something to tell the person at the screen, in their language."""

    def __init__(self, text: str, **values: Any) -> None:
        super().__init__(text.format(**values) if values else text)
        self.text, self.values = text, values

    def said(self, language: str) -> str:
        return tell(language, self.text, **self.values)


def tell(language: str, text: str, **values: Any) -> str:
    """A sentence in the language of the screen."""
    chosen = ENGLISH.get(text, text) if language == "en" else text
    return chosen.format(**values) if values else chosen


def label(language: str, what: str, code: str) -> str:
    """A code as people read it; an unknown one stays as it came."""
    named = LABELS[what].get(code)
    return code if named is None else tell(language, named)
