"""What is said of redoing, contesting and closing without a call."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ..models import ActorKind, Event, Outcome


def _closed(event: Event, _by: str) -> str:
    if event.data.get("outcome") == Outcome.SOLVED:
        return _("您评价说已经解决，这件事办结归档。")
    return _("到时间没有收到您的评价，这件事先归档，不算您满意。还没解决的，可以提出不认可。")


INSIDE = {
    "reopen_unsolved": lambda event, by: _("%s自动退回原单位重办：诉求人说没有解决。") % by,
    "contest": lambda event, by: _("%s不认可办结：") % by,
    "close_unasked": lambda event, by: (
        _("%s归档：未抽中回访，诉求人自己评价已解决。") if event.data.get("outcome") == Outcome.SOLVED
        else _("%s归档：未抽中回访，到期没有评价，不计入满意。")) % by,
}
OUTSIDE = {
    "reopen_unsolved": lambda event, by: _("您说还没解决，这件事已自动退回原单位重新办理，期限重新计算。"),
    "contest": lambda event, by: (
        _("您不认可办结：") if event.actor_kind == ActorKind.REPORTER else _("热线替您记下，您不认可办结：")),
    "close_unasked": _closed,
}


def decided_by_supervisor(event: Event, *, internal: bool) -> str:
    """What follows the sentence of a callback or rating after which only a supervisor decides; empty otherwise."""
    if event.data.get("next") != "supervisor":
        return ""
    return _("重办后仍未解决，交督办员决定。") if internal else _("重办以后还没解决，由督办人员来定下一步。")
