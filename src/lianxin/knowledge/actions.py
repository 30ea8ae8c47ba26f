"""Every write of this context. `by` is who acts; each function is one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from lianxin.cases.actions.telling import hotline_of
from lianxin.cases.clocks import WORKING_DAY, promise
from lianxin.cases.engine import KEY_REUSED, Step
from lianxin.cases.models import RetentionClass
from lianxin.cases.reference import Body, reference, today_of
from lianxin.cases.retention import GONE
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.kernel.text import clean_text, small_number
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Unit

from . import index, notices, rights
from .models import Article, Fault, Report, ReportState, Use, Version, VersionState
from .queries import in_force

LENGTHS = {"title": 160, "answer": 4000, "basis": 1000, "source": 200, "note": 300}
WORDS = 2000
_MISSING = _("还差几项，补上再提交。已填的内容都在。")


@dataclass(frozen=True, slots=True)
class Content:
    """What a version says. `category`, `area` and `unit` are codes, empty for none; days are the city's."""

    title: str
    answer: str
    valid_from: date
    questions: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    basis: str = ""
    source: str = ""
    category: str = ""
    area: str = ""
    unit: str = ""
    valid_until: date | None = None
    review_by: date | None = None
    public: bool = True


def _lines(listed: tuple[str, ...], limit: int, name: str) -> list[str]:
    found = [line for one in listed if (line := clean_text(one, max_length=limit + 1, multiline=False))]
    if any(len(line) > limit for line in found):
        raise Invalid(fields={name: str(_("每条最多 %s 个字。") % limit)})
    return list(dict.fromkeys(found))


def _columns(said: Content) -> dict[str, object]:
    """The columns of a content, checked. Raises Invalid that names every field at fault."""
    held, faults, today = reference(), {}, today_of(now())
    values: dict[str, object] = {name: clean_text(getattr(said, name), max_length=LENGTHS[name], multiline=name != "title")
                                 for name in ("title", "answer", "basis", "source")}
    for name in ("title", "answer", "basis"):
        if not values[name]:
            faults[name] = str(_("请填写这一项。"))
    node = held.nodes_by_code.get(said.category)
    if said.category and node is None:
        faults["category"] = str(_("没有这个事项，请从列表中选择。"))
    place = held.places_by_code.get(said.area)
    if said.area and place is None:
        faults["area"] = str(_("没有这个地点。"))
    unit = held.units_by_code.get(said.unit)
    if unit is None or not unit.open_on(today):
        faults["unit"] = str(_("没有这个单位，请从列表中选择。"))
    if said.valid_until is not None and said.valid_until < said.valid_from:
        faults["valid_until"] = str(_("不能早于生效日期。"))
    if said.review_by is None:
        faults["review_by"] = str(_("请写明最迟哪天核对。"))
    elif said.review_by < today:
        faults["review_by"] = str(_("核对日期已经过去。"))
    if faults:
        raise Invalid(_MISSING, fields=faults)
    return values | {
        "questions": _lines(said.questions, 200, "questions"), "keywords": _lines(said.keywords, 40, "keywords"),
        "category_id": node.id if node else None, "area_id": place.id if place else None, "unit_id": unit.id if unit else None,
        "valid_from": said.valid_from, "valid_until": said.valid_until, "review_by": said.review_by, "public": said.public}


def _held(code: str) -> Article:
    found = Article.objects.select_for_update().filter(code=code[:40]).first()
    if found is None:
        raise NotFound
    return found


def _fresh_code(unit: str) -> str:
    """A code for a new article of a unit, `unit-N`. The caller holds the unit's row."""
    taken = set(Article.objects.filter(code__startswith=f"{unit}-").values_list("code", flat=True))
    return next(code for number in count(len(taken) + 1) if (code := f"{unit}-{number}") not in taken)


def _drafted_already(key: bytes | None, by: Actor, columns: dict[str, object]) -> Version | None:
    """What a key was used for before. Raises Conflict when that said something else."""
    earlier = Version.objects.select_related("article").filter(key=key).first() if key is not None else None
    if earlier is not None and (earlier.written_by_id != by.staff_id or any(
            getattr(earlier, name) != value for name, value in columns.items())):
        raise Conflict(KEY_REUSED, code="key_reused")
    return earlier


