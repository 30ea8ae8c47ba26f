"""网格界线: the grids of one village on a map – cut, merged, renamed, drawn anew – and how they were before. Everything that the map
does can be typed as well. `fieldwork.boundaries` decides and does it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from lianxin.fieldwork import boundaries, leads
from lianxin.kernel.coordinates import CoordinateSystem
from lianxin.kernel.errors import DomainError
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Unit
from lianxin.places import drawing, grid_history, grids, partition
from lianxin.places.models import Area

from ..access import StaffRequest, refused, staff
from ..forms import settled, take_faults
from .boards import context_for
from .field_work import LEADERS

SYSTEMS = [("wgs84", gettext_lazy("WGS-84（天地图、GPS、本图）")), ("gcj02", gettext_lazy("高德、腾讯")), ("bd09", gettext_lazy("百度"))]


class _Form(forms.Form):
    """`places` are the village's grids by code; fields named in `of_grids` choose one of them."""

    of_grids: tuple[str, ...] = ()
    why = forms.CharField(label=gettext_lazy("为什么改"), max_length=200)

    def __init__(self, *args: Any, places: list[tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        for name in self.of_grids:
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", _("请选择")), *places]
        self.order_fields([name for name in self.fields if name != "why"] + ["why"])

    @property
    def coordinates(self) -> CoordinateSystem:
        return CoordinateSystem(self.cleaned_data["system"])


class SplitForm(_Form):
    of_grids = ("grid",)
    grid = forms.ChoiceField(label=gettext_lazy("切哪个网格"))
    line = forms.CharField(
        label=gettext_lazy("切线"), max_length=100_000, widget=forms.Textarea(attrs={"rows": 3, "data-line": ""}),
        help_text=gettext_lazy("在图上点出来，或者一行写一个点：经度,纬度。从网格的一边画到另一边。"))
    system = forms.ChoiceField(label=gettext_lazy("坐标是哪家的"), choices=SYSTEMS, initial="wgs84")
    name = forms.CharField(label=gettext_lazy("切下来的小块叫什么"), max_length=80)
    kept_name = forms.CharField(label=gettext_lazy("剩下的大块改叫什么"), max_length=80, required=False)


class MergeForm(_Form):
    of_grids = ("grid", "other")
    grid = forms.ChoiceField(label=gettext_lazy("留下哪个网格"))
    other = forms.ChoiceField(label=gettext_lazy("并进来哪个网格"), help_text=gettext_lazy("它的代码以后不再用，归它的旧工单还写它。"))
    name = forms.CharField(label=gettext_lazy("合并后叫什么"), max_length=80, required=False)


class RenameForm(_Form):
    of_grids = ("grid",)
    grid = forms.ChoiceField(label=gettext_lazy("哪个网格"))
    name = forms.CharField(label=gettext_lazy("改叫什么"), max_length=80)


class RedrawForm(_Form):
    features = forms.CharField(
        label=gettext_lazy("全村网格的界线（GeoJSON）"), max_length=drawing.LONGEST,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "data-features": ""}),
        help_text=gettext_lazy("在图上拖动圆点改界线，或者把别的软件画好的贴进来：现有的网格保留 code，新网格不写 code、写 name。"))
    system = forms.ChoiceField(label=gettext_lazy("坐标是哪家的"), choices=SYSTEMS, initial="wgs84")


@dataclass(frozen=True, slots=True)
class Step:
    """One way to change: its form, its button, and what it does with what was typed."""

    name: str
    label: str | Promise
    form: type[_Form]
    do: Callable[[Any, str, int, Actor], grids.Changed]


def _split(form: SplitForm, village: str, version: int, by: Actor) -> grids.Changed:
    said = form.cleaned_data
    return boundaries.split(village=village, version=version, grid=said["grid"], line=drawing.line_of(said["line"], form.coordinates),
                            name=said["name"], kept_name=said["kept_name"], why=said["why"], by=by)


