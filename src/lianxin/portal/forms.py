"""What a resident may do with a case of theirs: small forms, one a screen."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from lianxin.quality.models import Satisfaction


class CodeForm(forms.Form):
    """The tracking code, as typed."""

    code = forms.CharField(
        label=_("查询码"), max_length=60, help_text=_("十个字母和数字，登记时给您的，例如 K7QM3-9XTPA。大小写、横线都不要紧。"),
        error_messages={"required": _("请输入查询码。")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false",
                                      "class": "portal-code"}),
    )


class AddForm(forms.Form):
    words = forms.CharField(
        label=_("补充的情况"), required=False, max_length=10_000, strip=False,
        error_messages={"max_length": _("最多 10000 字，请删短一些。写好的都在。")},
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        label=_("为什么撤回"), max_length=2_000, help_text=_("例如：已经自己解决了。撤回以后不再办理，要办须重新说。"),
        error_messages={"required": _("请写一句为什么撤回。")}, widget=forms.Textarea(attrs={"rows": 3}),
    )


class RateForm(forms.Form):
    """Whether it is solved is asked first: it decides what happens next."""

    solved = forms.ChoiceField(
        label=_("这件事解决了吗？"), choices=[("yes", _("解决了")), ("no", _("没解决"))], widget=forms.RadioSelect,
        error_messages={"required": _("请选“解决了”或“没解决”。"), "invalid_choice": _("请选“解决了”或“没解决”。")},
    )
    satisfaction = forms.ChoiceField(
        label=_("您对办理满意吗？"), choices=Satisfaction.choices, widget=forms.RadioSelect,
        error_messages={"required": _("请选一项。"), "invalid_choice": _("请选一项。")},
    )
    words = forms.CharField(label=_("想说的话"), required=False, max_length=2_000,
                            error_messages={"max_length": _("最多 2000 字，请删短一些。")},
                            widget=forms.Textarea(attrs={"rows": 4}))


class ContestForm(forms.Form):
    words = forms.CharField(
        label=_("为什么不认可"), max_length=2_000, help_text=_("说说哪里没办好。热线会再联系您，问清楚再决定怎么办。"),
        error_messages={"required": _("请写几句为什么不认可。"), "max_length": _("最多 2000 字，请删短一些。")},
        widget=forms.Textarea(attrs={"rows": 5}))


class PublishForm(forms.Form):
    title = forms.CharField(label=_("公开的标题"), max_length=120, error_messages={"required": _("请写一个标题。")})
    body = forms.CharField(
        label=_("公开的内容"), max_length=4_000, widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("电话、门牌、车牌已先涂黑。请再看一遍，把不想让人知道的都删掉。"),
        error_messages={"required": _("请写要公开的内容。"), "max_length": _("公开的内容最多 4000 字，请删短一些。")},
    )
