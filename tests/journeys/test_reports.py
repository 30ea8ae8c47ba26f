"""A report in a real browser: readable by axe, on a telephone and on a desk, light and dark, empty and full, keyboard alone."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from lianxin.analysis import facts
from lianxin.analysis.models import Episode, Refresh
from lianxin.kernel import clock
from lianxin.kernel.ids import uuid7
from tests.browser import axe, new_page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AT = datetime(2026, 11, 27, 2, tzinfo=UTC)


def fill(world: Any, cases: int = 1500) -> None:
    """Episodes of a year, as facts only: what a page draws, not how it came about."""
    chance = random.Random(7)
    facts.refresh()
    revision = Refresh.objects.get().revision
    units = [world.units[code].pk for code in ("urban", "housing", "water", "east", "bridge")]
    counties = [world.areas[code].pk for code in ("990101", "990102")]
    leaves = [world.categories[code].pk for code in ("010101", "010102", "010103", "010104")]
    made = []
    for number in range(cases):
        due = AT - timedelta(days=chance.uniform(0, 400))
        reached = chance.random() < 0.8
        began = due - timedelta(days=5)
        made.append(Episode(
            case_id=uuid7(), round=1, number=f"T{number}", latest=chance.random() > 0.05, channel="phone", kind="help",
            urgency="normal", state="closed", outcome="solved", category_id=chance.choice(leaves),
            county_id=chance.choices(counties, (3, 1))[0], unit_id=chance.choices(units, (8, 4, 2, 1, 0.1))[0],
            registered_at=began, closed_at=due, ended_at=due, ended_as="closed", sign_for_due_at=began + timedelta(hours=4),
            sign_for_ended_at=began + timedelta(hours=chance.choice((1, 2, 3, 5))), first_contact_due_at=began + timedelta(days=1),
            first_contact_ended_at=began + timedelta(hours=9), first_contact_met_at=began + timedelta(hours=9),
            resolve_due_at=began + timedelta(days=3), resolve_ended_at=began + timedelta(days=chance.choice((1, 2, 2, 4))),
            callback_due_at=due, callback_ended_at=due - timedelta(hours=1), dispatches=1, returns=int(chance.random() < 0.1),
            reached=reached, solved=chance.random() < 0.85 if reached else None,
            satisfaction=chance.choice(("satisfied", "basically", "dissatisfied")) if reached else "", revision=revision,
        ))
    Episode.objects.bulk_create(made)


def sign_in(page: Any, served: Any, username: str) -> None:
    client = Client()
    client.force_login(served.world.staff[username], backend="allauth.account.auth_backends.AuthenticationBackend")
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": client.session.session_key,
                               "url": served.url}])


@pytest.mark.parametrize(("width", "dark", "locale"), [(1440, False, "zh-CN"), (360, True, "en-GB")])
def test_a_report_is_read_by_everyone(served: Any, browser: Any, width: int, dark: bool, locale: str) -> None:
    with clock.frozen(AT):
        fill(served.world)
        page = new_page(browser, width=width, dark=dark, locale=locale)
        sign_in(page, served, "supervisor")
        for query in ("?period=2026-10", "?period=2024-10", "?period=nonsense"):
            page.goto(f"{served.url}/desk/reports/{query}")
            assert axe(page) == [], query
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), query
        page.goto(f"{served.url}/desk/reports/?period=2026-10")
        assert page.locator("svg.lx-chart").count() >= 10
        first = page.locator(".report-table .parts a").first
        number = int(first.inner_text())
        assert number > 50
        first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/desk/reports/cases/**")
        assert str(number) in page.locator(".desk-head").inner_text()
        assert axe(page) == []
        assert page.faults == []
        page.context.close()
