"""What people write down about a handover: taking it, refusing it, what the desks said to each other, on the line or by telephone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.timezone import localtime
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lianxin.cases.reference import reference
from lianxin.kernel.clock import now
from lianxin.linkage.models import Direction, Handover, Holder, JointRule, Partner, Term, TermList, What
from lianxin.linkage.queries import category_here
from lianxin.linkage.wire import Agreed, PhoneAgreed

from ..typed import area_code, category_code
from .base import AreaField, CategoryField, PreparedForm, text, when


class HandoverForm(PreparedForm):
    """A form of what is done to a handover: knows it."""

    def __init__(self, *args: Any, handover: Handover, **kwargs: Any) -> None:
        self.handover = handover
        super().__init__(*args, **kwargs)


def category_line(code: str) -> str:
    """A category as it stands in a typed field."""
    node = reference().nodes_by_code.get(code)
    return f"{node.code} {node.said}" if node else ""


class Accept(HandoverForm):
    lists = ("categories", "areas")
    category = CategoryField(label=_("事项"), required=False, max_length=160,
                             help_text=_("对照表认得对方的事项时已经填好。不填的，接收后在工单里受理。"))
    area = AreaField(label=_("地点（区域）"), required=False, max_length=200, help_text=_("不填的，用对方写的地点。"))
    note = text(_("告诉对方的话"), required=False, rows=2)

    def prepare(self) -> None:
        """Their word for it, where the mapping knows it."""
        self.fields["category"].initial = category_line(category_here(self.handover))

    def cleaned(self) -> dict[str, Any]:
        values = super().cleaned()
        for name, read in (("category", category_code), ("area", area_code)):
            if name in values:
                values[name] = read(values[name])
        return values


class Refuse(HandoverForm):
    reason = forms.ChoiceField(label=_("不接收的原因"))
    words = text(_("说明"), rows=3)

    def prepare(self) -> None:
        field = self.fields["reason"]
        assert isinstance(field, forms.ChoiceField)
        own = Term.objects.filter(list=TermList.REFUSAL, active=True).exclude(code__in=("stale_term", "defaulted"))
        field.choices = [("", "—"), *((one.code, one.said) for one in own)]


AGREED = [(Agreed.UNCLEAR.value, _("还没有说清")), (Agreed.OURS.value, _("归本热线")), (Agreed.THEIRS.value, _("归对方"))]
PHONED = [(PhoneAgreed.ACCEPTED.value, _("对方说接收")), (PhoneAgreed.REFUSED.value, _("对方说不接收")),
          (PhoneAgreed.UNCLEAR.value, _("还没有说清"))]


class Negotiate(HandoverForm):
    three_way = forms.BooleanField(label=_("来电人在线（三方通话）"), required=False)
    spoke_with = forms.CharField(label=_("对方工号"), required=False, max_length=40,
                                 widget=forms.TextInput(attrs={"autocomplete": "off"}))
    agreed = forms.ChoiceField(label=_("商定归谁"), choices=AGREED)
    words = text(_("怎么说的"), rows=3)


class Phone(HandoverForm):
    spoke_with = forms.CharField(label=_("和谁通的话（对方工号）"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    at = when(_("什么时候"), required=True)
    agreed = forms.ChoiceField(label=_("电话里怎么说的"), choices=PHONED)
    words = text(_("说明"), required=False, rows=2)

    def prepare(self) -> None:
        self.fields["at"].initial = localtime(now()).replace(second=0, microsecond=0)

    def clean_at(self) -> datetime:
        at: datetime = self.cleaned_data["at"]
        if at > now():
            raise forms.ValidationError(_now("不能晚于现在。"))
        return at


class Supplement(HandoverForm):
    words = text(_("补充给对方的情况"), rows=3)


STEP_FORMS: dict[str, type[HandoverForm]] = {
    "accept": Accept, "refuse": Refuse, "negotiate": Negotiate, "phone": Phone, "supplement": Supplement,
}
LABELS: dict[str, Any] = {
    "accept": pgettext_lazy("action", "接收"), "refuse": pgettext_lazy("action", "不接收"),
    "negotiate": _("记录协商"), "phone": _("记录电话"), "supplement": _("补充情况"),
}
KEYS = {"accept": "a", "refuse": "x", "negotiate": "n", "phone": "p", "supplement": "i"}


def steps_for(handover: Handover) -> list[str]:
    """What can be done with a handover now, the likeliest first."""
    if handover.ended_at is not None:
        return []
    incoming = handover.direction == Direction.IN
    if not handover.undecided:
        return ["supplement"]
    if incoming:
        return ["accept", "refuse", "negotiate", "supplement"]
    late = handover.due_at is not None and handover.due_at < now()
    return ["phone", "negotiate", "supplement"] if late else ["negotiate", "phone", "supplement"]


class Propose(forms.Form):
    """A joint rule that somebody asks for."""

    partner = forms.ChoiceField(label=_("对方"))
    category = CategoryField(label=_("事项"), max_length=160)
    taken_by = forms.ChoiceField(label=_("归谁办"), choices=[(Holder.THEM.value, _("归对方")), (Holder.US.value, _("归本热线"))])
    words = text(_("为什么这样定"), rows=3)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        field = self.fields["partner"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one.code, one.said) for one in Partner.objects.filter(active=True).order_by("-emergencies", "service", "code")]

    def cleaned(self) -> dict[str, Any]:
        return self.cleaned_data | {"category": category_code(self.cleaned_data["category"])}


class Words(forms.Form):
    words = text(_("原因"), rows=2)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


def rule_said(rule: JointRule) -> str:
    """The category of a rule in words."""
    return rule.category.said if rule.category is not None else rule.category_theirs


class MapLine(forms.Form):
    """One line of a partner's mapping: theirs → ours, or ours → theirs."""

    what = forms.ChoiceField(label=_("对照表"), choices=What.choices)
    inbound = forms.ChoiceField(label=_("方向"), choices=[("1", _("对方的 → 本市的")), ("0", _("本市的 → 对方的"))])
    value = forms.CharField(label=_("代码"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    to = forms.CharField(label=_("对照为"), max_length=160, required=False, help_text=_("留空表示去掉这一行。"),
                         widget=forms.TextInput(attrs={"autocomplete": "off", "list": "categories", "data-category": ""}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""

    def cleaned(self) -> dict[str, Any]:
        said = self.cleaned_data
        inbound = said["inbound"] == "1"
        mine = "to" if inbound else "value"
        values = {"what": said["what"], "inbound": inbound, "value": said["value"], "to": said["to"]}
        if said["what"] == What.CATEGORY and values[mine]:
            values[mine] = category_code(values[mine])
        return values
