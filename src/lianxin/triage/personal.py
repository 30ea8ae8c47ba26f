"""Personal data in free text: found, and blacked out wherever words are to leave the case.

It proposes; what is published is decided by a person who reads it. Numbers of up to five digits (110, 12345, 95598) are
public services and stay. Case numbers, dates and sums stay. How well it finds each kind is in
docs/reference/triage-words.md.
"""

# ruff: noqa: E501  one expression is read as one line
from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from lianxin.kernel.text import BLACK

KINDS: Final = ("phone", "identity", "card", "plate", "email", "wechat", "qq", "name", "house")
READ_LIMIT: Final = 100_000  # characters; the rest is not looked at by `find`, and left out by `masked`

_WIDE = {ord(wide): chr(ord(wide) - 0xFEE0) for wide in map(chr, range(0xFF01, 0xFF5F))} | {0x3000: " "}
_SPOKEN = str.maketrans("零〇一幺二两三四五六七八九", "0011223456789")

_SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任"
    "袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧肖尹姚邵湛汪祁毛禹狄米贝明臧计伏成"
    "戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫经房裘缪"
    "干解应宗丁宣邓郁单杭洪包诸左石崔吉钮龚程嵇邢裴陆荣翁荀羊惠甄曲家封芮储靳汲邴糜松井段富巫乌焦巴弓牧隗山谷车侯宓蓬全"
    "郗班仰秋仲伊宫宁仇栾暴甘厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白蒲邰从鄂索咸籍赖卓蔺屠蒙池乔阴胥能苍双闻莘党翟谭"
    "贡劳逄姬申扶堵冉宰郦雍璩桑桂濮牛寿边扈燕冀浦尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡"
    "国文寇广禄阙东欧殳沃蔚越夔隆师巩聂晁勾敖融冷訾辛阚那简饶空曾沙养鞠须丰巢关蒯相查后荆红游竺逯盖益桓公佘付旷")
_COMPOUND = ("欧阳", "司马", "上官", "诸葛", "司徒", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "夏侯", "端木", "轩辕", "长孙")
# Characters that begin a word after a surname-like character far more often than a given name.
_NO_GIVEN = frozenset("的了是在有不没和也就都被把给对向从到说让要会能去来着过吗呢吧啊们这那个我你他她它谁什么怎时候年月日号点元块次"
                      "村镇乡路街区县市河湖桥垄组冲社校院局所司厂店楼栋与及等为于因所以面中下上前后里外边间家门口单位民员主人"
                      "认反投想问住打电话手机身份证址本想觉希望已经曾还再总常")
_NO_NAME = ("高中", "高度", "方面", "任何", "应该", "常年", "严重", "安全", "经常", "金额", "全家", "全体", "单身", "单亲", "万元", "于是",
            "时间", "平时", "平常", "成年", "石油", "国家", "文化", "农民", "关于", "相关", "居民", "居住", "通过", "那边", "公司", "公务",
            "公安", "双方", "水电", "东西", "广大", "连续", "能否", "终于", "步行", "都市", "解决", "强烈", "房东", "房屋", "车主", "包工",
            "从事", "全职", "家里", "家住", "家属", "师范", "查询", "后来", "易地", "马上", "马路", "安定", "江南")
_SUR = f"(?:{'|'.join(_COMPOUND)}|[{''.join(sorted(_SURNAMES))}])"
_NAME = rf"(?P<span>{_SUR}[\u4e00-\u9fff]{{1,2}}?)"
_END = r"(?=[，。,.、；;：:！!？?\s（(\"”’』」】/]|$|电话|手机|身份|证件|住|车牌|男|女|\d|[■])"

