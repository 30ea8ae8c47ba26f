"""The ledger of returns, and the dispatch catalogue as it changes: versions, what differs, proposals and decisions."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Schema
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from lianxin.cases import ledger
from lianxin.cases.actions.returning import BASIS
from lianxin.cases.catalogue import content, effects, proposals, rights, versions
from lianxin.cases.models import CatalogueDecision, CatalogueProposal, CatalogueSource, CatalogueVersion, Return
from lianxin.cases.queries import cursor_of, time_and_id
from lianxin.cases.reference import reference
from lianxin.kernel.errors import NotAllowed, NotFound
from lianxin.organisations.actors import Actor

from . import shapes
from .actions import UNITS
from .reads import checked_cursor
from .register import Code, moment
from .requests import key_of, read
from .service import ApiRequest, answer, api, page, takes
from .shapes import Named
from .tokens import READ

_ID = "019a0000-0000-7000-8000-000000000000"
Words = Annotated[str, StringConstraints(min_length=1, max_length=versions.REASON)]
RulingName = Literal["waiting", "upheld", "rejected", "joint", "lapsed"]


class RuleOut(Schema):
    """One rule. An empty category or area means any."""

    category: str
    area: str
    lead_unit: str
    assisting_units: list[str]
    valid_from: date | None
    valid_to: date | None = Field(description="The first day it no longer holds.")
    basis: str


class ReturnOut(Schema):
    """An entry of the ledger: what a unit gave back, and what was ruled."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _ID, "case_number": "26-0000041-2", "ruling": "joint"}]})

    id: UUID
    case_id: UUID
    case_number: str
    round: int
    unit: Named
    category: Named | None
    reason: str
    suggested_unit: Named | None
    raised_at: datetime
    ruling: str
    ruled_at: datetime | None
    ruled_by: str | None
    minutes: int | None = Field(description="Working minutes from raised to ruled.")
    basis: str = Field(description="What a joint ruling rests on.")
    bound_units: list[str] = Field(description="Units a joint ruling named: they cannot return the case in this round.")
    rule: RuleOut | None = Field(description="The rule of the catalogue that had led the case there.")
    catalogue_version: int | None


class ReturnPage(Schema):
    items: list[ReturnOut]
    next: str | None


class ReturnQuery(Schema):
    since: AwareDatetime | None = Field(None, description="Raised at this time or later.")
    until: AwareDatetime | None = Field(None, description="Raised before.")
    unit: Code = Field("", description="Code of the unit that returned it.")
    category: Code = Field("", description="Code of a category or of one above it; `none`: not yet set.")
    reason: Code = ""
    ruling: RulingName | None = None
    after: Annotated[str, StringConstraints(max_length=400)] = Field("", description="From a page's `next`.")
    limit: int = Field(50, ge=1, le=200)

    def narrow(self) -> ledger.Narrow:
        return ledger.Narrow(self.since, self.until, self.unit, self.category, self.reason, self.ruling or "")


def _line(line: content.Line) -> dict[str, Any]:
    return {
        "category": line.category, "area": line.area, "lead_unit": line.lead, "assisting_units": list(line.assisting),
        "valid_from": line.valid_from.isoformat() if line.valid_from else None,
        "valid_to": line.valid_to.isoformat() if line.valid_to else None, "basis": line.basis,
    }


def _return(entry: Return) -> dict[str, Any]:
    held, rule = reference(), entry.rule
    bound = [unit.code for pk in entry.bound if (unit := held.units.get(pk))]
    return {
        "id": str(entry.pk), "case_id": str(entry.case_id), "case_number": entry.case.number, "round": entry.round,
        "unit": shapes.named(held.units.get(entry.unit_id)), "category": shapes.named(held.nodes.get(entry.category_id or 0)),
        "reason": entry.reason, "suggested_unit": shapes.named(held.units.get(entry.suggested_unit_id or 0)),
        "raised_at": moment(entry.raised_at), "ruling": entry.ruling, "ruled_at": moment(entry.ruled_at),
        "ruled_by": entry.ruled_by.name if entry.ruled_by else None, "minutes": entry.minutes, "basis": entry.basis,
        "bound_units": bound,
        "rule": _line(content.Line(
            rule.category.code if rule.category else "", rule.area.code if rule.area else "", rule.lead_unit.code,
            tuple(rule.assisting_units), rule.valid_from, rule.valid_to, rule.basis)) if rule else None,
        "catalogue_version": rule.version.number if rule else None,
    }


