"""Articles over the API: found, read, reported, and named in an answer on the spot."""

from __future__ import annotations

from typing import Any

import pytest

from lianxin.api.articles import ArticleReport, ArticleRow, Articles
from lianxin.kernel.clock import Frozen
from lianxin.knowledge.models import Report, Use
from tests.api.conftest import Machine, token
from tests.api.conftest import machines as machines
from tests.api.test_actions import ok
from tests.knowledge.made import article
from tests.world import World

pytestmark = pytest.mark.django_db


def test_found_and_read(world: World, machines: Any, monday: Frozen) -> None:
    article("card", "居住证怎么办", "到派出所办理。", unit=world.units["urban"], category=world.categories["010103"])
    article("inside", "居住证内部口径", public=False)
    everyone = Articles.model_validate(ok(Machine().get("/articles")))
    assert [one.code for one in everyone.items] == ["card"]
    found = Articles.model_validate(ok(Machine().get("/articles?q=居住证办理")))
    assert [(one.version, one.words) for one in found.items] == [("card@1", ["居住证", "办理"])]
    staff = Articles.model_validate(ok(machines("operator").get("/articles?q=居住证")))
    assert {one.code for one in staff.items} == {"card", "inside"}
    one = ArticleRow.model_validate(ok(Machine().get("/articles/card")))
    assert (one.unit and one.unit.code, one.category and one.category.code) == ("urban", "010103")
    assert Machine().get("/articles/inside").status_code == 404
    assert machines("operator").get("/articles/inside").status_code == 200
    assert Machine().get("/articles?limit=0").status_code == 422
    # A token that is wrong is no reason to refuse what is public.
    wrong = Articles.model_validate(ok(Machine("lx_wrong").get("/articles")))
    assert [one.code for one in wrong.items] == ["card"]


def test_reported_once(world: World, machines: Any, monday: Frozen) -> None:
    article("card", "居住证怎么办", unit=world.units["urban"])
    said = {"fault": "wrong", "words": "地址不对"}
    assert Machine().post("/articles/card/reports", said).status_code == 401
    assert Machine(token(world, "operator", "read")).post("/articles/card/reports", said).status_code == 403
    machine = machines("operator")
    for _again in range(2):
        made = ArticleReport.model_validate(machine.post("/articles/card/reports", said, Idempotency_Key="one").json())
    assert (made.unit.code, Report.objects.count()) == ("urban", 1)
    other = machine.post("/articles/card/reports", said | {"words": "电话不对"}, Idempotency_Key="one")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused"), "another report is not taken for the first"
    assert machine.post("/articles/none/reports", said).status_code == 404
    assert machine.post("/articles/card/reports", said | {"fault": "x"}).status_code == 422


def test_an_answer_names_its_article(world: World, machines: Any, monday: Frozen) -> None:
    article("card", "居住证怎么办")
    case = world.accepted("010103")
    done = machines("operator").post(f"/cases/{case}/actions/answer_on_the_spot", {
        "public_answer": "到派出所办理。", "article": "card@1"})
    assert done.status_code in (200, 201), done.content
    assert Use.objects.get().version.article.code == "card"
