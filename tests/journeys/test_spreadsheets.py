"""An administrator brings a workbook at the desk: readable by axe, on a telephone and on a desk, light and dark, keyboard alone."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import load_workbook

from lianxin.cases.models import Case
from lianxin.kernel.sheets import MEDIA
from lianxin.organisations.models import Unit
from lianxin.transfer import casefiles
from lianxin.transfer.lists import BY_KEY
from lianxin.transfer.models import CaseImport
from lianxin.transfer.spreadsheets import workbook
from tests.browser import axe, new_page
from tests.journeys.test_reports import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OLD = "编号,时间,内容\nA1,2026-02-03 09:12:00,洞庭大道路灯三天不亮，晚上很黑。\n"


def book(**changes: object) -> bytes:
    """The list of units, with some cells of the first unit changed."""
    made = load_workbook(io.BytesIO(workbook([BY_KEY["units"]])))
    page = made.worksheets[1]
    for cell in page[2]:
        if cell.value in changes:
            page.cell(3, cell.column).value = changes[cell.value]
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


@pytest.mark.parametrize(("width", "dark", "locale"), [(1440, False, "zh-CN"), (360, True, "en-GB")])
def test_lists_go_up_by_keyboard(served: Any, browser: Any, width: int, dark: bool, locale: str) -> None:
    page = new_page(browser, width=width, dark=dark, locale=locale)
    sign_in(page, served, "admin")

    def looked_at(name: str) -> None:
        assert axe(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name

    page.goto(f"{served.url}/desk/spreadsheets/")
    looked_at("lists")

    def upload(body: bytes, *, until: str) -> None:
        page.set_input_files("#file", {"name": "单位.xlsx", "mimeType": MEDIA, "buffer": body})
        button = page.locator("form[enctype] button.primary")
        button.focus()
        page.keyboard.press("Enter")
        page.locator(until).first.wait_for()

    upload(book(kind="palace", parent="nowhere"), until="[role=alert] li")
    assert page.locator("[role=alert] li").count() == 1  # the cell, not all that refers to its row
    looked_at("faults")
    upload(book(duties="新的职责"), until="#plan")
    looked_at("plan")
    assert not Unit.objects.filter(duties="新的职责").exists()
    apply = page.locator("form[action$='/apply/'] button.primary")
    apply.focus()
    page.keyboard.press("Enter")
    page.locator("#plan").wait_for(state="detached")
    assert Unit.objects.filter(duties="新的职责").count() == 1
    cases_of_another_system(page, served, looked_at)
    assert page.faults == []


def cases_of_another_system(page: Any, served: Any, looked_at: Callable[[str], None]) -> None:
    """From the same seat: a file is uploaded, matched, tried and imported, without a mouse."""
    def press(button: str, *, until: str) -> None:
        page.locator(button).first.focus()
        page.keyboard.press("Enter")
        page.locator(until).first.wait_for()

    page.goto(f"{served.url}/desk/imports/")
    looked_at("imports")
    page.set_input_files("#file", {"name": "旧热线.csv", "mimeType": "text/csv", "buffer": OLD.encode("gb18030")})
    page.fill("#system", "old")
    press("form[enctype] button.primary", until="#column-words")
    looked_at("matching")
    matched = page.locator(".desk-blocks")
    assert matched.evaluate("table => table.parentElement.scrollWidth <= table.parentElement.clientWidth")
    if page.viewport_size["width"] == 360:  # a field stands above its column, not beside it
        widths = matched.locator("select").evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
        assert min(widths) >= 200
    press("button[formaction$='/do/try/']", until="#import-state")
    looked_at("running")
    one = CaseImport.objects.latest("at")
    casefiles.run(one.pk, language="en")
    page.locator("#result").wait_for()  # the page looks again by itself
    looked_at("tried")
    press("button.primary[formaction$='/do/run/']", until="#import-state")
    casefiles.run(one.pk, language="en")
    page.locator("#result").wait_for()
    assert Case.objects.filter(source_system="old").values_list("words", flat=True).get() == "洞庭大道路灯三天不亮，晚上很黑。"
