"""Mails to residents: plain text, in their language, with one link to end them (RFC 8058). No pictures, no counted links."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from . import wording

if TYPE_CHECKING:
    from .models import Follow
    from .news import News


def _send(to: str, subject: str, lines: list[str], headers: dict[str, str]) -> None:
    """Raises OSError (SMTP's errors are some) when it was not taken."""
    EmailMessage(" ".join(subject.split()), "\n".join(lines) + "\n", settings.LIANXIN_MAIL_FROM, [to], headers=headers).send()


def _footer(*, why: str) -> list[str]:
    return ["", "-- ", _("连心桥 12345 · 政务服务热线"), why, _("急事请打 12345；报警 110，火警 119，急救 120。")]


def ask(to: str, follow: Follow, *, token: str) -> None:
    """The question whether this address wants the news."""
    from . import following

    root = wording.base()
    with override(follow.language):
        lines = [
            _("有人用这个邮箱订阅了公开的办理消息：%s。") % following.scope(follow), "",
            _("是您的话，请打开下面的链接，再按一下“确认订阅”："), f"{root}/follow/confirm/{token}/", "",
            _("不是您的话，什么都不用做：两天后这次订阅和这个邮箱就从系统里删掉，不会再来信。"),
            *_footer(why=_("这封信只问一次，没有确认就不会再发。")),
        ]
        _send(to, _("请确认订阅：%s") % following.scope(follow), lines, {"Auto-Submitted": "auto-generated"})


def tell(to: str, follow: Follow, what: News, *, token: str) -> None:
    """The news."""
    from . import following

    root = wording.base()
    leave = f"{root}/follow/end/{token}/"
    with override(follow.language):
        about = following.scope(follow)
        count = len(what.items) + what.more
        values = {"about": about, "n": count}
        lines = [ngettext("%(about)s：有 %(n)d 件事有新进展。", "%(about)s：有 %(n)d 件事有新进展。", count) % values, ""]
        for item in what.items:
            said = wording.stage(item.record, item.stage)
            lines += [f"· {wording.headline(item.record)}", f"  {said}", f"  {wording.link(item.record)}", ""]
        if what.more:
            lines += [ngettext("还有 %d 件，请到网站上看：", "还有 %d 件，请到网站上看：", what.more) % what.more, f"{root}/public/", ""]
        lines += [*_footer(why=_("您订阅了这些消息。不想再收，打开这个链接：")), leave]
        headers = {
            "List-Unsubscribe": f"<{leave}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "List-Id": f"<news.{urlsplit(root).hostname or 'localhost'}>", "Auto-Submitted": "auto-generated", "Precedence": "bulk",
        }
        _send(to, ngettext("%(n)d 件事有新进展：%(about)s", "%(n)d 件事有新进展：%(about)s", count) % values, lines, headers)
