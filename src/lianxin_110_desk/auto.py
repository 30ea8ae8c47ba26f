"""By itself: for the harness and the demonstration this desk acknowledges, decides, goes there and reports, as drawn.

What it does next stands in the row (`auto_at`), so that a crash forgets nothing; many steps share one commit.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from . import states
from .models import Handover
from .orders import Auto
from .store import keep, kept, update, writing
from .words import Said

logger = logging.getLogger(__name__)
BATCH: Final = 40
SAYINGS: Final = (
    ("settled", "民警到场，噪音已停，双方无异议。"),
    ("mediated", "双方已劝开，情绪平稳，同意调解。"),
    ("no_action", "到场查看，未见异常。"),
    ("handed_on", "已由属地派出所接手。"),
)


_lock = threading.Lock()
_now: list[Auto] = []
_woken = threading.Event()
_random = random.Random()


def auto() -> Auto:
    with _lock:
        if not _now:
            _now.append(Auto().changed(kept("auto", {})))
        return _now[0]


def order(change: dict[str, Any]) -> Auto:
    """Raises `BadOrder`. Whatever is open is taken up when it is switched on."""
    wanted = auto().changed(change)
    with writing():
        keep("auto", asdict(wanted))
        if wanted.on:
            waiting, now = Handover.objects.filter(auto_at=None), timezone.now()
            waiting.filter(direction="in", state__in=(*states.ASKED, *states.UNDER_WAY)).update(auto_at=now)
            waiting.filter(direction="out", state=states.OUTCOME_RETURNED).update(auto_at=now)
    with _lock:
        _now[:] = [wanted]
    _woken.set()
    return wanted


def first_at() -> datetime | None:
    """When the first automatic step of a handover is due; None while people do it."""
    if not auto().on:
        return None
    from .store import afterwards

    afterwards(_woken.set)
    return timezone.now()


def step(handover: Handover) -> None:
    """The next step of one handover; call it while writing."""
    from . import acts

    settings, by = auto(), acts.Person("auto")
    handover.auto_at = None
    if handover.incoming and handover.state in states.ASKED:
        _decide(handover, settings, by)
    elif handover.incoming and handover.state in states.UNDER_WAY:
        _work(handover, settings, by)
    elif not handover.incoming and handover.state == states.OUTCOME_RETURNED:
        acts.close(handover.id, by=by, told=True)


def _again(handover: Handover, settings: Auto) -> None:
    handover.auto_at = timezone.now() + timedelta(seconds=settings.pace)
    update(handover, "auto_at")


def _decide(handover: Handover, settings: Auto, by: Any) -> None:
    from . import acts

    if handover.state == states.OFFERED:
        acts.acknowledge(handover.id, by=by)
        _again(handover, settings)
        return
    drawn = _random.random()
    if handover.state == states.NEGOTIATING:  # what was talked about is settled one way or the other
        drawn *= max(settings.accept + settings.refuse, 1e-9)
        if settings.accept + settings.refuse == 0:
            acts.default(handover.id, by=by)
            _again(handover, settings)
            return
    if handover.basis == "followup" or drawn < settings.accept:
        acts.accept(handover.id, by=by)
        _again(handover, settings)
    elif drawn < settings.accept + settings.refuse:
        acts.refuse(handover.id, by=by, reason="not_police", words="不属于本台管辖。")
    elif drawn < settings.accept + settings.refuse + settings.negotiate:
        acts.negotiate(handover.id, by=by, words="两台通话，归属不清。", spoke_with="12345", three_way=True, agreed="unclear")
        _again(handover, settings)


def _work(handover: Handover, settings: Auto, by: Any) -> None:
    from . import acts

    steps = handover.entries.filter(kind="progress").count() if handover.state == states.IN_PROGRESS else 0
    if settings.progress and steps < 2:
        acts.progress(handover.id, by=by, step=states.STEPS[steps])
        _again(handover, settings)
    elif _random.random() < settings.outcome:
        result, words = _random.choice(SAYINGS)
        follow = handover.mode == "transfer" and _random.random() < settings.follow_up
        acts.outcome(handover.id, by=by, result="mediated" if follow else result, words=words, public_words=words,
                     follow_up=follow, follow_up_words="请转人民调解组织继续调解。" if follow else "")


def _due() -> list[Handover]:
    return list(Handover.objects.filter(auto_at__lte=timezone.now()).order_by("auto_at")[:BATCH])


class Worker(threading.Thread):
    """Takes up what is due, many steps to a commit; and, switched on or not, decides by the clock what stayed unclear."""

    def __init__(self) -> None:
        super().__init__(name="auto", daemon=True)
        self.owed = 0.0
        self.last = timezone.now()

    def run(self) -> None:
        while True:
            _woken.clear()
            try:
                done = self.round()
            except Exception:
                logger.exception("auto")
                done = 0
            if not done:
                _woken.wait(0.1)

    def round(self) -> int:
        by_clock()
        settings = auto()
        if not settings.on:
            self.last = timezone.now()
            return 0
        self.offer(settings)
        if not _due():
            return 0
        with writing():
            rows = _due()
            for handover in rows:
                handover.auto_at = None
                update(handover, "auto_at")
                with contextlib.suppress(Said):  # it came otherwise meanwhile
                    step(handover)
        return len(rows)

    def offer(self, settings: Auto) -> None:
        from . import acts

        now = timezone.now()
        self.owed = min(self.owed + settings.offers * (now - self.last).total_seconds(), 200)
        self.last = now
        while self.owed >= 1:
            self.owed -= 1
            acts.new(by=acts.Person("auto"), words="楼下广场舞音响太吵，居民要求管理。（演练）", place="金鹗山街道花板桥社区",
                     category="噪声扰民", basis="clear", reason="非警务")


def by_clock() -> None:
    """Still unclear when the time is up: this desk, being asked, takes it if the caller turned to it first, and refuses it else."""
    from . import acts

    late = Handover.objects.filter(direction="in", state=states.NEGOTIATING, basis="unclear", due_at__lte=timezone.now())
    for key in list(late.values_list("id", flat=True)[:BATCH]):
        try:
            acts.default(key, by=acts.Person("clock"))
        except acts.NotNow:
            continue


def start() -> None:
    Worker().start()
