"""Joint rules: whose a category is, as two desks agree. Somebody proposes, another approves here, the partner approves there.

A rule is in force from when both have approved until either ends it. One of ours is sent to the partner when a second person here
has approved it: what a partner hears of is this desk's word, not one person's.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from lianxin.cases.reference import Node, reference
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.kernel.ids import uuid7
from lianxin.kernel.text import clean_text
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role

from . import mapping, outbox, policy, wire
from .models import Holder, JointRule, Partner, What

WORDS = 2_000  # characters
LIVE = Q(rejected_at__isnull=True, ended_at__isnull=True)
IN_FORCE = LIVE & Q(approved_by_us_at__isnull=False, approved_by_them_at__isnull=False)
_ONE = _("这个事项与对方已有一条规则，或正在商定。请先看那一条。")


def may_propose(by: Actor) -> bool:
    """Dispatchers and supervisors of the hotline."""
    return by.holds_in_hotline(Role.DISPATCHER, Role.SUPERVISOR) and policy.works(by)


def listed(partner: Partner | None = None) -> QuerySet[JointRule]:
    """Rules in force and being agreed on, newest first."""
    found = JointRule.objects.filter(LIVE).select_related("partner", "category", "proposer", "approver").order_by("-proposed_at")
    return found if partner is None else found.filter(partner=partner)


def in_force(category_code: str, *, partner: Partner | None = None) -> JointRule | None:
    """The rule in force for a category, the most specific one. One query."""
    node = reference().nodes_by_code.get(category_code)
    if node is None:
        return None
    found = JointRule.objects.filter(IN_FORCE, category__in=node.lineage, partner__active=True).select_related("partner")
    if partner is not None:
        found = found.filter(partner=partner)
    up = {pk: steps for steps, pk in enumerate(node.lineage)}  # itself first
    return min(found, key=lambda rule: up[rule.category_id or node.id], default=None)


def theirs(category_code: str) -> JointRule | None:
    """The rule by which a category is clearly a partner's; None when it is ours, or nobody has agreed on it."""
    rule = in_force(category_code)
    return rule if rule is not None and rule.taken_by == Holder.THEM else None


def _node(code: str) -> Node:
    node = reference().nodes_by_code.get(code)
    if node is None or not node.active:
        raise Invalid(_("没有这个事项，请从列表中选择。"), fields={"category": str(_("请从列表中选择。"))})
    return node


def _words(said: str) -> str:
    words = clean_text(said, max_length=WORDS, multiline=True)
    if not words:
        raise Invalid(_("还差几项，补上再提交。已填的内容都在。"), fields={"words": str(_("请填写这一项。"))})
    return words


def propose(by: Actor, *, partner: str, category: str, taken_by: str, words: str) -> JointRule:
    """Ask for a category to be theirs or ours, and say why. Goes to the partner when a second person has approved it.

    Raises NotAllowed, Invalid, and Conflict while another rule of the category is in force or being agreed on.
    """
    if not may_propose(by):
        raise NotAllowed(_("联合规则由热线的派单员或督办员提出。"))
    desk = Partner.objects.filter(code=partner, active=True).first()
    if desk is None:
        raise Invalid(_("没有这个单位，请从列表中选择。"), fields={"partner": str(_("请从列表中选择。"))})
    if taken_by not in Holder.values:
        raise Invalid(_("请选择归哪一方。"), fields={"taken_by": str(_("请从列表中选择。"))})
    node, said = _node(category), _words(words)
    with transaction.atomic():
        word = mapping.theirs(desk, What.CATEGORY, node.code)
    try:
        with transaction.atomic():
            return JointRule.objects.create(
                id=uuid7(), partner=desk, category_id=node.id, category_theirs=word, taken_by=taken_by, words=said,
                proposed_by=Holder.US, proposer_id=by.staff_id, proposed_at=now())
    except IntegrityError:
        raise Conflict(_ONE, code="rule_exists") from None


def _locked(by: Actor, rule_id: uuid.UUID) -> JointRule:
    if not policy.rules(by):
        raise NotAllowed(_("联合规则由热线的督办员审定。"))
    found = JointRule.objects.select_for_update(of=("self",)).select_related("partner", "category").filter(pk=rule_id).first()
    if found is None:
        raise NotFound(_("没有这条规则。"))
    return found


