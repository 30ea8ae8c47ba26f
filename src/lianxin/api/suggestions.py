"""What can be read in words before a case is made of them: category and unit, places, danger, similar cases, answers."""

from typing import Annotated, Any

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Schema
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lianxin.cases import duplicates
from lianxin.cases.reference import reference, today_of
from lianxin.kernel.clock import now
from lianxin.kernel.coordinates import CoordinateSystem, to_wgs84
from lianxin.kernel.errors import Invalid
from lianxin.knowledge.queries import search as search_knowledge
from lianxin.places import gazetteer
from lianxin.triage.danger import alarms
from lianxin.triage.reading import heard

from . import shapes
from .choices import SystemName
from .register import Code
from .requests import read
from .service import ApiRequest, answer, api, takes
from .shapes import CaseRow, Named
from .tokens import READ


class SuggestFields(BaseModel):
    """Only the words and the place are asked for, never who says them. Nothing is kept."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"words": "桥头街道花园社区路灯不亮三天了", "area": "990101001001"}]})

    words: Annotated[str, StringConstraints(min_length=1, max_length=12_000)]
    area: Code | None = None
    lon: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False)
    lat: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    coordinate_system: SystemName = "wgs84"


class CategoryGuess(Schema):
    code: str
    name: str
    path: str
    score: float = Field(description="A share of belief, 0 to 1.")
    words: list[str] = Field(description="The words that made it.")
    lead_unit: Named | None = Field(description="What the dispatch catalogue says for it here.")


class PlaceGuess(Schema):
    code: str
    name: str
    level: str
    area: Named | None
    path: str
    lon: float | None
    lat: float | None
    score: float
    said: str = Field(description="What stands in the words, blanks left out.")
    read_as: str = Field(description="The name, or short form of it, that was read there.")
    slip: bool = Field(description="It was read with one character wrong: `said` is not `read_as`.")
    ambiguous: list[str] = Field(description="Codes of the other places the same words may mean as well.")


class AlarmOut(Schema):
    service: str = Field(description="110, 119, 120 or 122: put the caller through first.")
    words: list[str]


class ArticleOut(Schema):
    code: str
    title: str
    answer: str
    basis: str


class Suggestions(Schema):
    categories: list[CategoryGuess]
    abstains: bool = Field(description="None of the categories is sure enough to be taken without looking.")
    model: int | None = Field(description="The version of the trained model that read; null where keyword rules read alone.")
    places: list[PlaceGuess] = Field(description="The likeliest first. Where the first is ambiguous, all it may mean come first.")
    ask_place: list[str] = Field(description="Codes of the places to choose from, where the words name one that stands for "
                                 "several and no area was given; empty where nothing has to be asked.")
    alarms: list[AlarmOut]
    similar: list[CaseRow] = Field(description="Cases that may be about the same; first those it may be merged into.")
    articles: list[ArticleOut]


def _position(said: SuggestFields) -> tuple[float | None, float | None]:
    if said.lon is None or said.lat is None:
        return None, None
    try:
        return to_wgs84(said.lon, said.lat, CoordinateSystem(said.coordinate_system))
    except ValueError:
        raise Invalid(_("位置的坐标不对，请重新选择地点。"), fields={"lon": str(_("坐标或坐标系不对。"))}) from None


@api.post("/suggestions", response=Suggestions, operation_id="suggest", summary="听懂了什么 what the words say",
          tags=["cases"], openapi_extra=takes(SuggestFields))
def suggestions(request: ApiRequest) -> HttpResponse:
    """Category with its unit, places, danger, similar cases and answers read in words. It writes nothing."""
    request.auth.need(READ)
    said = read(request, SuggestFields)
    held, on = reference(), today_of(now())
    lon, lat = _position(said)
    listened, places = heard(said.words), gazetteer.read(said.words)
    chosen = held.places_by_code.get(said.area or "")
    area_id = chosen.id if chosen else (places.clear.area_id if places.clear else None)
    categories: list[dict[str, Any]] = []
    for one in (found := listened.found):
        rule = held.responsible(category_id=held.nodes_by_code[one.code].id, area_id=area_id, on=on)
        categories.append({"code": one.code, "name": one.name, "path": one.path, "score": one.score,
                           "words": list(one.words), "lead_unit": shapes.named(rule.lead) if rule else None})
    near = duplicates.nearby(request.auth.actor, duplicates.Asked(said.words, now(), lon, lat, area_id))
    articles = search_knowledge(said.words, on=on, category_codes=tuple(one.code for one in found), area_id=area_id)
    return answer({
        "categories": categories,
        "abstains": listened.abstains,
        "model": listened.model.number if listened.model else None,
        "places": [{"code": p.code, "name": p.name, "level": p.level, "area": shapes.named(held.places.get(p.area_id)),
                    "path": p.path, "lon": p.lon, "lat": p.lat, "score": p.score, "said": p.said, "read_as": p.form,
                    "slip": p.slip, "ambiguous": list(p.ambiguous)} for p in places.hits],
        "ask_place": [] if chosen else [p.code for p in places.choices],
        "alarms": [{"service": a.service, "words": list(a.words)} for a in alarms(said.words)],
        "similar": shapes.case_rows([*(one.case for one in near.alike), *near.others]),
        "articles": [{"code": a.code, "title": a.title, "answer": a.answer, "basis": a.basis} for a in articles],
    })