_PROVINCE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_NEAR_IDENTITY = re.compile(r"身份|证件|证号|户口")
_NEAR_CARD = re.compile(r"卡|账号|帐号|账户")
_NEAR_PHONE = re.compile(r"电话|座机|号码|固话|拨|热线|传真|联系|打|tel", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """Personal data at `text[start:end]`; `kind` is one of KINDS."""

    kind: str
    start: int
    end: int


def identity_valid(number: str) -> bool:
    """Whether 17 digits and a check character obey GB 11643-1999."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False)) % 11] == number[17].upper()


def luhn_valid(number: str) -> bool:
    """Whether digits obey the check of bank cards (ISO/IEC 7812)."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


_Check = Callable[[str, "re.Match[str]"], bool]


def _near(pattern: re.Pattern[str], reach: int) -> _Check:
    return lambda text, match: pattern.search(text, max(match.start() - reach, 0), match.start()) is not None


def _identity(text: str, match: re.Match[str]) -> bool:
    return identity_valid(re.sub(r"\s", "", match.group("span"))) or _near(_NEAR_IDENTITY, 12)(text, match)


def _card(text: str, match: re.Match[str]) -> bool:
    return luhn_valid(re.sub(r"[\s-]", "", match.group("span"))) or _near(_NEAR_CARD, 8)(text, match)


def _plate(_text: str, match: re.Match[str]) -> bool:
    return any(character.isdigit() for character in match.group("span"))


def _name(_text: str, match: re.Match[str]) -> bool:
    said = match.group("span")
    given = said[2:] if said.startswith(_COMPOUND) else said[1:]
    return not (said.startswith(_NO_NAME) or any(character in _NO_GIVEN for character in given))


@dataclass(frozen=True, slots=True)
class _Finder:
    kind: str
    pattern: re.Pattern[str]
    holds: _Check | None = None
    spoken: bool = False  # digits may be said in characters


def _made(kind: str, source: str, holds: _Check | None = None, *, spoken: bool = False) -> _Finder:
    return _Finder(kind, re.compile(source, re.IGNORECASE), holds, spoken)


_MONTH_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
# In order: what an earlier one took, a later one leaves alone.
_FINDERS = (
    _made("email", r"(?<![A-Za-z0-9_.+-])(?P<span>[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4})"),
    _made("plate", rf"(?P<span>[{_PROVINCE}][A-HJ-NP-Z][·•.\- ]?(?:[A-HJ-NP-Z0-9] ?){{4,5}}[A-HJ-NP-Z0-9挂学警港澳使领])(?![A-Z0-9])", _plate),
    _made("identity", rf"(?<![\dA-Za-z])(?P<span>[1-8]\d{{5}} ?(?:18|19|20)\d\d{_MONTH_DAY} ?\d{{3}}[\dX])(?![\dA-Za-z])", spoken=True),
    _made("identity", r"(?<![\dA-Za-z])(?P<span>[1-8]\d{5} ?\d{8} ?\d{3}[\dX])(?![\dA-Za-z])", _identity),
    _made("identity", rf"(?<![\dA-Za-z])(?P<span>[1-8]\d{{5}}\d\d{_MONTH_DAY}\d{{3}})(?![\dA-Za-z])", _near(_NEAR_IDENTITY, 12)),
    _made("card", r"(?<![\dA-Za-z-])(?P<span>[3-6]\d{3}(?:[ -]?\d){12,15})(?![\dA-Za-z]|[ -]\d)", _card),
    _made("wechat", r"(?:微信|威信|薇信|微 ?信|[vV]信|vx|wechat)(?:号码?|是|为|叫)?[:：是为\s]{0,3}(?P<span>[A-Za-z][A-Za-z0-9_-]{5,19})(?![A-Za-z0-9])"),
    _made("qq", r"(?:qq|扣扣|企鹅)(?:群|号码?)?[:：是为群号\s]{0,3}(?P<span>[1-9]\d{4,10})(?!\d)"),
    _made("phone", r"(?<!\d)(?P<span>(?:\+?(?:00)?86[- ]?)?1[3-9]\d(?:[- ]?\d){8}(?:转\d{1,5})?)(?!\d)", spoken=True),
    _made("phone", r"(?<![\d-])(?P<span>\(?0\d{2,3}\)?[- ]?[2-8]\d{2,3}[- ]?\d{4}(?:[转-]\d{1,5})?)(?!\d)"),
    _made("phone", r"(?<![\d-])(?P<span>[48]00[- ]?\d{3}[- ]?\d{4})(?!\d)"),
    _made("phone", r"(?<![\d.-])(?P<span>[2-8]\d{6,7})(?![\d元人块个平年.-])", _near(_NEAR_PHONE, 6)),
    _made("name", rf"(?:我名?叫|名叫|(?:名字|姓名)(?:是|叫|[:：])\s?|(?:开户名|收款人|联系人|投诉人|反映人|举报人|申请人|当事人|经办人)[:：]\s?){_NAME}{_END}",
          _name),
    _made("name", rf"(?:我是|本人|联系人|投诉人|反映人|举报人|申请人|当事人|户主|业主|机主|房主|姓名|收款人|联系|电话|手机)\s?{_NAME}{_END}", _name),
    _made("name", rf"我是(?P<span>{_SUR}[\u4e00-\u9fff]{{2}})(?=的)", _name),
    _made("name", rf"叫{_NAME}(?=的)", _name),
    _made("name", rf"[他她人子女公婆夫妻亲孩孙爸妈弟妹哥姐友]叫{_NAME}{_END}", _name),
    _made("name", rf"(?P<span>(?![于和都那对从当]){_SUR}(?:某某?(?![些个种类天日年月地部方])|先生|女士|小姐|师傅|老板|大姐|大哥|大爷|阿姨|奶奶|爷爷|嫂子))"),
    _made("name", rf"(?:我|本人|他|她|免贵)姓(?P<span>{_SUR})(?=[，。,.、；;\s]|$)"),
    _made("house", r"(?<![\dA-Za-z])(?P<span>(?:[A-Z]?\d{1,3}|[一二三四五六七八九十]{1,3})(?:号楼|[栋幢座])\s?(?:[A-Z]?\d{1,2}|[一二三四五六七八九十]{1,2})"
                   r"单元(?:\s?\d{2,4}[室号房]?)?)"),
    _made("house", r"(?<![\dA-Za-z])(?P<span>(?:[A-Z]?\d{1,3}|[一二三四五六七八九十]{1,3})(?:号楼|[栋幢座])\s?\d{3,4}[室号房]?)(?!\d)"),
    _made("house", r"(?<![\dA-Za-z])(?P<span>\d{1,2}单元\s?\d{2,4}[室号房]?)(?!\d)"),
    _made("house", r"(?<![\dA-Za-z])(?P<span>\d{3,4}[室房])(?![间屋产])"),
)


def _found(text: str, *, houses: bool) -> Iterator[Span]:
    plain = text.translate(_WIDE)
    spoken = plain.translate(_SPOKEN)
    taken = bytearray(len(text))
    for finder in _FINDERS:
        if finder.kind == "house" and not houses:
            continue
        read = spoken if finder.spoken else plain
        for match in finder.pattern.finditer(read):
            start, end = match.span("span")
            if any(taken[start:end]) or (finder.holds is not None and not finder.holds(plain, match)):
                continue
            taken[start:end] = b"\1" * (end - start)
            yield Span(finder.kind, start, end)


def find(text: str, *, houses: bool = False) -> list[Span]:
    """Personal data in `text`, in order, none overlapping; with `houses`, building, staircase and flat too.

    A mobile number or identity number counts with digits wide (１３８), said (幺三八) or grouped; a landline of seven digits,
    an old identity number and a card that fails its check only where the words before say what they are.
    """
    return sorted(_found(text[:READ_LIMIT], houses=houses), key=lambda span: span.start)


def masked(text: str, *, houses: bool = False) -> str:
    """`text` with its personal data blacked out, one ■ for each character. What was masked stays as it is when it is
    masked again. At most 100,000 characters are given back."""
    text = text[:READ_LIMIT]
    while spans := find(text, houses=houses):
        characters = list(text)
        for span in spans:
            characters[span.start : span.end] = BLACK * (span.end - span.start)
        text = "".join(characters)
    return text


def redacted(text: str, *, names: Iterable[str] = ()) -> str:
    """`text` as it is proposed for everybody to read: masked with building, staircase and flat, and without the given names,
    of two characters or more, wherever they stand. What is left the person checks."""
    for name in (one.strip() for one in names):
        if len(name) >= 2:
            text = text.replace(name, BLACK * len(name))
    return masked(text, houses=True)
