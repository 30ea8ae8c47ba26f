"""Residents' subscriptions to public news: asking, confirming, ending. Who follows what is known to nobody but the row itself, which
goes when it ends; nothing is counted of who opened or followed a link.

An e-mail address is asked whether it wants the mails (a second time when the link is followed, for programs follow links as well), and
what is not confirmed is deleted after two days.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from lianxin.cases.models import Category
from lianxin.cases.reference import reference
from lianxin.kernel.clock import now
from lianxin.kernel.crypto import decrypt, encrypt, lookup_hash
from lianxin.kernel.errors import Invalid, NotFound, TooMany
from lianxin.kernel.ids import uuid7
from lianxin.kernel.locks import in_turn
from lianxin.kernel.text import clean_text, to_half_width
from lianxin.places.models import Area

from . import mails, news, push
from .models import Follow, FollowBy, FollowState, Pace

PENDING_FOR: Final = timedelta(days=2)
ASKED_A_DAY: Final = 3  # mails with a question to one address
MOST: Final = 30  # subscriptions of one address
MOST_FAILURES: Final = 20
_PURPOSE: Final = "news"
_CONFIRM, _END = "lianxin.follow.confirm", "lianxin.follow.end"


@dataclass(frozen=True, slots=True)
class Topic:
    """What is followed: an area with all below it, a category with all below it; None means all."""

    area: Area | None = None
    category: Category | None = None

    @property
    def codes(self) -> tuple[str, str]:
        return (self.area.code if self.area else "", self.category.code if self.category else "")


def _code(said: str, longest: int) -> str:
    """What may be a code, whatever was sent: the database is asked for no null character and no half of one."""
    return clean_text(said, max_length=longest, multiline=False)


def topic(area: str = "", category: str = "") -> Topic:
    """The area and category of two codes. Raises Invalid for one there is none of."""
    faults, place, kind = {}, None, None
    if area:
        place = Area.objects.filter(code=_code(area, 24), active=True).exclude(level="grid").first()
        if place is None:
            faults["area"] = str(_("没有这个地方，请重选。"))
        elif place.level == "city":
            place = None
    if category:
        kind = Category.objects.filter(code=_code(category, 12), active=True).first()
        if kind is None:
            faults["category"] = str(_("没有这类事，请重选。"))
    if faults:
        raise Invalid(fields=faults)
    return Topic(place, kind)


def address_of(follow: Follow) -> str:
    return decrypt(bytes(follow.address), context=f"follow:{follow.pk}:address")


def mail_is_on() -> bool:
    """Whether mails can be sent, and their links lead here."""
    return bool(settings.LIANXIN_MAIL_URL and settings.LIANXIN_PUBLIC_URL)


def _email(said: str) -> str:
    """An address as it is written to. Raises Invalid."""
    found = to_half_width(said).strip()
    try:
        EmailValidator()(found)
        found.rpartition("@")[2].encode("idna")  # as it goes to the mail server: a name in Chinese may be too long then
    except (ValidationError, UnicodeError):
        raise Invalid(fields={"email": str(_("邮箱写得不对，请核对，例如 name@example.cn。"))}) from None
    if len(found) > 200:
        raise Invalid(fields={"email": str(_("邮箱写得不对，请核对，例如 name@example.cn。"))})
    return found


def ask(email: str, about: Topic, *, pace: Pace) -> None:
    """Ask an address whether it wants the news of a topic. Answered alike whether it follows already or not, so that nobody learns
    who does. Raises Invalid, and TooMany when the address was asked three times in a day."""
    if not mail_is_on():
        raise Invalid(_("这里还没有开通邮件，请用浏览器通知或订阅源。"))
    found = _email(email)
    hashed, at = lookup_hash(found.lower(), purpose=_PURPOSE), now()
    with transaction.atomic():
        in_turn(hashed)  # asked twice at once, an address is counted and written down once
        rows = list(Follow.objects.select_for_update().filter(address_hash=hashed, by=FollowBy.EMAIL))
        lately = sum(row.asked for row in rows if row.asked_at > at - timedelta(days=1))
        if lately >= ASKED_A_DAY or len(rows) >= MOST:
            raise TooMany(_("这个邮箱今天已经收到过确认邮件，请先去邮箱里确认，或明天再试。"))
        row = next((row for row in rows if (row.area_id, row.category_id) == _keys(about)), None)
        if row is None:
            pk = uuid7()
            row = Follow.objects.create(
                id=pk, by=FollowBy.EMAIL, address=encrypt(found, context=f"follow:{pk}:address"), address_hash=hashed,
                area=about.area, category=about.category, pace=pace, language=_language(), asked_at=at)
        else:
            row.asked = row.asked + 1 if row.asked_at > at - timedelta(days=1) else 1
            row.asked_at, row.language = at, _language()
            if row.state == FollowState.PENDING:
                row.pace = pace
            row.save()
    mails.ask(found, row, token=signing.dumps([str(row.pk), str(pace)], salt=_CONFIRM))


def _keys(about: Topic) -> tuple[int | None, int | None]:
    return (about.area.pk if about.area else None, about.category.pk if about.category else None)


def _language() -> str:
    return (get_language() or settings.LANGUAGE_CODE)[:10]


def asked(token: str) -> Follow:
    """What a link for confirming is about. Raises NotFound for one that is false or too old."""
    return _asked(Follow.objects.all(), token)[0]


def _asked(among: QuerySet[Follow], token: str) -> tuple[Follow, Pace]:
    try:
        pk, pace = signing.loads(token[:400], salt=_CONFIRM, max_age=PENDING_FOR)
        found = among.select_related("area", "category").filter(pk=uuid.UUID(pk)).first()
        kept = Pace(pace)
    except (signing.BadSignature, ValueError, TypeError):
        found = None
    if found is None:
        raise NotFound(_("这个链接已失效。请重新订阅。"))
    return found, kept


@transaction.atomic
def confirm(token: str) -> Follow:
    """Begin. What came before is no news. A second time changes nothing but the pace. Raises NotFound."""
    row, pace = _asked(Follow.objects.select_for_update(of=("self",)), token)
    if row.state == FollowState.PENDING:
        at = now()
        row.state, row.confirmed_at, row.read_to = FollowState.ACTIVE, at, news.newest()
    row.pace, row.next_at = pace, news.next_time(pace, now()) if pace == Pace.DAILY else now()
    row.save()
    return row


def ending(follow: Follow) -> str:
    """What ends a subscription, for its mails: it holds the row's id, not the address, and does not grow old."""
    return signing.Signer(salt=_END).sign(follow.pk.hex)


