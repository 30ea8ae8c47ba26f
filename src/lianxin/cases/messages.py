"""What the reporter is told, and through which gateway. A message names its template and values, not the person."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from lianxin.kernel.clock import now
from lianxin.kernel.crypto import decrypt, keyring
from lianxin.kernel.ids import tracking_code
from lianxin.kernel.language import named

from .models import Case, Event, Notification, Reporter, State
from .narrative import day_and_time
from .reference import reference

log = logging.getLogger(__name__)


class Gateway(Protocol):
    """Sends one text to one telephone number. Raises OSError or GatewayError when it did not."""

    name: str

    def send(self, *, phone: str, text: str) -> None: ...


class GatewayError(Exception):
    """The gateway refused the message; it is tried again later."""


class OutboxOnly:
    """The default: no SMS contract yet. The message stays in the outbox, and the tracking page shows its words."""

    name = "outbox"

    def send(self, *, phone: str, text: str) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Message:
    template: str
    values: dict[str, str]


def message_for(event: Event, case: Case) -> Message | None:
    """The message an event calls for, if any."""
    # The unit the event named: by the time this runs the case may be with another, or with none.
    given = reference().units_by_code.get(str(event.data.get("lead_unit", ""))) or case.lead_unit
    unit, unit_en = (given.name, given.name_en) if given else ("", "")
    due = case.due_at.isoformat() if case.due_at else ""
    values = {"number": case.number, "unit": unit, "unit_en": unit_en, "due": due}
    names = {
        "register": "registered", "decline": "declined", "answer_on_the_spot": "answered", "dispatch": "dispatched",
        "redispatch": "dispatched", "approve": "replied", "reopen": "reopened", "close": "closed",
        "reopen_unsolved": "reopened", "answer_with_master": "replied", "close_unasked": "closed", "contest": "contested",
        "release_handover": "handed_over", "take_back_handover": "taken_back", "close_handover": "closed_there",
        "close_with_master": "closed_there",
    }
    name = names.get(event.action)
    if event.data.get("partner"):
        values = values | {name: str(event.data.get(name, "")) for name in ("partner_name", "partner_name_en")}
    if event.action == "suspend":
        name = "asked" if event.data.get("waits_for") == "reporter" else "paused"
        values = values | {"until": str(event.data.get("until", ""))}
    if event.action == "grant_extension":
        name, values = "extended", values | {"until": str(event.data.get("due", ""))}
    if event.action == "join_master" and event.from_state != State.MERGED:  # told once, whatever master it moves to
        name = "merged"
    if event.action in ("approve", "answer_with_master") and event.data.get("drawn") is False:
        name, values = "invited", values | {"until": str(event.data.get("rate_until", ""))}
    return Message(name, values) if name else None


def text_of(notification: Notification, case: Case, *, language: str) -> str:
    """The words of one message, in the reporter's language."""
    code = tracking_code(keyring().tracking, case.pk)
    with override(language):
        held = notification.values
        until = day_and_time(datetime.fromisoformat(held["until"])) if held.get("until") else ""
        values = held | {"partner": named(held.get("partner_name", ""), held.get("partner_name_en", "")) or _("联动单位")}
        values = values | {"code": code, "unit": named(held.get("unit", ""), held.get("unit_en", "")), "until": until}
        templates = {
            "registered": _("【12345】您的诉求已登记，编号 %(number)s，查询码 %(code)s。"),
            "declined": _("【12345】您的诉求 %(number)s 不在热线受理范围，请凭查询码 %(code)s 查看该走的途径。"),
            "answered": _("【12345】您的诉求 %(number)s 已当场答复。"),
            "dispatched": _("【12345】您的诉求 %(number)s 已交 %(unit)s 办理。"),
            "merged": _("【12345】您的诉求 %(number)s 与别的市民说的同一件事一起办，编号、期限和答复不变，凭查询码 %(code)s 查看。"),
            "replied": _("【12345】您的诉求 %(number)s 已有答复，请凭查询码 %(code)s 查看并评价。"),
            "invited": _("【12345】您的诉求 %(number)s 已有答复。请在%(until)s前凭查询码 %(code)s 说一声解决了没有、满意不满意。"),
            "contested": _("【12345】您对 %(number)s 的办结不认可，热线已收到，会再联系您。"),
            "asked": _("【12345】您的诉求 %(number)s 要请您补充情况，请凭查询码 %(code)s 查看并补充。最迟等到 %(until)s。"),
            "paused": _("【12345】您的诉求 %(number)s 要等一个条件才能接着办，最迟等到 %(until)s，原因请凭查询码 %(code)s 查看。"),
            "extended": _("【12345】您的诉求 %(number)s 办理时间延长，答复您的时间改为 %(until)s前，原因请凭查询码 %(code)s 查看。"),
            "reopened": _("【12345】您的诉求 %(number)s 已退回重办。"),
            "closed": _("【12345】您的诉求 %(number)s 已归档。"),
            "handed_over": _("【12345】您的诉求 %(number)s 已转给%(partner)s，对方已接收。进展凭查询码 %(code)s 查看，不用再说一遍。"),
            "taken_back": _("【12345】您的诉求 %(number)s 经%(partner)s处置后，后面的事由热线接着办，不用再说一遍。"),
            "closed_there": _("【12345】您的诉求 %(number)s 已由%(partner)s办完，结果请凭查询码 %(code)s 查看。"),
        }
        return str(templates[notification.template] % values)


def gateway() -> Gateway:
    made: Gateway = import_string(settings.LIANXIN_MESSAGE_GATEWAY)()
    return made


def announce_event(event_id: str) -> None:
    """Make the notification of an event and send it, once: the row's unique event holds a second run back."""
    event = Event.objects.select_related("case__lead_unit", "case__reporter").get(pk=event_id)
    case = event.case
    message = message_for(event, case)
    if message is None:
        return
    notification, _created = Notification.objects.get_or_create(
        event_id=event.pk, defaults={"case": case, "template": message.template, "values": message.values}
    )
    with transaction.atomic():
        notification = Notification.objects.select_for_update().get(pk=notification.pk)
        if notification.status in (Notification.Status.SENT, Notification.Status.NOT_WANTED):
            return
        reporter: Reporter | None = case.reporter
        if reporter is None or reporter.phone is None or not reporter.message_consent:
            notification.status = Notification.Status.NOT_WANTED
            notification.save(update_fields=["status"])
            return
        through = gateway()
        phone = decrypt(bytes(reporter.phone), context=f"reporter:{reporter.pk}:phone")
        notification.attempts += 1
        notification.gateway = through.name
        try:
            through.send(phone=phone, text=text_of(notification, case, language=reporter.language))
        except (OSError, GatewayError):
            log.warning("message not sent", extra={"notification": str(notification.pk)})
            failed = True
        else:
            failed = False
            notification.sent_at = now()
        notification.status = Notification.Status.FAILED if failed else Notification.Status.SENT
        notification.save(update_fields=["status", "attempts", "gateway", "sent_at"])
    if failed:
        raise GatewayError("the message gateway did not take the message")
