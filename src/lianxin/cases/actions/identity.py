"""Reading who raised a case: allowed to those handling it, and written down before it is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.crypto import decrypt
from lianxin.kernel.errors import Invalid, NotAllowed, NotFound
from lianxin.kernel.text import clean_text

from .. import policy
from ..engine import On
from ..families import acting
from ..models import Assignment, Case, IdentityReading, Reporter

FIELDS = ("name", "phone", "address", "email")


@dataclass(frozen=True, slots=True)
class Identity:
    """A reporter in clear. Not stored, not logged; `repr` says nothing."""

    name: str = ""
    phone: str = ""
    address: str = ""
    email: str = ""

    def __repr__(self) -> str:
        return "Identity(…)"


def open_identity(reporter: Reporter) -> Identity:
    """Decrypt every field of one reporter."""
    return Identity(**{
        field: decrypt(bytes(getattr(reporter, field)), context=f"reporter:{reporter.pk}:{field}")
        for field in FIELDS
        if getattr(reporter, field) is not None
    })


def without_name(case: Case, text: str, *, black: str) -> str:
    """`text` with the name its reporter gave covered by `black`, one for each character, blanks inside the name allowed for.

    Opened to be compared, as a telephone number is to be written to, and shown to nobody: not a reading. A name of one
    character is left alone, and a confidential case, whose words are not published, is left closed.
    """
    held = case.reporter
    if held is None or held.name is None or case.confidential:
        return text
    name = "".join(decrypt(bytes(held.name), context=f"reporter:{held.pk}:name").split())
    if len(name) < 2:
        return text
    said = re.compile(r"\s?".join(map(re.escape, name)), re.IGNORECASE)
    return said.sub(lambda match: black * len(match.group()), text)


def read_identity(on: On, *, why: str) -> Identity:
    """Show the reporter to one who handles the case, and write down who, when and why.

    Raises NotFound, NotAllowed and Invalid (no reason given). A case without a reporter gives an empty identity.
    """
    reason = clean_text(why, max_length=200, multiline=False)
    with transaction.atomic():
        case = Case.objects.filter(policy.visible_to(on.by), pk=on.case_id).select_related("reporter", "master").first()
        if case is None:
            raise NotFound(_("没有找到这件工单。请核对编号。"))
        decision = policy.can_read_identity(
            on.by, case, list(acting(case, list(Assignment.objects.filter(case=case, ended_at__isnull=True)))))
        if not decision:
            raise NotAllowed(decision.reason)
        if not reason:
            raise Invalid(_("请写明查看的原因，会记录在案。"), fields={"why": str(_("请填写这一项。"))})
        if on.by.staff_id is None:
            raise NotAllowed()
        IdentityReading.objects.create(
            case=case, staff_id=on.by.staff_id, unit_id=on.by.unit_id, why=reason,
            fields=[f for f in FIELDS if case.reporter and getattr(case.reporter, f) is not None],
        )
        return open_identity(case.reporter) if case.reporter else Identity()
