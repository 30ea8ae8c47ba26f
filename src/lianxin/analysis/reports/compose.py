"""A report as a document: what happened, whether it changed, where, and how each number was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils.timezone import localtime
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from lianxin.cases.narrative import day_and_time
from lianxin.kernel.language import named

from ..figures import By, Figure, Report, Row
from ..intervals import ALPHA
from ..rates import DEFINITIONS, THREE_RATES
from . import pictures, words
from .cases import CLOSED, DECLINED, NONE, REGISTERED
from .document import Block, Cases, Cell, Commands, Document, Paragraph, Picture, Pictures, Section, Table
from .source import Asked, Material

STAGES: Final = ("on_time_sign_for", "on_time_first_contact", "on_time_resolve", "on_time_ruling", "on_time_callback")
BACK: Final = ("correct_first_dispatch", "returns", "rework", "reopen", "against_catalogue", "pauses", "extensions")
IN_ROWS: Final = (*THREE_RATES, "on_time_resolve", "reopen")


def compose(material: Material) -> Document:
    """The whole report, in the reader's language."""
    report, asked = material.report, material.asked
    about = words.scope_name(material.names, material.city)
    return Document(
        title=f"{about} {words.TITLES[report.period.kind]}".strip(),
        subtitle=words.period_said(report.period),
        stand=_("数据截至 %(at)s") % {"at": day_and_time(report.as_of)} + _unfinished(report),
        name=words.file_name(report, asked.codes),
        language=get_language() or "zh-hans",
        sections=tuple(_sections(material)),
    )


def _unfinished(report: Report) -> str:
    return _("，这一期还没有结束") if report.as_of < report.period.ends_at else ""


def _sections(material: Material) -> list[Section]:
    report, asked = material.report, material.asked
    if not report.registered and not report.closed and report.figures["response"].empty:
        nothing = _("这一期没有登记、没有归档，也没有应回访的工单。换一个时间或范围。")
        return [Section("summary", _("概要"), (Paragraph(nothing, "notice"),)), _how(material)]
    made = [_summary(report, asked), _stages(report, asked), _back(report, asked), _where(report, asked),
            _hot(material)]
    made += [_rows(report, asked, by) for by in ("county", "unit", "category") if _has_rows(report, by)]
    return [section for section in made if section.blocks] + [_how(material)]


def _cases(asked: Asked, measure: str, period: str = "", **narrowed: str) -> Cases:
    held = {"unit": asked.unit, "county": asked.county, "category": asked.category, **narrowed}
    return Cases(measure, period or asked.period.code, **held)


def figure_cell(figure: Figure, asked: Asked, *, period: str = "", interval: bool = False, **narrowed: str) -> Cell:
    """A value with its parts, each a link to its cases; too few say so."""
    definition = DEFINITIONS[figure.code]
    parts = (
        (str(figure.numerator), _cases(asked, definition.numerator, period, **narrowed) if figure.numerator else None),
        (str(figure.denominator), _cases(asked, definition.denominator, period, **narrowed) if figure.denominator else None),
    )
    if figure.empty:
        return Cell("—", note=words.few_said(figure) if interval else "", few=True)
    value = words.value_said(figure)
    if not value:
        return Cell(words.few_said(figure), parts, few=True)
    return Cell(value, parts, words.range_said(figure) if interval else "")


def _comparison(report: Report, asked: Asked, codes: Sequence[str], caption: str) -> Table:
    """Figures with their intervals, against the period before and the year before."""
    rows = []
    for code in codes:
        now, change, year = report.figures[code], report.changes[code], report.year_changes[code]
        rows.append((
            Cell(str(DEFINITIONS[code].label)),
            figure_cell(now, asked, interval=True),
            _before_cell(change.before, asked, report.previous_period.code),
            Cell(words.change_said(change), mood=words.mood_of(change)),
            _before_cell(year.before, asked, report.year_before_period.code),
            Cell(words.change_said(year), mood=words.mood_of(year)),
        ))
    head = (_("指标"), _("这一期（95% 区间）"), _("上一期"), str(words.BEFORE[report.period.kind]), _("去年同期"), _("比去年同期"))
    return Table(caption, head, tuple(rows))


