"""Our categories and another system's services, both ways, editable, with a list of what nothing maps yet."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from lianxin.cases.reference import reference
from lianxin.kernel import sending
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Invalid
from lianxin.kernel.text import clean_text
from lianxin.kernel.word_tables import WordTable
from lianxin.organisations.actors import Actor

from . import outbox
from .models import Change, Mapping, Service, System, Unmapped

WORDS = WordTable(Mapping, Unmapped, "system")


def theirs(system: System, ours: str) -> Mapping | None:
    """Their service for our category: the category's own line, else that of the nearest above it. None, and written down, where
    nothing maps it."""
    lines = {line.ours: line for line in Mapping.objects.filter(system=system, inbound=False)}
    held = reference()
    node = held.nodes_by_code.get(ours)
    for pk in node.lineage if node is not None else ():
        if (above := held.nodes.get(pk)) is not None and above.code in lines:
            return lines[above.code]
    WORDS.note(system, ours, inbound=False)
    return None


def ours(system: System, theirs: str) -> str:
    """Our category for their service; empty, and written down, where nothing maps it or our category is no longer in use."""
    found = WORDS.found(system, theirs, inbound=True)
    node = reference().nodes_by_code.get(found)
    if node is not None and node.is_leaf and node.active:
        return found
    if theirs:
        WORDS.note(system, theirs, inbound=True)
    return ""


def set_mapping(by: Actor, system: System, *, value: str, to: str, inbound: bool) -> None:
    """Say what a code becomes: theirs → ours with `inbound`, else ours → theirs. An empty `to` takes the line away. Raises Invalid.
    The change is written down with who made it."""
    value, to = (clean_text(one, max_length=121, multiline=False) for one in (value, to))
    if not value or max(len(value), len(to)) > 120:
        raise Invalid(_("请写明要对照的代码，最多 120 个字符。"), fields={"value": str(_("请填写这一项。"))})
    mine, other = (to, value) if inbound else (value, to)
    node = reference().nodes_by_code.get(mine)
    if mine and (node is None or not node.active or (inbound and not node.is_leaf)):
        raise Invalid(_("本市没有这个事项，请从列表中选择。"), fields={"to" if inbound else "value": str(_("没有这个代码。"))})
    with transaction.atomic():
        held = System.objects.select_for_update().get(pk=system.pk)
        known = Service.objects.filter(system=held, gone_at__isnull=True)
        if other and not inbound and known.exists() and not known.filter(code=other).exists():
            raise Invalid(_("对方的服务表里没有这个代码。"), fields={"to": str(_("没有这个代码。"))})
        before = WORDS.change(held, value, to, inbound=inbound)
        if before is None:
            return
        if not inbound and outbox.hurry(held.pk, now()):  # what waited for this line goes now
            sending.wake(outbox.CHANNEL)
        Change.objects.create(system=held, by_id=by.staff_id, what=("in:" if inbound else "out:") + value[:50], before=before, after=to)
