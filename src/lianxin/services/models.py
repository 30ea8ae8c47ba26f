"""What is asked of whoever reports a matter of a category through an outside app: Open311's service definitions."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.language import named


class Datatype(models.TextChoices):
    """GeoReport v2's own words; the labels say what a form shows for each."""

    STRING = "string", _("一行字")
    NUMBER = "number", _("数字")
    DATETIME = "datetime", _("日期和时间")
    TEXT = "text", _("多行文字")
    SINGLE = "singlevaluelist", _("单选")
    MULTI = "multivaluelist", _("多选")


LISTS = (Datatype.SINGLE, Datatype.MULTI)


class ServiceAttribute(models.Model):
    """One question of a category and of everything below it. From the city's `service_attributes.csv`.

    `variable` is false for what is only told (`question` then holds the words). `options` of a list: `[[key, name, name_en], …]`.
    One that is gone from the file is no longer `active`; nothing that was answered hangs on it.
    """

    category = models.ForeignKey("cases.Category", models.PROTECT, related_name="+")
    code = models.CharField(max_length=40)
    datatype = models.CharField(max_length=16, choices=Datatype)
    variable = models.BooleanField(default=True)
    required = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=1)
    question = models.CharField(max_length=300)
    question_en = models.CharField(max_length=400, blank=True)
    hint = models.CharField(max_length=200, blank=True)
    hint_en = models.CharField(max_length=300, blank=True)
    options = models.JSONField(default=list, blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["category", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["category", "code"], name="service_attribute_once"),
            one_of("service_attribute_datatype_known", "datatype", Datatype),
            models.CheckConstraint(name="service_attribute_asked_when_required", condition=Q(required=False) | Q(variable=True)),
            models.CheckConstraint(
                name="service_attribute_list_has_options",
                condition=Q(variable=False) | Q(datatype__in=LISTS) & ~Q(options=[]) | ~Q(datatype__in=LISTS) & Q(options=[])),
        ]

    @property
    def asked(self) -> str:
        """The question in the reader's language."""
        return named(self.question, self.question_en)

    @property
    def hinted(self) -> str:
        return named(self.hint, self.hint_en)

    def __str__(self) -> str:
        return f"{self.category_id} {self.code}"
