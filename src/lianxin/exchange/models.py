"""Other systems that cases are sent to, or taken from, over Open311 GeoReport v2: what is known of each, and of every case that both
have."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7
from lianxin.kernel.language import named


class SystemKind(models.TextChoices):
    """A unit's own system, which is sent what is dispatched to the unit; a platform of before, whose requests become cases here."""

    UNIT = "unit", _("部门自己的系统")
    OLDER = "older", _("原有的热线平台")


class Format(models.TextChoices):
    JSON = "json", "JSON"
    XML = "xml", "XML"


class Shown(models.TextChoices):
    """What a system is told of who raised a case."""

    NONE = "none", _("不提供")
    MASKED = "masked", _("隐去部分内容")
    FULL = "full", _("完整提供")


class Photos(models.TextChoices):
    """How a system gets the photos of a case: not at all, by links that hold for some days, or with the request itself."""

    NONE = "none", _("不提供")
    LINK = "link", _("提供有期限的链接")
    FILE = "file", _("随工单上传")


class Closing(models.TextChoices):
    """What becomes of their "closed": a prepared reply that a person of the unit sends, or the reply at once. Review follows both."""

    ASK = "ask", _("由单位的人看过再答复")
    REPLY = "reply", _("直接作为单位的答复")


class System(models.Model):
    """One system. `url` is the base of its GeoReport v2 (`https://…/open311/v2`); `key` its api_key, sealed. `agent` is the account of the
    unit under which the platform signs for and replies when the city lets it. `updates`: it has the updates extension; `idempotent`: it
    answers a repeated Idempotency-Key alike. `read_to` is how far an older platform's requests were read, by their time of asking."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=8, choices=SystemKind, default=SystemKind.UNIT)
    url = models.CharField(max_length=300)
    format = models.CharField(max_length=4, choices=Format, default=Format.JSON)
    jurisdiction = models.CharField(max_length=80, blank=True)
    key = models.BinaryField(null=True, blank=True)
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, null=True, blank=True, related_name="+")
    agent = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    identity = models.CharField(max_length=6, choices=Shown, default=Shown.NONE)
    purpose = models.CharField(max_length=200, blank=True)
    photos = models.CharField(max_length=4, choices=Photos, default=Photos.NONE)
    closing = models.CharField(max_length=5, choices=Closing, default=Closing.ASK)
    updates = models.BooleanField(default=False)
    idempotent = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    read_to = models.DateTimeField(null=True, blank=True)
    polled_at = models.DateTimeField(null=True, blank=True)
    found_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            one_of("exchange_system_kind_known", "kind", SystemKind),
            one_of("exchange_system_format_known", "format", Format),
            one_of("exchange_system_identity_known", "identity", Shown),
            one_of("exchange_system_photos_known", "photos", Photos),
            one_of("exchange_system_closing_known", "closing", Closing),
            models.CheckConstraint(name="exchange_system_of_a_unit", condition=~Q(kind="unit") | Q(unit__isnull=False)),
            models.CheckConstraint(name="exchange_system_full_has_a_purpose", condition=~Q(identity="full") | ~Q(purpose="")),
            models.CheckConstraint(name="exchange_system_replies_as_somebody", condition=~Q(closing="reply") | Q(agent__isnull=False)),
            models.UniqueConstraint(fields=["unit"], condition=Q(active=True, kind="unit"), name="exchange_system_one_of_a_unit"),
        ]

    @property
    def said(self) -> str:
        """The name in the reader's language."""
        return named(self.name, self.name_en)

    def __str__(self) -> str:
        return self.name


class Service(models.Model):
    """One kind of request that a system takes, as it names it. `gone_at`: it is no longer on its list."""

    system = models.ForeignKey(System, models.CASCADE, related_name="services", db_index=False)
    code = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    group = models.CharField(max_length=200, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "code"], name="exchange_service_once")]

    def __str__(self) -> str:
        return self.name


class Mapping(models.Model):
    """Our category and their service: `inbound` is theirs → ours. `attributes` are sent with every request of it (code → value)."""

    system = models.ForeignKey(System, models.CASCADE, related_name="mappings", db_index=False)
    inbound = models.BooleanField()
    ours = models.CharField(max_length=12)
    theirs = models.CharField(max_length=120)
    attributes = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "ours"], condition=Q(inbound=False), name="exchange_mapping_ours_once"),
            models.UniqueConstraint(fields=["system", "theirs"], condition=Q(inbound=True), name="exchange_mapping_theirs_once"),
        ]

    def __str__(self) -> str:
        return f"{self.ours} {self.theirs}"


