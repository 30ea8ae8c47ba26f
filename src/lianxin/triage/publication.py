"""What is proposed to be public of a case."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lianxin.cases.actions.identity import without_name
from lianxin.cases.models import Case
from lianxin.kernel.text import BLACK

from .personal import find, redacted

LOOKS_LIKE: Final[dict[str, str | Promise]] = {
    "phone": gettext_lazy("像电话"), "identity": gettext_lazy("像身份证号"), "card": gettext_lazy("像银行卡号"),
    "plate": gettext_lazy("像车牌"), "email": gettext_lazy("像邮箱"), "wechat": gettext_lazy("像微信号"), "qq": gettext_lazy("像 QQ 号"),
    "name": gettext_lazy("像人名"), "house": gettext_lazy("像门牌"),
}


def proposed(case: Case, text: str) -> str:
    """`text` of a case with personal data and the name its reporter gave blacked out. A person reads and decides."""
    return redacted(without_name(case, text, black=BLACK))


def marked(case: Case, text: str) -> list[tuple[str, str]]:
    """`text` in pieces: each with what it looks like, empty for what is proposed to be read by anyone. Joined they are `text`."""
    kinds = [""] * len(text)
    for at, (shown, plain) in enumerate(zip(proposed(case, text), text, strict=False)):
        if shown != plain:
            kinds[at] = str(_("像诉求人的名字"))
    for span in find(text, houses=True):
        kinds[span.start : span.end] = [str(LOOKS_LIKE[span.kind])] * (span.end - span.start)
    pieces = groupby(zip(kinds, text, strict=True), key=lambda one: one[0])
    return [("".join(character for _kind, character in piece), kind) for kind, piece in pieces]
