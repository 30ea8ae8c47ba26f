"""What telephones send of rounds: check-ins and inspections."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lianxin.cases.actions import Intake, register
from lianxin.cases.models import Attachment, Channel
from lianxin.fieldwork.registry import Item, Worker, handles
from lianxin.kernel.errors import Conflict, Invalid
from lianxin.places.models import Area, Site

from . import engine, forms
from .codes import site_of
from .models import CheckIn, FormVersion, How, Inspection, InspectionPhoto

Code = Annotated[str, StringConstraints(max_length=60)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CheckInBody(_Body):
    """打卡. `code` is what was scanned or typed (`how` is `qr` then), `site` a site's code; without either the position, in
    WGS-84 degrees, with its accuracy in metres as the telephone said. Of a check-in at a site no position is kept."""

    how: Literal["button", "qr"]
    site: Code = ""
    code: Code = ""
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    accuracy: Annotated[float, Field(ge=0, le=1_000_000)] | None = None


class Reported(_Body):
    """A failed point that becomes a report: a rule of the form, and the worker's words in place of the rule's own."""

    rule: Annotated[str, StringConstraints(max_length=40)]
    words: Annotated[str, StringConstraints(max_length=10_000)] = ""


class InspectionBody(_Body):
    """A form filled in. `answers` maps names of questions to answers; a photo's answer is its place among the files `proof`,
    from 1. `task` is the task that it does, for the telephone's own use: what is done is seen from form and place."""

    form: Annotated[str, StringConstraints(max_length=40)]
    form_version: Annotated[int, Field(ge=1, le=32_767)]
    site: Code = ""
    area: Code = ""
    answers: Annotated[dict[str, Any], Field(max_length=200)]
    task: Annotated[str, StringConstraints(max_length=120)] = ""
    report: Reported | None = None


def _site(code: str) -> Site:
    found = Site.objects.filter(code=code, active=True).select_related("area").first()
    if found is None:
        raise Invalid(_("没有这个地点，请更新后再选。"), fields={"site": str(_("没有这个地点。"))})
    return found


def _where(said: CheckInBody) -> Site | None:
    if said.how == How.QR.value:
        if not said.code:
            raise Invalid(_("请扫码，或者输入图下的字母。"), fields={"code": str(_("请填写这一项。"))})
        read = site_of(said.code)
        if said.site and said.site != read.code:
            raise Invalid(_("这个码是“%s”的，不是所选的地点。") % read.name, code="site_code_elsewhere",
                          fields={"code": str(_("是另一个地点的码。"))})
        return read
    return _site(said.site) if said.site else None


@handles("check_in", CheckInBody, roles=frozenset())
def check_in(worker: Worker, item: Item[CheckInBody]) -> dict[str, Any]:
    """A worker says where they are, once and themself."""
    said = item.said
    site = _where(said)
    if site is None and (said.lon is None or said.lat is None):
        raise Invalid(_("没有定到位。请选地点，或者扫码。"), fields={"site": str(_("请选地点。"))})
    position: dict[str, Any] = {} if site is not None else {
        "lon": said.lon, "lat": said.lat, "accuracy": None if said.accuracy is None else round(said.accuracy)}
    row, made = CheckIn.objects.get_or_create(
        pk=item.id, defaults={"staff_id": worker.staff_id, "site": site, "how": said.how, "at": item.at, **position})
    if not made and row.staff_id != worker.staff_id:
        raise Conflict(code="id_reused")
    return {"check_in": str(row.pk), "at": localtime(row.at).isoformat(),
            "site": None if site is None else {"code": site.code, "name": site.name}}


def _place(said: InspectionBody) -> tuple[Site | None, Area | None]:
    if bool(said.site) == bool(said.area):
        raise Invalid(_("请选一个地点或一个区域。"), fields={"site": str(_("请选地点。"))})
    if said.site:
        return _site(said.site), None
    found = Area.objects.filter(code=said.area, active=True).first()
    if found is None:
        raise Invalid(_("没有这个区域，请更新后再选。"), fields={"area": str(_("没有这个区域。"))})
    return None, found


def _photos(version: FormVersion, answers: Mapping[str, Any], item: Item[InspectionBody]) -> dict[str, uuid.UUID]:
    """Question → attachment. Raises Invalid for a photo that did not come, and for one that answers two questions."""
    came = item.every_file
    found: dict[str, uuid.UUID] = {}
    for name, place in engine.photos(version.definition, answers).items():
        if place > len(came) or came[place - 1] in found.values():
            raise Invalid(_("照片和问题对不上，请重拍。"), code="photo_missing", fields={name: str(_("请拍一张照片。"))})
        found[name] = came[place - 1]
    kinds = dict(Attachment.objects.filter(pk__in=found.values()).values_list("pk", "kind"))
    for name, pk in found.items():
        if kinds.get(pk) != Attachment.MediaKind.PHOTO:
            raise Invalid(_("这里只能放照片。"), code="photo_missing", fields={name: str(_("请拍一张照片。"))})
    return found


@handles("inspection", InspectionBody, roles=frozenset({"proof"}))
def inspection(worker: Worker, item: Item[InspectionBody]) -> dict[str, Any]:
    """A form filled in at a place; with `report`, one of its failed points becomes a case in the same transaction."""
    said = item.said
    version = forms.version_of(said.form, said.form_version)
    site, area = _place(said)
    answers = forms.checked(version, said.answers)
    photos = _photos(version, answers, item)
    earlier = Inspection.objects.filter(pk=item.id).first()
    if earlier is not None:
        raise Conflict(code="id_reused")
    told: dict[str, Any] = {"inspection": str(item.id)}
    case_id = None
    row = Inspection.objects.create(pk=item.id, version=version, site=site, area=area, staff_id=worker.staff_id, at=item.at,
                                    answers=answers)
    if said.report is not None:
        made = register(by=worker.actor, intake=_intake(version, answers, said.report, site, area, tuple(photos.values()), item))
        case_id = made.case_id
        told |= {"case": str(case_id), "number": made.number, "state": made.state}
    InspectionPhoto.objects.bulk_create([
        InspectionPhoto(inspection=row, question=name, attachment_id=pk) for name, pk in photos.items()])
    if case_id is not None:
        Inspection.objects.filter(pk=row.pk).update(case_id=case_id)
    return told


def _intake(version: FormVersion, answers: Mapping[str, Any], said: Reported, site: Site | None, area: Area | None,
            photos: tuple[uuid.UUID, ...], item: Item[InspectionBody]) -> Intake:
    """What the hotline gets of a failed point. Raises Invalid for a rule the form does not have, or that does not hold."""
    rule = next((one for one in engine.offers(version.definition, answers) if one["name"] == said.rule), None)
    if rule is None:
        raise Invalid(_("填的内容里没有这个要上报的问题。"), fields={"report": str(_("没有这个问题。"))})
    place = site or area
    assert place is not None
    return Intake(
        words=said.words.strip() or rule["words"], title=version.title, channel=Channel.FIELD.value, category=rule["category"],
        area=None if site is not None and site.lon is not None else (site.area.code if site is not None else place.code),
        lon=site.lon if site else None, lat=site.lat if site else None, place_text=site.name if site else "",
        attachments=photos, made_at=item.at)
