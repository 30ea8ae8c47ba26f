"""A first pass over words that are to be public: what surely names a person is blacked out, the rest the person checks."""

from __future__ import annotations

import re

BLACK = "■■■"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",  # e-mail
        r"(?<!\d)\d{6}(?:19|20)\d{9}[\dXx](?!\d)",  # identity card, 18 digits
        r"(?<!\d)\d{17}[\dXx](?![\dA-Za-z])",
        r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)",  # mobile telephone
        r"(?<!\d)0\d{2,3}[- ]?\d{7,8}(?!\d)",  # fixed line with area code
        r"(?<!\d)[2-8]\d{6,7}(?!\d)",  # fixed line without
        r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·\s]?[A-HJ-NP-Z0-9]{5,6}",  # number plate
        r"\d{1,4}\s*[栋幢座]\s*(?:\d{1,3}\s*单元)?\s*\d{0,4}\s*[室号房]?",  # building, staircase, flat
        r"(?<!\d)\d{1,3}单元\s*\d{2,4}[室号房]?",
        r"(?<!\d)\d{3,4}[室房]",
        r"(?:微信|QQ|qq)[号:：\s]*[A-Za-z0-9_-]{5,20}",
        r"(?:我叫|我是|我名叫|姓名[:：]?\s*)[\u4e00-\u9fff]{2,3}(?=[，。,、；;\s]|$)",
    )
)


def redacted(text: str, *, names: tuple[str, ...] = ()) -> str:
    """`text` with telephones, card numbers, plates, flats, e-mail and the given names blacked out."""
    for name in names:
        if len(name.strip()) >= 2:
            text = text.replace(name.strip(), BLACK)
    for pattern in _PATTERNS:
        text = pattern.sub(BLACK, text)
    return text
