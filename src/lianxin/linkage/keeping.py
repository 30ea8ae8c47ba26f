"""What those who look after the link read and do: how each partner answers, letters given up on, keys, tables of words."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Count, F, Min, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lianxin.cases.reference import reference
from lianxin.kernel.clock import now
from lianxin.kernel.errors import NotAllowed, NotFound
from lianxin.organisations.actors import Actor

from . import policy
from .models import (
    Disclosure,
    Mapping,
    MappingChange,
    Outgoing,
    OutgoingState,
    Partner,
    PartnerSecret,
    Term,
    Unmapped,
    What,
)

OLD_KEY = timedelta(days=365)
SILENT = timedelta(minutes=5)
LISTED = 200


class LinkState(models.TextChoices):
    """How a partner's link stands, the worst that is true."""

    OFF = "off", pgettext_lazy("state", "停用")
    UNSET = "unset", _("还没有地址")
    KEYLESS = "keyless", _("没有有效密钥")
    DEAD = "dead", _("有送不出去的")
    FAILING = "failing", _("联不通")
    WAITING = "waiting", _("有积压")
    UNTRIED = "untried", _("还没有联系过")
    WELL = "well", _("正常")


MOODS = {LinkState.DEAD: "vermilion", LinkState.FAILING: "vermilion", LinkState.KEYLESS: "vermilion", LinkState.WAITING: "amber",
         LinkState.WELL: "green"}


@dataclass(frozen=True, slots=True)
class Standing:
    """One partner: what waits and since when, what was given up on, how old its newest key is."""

    partner: Partner
    waiting: int
    oldest: datetime | None
    dead: int
    keys: int
    newest_key: datetime | None

    @property
    def state(self) -> LinkState:
        partner, at = self.partner, now()
        tests = (
            (LinkState.OFF, not partner.active), (LinkState.UNSET, not partner.url), (LinkState.KEYLESS, not self.keys),
            (LinkState.DEAD, self.dead > 0), (LinkState.FAILING, partner.failing_since is not None),
            (LinkState.WAITING, self.oldest is not None and self.oldest < at - SILENT), (LinkState.UNTRIED, partner.answered_at is None),
        )
        return next((state for state, true in tests if true), LinkState.WELL)

    @property
    def mood(self) -> str:
        return MOODS.get(self.state, "")

    @property
    def key_days(self) -> int | None:
        return (now() - self.newest_key).days if self.newest_key is not None else None

    @property
    def key_is_old(self) -> bool:
        return self.newest_key is not None and now() - self.newest_key > OLD_KEY


def _valid(at: datetime) -> Q:
    return Q(valid_from__lte=at) & (Q(valid_to__isnull=True) | Q(valid_to__gt=at))


def _standings(partners: Iterable[Partner]) -> list[Standing]:
    found = list(partners)
    unsent = Outgoing.objects.filter(partner__in=found).exclude(state=OutgoingState.SENT).values("partner").annotate(
        waiting=Count("pk", filter=Q(state=OutgoingState.WAITING)), dead=Count("pk", filter=Q(state=OutgoingState.DEAD)),
        oldest=Min("made_at", filter=Q(state=OutgoingState.WAITING)))
    letters = {row["partner"]: row for row in unsent}
    keys: dict[int, list[datetime]] = {}
    for partner_id, since in PartnerSecret.objects.filter(_valid(now()), partner__in=found).values_list("partner_id", "valid_from"):
        keys.setdefault(partner_id, []).append(since)
    made = []
    for one in found:
        row: dict[str, Any] = dict(letters.get(one.pk, {}))
        own = keys.get(one.pk, [])
        made.append(Standing(one, row.get("waiting", 0), row.get("oldest"), row.get("dead", 0), len(own), max(own, default=None)))
    return made


def standings() -> list[Standing]:
    """Every partner, active ones first. Three queries."""
    return _standings(Partner.objects.order_by("-active", "-emergencies", "service", "code"))


def standing(partner: Partner) -> Standing:
    return _standings([partner])[0]


def dead(partner: Partner) -> list[Outgoing]:
    """Messages given up on, oldest first: behind each others of its matter may wait."""
    found = Outgoing.objects.filter(partner=partner, state=OutgoingState.DEAD).select_related("matter__case")
    return list(found.order_by("made_at")[:LISTED])


def resend(by: Actor, partner: Partner, letter: uuid.UUID) -> None:
    """Put a dead letter back among those that wait, to go at once. Raises NotAllowed and NotFound."""
    from . import outbox

    if not policy.keeps(by):
        raise NotAllowed(_("由热线的督办员或系统管理员办理。"))
    if not Outgoing.objects.filter(pk=letter, partner=partner, state=OutgoingState.DEAD).exists():
        raise NotFound(_("没有这封送不出去的消息，可能刚刚已经送达。"))
    outbox.resend(letter)


@dataclass(frozen=True, slots=True)
class Key:
    """One secret: never itself, only its last characters, from when to when."""

    hint: str
    valid_from: datetime
    valid_to: datetime | None
    valid: bool


def secrets(partner: Partner) -> list[Key]:
    at = now()
    return [Key(one.hint, one.valid_from, one.valid_to, one.valid_from <= at and (one.valid_to is None or one.valid_to > at))
            for one in PartnerSecret.objects.filter(partner=partner).order_by("-valid_from")[:20]]


@dataclass(frozen=True, slots=True)
class MapRow:
    """One line of a table, with what our word is called."""

    what: str
    inbound: bool
    ours: str
    theirs: str
    said: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table of words, one direction."""

    what: What
    inbound: bool
    title: str | Promise
    rows: list[MapRow]


def _said(what: str, code: str, terms: dict[tuple[str, str], str]) -> str:
    if what == What.CATEGORY:
        node = reference().nodes_by_code.get(code)
        return node.said if node is not None else ""
    return terms.get((what, code), "")


def lines(partner: Partner) -> list[MapRow]:
    """Every line of a partner's tables. Two queries."""
    terms = {(term.list, term.code): term.said for term in Term.objects.all()}
    return [MapRow(one.what, one.inbound, one.ours, one.theirs, _said(one.what, one.ours, terms))
            for one in Mapping.objects.filter(partner=partner).order_by("what", "-inbound", F("theirs"), "ours")]


def tables(partner: Partner) -> list[Table]:
    """The tables of both directions, those without a line too."""
    found = lines(partner)
    titles = {True: _("对方的 → 本市的"), False: _("本市的 → 对方的")}
    return [Table(what, inbound, titles[inbound], [row for row in found if (row.what, row.inbound) == (what.value, inbound)])
            for what in What for inbound in (True, False)]


def unmapped(partner: Partner) -> list[Unmapped]:
    """What the tables lack, most often met first."""
    return list(Unmapped.objects.filter(partner=partner).order_by("-times", "-last_at")[:LISTED])


def changes(partner: Partner) -> list[MappingChange]:
    """Who changed the tables, newest first."""
    return list(MappingChange.objects.filter(partner=partner).select_related("by").order_by("-id")[:30])


def disclosed(partner: Partner) -> list[Disclosure]:
    """What of callers went to the partner lately, newest first."""
    return list(Disclosure.objects.filter(handover__matter__partner=partner).select_related("case", "staff").order_by("-id")[:30])
