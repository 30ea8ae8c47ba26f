"""Where staff have public news sent for an office – a group in a messenger, a mailing list – through Apprise.

The address holds the service's own secret: it is sealed, and shown to nobody again. Services that would act on this machine, read its
files or print to it are not offered; an address with a host of its own is looked at by the guard each time, and so is every address that
Apprise then connects to.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

import apprise
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from lianxin.kernel import outside
from lianxin.kernel.clock import now
from lianxin.kernel.crypto import decrypt, encrypt
from lianxin.kernel.errors import Invalid, NotAllowed, NotFound
from lianxin.kernel.ids import uuid7
from lianxin.kernel.text import clean_text
from lianxin.organisations.accounts import keeper
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Unit

from . import news, wording
from .following import Topic
from .models import Channel, Pace
from .policy import keeps

LONGEST: Final = 1_000
# Services with an address of their own: no host can be named.
FIXED: Final = frozenset({
    "wecombot", "dingtalk", "feishu", "lark", "pushplus", "schan", "wxpusher", "spugpush", "pushme", "tgram", "slack", "discord",
    "workflows", "zulip", "qq",
})
# Services at a host that is named; over TLS, and over plain HTTP where a network of `LIANXIN_OUTBOUND_PRIVATE` is meant.
HOSTED: Final = frozenset({
    "json", "jsons", "xml", "xmls", "form", "forms", "mmost", "mmosts", "rocket", "rockets", "matrix", "matrixs", "ntfy", "ntfys", "gotify",
    "gotifys", "bark", "barks", "nctalk", "nctalks", "mailto", "mailtos",
})


class Unsent(Exception):
    """The service did not take it."""


def _plugin(address: str) -> Any:
    """The service of an address. Raises Invalid without naming what stands in it."""
    said = address.strip()
    scheme = said.partition("://")[0].lower()
    if len(said) > LONGEST or scheme not in FIXED | HOSTED:
        raise Invalid(fields={"address": str(_("不认得这种地址。可以用的：%s。") % "、".join(sorted(FIXED | HOSTED)))})
    found = apprise.Apprise.instantiate(said, suppress_exceptions=True)
    if found is None:
        raise Invalid(fields={"address": str(_("地址不完整，请照服务的说明核对。"))})
    if scheme in HOSTED:
        _looked_at(found)
    return found


def _looked_at(plugin: Any) -> None:
    hosts = {str(host) for host in (getattr(plugin, "host", ""), getattr(plugin, "smtp_host", "")) if host}
    for host in hosts or {""}:
        try:
            outside.checked(f"https://{host}:{getattr(plugin, 'port', None) or 443}/")
        except Invalid as error:
            raise Invalid(fields={"address": str(error.message)}) from None


def listed(actor: Actor) -> QuerySet[Channel]:
    """The channels somebody looks after: those of the units whose accounts they do."""
    if actor.scopes is not None or not keeps(actor):
        return Channel.objects.none()
    kept = keeper(actor)
    return Channel.objects.all() if kept.everything else Channel.objects.filter(unit_id__in=kept.unit_ids)


def create(*, by: Actor, name: str, unit: Unit, address: str, about: Topic, pace: Pace) -> Channel:
    """Have news sent somewhere. Raises NotAllowed, Invalid."""
    if by.scopes is not None or not keeps(by) or not keeper(by).reaches(unit):
        raise NotAllowed(_("这个单位不归您管，请找系统管理员。"))
    plain = clean_text(name, max_length=80, multiline=False)
    if not plain:
        raise Invalid(fields={"name": str(_("请写明用途。"))})
    plugin, pk = _plugin(address), uuid7()
    return Channel.objects.create(
        id=pk, name=plain, unit=unit, address=encrypt(address.strip(), context=f"news_channel:{pk}:address"),
        service=str(plugin.service_name)[:40], area=about.area, category=about.category, pace=pace, made_by_id=by.staff_id,
        read_to=news.newest(), next_at=news.next_time(pace, now()) if pace == Pace.DAILY else now())


def _held(by: Actor, pk: uuid.UUID) -> Channel:
    found = listed(by).select_for_update(of=("self",)).filter(pk=pk).first()
    if found is None:
        raise NotFound(_("没有这个群或邮件组。"))
    return found


@transaction.atomic
def turn(pk: uuid.UUID, active: bool, *, by: Actor) -> Channel:
    """Pause, or begin again with what comes from now on."""
    found = _held(by, pk)
    found.active, found.failures, found.last_error = active, 0, ""
    if active:
        found.read_to, found.next_at = news.newest(), now()
    found.save()
    return found


@transaction.atomic
def delete(pk: uuid.UUID, *, by: Actor) -> None:
    """End, and forget the address."""
    _held(by, pk).delete()


def test(pk: uuid.UUID, *, by: Actor) -> None:
    """Send a line now. Raises NotFound, and Unsent when the service did not take it."""
    found = listed(by).filter(pk=pk).first()
    if found is None:
        raise NotFound(_("没有这个群或邮件组。"))
    _notify(found, _("测试"), _("这是一条测试消息：公开的办理消息会发到这里。"))


def _notify(channel: Channel, title: str, body: str) -> None:
    try:
        plugin = _plugin(decrypt(bytes(channel.address), context=f"news_channel:{channel.pk}:address"))
    except Invalid as error:
        raise Unsent("; ".join(error.fields.values()) or str(error)) from None
    with outside.guarded() as watch:  # Apprise resolves names itself, a moment after they were looked at
        try:
            taken = plugin.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
        except Exception as error:  # each service's own library raises what it likes; its words may hold the address
            raise Unsent(str(outside.Inside.default_message) if watch.refused else type(error).__name__) from None
    if watch.refused and not taken:
        raise Unsent(str(outside.Inside.default_message))
    if not taken:
        raise Unsent(str(gettext_lazy("对方没有收下。")))


def tell(channel: Channel, what: news.News) -> None:
    """The news to one channel. Raises Unsent."""
    count = len(what.items) + what.more
    lines = [" ".join((wording.headline(item.record), wording.stage(item.record, item.stage), wording.link(item.record)))
             for item in what.items]
    if what.more:
        more = ngettext("还有 %d 件，请到网站上看：", "还有 %d 件，请到网站上看：", what.more) % what.more
        lines.append(f"{more}{wording.base()}/public/")
    _notify(channel, ngettext("%d 件事有新进展", "%d 件事有新进展", count) % count, "\n".join(lines))