def _before_cell(figure: Figure, asked: Asked, period: str) -> Cell:
    return figure_cell(figure, asked, period=period)


def _counted(number: int, cases: Cases) -> tuple[str, Cases | None]:
    return str(number), cases if number else None


def _summary(report: Report, asked: Asked) -> Section:
    due = report.figures["response"].denominator
    blocks: list[Block] = [
        Paragraph(_("登记 %(registered)d 件，归档 %(closed)d 件，不予受理 %(declined)d 件；"
                    "应回访 %(due)d 轮，其中 %(unreached)d 轮没有联系上。") % {
            "registered": report.registered, "closed": report.closed, "declined": report.declined, "due": due,
            "unreached": report.figures["unreached"].numerator}, "lead"),
    ]
    blocks += [Paragraph(words.sentences(_("%(label)s：%(figure)s。%(before)s：%(change)s。") % {
        "label": DEFINITIONS[code].label, "figure": words.figure_said(report.figures[code]),
        "before": words.BEFORE[report.period.kind], "change": words.change_said(report.changes[code]),
    }, pictures.standing_said(report.series[code]))) for code in THREE_RATES]
    counts = Table(_("件数"), (
        pgettext("so many cases", "登记"), pgettext("so many cases", "归档"), pgettext("so many cases", "不予受理"),
        _("应回访（轮）"), _("联系上"), _("没有联系上")), ((
        *(Cell(parts=(_counted(number, _cases(asked, measure)),)) for number, measure in (
            (report.registered, REGISTERED), (report.closed, CLOSED), (report.declined, DECLINED), (due, "due"),
            (report.figures["resolution"].denominator, "reached"), (report.figures["unreached"].numerator, "unreached"))),
    ),))
    blocks += [counts, _comparison(report, asked, (*THREE_RATES, "unreached"), _("三率和未联系上")),
               Pictures(tuple(pictures.of_series(report.series[code]) for code in (*THREE_RATES, "unreached"))),
               Paragraph(_("灰带是控制限：点在带内，变化可能只是偶然；菱形的点在带外；空心的点件数太少。虚线是长期水平。"), "help"),
               Paragraph(_("未联系上的单独列出，从不算作满意。"), "help")]
    return Section("summary", _("概要"), tuple(blocks))


def _stages(report: Report, asked: Asked) -> Section:
    return Section("stages", _("各环节是否按时"), (
        _comparison(report, asked, STAGES, _("按时率")),
        Pictures(tuple(pictures.of_series(report.series[code]) for code in ("on_time_sign_for", "on_time_resolve"))),
    ))


def _back(report: Report, asked: Asked) -> Section:
    return Section("back", _("退单、返工与重办"), (
        _comparison(report, asked, BACK, _("退单、返工与重办")),
        Pictures(tuple(pictures.of_series(report.series[code]) for code in ("reopen", "correct_first_dispatch"))),
    ))


def _where(report: Report, asked: Asked) -> Section:
    if asked.county or not report.counties:
        return Section("where", "", ())
    blocks: list[Block] = []
    drawn = pictures.of_counties(report) if "county" in report.breakdowns else None
    if drawn is not None:
        blocks += [Pictures((drawn,)), Paragraph(drawn.told, "help")]
    rows = tuple((
        Cell(named(density.name, density.name_en)),
        Cell(parts=(_counted(density.registered, _cases(asked, REGISTERED, county=density.code)),)),
        Cell(f"{density.share * 100:.1f}%"),
    ) for density in report.counties)
    blocks.append(Table(_("各县市区登记的件数"), (_("县市区"), pgettext("so many cases", "登记"), _("占全部")), rows))
    return Section("where", _("诉求从哪里来"), tuple(blocks))


def _hot(material: Material) -> Section:
    if not material.report.hot:
        return Section("hot", "", ())
    asked, before = material.asked, material.report.previous_period.code
    rows = tuple((
        Cell(named(one.name, one.name_en)),
        Cell(parts=(_counted(one.cases, _cases(asked, REGISTERED, category=one.code)),)),
        Cell(parts=(_counted(one.before, _cases(asked, REGISTERED, before, category=one.code)),)),
    ) for one in material.report.hot)
    return Section("hot", _("登记最多的事项"), (
        Pictures((pictures.of_hot(material.report.hot),)),
        Table(_("登记最多的事项"), (_("事项"), pgettext("so many cases", "登记"), _("上一期")), rows),
    ))


