"""The desk's other lists as rows: what stands on their pages, each thing in a column of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from lianxin.cases import ledger
from lianxin.cases.checks import Checks
from lianxin.cases.missed_calls import Waiting
from lianxin.cases.models import Check, Return
from lianxin.cases.readings import Reading
from lianxin.cases.standings import Standing
from lianxin.exchange.outbox import Standing as SystemStanding
from lianxin.faces.templatetags.lianxin import in_script, said_name
from lianxin.fieldwork.coverage import Coverage, VillageLines
from lianxin.fieldwork.coverage import Standing as GridStanding
from lianxin.kernel.language import listed, named
from lianxin.knowledge.queries import Found
from lianxin.linkage.models import Handover
from lianxin.patrols.dues import Due
from lianxin.patrols.queries import standing_of
from lianxin.quality.queries import CampaignFigures
from lianxin.supervision import queries as supervision
from lianxin.supervision.models import Listing, Order
from lianxin.telephony.staffing import Plan
from lianxin.triage.hot.models import HotIssue, HotSurge

from ..field_work import Task
from ..templatetags.desk import EXCERPT, opening
from ..templatetags.linked import handover_state
from . import Part, Row, head

WORDS = 60  # characters of an order or of a case that was looked at, as on its page


def _said(thing: Any) -> str:
    return said_name(thing) if thing is not None else ""


def _late(due: datetime | None, at: datetime) -> str:
    return _("超时") if due is not None and due < at else ""


def orders(rows: Iterable[Any], at: datetime) -> Part:
    def row(one: Order) -> Row:
        words, due = str(getattr(one, "said", None) or ""), getattr(one, "due_at", None)
        return (one.number, one.case.number, _said(one.unit), words if len(words) <= WORDS else f"{words[:WORDS]}…",
                one.get_level_display(), _said(one.issued_by), one.issued_at, due, _late(due, at), one.get_state_display())

    return Part(_("催办与督办"), [
        head(_("编号")), head(_("工单"), 18), head(_("承办单位"), 20), head(_("内容"), 50), head(_("级别")), head(_("谁发的")),
        head(_("发出时间"), 17), head(_("答复期限"), 17), head(_("超时")), head(_("状态"))], map(row, rows))


def listings(rows: Iterable[Listing], today: date) -> Part:
    def row(one: Any) -> Row:
        return (one.number, in_script(one.title), one.cases, _said(one.unit), in_script(one.leader_name), in_script(one.leader_title),
                one.progress, one.due_on, _("有逾期") if supervision.late(one, today) else "", one.get_state_display())

    return Part(_("挂牌督办"), [
        head(_("编号")), head(_("事项"), 40), head(_("工单")), head(_("责任单位"), 20), head(_("责任领导")), head(_("职务"), 20),
        head(_("节点")), head(_("摘牌期限")), head(_("逾期")), head(_("状态"))], map(row, rows))


def states(rows: Sequence[tuple[Any, Standing]]) -> Part:
    return Part(_("按状态"), [head(_("状态")), head(_("在办")), head(_("超时")), head(_("一天内到期"))],
                [(str(label), one.total, one.overdue, one.soon) for label, one in rows])


def standings(title: str, column: str, rows: Iterable[dict[str, Any]]) -> Part:
    counts = ("total", "overdue", "soon", "returned", "redone", "reopened", "unreached")
    return Part(title, [
        head(_("代码")), head(_("名称"), 24), head(_("在办")), head(_("超时")), head(_("一天内到期")), head(_("退过单")),
        head(_("审核退回过")), head(pgettext("figure", "重办")), head(_("没联系上"))],
        [(one[f"{column}__code"], named(one[f"{column}__name"], one[f"{column}__name_en"]), *(one[name] for name in counts))
         for one in rows])


def hot(rows: Iterable[HotIssue]) -> Part:
    def row(one: HotIssue) -> Row:
        return (one.name, _said(one.area) or _("全市或未定"), _said(one.category), one.voices, one.anonymous, one.cases,
                one.get_trend_display(), one.first_at, one.last_at, _said(one.unit))

    return Part(_("热点"), [
        head(_("什么事"), 40), head(_("地点"), 20), head(_("事项"), 20), head(_("多少人")), head(_("没留电话")), head(_("工单")),
        head(_("趋势")), head(_("首次"), 17), head(_("最近"), 17), head(_("主要承办"), 20)], map(row, rows))


def surges(rows: Iterable[HotSurge]) -> Part:
    return Part(_("比平时多"), [head(_("哪天")), head(_("县市区")), head(_("事项"), 20), head(_("多少件")), head(_("平时大约"))],
                [(one.day, _said(one.county), _said(one.category), one.count, round(one.expected, 1)) for one in rows])


def tallies(title: str, rows: Iterable[tuple[str, ledger.Tally]]) -> Part:
    return Part(title, [
        head(_("名称"), 30), head(pgettext("figure", "退单")), *(head(str(ruling.label)) for ruling in ledger.RULINGS),
        head(_("裁定用时中位数（工作分钟）"), 18)],
        [(label, one.total, *(getattr(one, ruling.value) for ruling in ledger.RULINGS), one.minutes) for label, one in rows])


def return_entries(rows: Iterable[Return], reasons: dict[str, str], rule: Callable[[Return], str]) -> Part:
    def row(one: Return) -> Row:
        return (one.case.number, _said(one.category), _said(one.unit), one.raised_at, reasons.get(one.reason, one.reason),
                _said(one.suggested_unit), rule(one), one.rule.version.number if one.rule else None, one.get_ruling_display(),
                one.ruled_at, _said(one.ruled_by), one.minutes if one.ruled_at else None, one.basis)

    return Part(_("退单明细"), [
        head(_("工单"), 18), head(_("事项"), 20), head(_("退单单位"), 20), head(_("退单时间"), 17), head(_("理由"), 20),
        head(_("建议单位"), 20), head(_("按哪条规则派的"), 40), head(_("目录版本")), head(_("裁定")), head(_("裁定时间"), 17),
        head(_("谁裁定")), head(_("裁定用时（工作分钟）")), head(_("依据"), 30)], map(row, rows))


def missed(rows: Iterable[Waiting], at: datetime) -> Part:
    """No numbers: those are read one at a time, and each look is written down."""
    return Part(_("未接来电"), [
        head(_("最迟回拨"), 17), head(_("超时")), head(_("来电时间"), 17), head(_("最后一次"), 17), head(_("响了几次")), head(_("线路")),
        head(_("试过几次")), head(_("谁看过号码"))],
        [(one.due_at, _late(one.due_at, at), one.first_at, one.last_at, one.rings, one.line, len(one.tried), one.opened_by)
         for one in rows])


def checks(found: Checks, at: datetime) -> list[Part]:
    def row(one: Check) -> Row:
        return (one.case.number, opening(one.case, WORDS), one.case.get_state_display(), _said(one.case.lead_unit), _said(one.asked_by),
                one.asked_at, _said(one.worker), one.due_at, _late(one.due_at, at) if one.answered_at is None else "", one.answered_at)

    heads = [head(_("编号"), 18), head(_("什么事"), 40), head(_("状态")), head(_("主办单位"), 20), head(_("谁请看的")),
             head(_("何时请看"), 17), head(_("谁去看")), head(_("最迟"), 17), head(_("超时")), head(_("看过"), 17)]
    return [Part(title, heads, map(row, rows)) for title, rows in (
        (_("看过，没有办好"), found.unhandled), (_("等网格员去看"), found.waiting), (_("近 30 天看过，已办好"), found.seen))]


def rounds(rows: Iterable[Due], standing: dict[str, Any], at: datetime) -> Part:
    return Part(_("巡查"), [
        head(_("代码")), head(_("地点"), 30), head(_("巡查"), 24), head(_("到期")), head(_("最迟"), 17), head(_("上次"), 17),
        head(_("间隔（天）"))],
        [(one.code, in_script(one.name), _said(one.round), str(standing[standing_of(one, at)]), one.at, one.last, one.round.every)
         for one in rows])


def grids(found: Coverage) -> Part:
    said = {GridStanding.HELD: _("有人"), GridStanding.COVERED: _("代班"), GridStanding.AWAY: _("人不在，没人代班"),
            GridStanding.NOBODY: _("没有人管")}

    def rows(village: VillageLines) -> Iterator[Row]:
        for line in village.lines:
            yield (village.place.said, line.place.code, line.place.said, said[line.standing],
                   listed([_said(one.staff) for one in line.responsible]), line.work.total, line.work.late, line.work.due_at)
        if village.loose.total:
            yield (village.place.said, village.place.code, _("没有落到网格的"), "", "", village.loose.total, village.loose.late,
                   village.loose.due_at)

    return Part(_("今天的网格"), [
        head(_("村"), 20), head(_("代码"), 18), head(_("网格"), 24), head(_("今天"), 18), head(_("谁负责"), 24), head(_("在办的事")),
        head(_("超时")), head(_("最近到期"), 17)], [row for village in found.villages for row in rows(village)])


def grid_tasks(rows: Iterable[Task]) -> Part:
    return Part(_("在办的事"), [
        head(_("编号"), 18), head(_("类别")), head(_("诉求"), 50), head(_("在哪里"), 30), head(_("到期"), 17), head(_("超时")),
        head(_("谁在办"))],
        ((one.number, one.kind, one.words if len(one.words) <= EXCERPT else f"{one.words[:EXCERPT]}…", one.place, one.due_at,
          _("超时") if one.late else "", one.officer) for one in rows))


def campaigns(rows: Iterable[CampaignFigures]) -> Part:
    def row(one: CampaignFigures) -> Row:
        c = one.campaign
        return (c.name, c.starts_on, c.ends_on, _said(c.category) or _("全部事项"), _said(c.county) or _("全市"),
                _said(c.unit) or _("全部单位"), c.share, c.minimum, c.seed, one.decided, one.drawn, one.reached, one.rated, one.unasked)

    return Part(_("回访计划"), [
        head(_("名称"), 24), head(_("从")), head(_("到（含）")), head(_("事项"), 20), head(_("县市区")), head(_("办理单位"), 20),
        head(_("回访比例（%）")), head(_("每单位至少")), head(_("抽样种子"), 20), head(_("应抽")), head(_("抽中")), head(_("接通")),
        head(_("自己评价")), head(_("未评价归档"))], map(row, rows))


def handovers(title: str, rows: Iterable[Handover]) -> Part:
    def row(one: Handover) -> Row:
        case = one.matter.case
        about = _said(case.category if case and case.category else one.category) or one.category_theirs or _("未定事项")
        return (one.offered_at, _said(one.matter.partner), one.get_direction_display(), about, str(handover_state(one)),
                case.number if case else "")

    return Part(title, [
        head(_("提出"), 17), head(_("对方")), head(_("方向")), head(_("事项"), 24), head(_("状态"), 18), head(_("工单"), 18)],
        map(row, rows))


def staffing(plan: Plan) -> Part:
    return Part(_("每半小时"), [
        head(_("时段")), head(_("来电（平均一天）")), head(_("95% 下限")), head(_("95% 上限")), head(_("最忙一天")),
        head(_("一个电话（秒）")), head(_("要几个人")), head(_("要排几个人")), head(_("平均实际有")), head(_("来电太少"))],
        [(f"{line.at:%H:%M}", round(line.calls, 1), round(line.low, 1), round(line.high, 1), line.most, round(line.work), line.operators,
          line.scheduled, round(line.present, 1), _("太少") if line.few else "") for line in plan.lines if line.total])


def readings(rows: Iterable[Reading], fields: dict[str, Any]) -> Part:
    return Part(_("查看身份的记录"), [
        head(_("时间"), 17), head(_("编号"), 18), head(_("谁")), head(_("用户名")), head(_("单位"), 20), head(_("为什么"), 40),
        head(_("有哪几项"), 24)],
        [(one.at, one.number or _("未接来电"), one.name, one.username, one.unit, one.why,
          listed([str(fields.get(name, name)) for name in one.fields])) for one in rows])


def exchange(rows: Iterable[SystemStanding]) -> Part:
    """Neither addresses nor keys of the systems."""
    def row(one: SystemStanding) -> Row:
        s = one.system
        return (s.code, _said(s), s.get_kind_display(), _said(s.unit), str(one.connection.label), s.failing_since, s.answered_at, one.open,
                one.waiting, one.dead)

    return Part(_("外部系统"), [
        head(_("代号"), 18), head(_("系统"), 24), head(_("类别"), 18), head(_("单位"), 20), head(_("连接")), head(_("联不通"), 17),
        head(_("最近一次应答"), 17), head(_("双方都有")), head(_("待发送")), head(_("送不出去"))], map(row, rows))


def knowledge(rows: Iterable[tuple[Found, Any, Any]]) -> Part:
    return Part(_("知识库"), [
        head(_("编号"), 18), head(_("标题"), 40), head(_("责任单位"), 20), head(_("事项"), 20), head(_("适用地区"), 20), head(_("公开"))],
        ((one.code, in_script(one.title), _said(unit), _said(node), in_script(one.area), _("是") if one.public else _("否"))
         for one, unit, node in rows))


def heard(rows: Iterable[Any]) -> Part:
    """Shares are those of the page: none where there are too few to speak of."""
    def share(value: int, line: Any) -> str:
        return f"{value}%" if line.taken is not None else ""

    def row(line: Any) -> Row:
        one = line.row
        by = _("模型第 %(number)s 版") % {"number": one.model} if one.model else _("规则")
        return (str(one.what.label), by, one.offers, one.accepted, one.changed, one.ignored,
                _("件数太少") if line.taken is None else share(line.taken, line), share(line.low, line), share(line.high, line),
                share(line.three, line))

    return Part(_("听得准不准"), [
        head(_("提示")), head(_("谁提示的")), head(_("次数")), head(_("采用")), head(_("改了")), head(_("没有理会")), head(_("第一个就对")),
        head(_("95% 下限")), head(_("95% 上限")), head(_("前三个里有"))], map(row, rows))


def models(rows: Iterable[dict[str, Any]]) -> Part:
    def row(one: dict[str, Any]) -> Row:
        model = one["model"]
        return (model.number, _("在用") if model.in_force else "", model.source, model.examples, model.categories,
                *(one[name] for name in ("f1", "top3", "ece", "at80")), model.kept_at)

    return Part(_("模型"), [
        head(_("版本")), head(_("在用")), head(_("训练材料"), 24), head(_("例子")), head(_("事项数")), head("macro-F1"),
        head(_("前三个里有")), head("ECE"), head(_("最有把握的八成")), head(_("存入"), 17)], map(row, rows))
