"""The past of an imported case: when another system registered it, promised it and closed it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Invalid
from lianxin.kernel.ids import uuid7
from lianxin.kernel.text import clean_text

from ..models import ClockKind, Outcome, State

if TYPE_CHECKING:
    from .intake import History

NOTE_LIMIT = 12_000
# What lies beyond is an empty column, as other systems write it: the year 1, 1900 or 9999.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
FARTHEST = timedelta(days=36_525)  # from registering to a due time


def check_times(registered_at: datetime, history: History | None, recorded: datetime, *, accepted: bool) -> None:
    """Raise Invalid for times that cannot be: in the future, an end before the beginning, or a century away."""
    if registered_at > recorded:
        raise Invalid(_("登记时间在将来，请核对。"), fields={"registered_at": str(_("时间在将来。"))})
    if registered_at < EARLIEST:
        raise Invalid(_("登记时间太早，请核对。"), fields={"registered_at": str(_("早于 1970 年。"))})
    if history is None:
        return
    if history.target_at is not None and history.target_at < registered_at:
        raise Invalid(_("办结期限早于登记时间，请核对。"), fields={"target_at": str(_("早于登记时间。"))})
    if history.target_at is not None and history.target_at > registered_at + FARTHEST:
        raise Invalid(_("办结期限太远，请核对。"), fields={"target_at": str(_("超过一百年。"))})
    if history.closed_at is None:
        return
    if history.closed_at < registered_at:
        raise Invalid(_("归档时间早于登记时间，请核对。"), fields={"closed_at": str(_("早于登记时间。"))})
    if history.closed_at > recorded:
        raise Invalid(_("归档时间在将来，请核对。"), fields={"closed_at": str(_("时间在将来。"))})
    if not accepted:
        raise Invalid(_("已归档的历史工单须写明事项。"), fields={"category": str(_("请写明事项。"))})


def closed_by_import(case_id: uuid.UUID, columns: dict[str, Any], timers: list[dict[str, Any]], *,
                     closed_at: datetime, note: str) -> tuple[dict[str, Any], str]:
    """Close the rows of an accepted case. Returns what changed, for the event, and the cleaned closing note.

    The promise to resolve is met at the closing, in time or late. The source does not say when the reporter was
    first contacted, so that promise is stopped: it counts neither as kept nor as broken.
    """
    at = closed_at.isoformat()
    ended = {
        "state": State.CLOSED.value, "closed_at": at, "outcome": Outcome.IMPORTED.value, "due_at": None,
        "due_provisional": False,
    }
    columns.update(ended)
    changed: dict[str, Any] = {}
    for timer in timers:
        column = "met_at" if timer["kind"] == ClockKind.RESOLVE.value else "stopped_at"
        timer[column] = at
        timer["next_at"] = None
        changed[timer["id"]] = {column: at}
    return {"case": ended, "clocks": changed}, clean_text(note, max_length=NOTE_LIMIT, multiline=True)


def text_row(case_id: uuid.UUID, event_id: str, field: str, body: str) -> dict[str, Any]:
    """Words of an event that staff may read; the reporter was told by the other system."""
    return {
        "id": str(uuid7()), "event_id": event_id, "case_id": str(case_id), "field": field, "body": body,
        "public": False, "retention_class": "words", "anonymised_at": None,
    }
