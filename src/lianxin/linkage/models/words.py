"""Our words and a partner's: mappings, what nothing maps yet, the city's own lists."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7
from lianxin.kernel.language import named

from .partners import Partner


class What(models.TextChoices):
    CATEGORY = "category", _("事项")
    RESULT = "result", _("处理结果")
    REFUSAL = "refusal", _("不接收原因")


class Mapping(models.Model):
    """A word of ours and the partner's word for it. Several of ours may be one of theirs; `inbound` is what theirs becomes here, for
    each of theirs at most one."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="mappings")
    what = models.CharField(max_length=10, choices=What)
    ours = models.CharField(max_length=60)
    theirs = models.CharField(max_length=60)
    inbound = models.BooleanField(default=True)

    class Meta:
        constraints = [
            one_of("mapping_what_known", "what", What),
            models.UniqueConstraint(fields=["partner", "what", "ours"], condition=models.Q(inbound=False), name="mapping_of_ours_once"),
            models.UniqueConstraint(fields=["partner", "what", "theirs"], condition=models.Q(inbound=True), name="mapping_of_theirs_once"),
        ]

    def __str__(self) -> str:
        return f"{self.ours} = {self.theirs}"


class MappingChange(models.Model):
    """Who changed what in a partner's mapping. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    partner = models.ForeignKey(Partner, models.CASCADE, related_name="mapping_changes")
    what = models.CharField(max_length=10, choices=What)
    inbound = models.BooleanField()
    value = models.CharField(max_length=60)
    before = models.CharField(max_length=60, blank=True)
    after = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField(default=now)
    by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [one_of("mapping_change_what_known", "what", What)]

    def __str__(self) -> str:
        return f"{self.value}: {self.before} → {self.after}"


class Unmapped(models.Model):
    """A value that no mapping knew, and how often it was met: the list of what is left to map."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="unmapped")
    what = models.CharField(max_length=10, choices=What)
    inbound = models.BooleanField()
    value = models.CharField(max_length=200)
    times = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField(default=now)
    last_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            one_of("unmapped_what_known", "what", What),
            models.UniqueConstraint(fields=["partner", "what", "inbound", "value"], name="unmapped_value_once"),
        ]

    def __str__(self) -> str:
        return self.value


class TermList(models.TextChoices):
    REFUSAL = "refusal", _("不接收原因")
    RESULT = "result", _("处理结果")


class Term(models.Model):
    """A word of the city's own lists: why a matter is not taken, how it ended."""

    list = models.CharField(max_length=10, choices=TermList)
    code = models.CharField(max_length=60)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["list", "position", "code"]
        constraints = [
            one_of("term_list_known", "list", TermList),
            models.UniqueConstraint(fields=["list", "code"], name="term_code_once"),
        ]

    @property
    def said(self) -> str:
        """The words in the reader's language."""
        return named(self.name, self.name_en)

    def __str__(self) -> str:
        return self.name
