"""A form, places and a round in the small city, and answers to try on them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from lianxin.patrols.models import Form, FormVersion, Round, RoundPlace
from lianxin.patrols.xlsform import FormFile, read_form
from lianxin.places.models import Site
from tests.world import World

HEAD = ("type,name,label,label::English (en),hint,required,relevant,constraint,constraint_message")
SURVEY = (
    "select_one yes_no,clear,通道通畅吗？,Is the way clear?,,yes,,,",
    "begin_group,blocked,堵塞情况,What blocks it,,,${clear} = 'no',,",
    "select_multiple things,by,被什么堵了？,What blocks it?,,yes,,,",
    "image,photo,拍一张,A photo,,yes,,,",
    "end_group,,,,,,,,",
    "integer,missing,缺几个灭火器？,How many extinguishers are missing?,,yes,,. >= 0 and . <= 50,填 0 到 50 的整数",
    "image,rack,拍一下空架,A photo of the rack,,no,${missing} > 2,,",
    "decimal,width,最窄多少米？,How many metres at the narrowest?,,no,\"${clear} = 'yes' or selected(${by}, 'bikes')\",. > 0 and . < 20,",
    "note,thanks,谢谢。,Thank you.,,,,,",
    "text,note,还有别的吗？,Anything else?,,no,,,",
)
CHOICES = ("list_name,name,label,label::English (en)", "yes_no,yes,是,Yes", "yes_no,no,否,No", "things,goods,杂物,Goods",
           "things,bikes,电动车,E-bikes")
REPORTS = ("name,when,label,label::English (en),words,category",
           "way_blocked,${clear} = 'no',通道堵塞,Blocked,巡查发现通道被堵。,010101",
           "none_left,${missing} >= 10,灭火器缺得多,Many missing,巡查发现灭火器缺得多。,010102")
SETTINGS = ("form_title,form_title_en,form_id", "消防通道,Fire exits,exits")


def text_of(*, survey: Sequence[str] = SURVEY, choices: Sequence[str] = CHOICES, reports: Sequence[str] = REPORTS,
            settings: Sequence[str] = SETTINGS, head: str = HEAD) -> str:
    """A form as CSV: sheet by sheet, settings from line 1, the survey's columns on line 3."""
    lines = []
    for sheet, rows in (("settings", settings), ("survey", (head, *survey)), ("choices", choices), ("reports", reports)):
        lines += [f"{sheet if n == 0 else ''},{row}" for n, row in enumerate(rows)]
    return "\n".join(lines) + "\n"


def read(text: str | None = None, *, name: str = "exits.csv", body: bytes | None = None) -> tuple[FormFile | None, list[tuple[int, str]]]:
    """The form of a file, and its faults."""
    found: list[tuple[int, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(body if body is not None else (text_of() if text is None else text).encode())
        form = read_form(path, lambda line, reason: found.append((line, reason)))
    return form, found


def form_of(text: str | None = None) -> FormFile:
    form, faults = read(text)
    assert form is not None, faults
    return form


def version(number: int = 1, text: str | None = None) -> FormVersion:
    said = form_of(text)
    form, _made = Form.objects.get_or_create(code=said.code)
    return FormVersion.objects.create(form=form, number=number, title=said.title, title_en=said.title_en, definition=said.definition,
                                      digest=said.digest)


def sites(world: World) -> dict[str, Site]:
    """A school in the east's village, written down under its town; a market in the west."""
    rows = [("school", "花园小学", world.areas["990101001"], 113.1, 29.1), ("market", "西县市场", world.areas["990102"], 113.6, 29.1)]
    return {code: Site.objects.create(code=code, name=name, kind=code, area=area, lon=lon, lat=lat)
            for code, name, area, lon, lat in rows}


def round_of(world: World, form: Form, *, every: int = 7, calendar: str = "working", start: date = date(2026, 11, 16),
             **more: Any) -> Round:
    """A round over both sites and the east's village."""
    made = Round.objects.create(code="exits_weekly", name="每周看通道", form=form, every=every, calendar=calendar, valid_from=start, **more)
    for site in Site.objects.order_by("code"):
        RoundPlace.objects.create(round=made, site=site)
    RoundPlace.objects.create(round=made, area=world.areas["990101001001"])
    return made


GOOD: dict[str, Any] = {"clear": "yes", "missing": 0}