def of_ending(token: str) -> Follow | None:
    """The subscription that a link ends; None when it has ended already. Raises NotFound for a false one."""
    try:
        pk = uuid.UUID(signing.Signer(salt=_END).unsign(token[:200]))
    except (signing.BadSignature, ValueError):
        raise NotFound(_("这个链接不对。请从邮件里重新打开。")) from None
    return Follow.objects.select_related("area", "category").filter(pk=pk).first()


@transaction.atomic
def end(token: str, *, all_of_them: bool = False) -> int:
    """End one subscription, or all of its address: the rows are deleted and the address with them. Returns how many ended. Twice does
    nothing. Raises NotFound for a false link."""
    found = of_ending(token)
    if found is None:
        return 0
    rows = Follow.objects.filter(by=found.by, address_hash=bytes(found.address_hash)) if all_of_them else Follow.objects.filter(pk=found.pk)
    return rows.delete()[0]


def follow_by_push(said: object, about: Topic, *, pace: Pace) -> Follow:
    """Follow with a browser that has agreed; asked again it follows once. Raises Invalid, TooMany."""
    one = push.browser(said)
    hashed, at = lookup_hash(one.endpoint, purpose=_PURPOSE), now()
    with transaction.atomic():
        in_turn(hashed)
        rows = list(Follow.objects.select_for_update().filter(address_hash=hashed, by=FollowBy.PUSH))
        row = next((row for row in rows if (row.area_id, row.category_id) == _keys(about)), None)
        if row is None and len(rows) >= MOST:
            raise TooMany(_("这个浏览器订阅得太多了，先取消几个。"))
        if row is None:
            row = Follow(id=uuid7(), by=FollowBy.PUSH, area=about.area, category=about.category, asked_at=at, read_to=news.newest())
        row.address, row.address_hash = encrypt(one.text(), context=f"follow:{row.pk}:address"), hashed
        row.state, row.confirmed_at, row.pace, row.language, row.failures = FollowState.ACTIVE, at, pace, _language(), 0
        row.next_at = news.next_time(pace, at) if pace == Pace.DAILY else at
        row.save()
    return row


def end_push(endpoint: str) -> int:
    """End everything that one browser follows. Returns how many."""
    if not endpoint.isprintable():  # none that follows is so called, and half a character cannot be hashed
        return 0
    return Follow.objects.filter(by=FollowBy.PUSH, address_hash=lookup_hash(endpoint[: push.LONGEST], purpose=_PURPOSE)).delete()[0]


def forget(at: datetime) -> int:
    """What was asked and never confirmed. Returns how many."""
    return Follow.objects.filter(state=FollowState.PENDING, asked_at__lt=at - PENDING_FOR).delete()[0]


def scope(follow: Follow) -> str:
    """What it is about, in the language of now."""
    from .wording import scope as said

    held = reference()
    area = held.places.get(follow.area_id or 0)
    category = held.nodes.get(follow.category_id or 0)
    return said(area.said if area else "", category.said if category else "")
