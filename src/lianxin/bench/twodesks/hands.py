"""The people of the hotline, for the run: they take calls and hand them over, decide about what comes, settle what they took.

`python -m lianxin.bench.twodesks.hands PARTNER OFFERS WORK` works until it is killed; WORK is one of `WORKS`, and each has people of its
own. Whatever it did stands in the database, and whatever is left is found there: so it may be killed at any moment and started again.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterable
from typing import NoReturn
from uuid import UUID

import django

BATCH = 40
OPEN = 200  # offers of ours that the other desk has not decided: with more, people would telephone instead of adding to them
WORKS = ("offering", "deciding", "settling")
REASONS = ("not_police", "duplicate", "insufficient", "other")


def share(pk: UUID) -> float:
    """Drawn from the id, so that whoever works on it decides the same."""
    return (pk.int & 0xFFFF) / 0x1_0000


def main(arguments: list[str]) -> NoReturn:
    """Work until killed."""
    partner, offers, work = arguments[0], int(arguments[1]), arguments[2]
    django.setup()
    from lianxin.cases import actions as a
    from lianxin.cases.engine import On
    from lianxin.cases.models import Case, Category, State
    from lianxin.kernel.errors import DomainError
    from lianxin.linkage import deciding
    from lianxin.linkage.models import Direction, Handover, HandoverState
    from lianxin.linkage.states import UNDECIDED
    from lianxin.organisations.actors import actor_for
    from lianxin.organisations.models import Role, Staff

    from ..words import Writer

    chance = random.Random()
    writer = Writer(chance)
    operator = actor_for(Staff.objects.filter(grants__role=Role.OPERATOR, grants__ended_at__isnull=True).order_by("pk")[0], via="desk")
    categories = list(Category.objects.filter(is_leaf=True).values_list("code", flat=True))

    def offer() -> int:
        """New calls that belong to the other desk, as many as are still to come."""
        ours = Handover.objects.filter(direction=Direction.OUT)
        if ours.filter(state__in=UNDECIDED).count() >= OPEN:
            return 0
        made = ours.exclude(basis="followup").count()
        for _each in range(min(10, offers - made)):
            said = a.register(intake=a.Intake(words=writer.message()[1], channel="phone", category=chance.choice(categories), accept=True,
                                              phone=f"138{chance.randrange(10**8):08}", name="王小明"), by=operator)
            a.offer_handover(On(said.case_id, operator), partner=partner, reason="属警务职责", basis=chance.choice(["clear", "unclear"]),
                             emergency=chance.random() < 0.1, wish="agrees")
        return max(0, min(10, offers - made))

    def each(found: Iterable[UUID], work: Callable[[UUID], object]) -> int:
        """Do it to each; what another side was quicker with is left."""
        done = 0
        for pk in found:
            try:
                work(pk)
                done += 1
            except DomainError:
                continue
        return done

    def decide_one(pk: UUID) -> None:
        drawn = share(pk)
        state = Handover.objects.values_list("state", flat=True).get(pk=pk)
        if state == HandoverState.OFFERED and drawn > 0.5:
            deciding.acknowledge(operator, pk)
        if state != HandoverState.NEGOTIATING and 0.6 < drawn < 0.7:
            deciding.negotiate(operator, pk, words="两台通话，归属不清。", spoke_with="P1", three_way=True)
        elif drawn < 0.75:
            deciding.accept(operator, pk, category=chance.choice(categories))
        else:
            deciding.refuse(operator, pk, reason=chance.choice(REASONS), words="不属于本热线受理范围。")

    def decide() -> int:
        rows = Handover.objects.filter(direction=Direction.IN, state__in=[HandoverState.OFFERED, HandoverState.ACKNOWLEDGED,
                                                                          HandoverState.NEGOTIATING])
        return each(rows.order_by("offered_at").values_list("pk", flat=True)[:BATCH], decide_one)

    def withdraw() -> int:
        """Some are asked back while the other desk has not decided."""
        asked = [state for state in UNDECIDED if state != HandoverState.WITHDRAWING]
        rows = Handover.objects.filter(direction=Direction.OUT, state__in=asked)
        wanted = [case for pk, case in rows.values_list("pk", "matter__case_id")[:BATCH * 5] if share(pk) < 0.12]
        return each(wanted, lambda case: a.withdraw_handover(On(case, operator), reason="来电人说不用了"))

    def settle() -> int:
        """What was taken over is answered on the spot; then the other desk is told how it ended."""
        rows = Case.objects.filter(linked=True, state=State.ACCEPTED, linkage="", matters__handovers__direction=Direction.IN,
                                   matters__handovers__state__in=[HandoverState.ACCEPTED, HandoverState.IN_PROGRESS])
        return each(rows.values_list("pk", flat=True)[:BATCH], lambda case: a.answer_on_the_spot(
            On(case, operator), public_answer="已联系社区处理完毕。", means="phone", category=chance.choice(categories)))

    rounds = {"offering": lambda: withdraw() + offer(), "deciding": decide, "settling": settle}
    while True:
        try:
            if not rounds[work]():
                time.sleep(0.05)
        except django.db.OperationalError:
            time.sleep(0.5)  # the database was killed
            django.db.close_old_connections()


if __name__ == "__main__":
    main(sys.argv[1:])
