"""Units, staff, roles and API tokens."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7
from lianxin.kernel.language import named


class UnitKind(models.TextChoices):
    HOTLINE = "hotline", _("热线中心")
    CITY_DEPARTMENT = "city_department", _("市直部门")
    COUNTY_GOVERNMENT = "county_government", _("县市区政府")
    COUNTY_BUREAU = "county_bureau", _("县级部门")
    TOWN_GOVERNMENT = "town_government", _("乡镇街道")
    UTILITY = "utility", _("公用企业")


# The two calendars that every city has, whatever its files say; `working` may be given other hours there.
WORKING, AROUND_THE_CLOCK = "working", "around_the_clock"


class Role(models.TextChoices):
    OPERATOR = "operator", _("话务员")
    DISPATCHER = "dispatcher", _("派单员")
    CLERK = "clerk", _("承办员")
    REVIEWER = "reviewer", _("审核员")
    CALLBACK = "callback", _("回访员")
    SUPERVISOR = "supervisor", _("督办员")
    HEAD = "head", _("单位负责人")
    LEADER = "leader", _("领导小组成员")
    GRID_WORKER = "grid_worker", _("网格员")
    TEAM_LEAD = "team_lead", _("网格长")
    CARE_KEEPER = "care_keeper", _("关爱登记管理员")
    SWITCHBOARD = "switchboard", _("话务系统")
    OUTSIDE_APP = "outside_app", _("外部应用")
    ADMINISTRATOR = "administrator", _("系统管理员")


class Unit(models.Model):
    """A body that takes calls or puts things right. Closed units keep their history: `active_to` is exclusive."""

    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120, blank=True)
    short_name = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=20, choices=UnitKind)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    area = models.ForeignKey("places.Area", models.PROTECT, null=True, blank=True, related_name="units")
    duties = models.TextField(blank=True)
    calendar = models.CharField(max_length=20, default=WORKING)
    active_from = models.DateField(null=True, blank=True)
    active_to = models.DateField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["kind", "code"])]
        constraints = [one_of("unit_kind_known", "kind", UnitKind)]

    @property
    def said(self) -> str:
        """The name in the reader's language."""
        return named(self.name, self.name_en)

    def __str__(self) -> str:
        return self.name


class WorkCalendar(models.Model):
    """When a unit's clocks run, as the city's `calendars.yaml` says. `definition` is what `worktime.calendar_of` takes.

    A calendar is never deleted and keeps its code, for clocks were counted in it: one that is gone from the file is no
    longer `active`. `settled` is the digest of the calendar by which every running clock was last computed, so that a
    change – of the file, or of the package that holds the legal calendar – is seen until all have been computed again.
    """

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=120, blank=True)
    definition = models.JSONField()
    active = models.BooleanField(default=True)
    settled = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["code"]

    @property
    def said(self) -> str:
        """The name in the reader's language."""
        return named(self.name, self.name_en)

    def __str__(self) -> str:
        return self.name


class StaffManager(BaseUserManager["Staff"]):
    def create_user(self, username: str, password: str | None = None, **fields: Any) -> Staff:
        staff = self.model(username=username, **fields)
        staff.set_password(password)
        staff.save(using=self._db)
        return staff

    def get_by_natural_key(self, username: str | None) -> Staff:
        return self.get(username=username)


class Staff(AbstractBaseUser):
    """A person who works cases. Rights come from `RoleGrant` only; see `policy`."""

    username = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=60)
    email = models.EmailField(blank=True)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="staff")
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=now)
    language = models.CharField(max_length=10, blank=True)

    objects: ClassVar[StaffManager] = StaffManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name


class RoleGrant(models.Model):
    """One role held in one unit, optionally narrowed to one area. Ended grants stay as history."""

    staff = models.ForeignKey(Staff, models.PROTECT, related_name="grants")
    role = models.CharField(max_length=20, choices=Role)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="grants")
    area = models.ForeignKey("places.Area", models.PROTECT, null=True, blank=True, related_name="+")
    granted_at = models.DateTimeField(default=now)
    granted_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["staff", "role", "unit", "area"],
                condition=models.Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="grant_once_while_it_lasts",
            ),
            one_of("grant_role_known", "role", Role),
        ]

    def __str__(self) -> str:
        return f"{self.staff_id} {self.role} {self.unit_id}"


def token_digest(secret: str) -> bytes:
    """SHA-256 of a bearer token: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


class ApiToken(models.Model):
    """A bearer token of one unit, acting as one member of staff, with at most that person's rights."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="api_tokens")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="api_tokens")
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    digest = models.BinaryField(max_length=32, unique=True)
    hint = models.CharField(max_length=8)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def new_secret() -> str:
        return "lx_" + secrets.token_urlsafe(32)


class AccountStep(models.TextChoices):
    MADE = "made", _("新建账号")
    LINK = "link", _("发登录链接")
    RESET = "reset", _("发登录链接，取消两步验证和通行密钥")
    DEACTIVATED = "deactivated", _("停用")
    REACTIVATED = "reactivated", _("恢复")
    CHANGED = "changed", _("改动资料或岗位")


class AccountEntry(models.Model):
    """What was done to an account: by whom (nobody: the system), when, why. Never altered. A link for a first sign-in holds
    only while the entry that wrote it down is the account's last."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="account_entries")
    step = models.CharField(max_length=12, choices=AccountStep)
    at = models.DateTimeField(default=now)
    by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["staff", "id"], name="account_entry_of")]
        constraints = [
            one_of("account_step_known", "step", AccountStep),
            models.CheckConstraint(name="account_entry_says_why",
                                   condition=~models.Q(why="") | models.Q(step__in=["made", "link", "reset"])),
            models.CheckConstraint(
                name="account_deactivated_by_another",
                condition=~models.Q(step__in=["deactivated", "reactivated"]) | models.Q(by__isnull=True)
                | ~models.Q(by=models.F("staff"))),
        ]

    def __str__(self) -> str:
        return f"{self.staff_id} {self.step}"


class DirectoryName(models.Model):
    """What a directory that keeps staff over SCIM calls a person (`externalId`, RFC 7643, section 3.1). A name is the directory's own: it
    holds among those of the unit in whose name the directory acts, and another unit's directory has its own for the same person."""

    staff = models.ForeignKey(Staff, models.CASCADE, related_name="directory_names", db_index=False)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["staff", "unit"], name="directory_name_one_of_a_unit"),
            models.CheckConstraint(name="directory_name_says_something", condition=~models.Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name
