"""Forms of the way of a case: from acceptance to closing and publication."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from lianxin.cases.actions.dispatching import EMERGENCY_SERVICES
from lianxin.cases.answers import LONGEST, standing_answer
from lianxin.cases.models import AssignmentRole, Channel, ContactMeans, Kind, Phrase, Urgency
from lianxin.cases.narrative import day_and_time
from lianxin.cases.reference import reference, today_of
from lianxin.exchange.queries import prepared_reply
from lianxin.kernel.clock import now
from lianxin.kernel.language import listed
from lianxin.triage.publication import marked, proposed
from lianxin.triage.reading import heard

from ..queries import colleagues, last_contact, suggested_unit
from ..typed import area_code, article_code, category_code, path_of, unit_code, unit_line
from .base import ActionForm, AreaField, CategoryField, Coded, UnitField, Words, text, when, yes_no


class Accept(Coded):
    lists = ("categories", "areas")
    coded = {"category": category_code, "area": area_code}
    category = CategoryField(label=_("事项"))
    area = AreaField(label=_("地点"), required=False)
    kind = forms.ChoiceField(label=_("诉求类型"), required=False, choices=[("", _("按事项")), *Kind.choices])
    urgency = forms.ChoiceField(label=_("紧急程度"), required=False, choices=[("", _("按事项")), *Urgency.choices])

    def prepare(self) -> None:
        held = reference()
        if self.case.category:
            self.fields["category"].initial = f"{self.case.category.code} {self.case.category.said}"
        else:
            self._suggest()
        if self.case.area_id in held.places:
            place = held.places[self.case.area_id]
            self.fields["area"].initial = f"{place.code} {path_of(held, place)}"

    def _suggest(self) -> None:
        """The likeliest category of the words, with the words that made it; a person decides."""
        first = heard(self.case.words, self.case.title).first
        if first is not None:
            self.fields["category"].initial = f"{first.code} {first.name}"
            self.fields["category"].help_text = _("按诉求里的词填的：%(words)s。请核对。") % {"words": listed(first.words)}


class Correct(Accept):
    reason = text(_("更正原因"), rows=2)

    def prepare(self) -> None:
        super().prepare()
        self.fields["category"].required = False

    def _suggest(self) -> None:
        """A correction says only what is known to be wrong."""


class Decline(ActionForm):
    route = forms.ChoiceField(label=_("法定途径"))
    explanation = text(_("向诉求人说明"), public=True)

    def prepare(self) -> None:
        phrases = list(Phrase.objects.filter(list=Phrase.List.DECLINE_ROUTE, active=True))
        field = self.fields["route"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "—"), *((p.code, p.said) for p in phrases)]


class AnswerOnTheSpot(Coded):
    lists = ("categories", "articles")
    coded = {"category": category_code, "article": article_code}
    article = forms.CharField(label=_("依据的知识"), required=False, max_length=220,
                              widget=forms.TextInput(attrs={"list": "articles", "autocomplete": "off"}))
    public_answer = text(_("答复内容"), rows=6, public=True)
    category = CategoryField(label=_("事项"), required=False)
    means = forms.ChoiceField(label=_("怎样告知的"), required=False, choices=[("", "—"), *ContactMeans.choices])
    contacted_at = when(_("告知时间（不填为现在）"))

    def prepare(self) -> None:
        if self.case.channel == Channel.PHONE:
            self.fields["means"].help_text = _("来电诉求不填即为电话里当场答复。")
        else:
            self.fields["means"].required = True
            self.fields["means"].help_text = _("诉求人不是打电话来的：先告知，再写明怎样告知的。")


class Dispatch(Coded):
    lists = ("units",)
    coded = {"lead_unit": unit_code}
    many = ("assisting_units",)
    lead_unit = UnitField(label=_("主办单位"))
    assisting_units = UnitField(label=_("协办单位"), required=False, help_text=_("可不填；多个用逗号分开。"))
    note = text(_("派单说明"), required=False, rows=2, internal=True)

    def prepare(self) -> None:
        answer = reference().responsible(
            category_id=self.case.category_id, area_id=self.case.area_id, on=today_of(now())
        )
        lead = self.fields["lead_unit"]
        suggested = suggested_unit(self.case)
        if answer:
            lead.initial = unit_line(answer.lead.code)
            lead.help_text = answer.basis or _("来自派单目录。")
            self.fields["assisting_units"].initial = ", ".join(unit_line(unit.code) for unit in answer.assisting)
        else:
            lead.help_text = _("派单目录没有这一项，请按职责选择单位。")
        if suggested:
            lead.initial = unit_line(suggested)
            lead.help_text = _("退单单位建议的单位。派单目录：%(unit)s。") % {
                "unit": answer.lead.said if answer else _("没有这一项")}
            self.fields["assisting_units"].initial = ""


class Redispatch(Dispatch):
    reason = text(_("改派原因"), rows=2)

    def prepare(self) -> None:
        self.fields.pop("note")


class AddAssisting(Coded):
    lists = ("units",)
    many = ("assisting_units",)
    assisting_units = UnitField(label=_("协办单位"), help_text=_("多个用逗号分开。"))
    note = text(_("说明"), required=False, rows=2)


class RecordContact(ActionForm):
    means = forms.ChoiceField(label=_("联系方式"), choices=ContactMeans.choices)
    reached = yes_no(_("是否联系上"), required=True)
    contacted_at = when(_("联系时间（不填为现在）"))
    note = text(_("情况"), required=False, rows=2)


class RaiseReturn(Coded):
    lists = ("units",)
    coded = {"suggested_unit": unit_code}
    reason = forms.ChoiceField(label=_("退单理由"))
    evidence = text(_("依据（法规、三定方案或事实）"), internal=True)
    suggested_unit = UnitField(label=_("建议单位"), required=False)

    def prepare(self) -> None:
        phrases = list(Phrase.objects.filter(list=Phrase.List.RETURN_REASON, active=True))
        field = self.fields["reason"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "—"), *((p.code, p.said) for p in phrases)]


class Ruling(ActionForm):
    ruling = text(_("裁定理由"), rows=3, internal=True)


def _prepared(form: ActionForm, role: AssignmentRole) -> str:
    """What the unit's own system said at its end."""
    return prepared_reply(form.actor, form.case.pk, role) if form.actor is not None else ""


