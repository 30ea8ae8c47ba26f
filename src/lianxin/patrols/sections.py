"""What telephones are given of rounds: the forms, and the places that fall due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.timezone import localtime

from lianxin.cases.reference import today_of
from lianxin.fieldwork.registry import Worker, section
from lianxin.kernel.clock import now

from . import forms
from .dues import Due, dues

AHEAD = timedelta(days=2)  # so that a telephone without a network has tomorrow's places too
MOST = 200


@section("forms")
def forms_of(_worker: Worker) -> list[dict[str, Any]]:
    """Every form that is asked, whole: it is filled in without a network. Words come in Chinese, and in English where the
    form has them (`…_en`)."""
    return [{"code": one.form.code, "version": one.number, "name": one.title, "name_en": one.title_en, **one.definition}
            for one in forms.current()]


@section("tasks.rounds")
def tasks_rounds(worker: Worker) -> list[dict[str, Any]]:
    """The places of my areas that are to be looked at, from half their interval on, soonest due first."""
    until = today_of(now()) + AHEAD
    numbers = {one.form_id: one.number for one in forms.current()}
    return [_task(one, numbers[one.round.form_id]) for one in dues(worker.area_ids)
            if one.opens <= until and one.round.form_id in numbers][:MOST]


def _task(due: Due, version: int) -> dict[str, Any]:
    where = due.site or due.area
    assert where is not None
    return {
        "id": f"{due.round.code}:{where.code}", "kind": "round", "title": due.round.name, "title_en": due.round.name_en,
        "due_at": localtime(due.at).isoformat(), "place": where.name, "lon": where.lon, "lat": where.lat, "version": version,
        "form": due.round.form.code, "site": due.site.code if due.site else "", "area": due.area.code if due.area else "",
        "last_at": localtime(due.last).isoformat() if due.last else None,
    }