def _reads_ledger(request: ApiRequest) -> Actor:
    request.auth.need(READ)
    if not request.auth.actor.has(*ledger.ROLES):
        raise NotAllowed(_("您的岗位不看退单台账。"))
    return request.auth.actor


def _reads_catalogue(request: ApiRequest) -> Actor:
    request.auth.need(READ)
    decision = rights.can_read(request.auth.actor)
    if not decision:
        raise NotAllowed(decision.reason)
    return request.auth.actor


@api.get("/returns", response=ReturnPage, operation_id="list_returns", summary="退单台账 ledger of returns", tags=["catalogue"])
def list_returns(request: ApiRequest, query: Query[ReturnQuery]) -> HttpResponse:
    """Returns the caller may see, newest first: a supervisor's, dispatcher's and leader's city or county, a unit's own."""
    actor = _reads_ledger(request)
    found = ledger.page(actor, query.narrow(), after=checked_cursor(query.after, due=True), limit=query.limit)
    return page(request, [_return(entry) for entry in found.rows], found.after)


class TallyOut(Schema):
    """Returns of one group by ruling. `key` is the code of a unit, category or reason, or `category~area~unit` of a rule."""

    key: str
    total: int
    waiting: int
    upheld: int
    rejected: int
    joint: int
    lapsed: int
    minutes: int | None = Field(description="Median time of the rulings, in working minutes.")


class Tallies(Schema):
    items: list[TallyOut]


class TallyQuery(ReturnQuery):
    by: Literal["unit", "category", "reason", "rule"] = "unit"


@api.get("/returns/counts", response=Tallies, operation_id="count_returns", summary="退单统计 counts of returns", tags=["catalogue"])
def count_returns(request: ApiRequest, query: Query[TallyQuery]) -> HttpResponse:
    """The same returns counted by unit, category, reason or rule of the catalogue; the most first, which is no ranking."""
    found = ledger.tallies(_reads_ledger(request), query.narrow(), query.by)
    return answer({"items": [
        {"key": one.key, "total": one.total, "waiting": one.waiting, "upheld": one.upheld, "rejected": one.rejected,
         "joint": one.joint, "lapsed": one.lapsed, "minutes": one.minutes} for one in found]})


class VersionOut(Schema):
    """A version of the dispatch catalogue."""

    number: int
    in_force: bool = Field(description="Whether dispatch goes by it now.")
    in_force_from: datetime
    created_at: datetime
    created_by: str | None
    source: Literal["files", "proposal", "restored"]
    restores: int | None = Field(description="The version whose content it has again.")
    note: str


class Versions(Schema):
    items: list[VersionOut]


def _version(one: CatalogueVersion) -> dict[str, Any]:
    return {
        "number": one.number, "in_force": one.number == reference().version, "in_force_from": moment(one.in_force_from),
        "created_at": moment(one.created_at), "created_by": one.created_by.name if one.created_by else None,
        "source": CatalogueSource(one.source).value, "restores": one.restores.number if one.restores else None, "note": one.note,
    }


@api.get("/catalogue/versions", response=Versions, operation_id="list_catalogue_versions",
         summary="派单目录历次版本 versions of the catalogue", tags=["catalogue"])
def list_versions(request: ApiRequest) -> HttpResponse:
    """Every version, newest first. None is ever altered."""
    _reads_catalogue(request)
    found = CatalogueVersion.objects.select_related("created_by", "restores").order_by("-number")
    return answer({"items": [_version(one) for one in found]})


class DifferenceOut(Schema):
    """A rule that two versions say differently: `before` is null for an added one, `after` for a removed one."""

    before: RuleOut | None
    after: RuleOut | None


class Differences(Schema):
    items: list[DifferenceOut]


class TwoVersions(Schema):
    before: int = Field(ge=1, le=2**31 - 1, description="Number of a version.")
    after: int = Field(ge=1, le=2**31 - 1, description="Number of another.")


def _numbered(number: int) -> CatalogueVersion:
    found = CatalogueVersion.objects.filter(number=number).first()
    if found is None:
        raise NotFound(_("没有这一版派单目录。"))
    return found


@api.get("/catalogue/differences", response=Differences, operation_id="compare_catalogue_versions",
         summary="比较两版 what two versions say differently", tags=["catalogue"])
