"""Sections of this context: who the worker is, what holds for the application, the categories."""

from __future__ import annotations

from typing import Any

from lianxin.cases.actions.intake import WORDS_LIMIT
from lianxin.cases.files import PHOTO_EDGE
from lianxin.cases.models import Category
from lianxin.cases.reference import reference
from lianxin.kernel.language import named

from . import inbox, uploads
from .models import Device
from .registry import Worker, section

EMERGENCIES = ("110", "119", "120")


@section("me")
def me(worker: Worker) -> dict[str, Any]:
    """Name, unit, roles, own areas and this telephone's name."""
    known = reference()
    unit = known.units.get(worker.actor.unit_id) if worker.actor.unit_id is not None else None
    grids = [known.places[pk] for pk in worker.area_ids if pk in known.places]
    device = (Device.objects.filter(pk=worker.device_id).values_list("name", flat=True).first()
              if worker.device_id is not None else None)
    return {
        "name": worker.actor.name, "unit": unit.said if unit else "",
        "roles": sorted(role.value for role in worker.actor.roles),
        "grids": [{"code": one.code, "name": one.said, "level": one.level} for one in grids],
        "device": {"id": str(worker.device_id), "name": device} if worker.device_id is not None else None,
    }


@section("settings", shared=True)
def settings(_worker: Worker) -> dict[str, Any]:
    """What may be sent at once, how large, and whom to call."""
    return {
        "items_at_once": inbox.ITEMS, "files_of_item": inbox.FILES_OF_ITEM, "words": WORDS_LIMIT, "photo_edge": PHOTO_EDGE,
        "upload_bytes": uploads.LARGEST, "piece_bytes": uploads.PIECE, "emergency": list(EMERGENCIES),
        "format": FORMAT,
    }


@section("categories", shared=True)
def categories(_worker: Worker) -> list[dict[str, Any]]:
    """The tree, three levels, by code. `field_matter` says that a photo belongs to the answer. Where a category has them it is
    also known by a `plain_name`, as anyone would say it, and by `keywords` with the weights by which the server reads."""
    known = reference()
    spoken = {pk: (named(plain, plain_en), keywords) for pk, plain, plain_en, keywords in Category.objects.filter(
        active=True).exclude(plain_name="", keywords={}).values_list("pk", "plain_name", "plain_name_en", "keywords")}
    told = []
    for node in sorted(known.nodes.values(), key=lambda node: node.code):
        if not node.active:
            continue
        plain, keywords = spoken.get(node.id, ("", {}))
        told.append({
            "code": node.code, "name": node.said,
            "parent": known.nodes[node.lineage[1]].code if len(node.lineage) > 1 else None, "field_matter": node.field_matter,
            **({"plain_name": plain} if plain else {}), **({"keywords": keywords} if keywords else {}),
        })
    return told


FORMAT = 1  # of the protocol: an application that knows another one asks for its new version
