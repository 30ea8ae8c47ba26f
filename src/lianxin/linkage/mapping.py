"""Our words and a partner's: categories, results and reasons, both ways, editable, with a list of what nothing maps yet."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from lianxin.cases.reference import reference
from lianxin.kernel.errors import Invalid
from lianxin.kernel.text import clean_text
from lianxin.kernel.word_tables import WordTable
from lianxin.organisations.actors import Actor

from .models import Mapping, MappingChange, Partner, Term, TermList, Unmapped, What

WORDS = WordTable(Mapping, Unmapped, "partner")


def theirs(partner: Partner, what: What, ours: str) -> str:
    """The partner's word for ours; empty when nothing maps it, which is written down."""
    found = WORDS.found(partner, ours, inbound=False, what=what)
    if not found and ours:
        WORDS.note(partner, ours, inbound=False, what=what)
    return found


def ours(partner: Partner, what: What, theirs: str) -> str:
    """Our word for the partner's; empty when nothing maps it, which is written down. A result or reason that is a word of our own
    list needs no mapping."""
    found = WORDS.found(partner, theirs, inbound=True, what=what)
    if found or not theirs:
        return found
    if what is not What.CATEGORY and known(what, theirs):
        return theirs
    WORDS.note(partner, theirs, inbound=True, what=what)
    return ""


def known(what: What, code: str) -> bool:
    """Whether a code is one of ours."""
    if what is What.CATEGORY:
        node = reference().nodes_by_code.get(code)
        return node is not None and node.is_leaf and node.active
    return Term.objects.filter(list=TermList(what.value), code=code, active=True).exists()


def set_mapping(by: Actor, partner: Partner, what: str, *, value: str, to: str, inbound: bool) -> None:
    """Say what a value becomes: theirs → ours with `inbound`, else ours → theirs. An empty `to` takes the line away. Raises
    Invalid. The change is written down with who made it."""
    if what not in What.values:
        raise Invalid(_("请选择对照表。"), fields={"what": str(_("请从列表中选择。"))})
    kind = What(what)
    value, to = (clean_text(one, max_length=60, multiline=False) for one in (value, to))
    if not value:
        raise Invalid(_("请写明要对照的代码。"), fields={"value": str(_("请填写这一项。"))})
    mine = to if inbound else value
    if mine and not known(kind, mine):
        raise Invalid(_("本市没有这个代码，请从列表中选择。"), fields={"to" if inbound else "value": str(_("没有这个代码。"))})
    with transaction.atomic():
        Partner.objects.select_for_update().get(pk=partner.pk)
        before = WORDS.change(partner, value, to, inbound=inbound, what=kind)
        if before is not None:
            MappingChange.objects.create(partner=partner, what=kind, inbound=inbound, value=value, before=before, after=to,
                                         by_id=by.staff_id)