def compare_versions(request: ApiRequest, query: Query[TwoVersions]) -> HttpResponse:
    """Rules added, removed and changed, by category and area."""
    _reads_catalogue(request)
    found = content.compare(content.content_of(_numbered(query.before)), content.content_of(_numbered(query.after)))
    return answer({"items": [
        {"before": _line(one.before) if one.before else None, "after": _line(one.after) if one.after else None}
        for one in found]})


class Restoring(BaseModel):
    """Why, and from when. Today when silent; never earlier."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "试行结束。"}]})

    reason: Words
    on: date | None = Field(None, description="First day in force.")
    seen: int | None = Field(None, ge=1, description="The newest version you have looked at; a newer one is a 409.")


@api.post("/catalogue/versions/{int:number}/restore", response=VersionOut, operation_id="restore_catalogue_version",
          summary="恢复旧版 go back to a version", tags=["catalogue"], openapi_extra=takes(Restoring))
def restore_version(request: ApiRequest, number: int) -> HttpResponse:
    """A new version with the content of an earlier one. By a supervisor of the hotline, with a reason."""
    request.auth.need(rights.RESTORE)
    body = read(request, Restoring)
    made = versions.restore(number, by=request.auth.actor, reason=body.reason, on=body.on, seen=body.seen)
    return answer(_version(CatalogueVersion.objects.select_related("created_by", "restores").get(pk=made.pk)))


class EffectOut(Schema):
    """What the proposal would have meant in the ninety days before it was made, in cases the caller may see."""

    since: datetime
    until: datetime
    dispatches: int = Field(description="That went out under the rule: no more specific one applies.")
    not_did: int = Field(description="Of these, would have gone to another lead than they did.")
    not_rule: int = Field(description="Of these, the catalogue named another lead.")
    spared: int = Field(description="Returns it would have spared.")
    caused: int = Field(description="Returns of the unit now proposed.")


class ProposalOut(Schema):
    """A change of one rule that somebody asks for."""

    id: UUID
    rule: RuleOut
    why: str
    base_version: int
    proposed_at: datetime
    proposed_by: str
    return_id: UUID | None = Field(description="The return whose ruling it follows from.")
    decision: Literal["waiting", "approved", "refused"]
    decided_at: datetime | None
    decided_by: str | None
    reason: str
    version: int | None = Field(description="The version made of it.")
    newer_versions: int = Field(description="While it waits: how many versions were made since.")
    conflicts: bool = Field(description="While it waits: whether one of them changed the same rule, so that it cannot be approved.")


class ProposalWhole(ProposalOut):
    effect: EffectOut


class ProposalPage(Schema):
    items: list[ProposalOut]
    next: str | None


def _proposals() -> Any:
    return CatalogueProposal.objects.select_related("base", "proposed_by", "decided_by", "version")


def _proposal(one: CatalogueProposal, moved: Mapping[UUID, tuple[int, bool]]) -> dict[str, Any]:
    newer, conflicts = moved.get(one.pk, (0, False))
    return {
        "id": str(one.pk), "rule": _line(proposals.rule_of(one)), "why": one.why, "base_version": one.base.number,
        "proposed_at": moment(one.proposed_at), "proposed_by": one.proposed_by.name,
        "return_id": str(one.returned_id) if one.returned_id else None, "decision": one.decision,
        "decided_at": moment(one.decided_at), "decided_by": one.decided_by.name if one.decided_by else None,
        "reason": one.reason, "version": one.version.number if one.version else None, "newer_versions": newer,
        "conflicts": conflicts,
    }


class ProposalQuery(Schema):
    decision: Literal["waiting", "approved", "refused"] | None = None
    after: Annotated[str, StringConstraints(max_length=400)] = ""
    limit: int = Field(50, ge=1, le=200)


@api.get("/catalogue/proposals", response=ProposalPage, operation_id="list_catalogue_proposals",
         summary="修改建议 proposals", tags=["catalogue"])
def list_proposals(request: ApiRequest, query: Query[ProposalQuery]) -> HttpResponse:
    """Proposals to change the catalogue, newest first."""
    _reads_catalogue(request)
    found = _proposals()
    if query.decision:
        found = found.filter(decision=CatalogueDecision(query.decision))
    if position := time_and_id(checked_cursor(query.after, due=True)):
        at, pk = position
        found = found.filter(proposed_at__lt=at) | found.filter(proposed_at=at, id__lt=pk)
    listed = list(found.order_by("-proposed_at", "-id")[: query.limit + 1])
    last = listed[query.limit - 1] if len(listed) > query.limit else None
    listed = listed[: query.limit]
    moved = proposals.all_moved_on(listed)
    return page(request, [_proposal(one, moved) for one in listed], cursor_of(last.proposed_at, last.pk) if last else "")


def _whole(actor: Actor, pk: UUID) -> dict[str, Any]:
    one = _proposals().filter(pk=pk).first()
    if one is None:
        raise NotFound(_("没有这条修改建议。"))
    effect = effects.effect_of(one, actor)
    return _proposal(one, proposals.all_moved_on([one])) | {"effect": {
        "since": moment(effect.since), "until": moment(effect.until), "dispatches": effect.dispatches, "not_did": effect.not_did,
        "not_rule": effect.not_rule, "spared": effect.spared, "caused": effect.caused}}


@api.get("/catalogue/proposals/{uuid:proposal_id}", response=ProposalWhole, operation_id="read_catalogue_proposal",
         summary="一条修改建议 one proposal", tags=["catalogue"])
def read_proposal(request: ApiRequest, proposal_id: UUID) -> HttpResponse:
    """One proposal with what it would have changed in the ninety days before it."""
    return answer(_whole(_reads_catalogue(request), proposal_id))


class Proposing(BaseModel):
    """The rule asked for, and why."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{
        "category": "010102", "area": "990101", "lead_unit": "urban", "assisting_units": ["housing"], "basis": "三定方案第七条",
        "why": "三次退回，都归城管。"}]})

    category: Annotated[Code, StringConstraints(min_length=1)] = Field(description="Code of a category: it and all below.")
    area: Code = Field("", description="Code of an area: it and all within; the whole city when silent.")
    lead_unit: Annotated[Code, StringConstraints(min_length=1)] = Field(description="Code of an open unit.")
    assisting_units: Annotated[list[Code], Field(max_length=UNITS)] = Field(default_factory=list)
    basis: Annotated[str, StringConstraints(min_length=1, max_length=BASIS)]
    why: Words
    return_id: UUID | None = Field(None, description="A return that was upheld or ruled on jointly.")