def _send(rule: JointRule, action: wire.RuleAction, words: str = "") -> None:
    """Tell the partner. `takes` is from the view of this desk, which sends it."""
    category = None
    if rule.category is not None:
        category = wire.Category(code=rule.category.code, name=rule.category.said, theirs=rule.category_theirs)
    takes = wire.Takes.SENDER if rule.taken_by == Holder.US else wire.Takes.RECEIVER
    outbox.put_free(rule.partner, wire.Kind.RULE, wire.Rule(
        rule=rule.pk, action=action, category=category, takes=takes, words=words or rule.words))


def approve(by: Actor, rule_id: uuid.UUID) -> JointRule:
    """This desk's approval. One of ours then goes to the partner; one of theirs is in force with it. Raises NotAllowed, NotFound,
    Conflict."""
    with transaction.atomic():
        rule = _locked(by, rule_id)
        if rule.rejected_at is not None or rule.ended_at is not None:
            raise Conflict(_("这条规则已经作罢。"), code="rule_over")
        if rule.approved_by_us_at is not None:
            if rule.approver_id == by.staff_id:
                return rule
            raise Conflict(_("这条规则本热线已经同意。"), code="decided")
        if rule.proposer_id == by.staff_id:
            raise NotAllowed(_("自己提的规则，须由别的督办员同意。"))
        if rule.category is None:
            raise Invalid(_("先在对照表里写明对方的事项是本市的哪一项，再同意。"))
        rule.approved_by_us_at, rule.approver_id = now(), by.staff_id
        rule.save(update_fields=["approved_by_us_at", "approver"])
        _send(rule, wire.RuleAction.PROPOSE if rule.proposed_by == Holder.US else wire.RuleAction.APPROVE)
        return rule


def reject(by: Actor, rule_id: uuid.UUID, *, words: str) -> JointRule:
    """Say no to a rule, or end one that is in force, and why. The partner is told of what it knows of. Raises NotAllowed, NotFound,
    Invalid."""
    said = _words(words)
    with transaction.atomic():
        rule = _locked(by, rule_id)
        if rule.rejected_at is not None or rule.ended_at is not None:
            return rule
        known_there = rule.proposed_by == Holder.THEM or rule.approved_by_us_at is not None
        _over(rule, Holder.US, now())
        if known_there:
            _send(rule, wire.RuleAction.REJECT, said)
        return rule


def _over(rule: JointRule, side: Holder, at: datetime) -> None:
    if rule.in_force:
        rule.ended_at = at
    else:
        rule.rejected_at, rule.rejected_by = at, side.value
    rule.save(update_fields=["ended_at", "rejected_at", "rejected_by"])


def received(partner: Partner, body: wire.Rule, at: datetime) -> wire.Status:
    """What a partner says about a rule: proposed, approved, rejected. Idempotent by the rule's id. Raises Invalid, and Conflict when
    another rule of the category is in force or being agreed on."""
    with transaction.atomic():
        rule = JointRule.objects.select_for_update().filter(pk=body.rule).first()
        if rule is not None and rule.partner_id != partner.pk:
            raise Invalid(_("没有这条规则。"), code="unknown_rule")
        if body.action is wire.RuleAction.PROPOSE:
            return wire.Status.NOTED if rule is not None else _proposed(partner, body, at)
        if rule is None:
            raise Invalid(_("没有这条规则。"), code="unknown_rule")
        if rule.rejected_at is not None or rule.ended_at is not None:
            return wire.Status.NOTED
        if body.action is wire.RuleAction.REJECT:
            _over(rule, Holder.THEM, at)
            return wire.Status.APPLIED
        if rule.approved_by_them_at is not None or rule.approved_by_us_at is None:
            return wire.Status.NOTED
        rule.approved_by_them_at = at
        rule.save(update_fields=["approved_by_them_at"])
        return wire.Status.APPLIED


def _proposed(partner: Partner, body: wire.Rule, at: datetime) -> wire.Status:
    if body.category is None or body.takes is None:
        raise Invalid(_("规则须写明事项和归哪一方。"), code="invalid")
    known = body.category.theirs if mapping.known(What.CATEGORY, body.category.theirs) else ""
    code = known or mapping.ours(partner, What.CATEGORY, body.category.code)
    node = reference().nodes_by_code.get(code)
    try:
        with transaction.atomic():
            JointRule.objects.create(
                id=body.rule, partner=partner, category_id=node.id if node is not None else None,
                category_theirs=body.category.code, taken_by=Holder.THEM if body.takes is wire.Takes.SENDER else Holder.US,
                words=body.words, proposed_by=Holder.THEM, proposed_at=at, approved_by_them_at=at)
    except IntegrityError:
        raise Conflict(_ONE, code="rule_exists") from None
    return wire.Status.APPLIED