@transaction.atomic
def draft(*, by: Actor, content: Content, code: str = "", note: str = "", seen: int | None = None,
          key: bytes | None = None) -> Version:
    """Write the next version of an article, or the first of a new one. A draft that waited is dropped for it.

    `seen` is the number of the newest version its author had before them; raises Conflict when there is a newer one. Sent again
    with the same `key` it is the same draft.
    """
    article = _held(code) if code else None
    newest = article.versions.order_by("-number").first() if article else None
    wanted = reference().units_by_code.get(content.unit)
    owner = (newest.unit_id if newest else None) or (wanted.id if wanted else None)
    if not rights.may_write(by, owner):
        raise NotAllowed(_("这篇文章由责任单位的承办员、负责人或热线督办员编写。"))
    columns, at = _columns(content), now()
    if article is None:  # one after another: the number of the code, and what was sent twice
        Unit.objects.select_for_update(no_key=True).get(code=content.unit)
    if (earlier := _drafted_already(key, by, columns)) is not None:
        return earlier
    if newest is not None and seen is not None and seen != newest.number:
        raise Conflict(_("在您编写的时候，这篇文章有了新的版本。您填的内容还在，请看过再提交。"), current={"number": newest.number})
    if article is None:
        article = Article.objects.create(code=_fresh_code(content.unit))
    Version.objects.filter(article=article, state=VersionState.DRAFT).update(
        state=VersionState.DROPPED, decided_at=at, decided_by=by.staff_id, reason=str(_("有了更新的草稿")))
    return Version.objects.create(
        article=article, number=newest.number + 1 if newest else 1, written_at=at, written_by_id=by.staff_id, key=key,
        note=clean_text(note, max_length=300, multiline=False), **columns)


def _waiting(by: Actor, code: str, number: int) -> Version:
    """A draft that `by` may decide on, its article locked."""
    article = _held(code)
    version = Version.objects.select_related("article").filter(article=article, number=number).first()
    if version is None:
        raise NotFound
    if version.state != VersionState.DRAFT:
        raise Conflict(_("这一版已经有了决定，请看现在的情况。"))
    if not rights.may_decide(by, version):
        raise NotAllowed(_("审定要由作者以外的人来做：责任单位负责人，或热线的督办员、负责人。"))
    return version


@transaction.atomic
def approve(*, by: Actor, code: str, number: int) -> Version:
    """Take a draft into use, in place of the version before. Open reports are not touched: see `answer_report`. Raises
    NotAllowed for its own author."""
    version, at = _waiting(by, code, number), now()
    _end(version.article, VersionState.REPLACED, at, by.staff_id)
    version.state, version.decided_at, version.decided_by_id = VersionState.APPROVED, at, by.staff_id
    version.save(update_fields=["state", "decided_at", "decided_by"])
    index.enter([version])
    return version


@transaction.atomic
def refuse(*, by: Actor, code: str, number: int, reason: str) -> Version:
    """Not take a draft into use, with the reason."""
    version = _waiting(by, code, number)
    why = clean_text(reason, max_length=300, multiline=False)
    if not why:
        raise Invalid(_MISSING, fields={"reason": str(_("请写明为什么不采用。"))})
    version.state, version.decided_at, version.decided_by_id, version.reason = VersionState.DROPPED, now(), by.staff_id, why
    version.save(update_fields=["state", "decided_at", "decided_by", "reason"])
    return version


def _end(article: Article, state: VersionState, at: datetime, by: int | None, reason: str = "") -> None:
    for old in Version.objects.filter(article=article, state=VersionState.APPROVED):
        old.state, old.ended_at, old.ended_by_id, old.reason = state, at, by, reason
        old.save(update_fields=["state", "ended_at", "ended_by", "reason"])
        index.leave(old)


@transaction.atomic
def withdraw(*, by: Actor, code: str, reason: str) -> None:
    """Take an article out of use, with the reason. Its history stays."""
    article = _held(code)
    version = Version.objects.filter(article=article, state=VersionState.APPROVED).first()
    if version is None:
        raise Conflict(_("这篇文章已经不在用了。"))
    if not rights.may_withdraw(by, version):
        raise NotAllowed(_("撤下文章由责任单位负责人，或热线的督办员、负责人来做。"))
    why = clean_text(reason, max_length=300, multiline=False)
    if not why:
        raise Invalid(_MISSING, fields={"reason": str(_("请写明为什么撤下。"))})
    _end(article, VersionState.WITHDRAWN, now(), by.staff_id, why)


def _owner(version: Version) -> Body:
    held = reference()
    return held.units[version.unit_id or hotline_of(held) or 0]


def _reported_already(key: bytes | None, code: str, fault: str, words: str) -> Report | None:
    """What a key was used for before. Raises Conflict when that was another report."""
    earlier = Report.objects.select_related("version__article").filter(key=key).first() if key is not None else None
    if earlier is not None and (earlier.version.article.code, earlier.fault, earlier.words) != (code, fault, words):
        raise Conflict(KEY_REUSED, code="key_reused")
    return earlier


