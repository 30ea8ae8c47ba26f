"""What each figure is: which episodes are its denominator, what of them is counted, and which way is better.

Source: DOMAIN.md "Rates (三率)". Every figure is over the episodes whose callback fell due in the period. An episode is
one round of one case; a merged reporter's case is an episode of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .figures import FigureKind


@dataclass(frozen=True, slots=True)
class Definition:
    """`numerator` and `denominator` name the columns of the counted facts (`counting.measures`)."""

    code: str
    label: str | Promise
    numerator: str
    denominator: str
    says: str | Promise
    kind: FigureKind = FigureKind.PROPORTION
    better: Literal["higher", "lower", "neither"] = "higher"


_COUNT: Final = FigureKind.COUNT

_ALL: Final = (
    Definition("response", _("响应率"), "contacted_in_time", "due", _("首次联系期限内联系到诉求人的 ÷ 应回访的全部")),
    Definition("resolution", _("解决率"), "solved", "reached", _("诉求人说已解决的 ÷ 联系上的诉求人")),
    Definition("satisfaction", _("满意率"), "satisfied", "rated", _("满意或基本满意的 ÷ 作出评价的诉求人")),
    Definition("unreached", _("未联系上比例"), "unreached", "due", _("回访没有联系上、本人也没有评价的 ÷ 应回访的全部"),
               better="lower"),
    Definition("on_time_sign_for", _("按时签收率"), "sign_for_in_time", "sign_for_owed", _("按时签收的 ÷ 应签收的")),
    Definition("on_time_first_contact", _("按时首次联系率"), "first_contact_in_time", "first_contact_owed",
               _("首次联系没有超时的 ÷ 应首次联系的")),
    Definition("on_time_resolve", _("按时办结率"), "resolve_in_time", "resolve_owed", _("按时办结的 ÷ 应办结的")),
    Definition("on_time_ruling", _("按时裁定率"), "rulings_in_time", "rulings_owed", _("按时裁定的退单 ÷ 应裁定的退单")),
    Definition("on_time_callback", _("按时回访率"), "callback_in_time", "due", _("按时回访的 ÷ 应回访的全部")),
    Definition("correct_first_dispatch", _("首次派单准确率"), "first_dispatch_stood", "first_dispatched",
               _("第一次派单没有改派、退单没有获准的 ÷ 派过单的第一轮")),
    Definition("reopen", _("重办率"), "reopened", "due", _("之后又重办的 ÷ 应回访的全部"), better="lower"),
    Definition("returns", _("退单次数"), "returns", "due", _("退单次数 ÷ 应回访的全部"), _COUNT, "lower"),
    Definition("rework", _("返工次数"), "reworks", "due", _("审核退回和重办的次数 ÷ 应回访的全部"), _COUNT, "lower"),
    Definition("against_catalogue", _("未按目录派单次数"), "against_catalogue", "due", _("没有按派单目录派的次数 ÷ 应回访的全部"),
               _COUNT, "lower"),
    Definition("pauses", _("挂起次数"), "pauses", "due", _("挂起次数 ÷ 应回访的全部"), _COUNT, "neither"),
    Definition("extensions", _("延期次数"), "extensions", "due", _("获准的延期次数 ÷ 应回访的全部"), _COUNT, "neither"),
)

DEFINITIONS: Final[dict[str, Definition]] = {definition.code: definition for definition in _ALL}
THREE_RATES: Final = ("response", "resolution", "satisfaction")
