"""The forms of pauses and extensions. Lengths are typed in days or hours of the clock's own working time."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from lianxin.cases.clocks import calendar_named
from lianxin.cases.models import Clock, Extension, SuspensionReason
from lianxin.cases.narrative import day_and_time
from lianxin.cases.queries_clocks import promised_clock, waiting_extension
from lianxin.cases.sayings.clocks import length
from lianxin.kernel.clock import now

from .base import ActionForm, text, when

_TYPED = re.compile(
    r"(?P<number>[0-9]{1,5}(?:\.[0-9])?)\s*(?:个)?(?:工作)?"
    r"(?P<measure>天|日|小时|时|分钟|分|d|days?|h|hours?|m|min|minutes?)?",
    re.IGNORECASE)


class Suspend(ActionForm):
    waits_for = forms.ChoiceField(label=_("在等什么"), choices=[("", "—"), *SuspensionReason.choices])
    words = text(_("要诉求人补充什么，或等哪个外部条件"), rows=3, public=True)
    until = when(_("最迟等到"), required=True)

    def prepare(self) -> None:
        until = self.fields["until"]
        most = settings.LIANXIN_PAUSE_DAYS
        until.help_text = ngettext("最长 %d 天；到时自动恢复计时。", "最长 %d 天；到时自动恢复计时。", most) % most
        until.initial = (localtime(now()) + timedelta(days=2)).replace(hour=17, minute=0, second=0, microsecond=0)
        self.fields["waits_for"].help_text = _("等诉求人补充的，须先有联系上诉求人的记录；诉求人补充后自动恢复。")


class ResumeWork(ActionForm):
    note = text(_("说明"), required=False, rows=2, internal=True)


class LiftSuspension(ActionForm):
    reason = text(_("为什么不必再等"), rows=2, internal=True)


class _Length(ActionForm):
    """A length of the promised clock's time, typed as one says it – `2 天`, `4 小时`, `30 分钟`, `2d`, `4h` – and kept in minutes."""

    minutes = forms.CharField(label=_("延长多少"), required=False, max_length=20,
                              widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": _("2 天")}))

    @property
    def clock(self) -> Clock | None:
        return promised_clock(self.case.pk)

    def clean_minutes(self) -> int | None:
        typed = str(self.cleaned_data["minutes"]).strip()
        if not typed:
            return None
        found = _TYPED.fullmatch(typed)
        if found is None:
            raise forms.ValidationError(_("请写数字和单位：2 天、4 小时或 30 分钟。"))
        number, measure, clock = float(found["number"]), (found["measure"] or "天").lower()[0], self.clock
        day = calendar_named(clock.calendar).minutes_a_day if clock is not None else 0
        return round(number * {"天": day, "日": day, "d": day, "小": 60, "时": 60, "h": 60}.get(measure, 1))


class AskExtension(_Length):
    reason = text(_("为什么要延期"), rows=3, internal=True)
    complex = forms.BooleanField(label=_("按疑难事项的时限"), required=False)

    field_order = ("reason", "minutes", "complex")

    def prepare(self) -> None:
        clock = self.clock
        if clock is not None:
            self.fields["minutes"].help_text = _("期限 %(due)s，最多再加 %(length)s。") % {
                "due": day_and_time(clock.due_at), "length": length(clock.limit_minutes, clock.calendar)}
        if self.case.category is None or not self.case.category.complex_allowed:
            del self.fields["complex"]

    def cleaned(self) -> dict[str, Any]:
        values = super().cleaned()
        if not values.get("complex"):
            values.pop("complex", None)
        return values


class GrantExtension(_Length):
    explanation = text(_("向诉求人说明为什么要延长"), rows=3, public=True)

    field_order = ("explanation", "minutes")

    def prepare(self) -> None:
        asked: Extension | None = waiting_extension(self.case.pk)
        minutes = self.fields["minutes"]
        minutes.label = _("批多少（不填为全部）")
        if asked is not None:
            minutes.help_text = _("申请 %(length)s，期限 %(due)s；可以少批。") % {
                "length": length(asked.minutes, asked.clock.calendar), "due": day_and_time(asked.clock.due_at)}


class RefuseExtension(ActionForm):
    reason = text(_("为什么不同意"), rows=2, internal=True)


FORMS: dict[str, type[ActionForm]] = {
    "suspend": Suspend, "resume_work": ResumeWork, "lift_suspension": LiftSuspension, "ask_extension": AskExtension,
    "grant_extension": GrantExtension, "refuse_extension": RefuseExtension,
}
