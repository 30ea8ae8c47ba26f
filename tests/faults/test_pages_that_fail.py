"""The database is away, or we have made a mistake: a page in plain words with what was typed, and never a trace."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from lianxin.cases.models import Case
from lianxin.kernel.clock import Frozen
from tests.desk.conftest import SignIn
from tests.portal.way import KEY, send
from tests.world import World

pytestmark = pytest.mark.django_db

FAULTS = [(OperationalError("server closed the connection unexpectedly"), 503), (RuntimeError("secret detail"), 500)]
TRACE = ("Traceback", "secret detail", "server closed", "OperationalError", "RuntimeError", "/src/lianxin/")


def failing(fault: Exception) -> Any:
    def fail(*_args: object, **_more: object) -> None:
        raise fault

    return fail


@pytest.mark.parametrize(("fault", "status"), FAULTS)
def test_a_resident_keeps_the_words_and_sends_them_again_once(world: World, monkeypatch: pytest.MonkeyPatch, fault: Exception,
                                                              status: int) -> None:
    client = Client(raise_request_exception=False)
    with monkeypatch.context() as patch:
        patch.setattr("lianxin.portal.views.say.register", failing(fault))
        page = send(client, words="桥头路灯三天不亮了。", place_text="桥头路口")
    text = page.content.decode()
    assert page.status_code == status
    assert "桥头路灯三天不亮了。" in text
    assert KEY in text, "the same form again, so that it counts once"
    assert not any(word in text for word in TRACE)
    assert Case.objects.count() == 0
    assert send(client, words="桥头路灯三天不亮了。", place_text="桥头路口").status_code == 302
    assert send(client, words="桥头路灯三天不亮了。", place_text="桥头路口").status_code == 302
    assert Case.objects.count() == 1


@pytest.mark.parametrize(("fault", "status"), FAULTS)
def test_a_clerk_keeps_the_answer(world: World, as_: SignIn, monday: Frozen, monkeypatch: pytest.MonkeyPatch, fault: Exception,
                                  status: int) -> None:
    case_id = world.accepted()
    client = as_("dispatcher")
    client.raise_request_exception = False
    sent = {"lead_unit": "housing", "note": "两家一起去看。", "version": "2", "submission": "s" * 20}
    with monkeypatch.context() as patch:
        patch.setitem(__import__("lianxin.desk.views.case", fromlist=["x"]).EVERY_ACTION, "dispatch", failing(fault))
        page = client.post(reverse("desk:act", args=[case_id, "dispatch"]), sent)
    text = page.content.decode()
    assert page.status_code == status
    assert "两家一起去看。" in text
    assert not any(word in text for word in TRACE)
    assert Case.objects.get(pk=case_id).state == "accepted"
    for _ in range(2):
        assert client.post(reverse("desk:act", args=[case_id, "dispatch"]), sent).status_code == 302
    case = Case.objects.get(pk=case_id)
    assert (case.state, case.version) == ("dispatched", 3)
