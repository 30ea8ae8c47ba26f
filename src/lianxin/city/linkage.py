"""The desks of other services in a city's files: who they are, how long a handover may wait, what their words mean here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from lianxin.linkage.models import HandoverLimit, Mapping, MappingChange, Partner, Term, TermList

from . import files
from .checks import known, once
from .tables import Row, read_table

if TYPE_CHECKING:
    from .plan import Plan

BOTH, OUT, IN = "both", "out", "in"


def read(plan: Plan) -> None:
    """Every row of the files, each once."""
    directory, faults = plan.directory, plan.faults
    plan.partners = once(read_table(directory, files.PARTNERS, faults), ("code",), faults)
    plan.handover_limits = once(read_table(directory, files.HANDOVER_LIMITS, faults), ("partner", "state", "emergency"), faults)
    plan.refusals = once(read_table(directory, files.HANDOVER_REFUSALS, faults), ("code",), faults)
    plan.results = once(read_table(directory, files.HANDOVER_RESULTS, faults), ("code",), faults)
    plan.linkage_mappings = read_table(directory, files.LINKAGE_MAPPINGS, faults)


def check(plan: Plan) -> None:
    """Every fault of these files that lies between rows and files."""
    faults = plan.faults
    codes = {row["code"] for row in plan.partners}
    services: dict[str, Row] = {}
    for row in plan.partners:
        first = services.setdefault(row["service"], row) if row["service"] else row
        if first is not row:
            faults.add(row.file, row.line, _("service 与第 %s 行重复") % first.line)
        if row["url"] and not row["url"].startswith(("https://", "http://")):
            faults.add(row.file, row.line, _("url 应以 https:// 或 http:// 开头"))
    for row in plan.handover_limits:
        known(faults, row, "partner", codes)
    ours = {"category": {row["code"] for row in plan.categories}, "refusal": {row["code"] for row in plan.refusals},
            "result": {row["code"] for row in plan.results}}
    seen: dict[tuple[str, str, str, bool], Row] = {}
    for row in plan.linkage_mappings:
        known(faults, row, "partner", codes)
        known(faults, row, "ours", ours[row["what"]])
        for inbound, word in _ways(row):
            first = seen.setdefault((row["partner"], row["what"], word, inbound), row)
            if first is not row:
                faults.add(row.file, row.line, _("%(word)s 与第 %(line)s 行重复") % {"word": word, "line": first.line})


def _ways(row: Row) -> list[tuple[bool, str]]:
    """Which directions a row says something of, each with the word that is looked up: (inbound, word)."""
    ways = {BOTH: (False, True), OUT: (False,), IN: (True,)}[row["direction"] or BOTH]
    return [(inbound, row["theirs"] if inbound else row["ours"]) for inbound in ways]


def _partners(plan: Plan) -> dict[str, int]:
    """Desks by code. An address or a line that was set on this machine stays where the file gives none; those that are not in the
    file stay as they are."""
    ids = {}
    for row in plan.partners:
        said: dict[str, Any] = {name: row[name] for name in ("name", "name_en", "kind", "service", "emergencies")}
        said |= {"active": not row["ended"], "takes_followups": not row["asks_followups"]}
        columns = (("url", "url"), ("fallback_phone", "phone"), ("identity", "identity"))
        said |= {name: row[column] for name, column in columns if row[column]}
        partner, _made = Partner.objects.update_or_create(code=row["code"], defaults=said)
        ids[row["code"]] = partner.pk
    return ids


def _limits(plan: Plan, partner_ids: dict[str, int]) -> None:
    rows = {(partner_ids.get(row["partner"]), row["state"], row["emergency"]): row for row in plan.handover_limits}
    for (partner_id, state, emergency), row in rows.items():
        HandoverLimit.objects.update_or_create(
            partner_id=partner_id, state=state, emergency=emergency,  # type: ignore[misc]
            defaults={"seconds": row["seconds"], "basis": row["basis"]})
    if rows:
        gone = [one.pk for one in HandoverLimit.objects.all() if (one.partner_id, one.state, one.emergency) not in rows]
        HandoverLimit.objects.filter(pk__in=gone).delete()


def _terms(plan: Plan) -> int:
    for name, rows in ((TermList.REFUSAL, plan.refusals), (TermList.RESULT, plan.results)):
        for place, row in enumerate(rows, start=1):
            Term.objects.update_or_create(list=name, code=row["code"], defaults={
                "name": row["name"], "name_en": row["name_en"], "position": place, "active": True})
        if rows:
            Term.objects.filter(list=name).exclude(code__in=[row["code"] for row in rows]).update(active=False)
    return len(plan.refusals) + len(plan.results)


def _mappings(plan: Plan, partner_ids: dict[str, int]) -> int:
    """Words that have no mapping yet get the file's; what was decided at the desk, a mapping taken out too, stays."""
    held = {(one.partner_id, one.what, one.theirs if one.inbound else one.ours, one.inbound) for one in Mapping.objects.all()}
    held |= set(MappingChange.objects.values_list("partner_id", "what", "value", "inbound"))
    fresh = []
    for row in plan.linkage_mappings:
        for inbound, word in _ways(row):
            if (partner_ids[row["partner"]], row["what"], word, inbound) not in held:
                fresh.append(Mapping(partner_id=partner_ids[row["partner"]], what=row["what"], ours=row["ours"], theirs=row["theirs"],
                                     inbound=inbound))
    Mapping.objects.bulk_create(fresh)
    return len(plan.linkage_mappings)


def store(plan: Plan) -> dict[str, int]:
    """Write what the files say; returns how many rows they hold."""
    partner_ids = _partners(plan)
    _limits(plan, partner_ids)
    terms = _terms(plan)
    return {"partners": len(partner_ids), "handover_limits": len(plan.handover_limits), "linkage_terms": terms,
            "linkage_mappings": _mappings(plan, partner_ids)}