class Unmapped(models.Model):
    """A code that was met and that nothing maps yet."""

    system = models.ForeignKey(System, models.CASCADE, related_name="unmapped", db_index=False)
    inbound = models.BooleanField()
    value = models.CharField(max_length=120)
    times = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField(default=now)
    last_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "inbound", "value"], name="exchange_unmapped_once")]

    def __str__(self) -> str:
        return self.value


CHANGED = {
    "name": _("名称"), "name_en": _("英文名称"), "kind": _("是什么"), "url": _("地址"), "unit": _("单位"), "agent": _("代办账号"),
    "identity": _("诉求人信息"), "purpose": _("完整提供的目的"), "photos": _("照片"), "closing": _("对方办结后"),
    "idempotent": _("对方认 Idempotency-Key"), "jurisdiction": "jurisdiction_id", "key": "api_key", "updates": _("有进展扩展"),
    "active": _("启用"), "read_to": _("读到"),
}
CHOSEN: dict[str, type[models.TextChoices]] = {"kind": SystemKind, "identity": Shown, "photos": Photos, "closing": Closing}
TRUTHS = {"True": _("是"), "False": _("否")}


class Change(models.Model):
    """Who changed a system's settings or tables."""

    system = models.ForeignKey(System, models.CASCADE, related_name="changes")
    at = models.DateTimeField(default=now)
    by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    what = models.CharField(max_length=60)
    before = models.CharField(max_length=300, blank=True)
    after = models.CharField(max_length=300, blank=True)

    @property
    def said(self) -> str:
        """What was changed, in words; a line of the mapping by its code."""
        return str(CHANGED.get(self.what, self.what.partition(":")[2] or self.what))

    def value_said(self, value: str) -> str:
        """What was set before or after, as the settings say it; a word or a code that is the city's own stays."""
        if (chosen := CHOSEN.get(self.what)) and value in chosen.values:
            return str(chosen(value).label)
        return str(TRUTHS.get(value, value)) if self.what in ("updates", "idempotent", "active") else value

    @property
    def before_said(self) -> str:
        return self.value_said(self.before)

    @property
    def after_said(self) -> str:
        return self.value_said(self.after)

    def __str__(self) -> str:
        return self.what


class Settled(models.TextChoices):
    """What became of a prepared reply."""

    REPLIED = "replied", _("已答复")
    ALONE = "alone", _("已自动答复")
    ASIDE = "aside", _("不采用")
    OVER = "over", _("对方又打开了")


class Link(models.Model):
    """One case that a system has as well. `turn` counts the requests made for a case to one system; `theirs` is their id for it, `token`
    what they gave while they had none; `noted` says that the case
    has been told of the number. `proposal` is what they closed it with, sealed, waiting for a person of the unit."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    system = models.ForeignKey(System, models.PROTECT, related_name="links", db_index=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="+")
    assignment = models.ForeignKey("cases.Assignment", models.PROTECT, null=True, blank=True, related_name="+")
    incoming = models.BooleanField(default=False)
    turn = models.PositiveSmallIntegerField(default=1)
    theirs = models.CharField(max_length=120, blank=True)
    token = models.CharField(max_length=120, blank=True)
    status = models.CharField(max_length=10, blank=True)
    status_at = models.DateTimeField(null=True, blank=True)
    digest = models.BinaryField(max_length=16, null=True, blank=True)
    noted = models.BooleanField(default=False)
    opened_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True, blank=True)
    proposal = models.BinaryField(null=True, blank=True)
    proposed_at = models.DateTimeField(null=True, blank=True)
    settled = models.CharField(max_length=8, choices=Settled, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            one_of("exchange_link_settled_known", "settled", Settled, blank=True),
            models.CheckConstraint(name="exchange_link_proposal_has_a_time",
                                   condition=Q(proposal__isnull=True) | Q(proposed_at__isnull=False)),
            models.CheckConstraint(name="exchange_link_settled_has_a_time",
                                   condition=Q(settled="", settled_at__isnull=True) | (~Q(settled="") & Q(settled_at__isnull=False))),
            models.UniqueConstraint(fields=["system", "theirs"], condition=~Q(theirs=""), name="exchange_link_theirs_once"),
            models.UniqueConstraint(fields=["system", "case", "turn"], name="exchange_link_turn_once"),
            models.UniqueConstraint(fields=["assignment"], condition=Q(assignment__isnull=False), name="exchange_link_assignment_once"),
        ]
        indexes = [
            models.Index(fields=["system", "id"], condition=Q(ended_at__isnull=True), name="exchange_link_open"),
            models.Index(F("proposed_at").asc(), condition=Q(proposal__isnull=False, settled=""), name="exchange_link_proposed"),
        ]

    def __str__(self) -> str:
        return self.theirs or str(self.pk)


class Heard(models.Model):
    """An update of theirs that was taken: the same is never taken twice."""

    link = models.ForeignKey(Link, models.CASCADE, related_name="heard", db_index=False)
    update = models.CharField(max_length=120)
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["link", "update"], name="exchange_heard_once")]

    def __str__(self) -> str:
        return self.update


class Sort(models.TextChoices):
    REQUEST = "request", _("工单")
    UPDATE = "update", _("进展")


class LetterState(models.TextChoices):
    WAITING = "waiting", _("待发送")
    SENT = "sent", _("已送达")
    DEAD = "dead", _("送不出去")


class Letter(models.Model):
    """What goes to a system, written in the transaction of what it tells. Those of a link go in order, the request first. `armed_at` is
    written down, and committed, before a request is posted: after a crash nobody knows whether it arrived, and it is looked for first."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    system = models.ForeignKey(System, models.PROTECT, related_name="letters", db_index=False)
    link = models.ForeignKey(Link, models.PROTECT, related_name="letters")
    sort = models.CharField(max_length=8, choices=Sort)
    body = models.BinaryField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=LetterState, default=LetterState.WAITING)
    made_at = models.DateTimeField(default=now)
    next_at = models.DateTimeField(default=now)
    armed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("exchange_letter_sort_known", "sort", Sort),
            one_of("exchange_letter_state_known", "state", LetterState),
            models.CheckConstraint(name="exchange_letter_sent_has_a_time",
                                   condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True))),
            models.CheckConstraint(name="exchange_letter_unsent_has_a_body", condition=Q(state="sent") | Q(body__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["next_at", "id"], condition=Q(state="waiting"), name="exchange_letter_waiting"),
            models.Index(fields=["system", "state"], condition=~Q(state="sent"), name="exchange_letter_of_system"),
        ]

    def __str__(self) -> str:
        return f"{self.sort} {self.state}"