@api.post("/catalogue/proposals", response={201: ProposalWhole}, operation_id="propose_catalogue_change",
          summary="提修改建议 propose a change", tags=["catalogue"], openapi_extra=takes(Proposing))
def propose_change(request: ApiRequest) -> HttpResponse:
    """Ask for one rule of the catalogue to be another. By a dispatcher or supervisor; another person decides."""
    request.auth.need(rights.PROPOSE)
    body, caller = read(request, Proposing), request.auth
    made = proposals.propose(by=caller.actor, key=key_of(request, caller.name), **body.model_dump())
    return answer(_whole(caller.actor, made.pk), status=201)


class Approving(BaseModel):
    """From when. At once when silent; never earlier."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"seen": 3}]})

    on: date | None = Field(None, description="First day in force.")
    seen: int | None = Field(None, ge=1, description="The newest version you have looked at; a newer one is a 409.")


@api.post("/catalogue/proposals/{uuid:proposal_id}/approve", response=ProposalWhole, operation_id="approve_catalogue_change",
          summary="采纳建议 approve a proposal", tags=["catalogue"], openapi_extra=takes(Approving))
def approve_change(request: ApiRequest, proposal_id: UUID) -> HttpResponse:
    """Make the next version of it. By a supervisor of the hotline, never by who proposed it."""
    request.auth.need(rights.DECIDE)
    body = read(request, Approving)
    proposals.approve(proposal_id, by=request.auth.actor, on=body.on, seen=body.seen)
    return answer(_whole(request.auth.actor, proposal_id))


class Refusing(BaseModel):
    """Why not."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "职责没有变。"}]})

    reason: Words


@api.post("/catalogue/proposals/{uuid:proposal_id}/refuse", response=ProposalWhole, operation_id="refuse_catalogue_change",
          summary="不采纳 refuse a proposal", tags=["catalogue"], openapi_extra=takes(Refusing))
def refuse_change(request: ApiRequest, proposal_id: UUID) -> HttpResponse:
    """Leave the catalogue as it is. By a supervisor of the hotline, never by who proposed it."""
    request.auth.need(rights.DECIDE)
    proposals.refuse(proposal_id, by=request.auth.actor, reason=read(request, Refusing).reason)
    return answer(_whole(request.auth.actor, proposal_id))
