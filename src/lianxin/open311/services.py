"""The services: every category that is offered, its leaves to be exact with, what lies above them for who is not sure.

Held in memory by language, and read again when the city was loaded anew (as `cases.reference`).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from lianxin.cases.models import Category
from lianxin.cases.reference import reference
from lianxin.kernel.language import named
from lianxin.places.models import City
from lianxin.services.models import ServiceAttribute

OTHER: Final = "other"  # for what fits nothing: the hotline finds its category
KEYWORDS: Final = 12


@dataclass(frozen=True, slots=True)
class Service:
    """One service in one language. `category` is the code of a leaf, or empty where the hotline finds it."""

    code: str
    name: str
    description: str
    keywords: str
    group: str
    type: str
    category: str
    category_id: int | None
    attributes: tuple[ServiceAttribute, ...] = ()

    @property
    def shown(self) -> dict[str, Any]:
        """As in the list of services."""
        return {"service_code": self.code, "service_name": self.name, "description": self.description or None,
                "metadata": bool(self.attributes), "type": self.type, "keywords": self.keywords or None, "group": self.group or None}

    @property
    def definition(self) -> dict[str, Any]:
        return {"service_code": self.code,
                "attributes": [_attribute(one, place) for place, one in enumerate(self.attributes, start=1)]}


def options_of(attribute: ServiceAttribute) -> list[tuple[str, str]]:
    """Key and name of every option, in the reader's language."""
    return [(key, named(name, english)) for key, name, english in attribute.options]


def _attribute(one: ServiceAttribute, place: int) -> dict[str, Any]:
    return {
        "variable": one.variable, "code": one.code, "datatype": one.datatype, "required": one.required,
        "datatype_description": one.hinted or None, "order": place, "description": one.asked,
        "values": [{"key": key, "name": name} for key, name in options_of(one)],
    }


def type_of(code: str) -> str:
    """`batch` where the city wants to read what comes before it gets an id, else `realtime`."""
    batch = settings.LIANXIN_OPEN311_BATCH
    return "batch" if "*" in batch or any(code.startswith(prefix) for prefix in batch) else "realtime"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All services of one language, by code and in order; `by_category` finds them by the category's id."""

    services: dict[str, Service]
    by_category: dict[int, Service] = field(default_factory=dict)


_lock = threading.Lock()
_held: dict[tuple[object, ...], Catalogue] = {}


def forget() -> None:
    """Drop what was read: between tests."""
    with _lock:
        _held.clear()


def catalogue() -> Catalogue:
    """The services in the language of the request."""
    marker = (reference().marker, get_language(), tuple(settings.LIANXIN_OPEN311_BATCH))
    found = _held.get(marker)
    if found is None:
        found = _read()
        with _lock:
            if len(_held) > 8:
                _held.clear()
            _held[marker] = found
    return found


def _keywords(row: Category) -> str:
    return ", ".join(list(row.keywords)[:KEYWORDS])


def _read() -> Catalogue:
    asked: dict[int, list[ServiceAttribute]] = {}
    for attribute in ServiceAttribute.objects.filter(active=True).order_by("position", "id"):
        asked.setdefault(attribute.category_id, []).append(attribute)
    rows = {row.pk: row for row in Category.objects.all()}
    services: dict[str, Service] = {}
    by_category: dict[int, Service] = {}
    for row in sorted(rows.values(), key=lambda row: (not row.is_leaf, row.code)):
        line = [row]
        while line[-1].parent_id is not None:
            line.append(rows[line[-1].parent_id])
        attributes = [one for above in reversed(line) for one in asked.get(above.pk, [])]
        plain = named(row.plain_name, row.plain_name_en) if row.plain_name else ""
        service = Service(
            code=row.code, name=(plain or row.said) if row.is_leaf else _("%(name)s（其他）") % {"name": row.said},
            description=" > ".join(one.said for one in reversed(line)), keywords=_keywords(row), group=line[-1].said,
            type=type_of(row.code), category=row.code if row.is_leaf else "", category_id=row.pk, attributes=tuple(attributes))
        by_category[row.pk] = service  # what is no longer offered still has a name
        if row.active:
            services[row.code] = service
    services[OTHER] = Service(OTHER, _("其他事项"), _("不知道归哪一类的事；由热线分类。"), "", "", type_of(OTHER), "", None)
    return Catalogue(services, by_category)


def changed_at() -> datetime | None:
    """When the list was last loaded: the discovery's changeset."""
    return City.objects.order_by("id").values_list("loaded_at", flat=True).first()