def _merge(form: MergeForm, village: str, version: int, by: Actor) -> grids.Changed:
    return boundaries.merge(village=village, version=version, by=by, **form.cleaned_data)


def _rename(form: RenameForm, village: str, version: int, by: Actor) -> grids.Changed:
    return boundaries.rename(village=village, version=version, by=by, **form.cleaned_data)


def _redraw(form: RedrawForm, village: str, version: int, by: Actor) -> grids.Changed:
    said = form.cleaned_data
    return boundaries.redraw(village=village, version=version, drawn=drawing.features_of(said["features"], form.coordinates),
                             why=said["why"], by=by)


STEPS = (
    Step("split", gettext_lazy("切成两个"), SplitForm, _split), Step("merge", gettext_lazy("合并两个"), MergeForm, _merge),
    Step("redraw", gettext_lazy("挪界线"), RedrawForm, _redraw), Step("rename", gettext_lazy("改名"), RenameForm, _rename),
)


def _unit_of(actor: Actor, village: Area) -> Unit | None:
    """The town a village belongs to, for the way back."""
    return Unit.objects.filter(leads.need(actor).units(), area=village.parent_id).first()


@staff(*LEADERS)
@require_http_methods(["GET", "POST"])
def grid_map(request: StaffRequest, code: str) -> HttpResponse:
    """The village's grids as they stand, four ways to change them, and every change there was."""
    try:
        village = leads.access_village(request.actor, code)
        found = grids.held(village.code)
    except DomainError as error:
        return refused(request, error)
    chosen = request.POST.get("step", "") if request.method == "POST" else request.GET.get("step", "")
    places = [(grid.code, grid.name) for grid in found.grids]
    bound: dict[str, _Form] = {}
    message, status, faults = "", 200, ""
    seen = found.version
    for step in STEPS:
        posted = request.method == "POST" and step.name == chosen
        initial = {"features": json.dumps(grids.as_features(found), ensure_ascii=False)} if step.name == "redraw" else {}
        form = bound[step.name] = settled(step.form(request.POST if posted else None, places=places, initial=initial), step.name)
        if not posted:
            continue
        status = 422
        said = request.POST.get("version", "")
        seen = int(said) if said.isascii() and said.isdigit() and len(said) < 9 else -1
        if form.is_valid():
            try:
                step.do(form, village.code, seen, request.actor)
            except DomainError as error:
                take_faults(form, error)
                message, status = str(error), error.status
                faults = json.dumps(error.current["faults"]) if "faults" in error.current else ""
            else:
                messages.success(request, _("已改好。手机和地图几秒钟后就用新的界线。"))
                return redirect("desk:grid_map", village.code)
    # After a conflict the next try is made on what is shown now.
    return render(request, "desk/grid_map.html", context_for(
        request, village=village, found=found, steps=[(step, bound[step.name]) for step in STEPS], chosen=chosen, message=message,
        faults=faults, unit=_unit_of(request.actor, village), whole=[_fault(fault) for fault in grids.faults_of(found)],
        hectares={grid.code: partition.area_of(grids.shape_of(grid)) / 10_000 for grid in found.grids},
        history=grid_history.history(village)), status=status)


def _fault(fault: partition.Fault) -> dict[str, Any]:
    return {"kind": fault.kind.value, "area": round(fault.area)}


@staff(*LEADERS)
@require_GET
def grid_shapes(request: StaffRequest, code: str) -> HttpResponse:
    """What the map draws: the village, its grids, its neighbours' outlines. GeoJSON, never cached."""
    try:
        village = leads.access_village(request.actor, code)
        found = grids.held(village.code)
    except DomainError as error:
        return JsonResponse({"detail": str(error)}, status=error.status)
    outline = {"type": "Feature", "properties": {"code": village.code}, "geometry": village.boundary}
    return JsonResponse({
        "version": found.version, "grids": grids.as_features(found),
        "village": {"type": "FeatureCollection", "features": [outline] if village.boundary else []},
        "around": reverse("places:within", args=[village.parent.code]) if village.parent else None,
    })
