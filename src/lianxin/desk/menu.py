"""The desk's menu: one row for each screen, with who sees it. Lists of cases stand between the first rows and the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lianxin.analysis.reports.access import READERS
from lianxin.care.policy import is_keeper as keeps_care
from lianxin.care.policy import is_visitor as visits_for_care
from lianxin.cases import checks
from lianxin.cases.catalogue.rights import READERS as CATALOGUE_ROLES
from lianxin.cases.ledger import ROLES as RETURN_ROLES
from lianxin.cases.missed_calls import can_call_back
from lianxin.exchange.policy import reads as reads_exchange
from lianxin.fieldwork.leads import leads as organises_field_work
from lianxin.linkage.policy import keeps as keeps_linkage
from lianxin.linkage.policy import reviews as reviews_linkage
from lianxin.linkage.policy import works as works_linkage
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role
from lianxin.patrols.policy import reads as reads_rounds
from lianxin.quality.campaigns import may_order
from lianxin.telephony.agents import is_agent as is_agent
from lianxin.telephony.policy import reads as reads_telephones
from lianxin.telephony.staffing import plans as plans_staffing
from lianxin.transfer.applying import may as lists_by_spreadsheet
from lianxin.triage.hot.policy import reads as reads_hot_issues
from lianxin.triage.offers import READERS as OFFER_READERS

OVERVIEW_ROLES = (Role.SUPERVISOR, Role.DISPATCHER, Role.LEADER, Role.HEAD, Role.CLERK)
SUPERVISION_ROLES = (Role.SUPERVISOR, Role.DISPATCHER, Role.LEADER, Role.HEAD, Role.CLERK, Role.REVIEWER, Role.CALLBACK)


def _has(*roles: Role) -> Callable[[Actor], bool]:
    return lambda actor: actor.has(*roles)


@dataclass(frozen=True, slots=True)
class Entry:
    """One screen. `pages` are the names of the addresses on which it is the current one, its own first."""

    label: str | Promise
    pages: tuple[str, ...]
    shown: Callable[[Actor], bool]
    key: str = ""

    @property
    def address(self) -> str:
        return f"desk:{self.pages[0]}"


FIRST: tuple[Entry, ...] = (
    Entry(_("登记诉求"), ("call",), _has(Role.OPERATOR, Role.DISPATCHER, Role.GRID_WORKER), key="ctrl+j"),
    Entry(_("未接来电"), ("missed_calls",), can_call_back),
    Entry(_("联动"), ("linkage", "handover", "handover_step"), works_linkage, key="ctrl+e"),
)
REST: tuple[Entry, ...] = (
    Entry(_("知识库"), ("knowledge", "article", "article_new", "article_edit", "article_compare", "knowledge_waiting"), lambda actor: True),
    Entry(_("总览"), ("overview",), _has(*OVERVIEW_ROLES)),
    Entry(_("热点"), ("hot", "hot_issue"), reads_hot_issues),
    Entry(pgettext_lazy("screen", "报告"), ("reports",), _has(*READERS)),
    Entry(_("排班测算"), ("staffing",), plans_staffing),
    Entry(_("回访计划"), ("campaigns",), may_order),
    Entry(_("话务"), ("telephones",), reads_telephones),
    Entry(_("现场核查"), ("checks",), checks.reads),
    Entry(_("联动会商"), ("linkage_review", "review_entries", "propose_rule"), reviews_linkage),
    Entry(_("联动单位"), ("partners", "partner"), keeps_linkage),
    Entry(pgettext_lazy("screen", "外部系统"), ("exchange", "exchange_system", "exchange_new"), reads_exchange),
    Entry(_("督办"), ("orders", "listings", "listing", "issue_listing", "listing_step"), _has(*SUPERVISION_ROLES)),
    Entry(_("退单台账"), ("returns", "return_entries"), _has(*RETURN_ROLES)),
    Entry(_("派单目录"), ("catalogue", "compare_versions", "restore_version", "propose_change", "proposal", "proposal_cases"),
          _has(*CATALOGUE_ROLES)),
    Entry(_("关爱登记"), ("care", "care_new", "care_entry", "care_edit", "care_withdraw", "care_holiday"), keeps_care),
    Entry(_("我的看望"), ("care_visits",), visits_for_care),
    Entry(pgettext_lazy("screen", "巡查"), ("rounds", "inspections", "inspection", "forms", "form", "site_codes"), reads_rounds),
    Entry(pgettext_lazy("screen", "网格"), ("grids", "grid_tasks", "grid_cover", "grid_worker", "grid_map"), organises_field_work),
    Entry(pgettext_lazy("screen", "手机"), ("phones",),
          lambda actor: organises_field_work(actor) or actor.has(Role.GRID_WORKER, Role.TEAM_LEAD)),
    Entry(_("听得准不准"), ("heard",), _has(*OFFER_READERS)),
    Entry(_("人员"), ("office", "account", "new_account", "new_link", "deactivate_account", "reactivate_account"),
          _has(Role.ADMINISTRATOR, Role.HEAD)),
    Entry(_("清单表格"), ("spreadsheets", "apply_spreadsheet"), lists_by_spreadsheet),
    Entry(_("导入工单"), ("imports", "import_one"), lists_by_spreadsheet),
    Entry(_("接口令牌"), ("tokens",), _has(Role.ADMINISTRATOR)),
    Entry(_("事件订阅"), ("webhooks", "webhook", "webhook_delivery", "channels"), _has(Role.ADMINISTRATOR)),
    Entry(_("失败的任务"), ("jobs",), _has(Role.ADMINISTRATOR)),
    Entry(_("查看身份的记录"), ("readings",), _has(Role.ADMINISTRATOR, Role.SUPERVISOR)),
)


def entries(actor: Actor, rows: tuple[Entry, ...]) -> list[Entry]:
    """The rows that somebody sees."""
    return [row for row in rows if row.shown(actor)]