class Disclosure(models.Model):
    """What of a reporter went to a system, why, and at whose act."""

    link = models.ForeignKey(Link, models.PROTECT, related_name="disclosures")
    at = models.DateTimeField(default=now)
    fields = models.JSONField(default=list)
    shown = models.CharField(max_length=6, choices=Shown)
    why = models.CharField(max_length=200)
    staff = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [one_of("exchange_disclosure_shown_known", "shown", Shown)]

    def __str__(self) -> str:
        return self.shown


class Photo(models.Model):
    """A photo of a case that goes to its system with a letter. Where it goes by a link, the link holds until `until`; `opened` counts how
    often it was."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    link = models.ForeignKey(Link, models.PROTECT, related_name="photos", db_index=False)
    letter = models.ForeignKey(Letter, models.CASCADE, related_name="photos")
    attachment = models.ForeignKey("cases.Attachment", models.PROTECT, related_name="+")
    until = models.DateTimeField()
    opened = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["link", "attachment"], name="exchange_photo_once")]

    def __str__(self) -> str:
        return str(self.pk)


class Fetching(models.TextChoices):
    """What became of a picture of theirs. `ours`: it is one that was sent from here."""

    WAITING = "waiting", _("待取")
    KEPT = "kept", _("已取")
    REFUSED = "refused", _("取不下来")
    OURS = "ours", _("本来就是这里的")


class Picture(models.Model):
    """A picture of theirs that an answer named, by its address, sealed until it has been fetched or given up. Each address once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    link = models.ForeignKey(Link, models.PROTECT, related_name="pictures", db_index=False)
    digest = models.BinaryField(max_length=16)
    address = models.BinaryField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=Fetching, default=Fetching.WAITING)
    tries = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(default=now)
    fault = models.CharField(max_length=200, blank=True)
    attachment = models.ForeignKey("cases.Attachment", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            one_of("exchange_picture_state_known", "state", Fetching),
            models.CheckConstraint(name="exchange_picture_waits_with_an_address",
                                   condition=~Q(state="waiting") | Q(address__isnull=False)),
            models.CheckConstraint(name="exchange_picture_kept_is_an_attachment",
                                   condition=Q(state="kept", attachment__isnull=False) | (~Q(state="kept") & Q(attachment__isnull=True))),
            models.UniqueConstraint(fields=["link", "digest"], name="exchange_picture_once"),
        ]
        indexes = [models.Index(fields=["next_at"], condition=Q(state="waiting"), name="exchange_picture_waiting")]

    def __str__(self) -> str:
        return self.state
