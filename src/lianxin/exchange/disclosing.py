"""What a system is told of who raised a case: nothing, part of it, or all of it for a purpose – and every time written down."""

from __future__ import annotations

from django.utils.translation import gettext as _

from lianxin.cases.actions.identity import open_identity
from lianxin.cases.models import Case, Reporter
from lianxin.kernel.text import mask_name, mask_phone
from lianxin.triage.personal import masked

from .models import Disclosure, Link, Shown, System


def level_of(system: System, case: Case) -> Shown:
    """How much goes: what the system's setting says, and nothing where the reporter asked for confidence."""
    return Shown.NONE if case.confidential else Shown(system.identity)


def person_of(system: System, case: Case) -> dict[str, str]:
    """The fields of GeoReport that say who asked (`last_name` holds the whole name, as Chinese names are written). Empty for none."""
    level = level_of(system, case)
    reporter = None if level is Shown.NONE else Reporter.objects.filter(case=case, anonymised_at__isnull=True).first()
    if reporter is None:
        return {}
    identity = open_identity(reporter)
    whole = level is Shown.FULL
    said = {"last_name": identity.name if whole else mask_name(identity.name),
            "phone": identity.phone if whole else mask_phone(identity.phone) if identity.phone else ""}
    return {name: value for name, value in said.items() if value}


def words_of(system: System, case: Case, words: str) -> str:
    """Words as they go out: personal data in them is blacked out unless the system is told everything."""
    return words if level_of(system, case) is Shown.FULL else masked(words)


def record(link: Link, person: dict[str, str], *, case: Case, staff_id: int | None) -> None:
    """Write down what went out."""
    if not person:
        return
    level = level_of(link.system, case)
    why = link.system.purpose if level is Shown.FULL else _("只提供隐去部分内容的信息")
    Disclosure.objects.create(link=link, fields=sorted(person), shown=level, why=why[:200], staff_id=staff_id)


def record_photos(link: Link, count: int, *, staff_id: int | None) -> None:
    """Write down that photos go out."""
    Disclosure.objects.create(link=link, fields=["photos"], shown=Shown.FULL, staff_id=staff_id,
                              why=_("照片随工单提供给承办单位的系统：%d 张") % count)


def record_opened(link: Link) -> None:
    """Write down that a photo was fetched by its link."""
    Disclosure.objects.create(link=link, fields=["photo"], shown=Shown.FULL, why=_("对方打开了照片的链接"))
