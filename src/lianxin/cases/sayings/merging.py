"""What is said of merged cases. The reporter never reads whose the others are."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lianxin.kernel.language import listed

from ..models import Case, Event, State

NAMED = 5  # numbers said one by one; of more the count


def _merged(event: Event, by: str) -> str:
    numbers = [str(one) for one in event.data.get("duplicates", ())]
    count = int(event.data.get("merged", len(numbers)) or 0)
    if len(numbers) > NAMED or count > len(numbers):
        return ngettext("%(by)s把 %(count)d 件并到这件。", "%(by)s把 %(count)d 件并到这件。", count) % {"by": by, "count": count}
    return _("%(by)s把 %(numbers)s 并到这件。") % {"by": by, "numbers": listed(numbers)}


def _followed(event: Event, by: str) -> str:
    from ..states import BY_ACTION

    row = BY_ACTION.get(str(event.data.get("because")))
    return _("%(by)s：主件“%(action)s”，这件跟着变。") % {"by": by, "action": row.label if row else ""}


INSIDE: dict[str, Callable[[Event, str], str]] = {
    "merge": _merged,
    "unmerge": lambda event, by: _("%s拆分，这件单独办理。") % by,
    "join_master": lambda event, by: _("%(by)s把这件并入 %(master)s。") % {"by": by, "master": event.data.get("master", "")},
    "follow_master": _followed,
    "answer_with_master": lambda event, by: _("%s审核通过主件的答复，这位诉求人也收到了。") % by,
    "take_over": lambda event, by: _("%s：主件没有答复就结束了，由这件接着办。") % by,
    "release_duplicate": lambda event, by: _("%(by)s：%(number)s 不再并在这件下面。") % {
        "by": by, "number": event.data.get("duplicate", "")},
}
OUTSIDE: dict[str, Callable[[Event, str], str]] = {
    "unmerge": lambda event, by: _("热线核对后，您这件事单独办理。"),
    "join_master": lambda event, by: _("别的市民也说了同一件事，热线放在一起办。您的编号、期限和答复都不变。"),
    "answer_with_master": lambda event, by: _("办理结果出来了，热线审核通过，答复如下："),
    "take_over": lambda event, by: _("您说的事接着往下办。"),
}


def replied(case: Case) -> bool:
    """Whether the answer to a merged case lies with review."""
    return case.state == State.MERGED and case.master is not None and case.master.state == State.REPLIED


def owner(case: Case, unit: str) -> str:
    """Whose a merged case is now. `unit` is its unit as it stands in a sentence."""
    if case.lead_unit is None:
        return _("别的市民也说了同一件事，热线放在一起，正在看该由哪个单位办")
    return _("别的市民也说了同一件事，%(unit)s放在一起办") % {"unit": unit}


def next_steps(case: Case) -> list[str]:
    """What happens next with a merged case."""
    return [
        _("同一件事办好了，答复也会写在您这个页面上；您一样可以评价。"),
        _("要是您说的不是同一件事，请拨 12345，报编号，热线会分开办。"),
    ]
