"""The secrets of a partner, with which messages both ways are signed (`kernel.signatures`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, NotFound
from lianxin.kernel.shared_secrets import SharedSecrets

from .models import Partner, PartnerSecret

SECRETS: Final = SharedSecrets(PartnerSecret, "partner", "partner_secret")
secrets_of = SECRETS.of
add_secret = SECRETS.add


def known(code: str, *, at: datetime | None = None) -> tuple[Partner | None, list[str]]:
    """An active partner by its name in messages, and its valid secrets: one query for what every message asks. None without any."""
    rows = list(SECRETS.rows(at=at, partner__code=code, partner__active=True).select_related("partner"))
    return (rows[0].partner if rows else None), [SECRETS.opened(row) for row in rows]


def retire_secret(partner: Partner, hint: str, *, after: timedelta = timedelta()) -> PartnerSecret:
    """End a secret, now or after a while. Raises NotFound, and Conflict when no other would be left."""
    at = now()
    rows = list(SECRETS.rows(at=at, partner=partner))
    found = [row for row in rows if hint and (str(row.pk) == hint or row.hint == hint)]
    if len(found) != 1:
        raise NotFound(_("没有这个密钥，或有几个密钥同名：请用编号。"))
    if not any(row.valid_to is None for row in rows if row.pk != found[0].pk):
        raise Conflict(_("这是最后一个有效的密钥：请先添加新密钥。"), code="last_secret")
    found[0].valid_to = at + after
    found[0].save(update_fields=["valid_to"])
    return found[0]