def _titles(by: By) -> tuple[str, str]:
    said: dict[By, tuple[str, str]] = {
        "county": (_("按县市区"), _("县市区")), "unit": (_("按主办单位"), _("单位")),
        "town": (_("按乡镇街道"), _("乡镇街道")), "category": (_("按事项"), _("事项")),
    }
    return said[by]


def _has_rows(report: Report, by: By) -> bool:
    narrowed = {"county": report.scope.county, "unit": report.scope.unit, "category": None, "town": None}
    return by in report.breakdowns and bool(report.breakdowns[by].rows) and narrowed[by] is None


def _rows(report: Report, asked: Asked, by: By) -> Section:
    title, name = _titles(by)
    breakdown = report.breakdowns[by]
    rows = tuple(_row(row, asked, by) for row in breakdown.rows)
    head = (name, pgettext("so many cases", "登记"), *(str(DEFINITIONS[code].label) for code in IN_ROWS), str(DEFINITIONS["returns"].label))
    drawn: list[Picture] = [pictures.of_rows(breakdown, code, report.figures[code])
                            for code in pictures.ROW_CHARTS
                            if any(not row.figures[code].empty for row in breakdown.rows)]
    blocks: list[Block] = [Pictures(tuple(drawn))] if drawn else []
    if drawn and (more := pictures.left_out(breakdown)):
        blocks.append(Paragraph(_("图中只画前 %(n)d 行，另有 %(more)d 行没有画，都在表里。") % {
            "n": pictures.MOST_ROWS, "more": more}, "help"))
    blocks += [Table(title, head, rows),
               Paragraph(_("按编码排列，不是排名。写着“件数太少”的不算比率，也不比较。"), "help")]
    return Section(f"by-{by}", title, tuple(blocks))


def _row(row: Row, asked: Asked, by: By) -> tuple[Cell, ...]:
    narrowed = {by: row.code or NONE}
    return (
        Cell(words.row_name(row)),
        Cell(parts=(_counted(row.registered, _cases(asked, REGISTERED, **narrowed)),)),
        *(figure_cell(row.figures[code], asked, interval=True, **narrowed) for code in IN_ROWS),
        Cell(parts=(_counted(row.figures["returns"].numerator, _cases(asked, "returns", **narrowed)),)),
    )


def _how(material: Material) -> Section:
    report, asked = material.report, material.asked
    definitions = tuple((Cell(str(one.label)), Cell(str(one.says))) for one in DEFINITIONS.values())
    narrowed = "".join(f" --{name} {code}" for name, code in (
        ("unit", asked.unit), ("county", asked.county), ("category", asked.category)) if code)
    return Section("how", _("这些数是怎么算的"), (
        Paragraph(_("比率以回访在这一期到期的每一轮办理为底数；一件工单重办一次，就多一轮。并案的诉求人各算各的。登记、归档和不予受理按发生的时间计，每一轮办理计第一次；之后有异议或重办的，仍计在当时。")),
        Paragraph(_("比率的区间是 95%% Wilson 区间，次数的是 95%% Poisson 区间：真实水平多半在其中。"
                    "控制限是长期水平上下三个标准差；两期相比用双侧检验，同样到三个标准差（p < %(alpha)s）才说好转或变差。")
                  % {"alpha": f"{ALPHA:.4f}"}),
        Table(_("指标的定义"), (_("指标"), _("怎么算")), definitions),
        Paragraph(_("事实读到 %(at)s，由 %(engine)s 计算。同样的数可以这样再算一遍，并与事件日志核对：") % {
            "at": f"{localtime(report.as_of):%Y-%m-%d %H:%M:%S}", "engine": material.engine}),
        Commands((f"lianxin analysis figures --period {report.period.code}{narrowed} --engine {material.engine}",
                  f"lianxin analysis verify --period {report.period.code}")),
    ))
