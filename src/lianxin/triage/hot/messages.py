"""Messages of a stream: what is read of each, and the file they come in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from lianxin.cases.records import rows
from lianxin.kernel.errors import Invalid

NEEDED: Final = ("id", "title", "detail")
READ: Final = 500  # characters of the detail that are read; what a message is about stands near its beginning
_FORMATS: Final = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d")


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `voice` tells one writer from another and nothing else; a message without one is its own. `district` is
    where it is known to be, whatever its words name."""

    id: str
    voice: str
    at: datetime | None
    title: str
    detail: str
    category: str = ""
    district: str = ""


def read(path: Path) -> list[Message]:
    """The messages of a CSV file (`.gz` or plain, UTF-8) with columns id, title, detail and, if it has them,
    reporter, created and category. A time that cannot be read is no time.

    Raises Invalid: no such file, not UTF-8, a column missing, an id empty or given twice.
    """
    found: dict[str, Message] = {}
    for line, row in rows(path, NEEDED):
        key = row["id"].strip()
        if not key or key in found:
            reason = _("没有编号") if not key else _("编号 %(id)s 重复") % {"id": key}
            raise Invalid(_("%(file)s 第 %(line)d 行：%(reason)s。") % {"file": path.name, "line": line, "reason": reason})
        found[key] = Message(
            key, row.get("reporter", "").strip() or f"#{key}", moment(row.get("created", "")), row["title"].strip(),
            row["detail"].strip()[:READ * 2], row.get("category", "").strip())
    return list(found.values())


def moment(text: str) -> datetime | None:
    """The time in ISO form or with slashes; None where it cannot be read."""
    text = text.strip()
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        pass
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 – only days and order count
        except ValueError:
            continue
    return None