class AssistReply(ActionForm):
    private_note = text(_("协办意见（给主办单位）"), internal=True)

    def prepare(self) -> None:
        self.fields["private_note"].initial = _prepared(self, AssignmentRole.ASSIST)


class HandToColleague(ActionForm):
    officer = forms.ChoiceField(label=_("同事"))

    def prepare(self) -> None:
        field = self.fields["officer"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "—"), *((username, f"{name} · {unit}")
                                      for username, name, unit in colleagues(self.case.unit_ids))]


class Note(ActionForm):
    note = text(_("内部留言"), rows=3, internal=True)


class Reply(ActionForm):
    public_answer = text(_("给诉求人的答复"), rows=6, public=True)
    solved = yes_no(_("是否已解决"), required=True)
    means = forms.ChoiceField(label=_("联系方式"), required=False, choices=[])
    contacted_at = when(_("联系时间（不填为现在）"))
    private_note = text(_("内部说明"), required=False, rows=2, internal=True)

    def prepare(self) -> None:
        means = self.fields["means"]
        assert isinstance(means, forms.ChoiceField)
        known = last_contact(self.case)
        if known is not None:
            means.choices = [("", _("用已有的联系记录")), *ContactMeans.choices]
            means.help_text = _("已联系：%(when)s，%(how)s。") % {
                "when": day_and_time(known.at), "how": known.get_means_display()}
        else:
            means.choices = [("", "—"), *ContactMeans.choices]
            means.required = True
            means.help_text = _("还没有联系上的记录。答复前须先联系诉求人，在这里选怎样联系的。")
        self.fields["public_answer"].initial = _prepared(self, AssignmentRole.LEAD)


class Reason(ActionForm):
    reason = text(_("原因"), rows=3)


class Close(ActionForm):
    explanation = text(_("归档说明（未解决的必须写明）"), required=False, rows=2, public=True)


class AddInformation(ActionForm):
    words = text(_("诉求人补充的情况"))


class AddReporter(ActionForm):
    name = forms.CharField(label=_("姓名"), required=False, max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    phone = forms.CharField(label=_("电话"), required=False, max_length=40,
                            widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "tel"}))
    address = forms.CharField(label=_("地址"), required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class ReferEmergency(ActionForm):
    service = forms.ChoiceField(label=_("转接"), choices=[(s, s) for s in EMERGENCY_SERVICES])
    note = text(_("说明"), required=False, rows=2)


class Publication(ActionForm):
    title = forms.CharField(label=_("公开标题"), max_length=120)
    body = text(_("公开内容（去掉姓名、电话、门牌）"), rows=6)

    def prepare(self) -> None:
        """What is proposed is blacked out already; what becomes public is what the person leaves."""
        version = getattr(self.case, "public_version", None)
        title, body = (version.title, version.body) if version else (self.case.title or self.case.words[:30], self.case.words)
        self.fields["title"].initial, self.fields["body"].initial = proposed(self.case, title), proposed(self.case, body)


class ClearPublication(Publication):
    answer = Words(label=_("公开的答复（可不公开：清空）"), required=False, max_length=LONGEST,
                   widget=forms.Textarea(attrs={"rows": 6}),
                   help_text=_("只能涂黑，不能改写：选中要隐去的字，按“涂黑”，或者直接打 ■。"))
    # The answer as the reporter holds it, in pieces: words, and what kind of personal data they look like.
    marked: list[tuple[str, str]] = []

    def prepare(self) -> None:
        super().prepare()
        held = standing_answer(self.case)
        if not held:
            del self.fields["answer"]
            return
        self.marked = marked(self.case, held)
        self.fields["answer"].initial = proposed(self.case, held)


class Nothing(ActionForm):
    """For actions that need no words: the button is the whole form."""


FORMS: dict[str, type[ActionForm]] = {
    "accept": Accept, "decline": Decline, "answer_on_the_spot": AnswerOnTheSpot, "dispatch": Dispatch,
    "redispatch": Redispatch, "add_assisting": AddAssisting, "sign": Nothing, "record_contact": RecordContact,
    "raise_return": RaiseReturn, "uphold_return": Ruling, "reject_return": Ruling, "assist_sign": Nothing,
    "assist_reply": AssistReply, "hand_to_colleague": HandToColleague, "ask_colleague": Note, "reply": Reply,
    "reopen": Reason,
    "close": Close, "withdraw": Reason, "add_information": AddInformation, "add_reporter": AddReporter, "correct": Correct,
    "refer_emergency": ReferEmergency, "request_publication": Publication, "clear_publication": ClearPublication,
    "refuse_publication": Reason,
}
