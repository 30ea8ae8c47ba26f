"""What of a caller travels with a matter: whole when the matter needs it, masked otherwise, and every time written down."""

from __future__ import annotations

from django.utils.translation import gettext as _

from lianxin.cases.actions.identity import open_identity
from lianxin.cases.models import Case, Reporter
from lianxin.kernel.text import mask_name, mask_phone

from . import wire
from .models import Disclosure, Handover, Identity, Partner


def _whole(partner: Partner, case: Case, *, emergency: bool, wish: str) -> str:
    """Why the caller travels whole; empty when they do not."""
    if emergency and partner.identity != Identity.NEVER:
        return _("紧急求助，对方须能联系到来电人")
    if case.confidential or partner.identity in (Identity.NEVER, Identity.EMERGENCY):
        return ""
    if wish in (wire.Wish.AGREES, wire.Wish.ASKED):
        return _("来电人同意移交")
    return _("对方办理须联系来电人") if partner.identity == Identity.ALWAYS else ""


def caller_of(partner: Partner, case: Case, *, emergency: bool, wish: str) -> tuple[wire.Caller | None, str]:
    """What the offer says of the caller, and why; None when the caller left nothing."""
    reporter = Reporter.objects.filter(case=case, anonymised_at__isnull=True).first()
    if reporter is None:
        return None, ""
    identity = open_identity(reporter)
    if not (identity.name or identity.phone):
        return None, ""
    why = _whole(partner, case, emergency=emergency, wish=wish)
    if why:
        return wire.Caller(shared=wire.Shared.FULL, name=identity.name, phone=identity.phone), why
    if case.confidential:
        return wire.Caller(shared=wire.Shared.NONE), ""
    masked = wire.Caller(shared=wire.Shared.MASKED, name=mask_name(identity.name), phone=mask_phone(identity.phone))
    return masked, _("只提供隐去部分内容的信息")


def record(handover: Handover, caller: wire.Caller | None, why: str, *, case: Case | None, staff_id: int | None) -> None:
    """Write down what went out."""
    if caller is None or caller.shared is wire.Shared.NONE:
        return
    Disclosure.objects.create(
        handover=handover, case=case, fields=[name for name in ("name", "phone") if getattr(caller, name)],
        shared=caller.shared.value, why=why[:200], staff_id=staff_id)
