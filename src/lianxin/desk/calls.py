"""The callers' list: who to call now, with what was tried before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lianxin.cases.models import Case
from lianxin.faces.templatetags.lianxin import short_time_on
from lianxin.kernel.clock import now
from lianxin.kernel.language import listed
from lianxin.quality.queries import Tries, tries_of

from .rows import Badge, Line


def tried(tries: Tries) -> str:
    """When it was tried and when it was not yet, in words; empty before the first try."""
    if not tries.times:
        return ""
    count, today = len(tries.times), localtime(now())
    words = ngettext("已试 %(count)d 次：%(times)s", "已试 %(count)d 次：%(times)s", count) % {
        "count": count, "times": listed(short_time_on(at, today) for at in tries.times[-4:])}
    if tries.untried:
        words = _("%(words)s；还没在%(parts)s试过") % {
            "words": words, "parts": listed(str(part.label) for part in tries.untried)}
    return words


def _badges(tries: Tries) -> Iterable[Badge]:
    if tries.contested:
        yield Badge(_("诉求人不认可"), "vermilion")
    if tries.solved is not None:
        source = (_("自己评价：已解决"), _("自己评价：没解决")) if tries.rated else (_("说已解决"), _("说没解决"))
        yield Badge(source[0] if tries.solved else source[1], "green" if tries.solved else "amber")
    if tries.times:
        count = len(tries.times)
        yield Badge(ngettext("已试 %(count)d 次，%(at)s", "已试 %(count)d 次，%(at)s", count) % {
            "count": count, "at": short_time_on(tries.times[-1], localtime(now()))})
        if tries.untried:
            yield Badge(_("没试过%(parts)s") % {"parts": listed(str(part.label) for part in tries.untried)})


def with_tries(lines: Sequence[Line], cases: Sequence[Case]) -> list[Line]:
    """The lines of a list, each with what is known of its callbacks. Three queries."""
    known = tries_of(cases)
    return [replace(line, badges=(*_badges(known[line.id]), *line.badges)) for line in lines]