def report(*, by: Actor | None, code: str, fault: str, words: str, key: bytes | None = None) -> Report:
    """Say that an article in use is wrong, outdated or unclear. Without `by` a resident says it, of public articles only.

    The owner unit owes an answer within `LIANXIN_ARTICLE_REPORT_DAYS` working days of its own calendar; the hotline, where
    nobody is named. Sent again with the same `key` it is the same report. No clock of a case is touched.
    """
    said = clean_text(words, max_length=WORDS + 1, multiline=True)
    if (earlier := _reported_already(key, code, fault, said)) is not None:
        return earlier
    at = now()
    version = Version.objects.filter(in_force(today_of(at)), article__code=code[:40]).first()
    if version is None or (by is None and not version.public):
        raise NotFound
    faults = {}
    if fault not in Fault.values:
        faults["fault"] = str(_("请从列表中选择。"))
    if not said:
        faults["words"] = str(_("请写明哪里不对。"))
    elif len(said) > WORDS:
        faults["words"] = str(_("最多 %s 个字。") % WORDS)
    if faults:
        raise Invalid(_MISSING, fields=faults)
    unit = _owner(version)
    due = promise(start=at, minutes=WORKING_DAY * settings.LIANXIN_ARTICLE_REPORT_DAYS, calendar=unit.calendar)
    try:
        with transaction.atomic():
            made = Report.objects.create(
                version=version, unit_id=unit.id, fault=fault, words=said, reported_at=at, calendar=due.calendar,
                due_at=due.due_at, reported_by_id=by.staff_id if by else None, key=key)
            notices.tell_reported(made)
            return made
    except IntegrityError:  # the same was sent twice at one moment
        if (earlier := _reported_already(key, code, fault, said)) is None:
            raise
        return earlier


@transaction.atomic
def answer_report(*, by: Actor, pk: uuid.UUID, answer: str = "", corrected: bool = False) -> Report:
    """Answer a report: `corrected` when a version approved since then says it right, else with the reason why the article
    stays. Raises Conflict when it was answered, or when there is no newer version to point to."""
    found = Report.objects.select_for_update().select_related("version").filter(pk=pk).first()
    if found is None:
        raise NotFound
    if found.state != ReportState.OPEN:
        raise Conflict(_("这条反映已经答复过了。"))
    if not rights.may_answer(by, found):
        raise NotAllowed(_("由责任单位的承办员、负责人或热线督办员答复。"))
    said = clean_text(answer, max_length=WORDS, multiline=True)
    if corrected:
        newer = Version.objects.filter(article_id=found.version.article_id, number__gt=found.version.number,
                                       state=VersionState.APPROVED).first()
        if newer is None:
            raise Conflict(_("还没有审定的新版本。请先改好文章并经过审定，或者写明为什么不用改。"))
        found.corrected, found.state = newer, ReportState.CORRECTED
    elif not said:
        raise Invalid(_MISSING, fields={"answer": str(_("请写明为什么不用改。"))})
    else:
        found.state = ReportState.KEPT
    found.answer, found.answered_at, found.answered_by_id = said, now(), by.staff_id
    found.save(update_fields=["answer", "corrected", "state", "answered_at", "answered_by"])
    return found


def answered_with(step: Step, named: str) -> None:
    """Write on the event which version an answer was read from, and count it. `named` is `code` or `code@number`: the version
    in use, or the very one the operator had before them, were it replaced a moment ago. Raises Invalid."""
    code, _at, number = named.strip().partition("@")
    versions = Version.objects.filter(article__code=code[:40], state__in=[VersionState.APPROVED, VersionState.REPLACED])
    wanted = small_number(number) or 0
    version = (versions.filter(number=wanted) if number else versions.filter(state=VersionState.APPROVED)).first()
    if version is None:
        raise Invalid(_("没有这篇知识文章，请从列表中选择。"), fields={"article": str(_("没有这篇文章。"))})
    step.data.update(article=code, article_version=version.number, article_title=version.title)
    Use.objects.create(version=version, event_id=step.event_id, at=step.at)


def content_of(version: Version) -> Content:
    """What a version says, as its next one may begin."""
    return Content(
        title=version.title, answer=version.answer, valid_from=version.valid_from, questions=tuple(version.questions),
        keywords=tuple(version.keywords), basis=version.basis, source=version.source,
        category=version.category.code if version.category else "", area=version.area.code if version.area else "",
        unit=version.unit.code if version.unit else "", valid_until=version.valid_until, review_by=version.review_by,
        public=version.public)


def forget_words(at: datetime) -> int:
    """Empty what residents wrote against articles, once its retention (`words`, counted from the answer) has ended. Who works
    here writes as staff; their words stay with the article. Returns how many."""
    cut = at - timedelta(days=settings.LIANXIN_RETENTION_DAYS[str(RetentionClass.WORDS)])
    return Report.objects.filter(reported_by__isnull=True, answered_at__lt=cut).exclude(words=GONE).update(words=GONE)
