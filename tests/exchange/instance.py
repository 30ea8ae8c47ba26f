"""One whole installation for the test of two: its city, its system for the other one, and what its people do. Run as a program it
serves itself and does what it is told, a line of JSON each."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any
from uuid import UUID
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

NOISE = "010102"


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args: Any) -> None:
        return


class Threaded(WSGIServer):
    """A thread for each request, as any real server has."""

    def process_request(self, request: Any, client_address: Any) -> None:
        threading.Thread(target=self._one, args=(request, client_address), daemon=True).start()

    def _one(self, request: Any, client_address: Any) -> None:
        from django.db import connections

        try:
            self.finish_request(request, client_address)
        finally:
            self.shutdown_request(request)
            connections.close_all()


class Instance:
    """What the people of one city do. Every method takes and gives plain data."""

    def __init__(self) -> None:
        from tests.world import World

        self.world = World.make()

    def key(self) -> str:
        """An api_key for the other city's platform."""
        from lianxin.open311 import keys

        return keys.new("neighbour").secret

    def join(self, url: str, key: str) -> list[str]:
        """The other platform is the system of the urban management bureau. Returns the services it offers."""
        from lianxin.exchange import mapping, systems

        system = systems.save(None, "neighbour", name="邻市平台", url=f"{url}/open311/v2", unit="urban", key=key, idempotent=True)
        found = [one.code for one in systems.discover(system)]
        mapping.set_mapping(self.world.actor("supervisor"), system, value=NOISE, to=NOISE, inbound=False)
        return found

    def dispatch(self, words: str) -> str:
        from lianxin.cases import actions as a

        case_id = self.world.case(words=words, lon=113.1, lat=29.1)
        a.accept(self.world.on(case_id, "operator"), category=NOISE)
        a.dispatch(self.world.on(case_id, "dispatcher"), lead_unit="urban")
        a.sign(self.world.on(case_id, "urban"))
        return str(case_id)

    def deliver(self) -> int:
        from lianxin.exchange.sending import Letters
        from lianxin.kernel.sending import drain

        return drain(Letters())

    def ask(self) -> None:
        from lianxin.exchange import polling
        from lianxin.exchange.models import System

        polling.settle(System.objects.get())

    def arrived(self) -> list[dict[str, Any]]:
        """Cases that came over Open311."""
        from lianxin.cases.models import Case

        rows = Case.objects.filter(channel="open311").order_by("id").select_related("category", "reporter")
        return [{"id": str(case.pk), "words": case.words, "category": case.category.code if case.category else "",
                 "position": [case.lon, case.lat], "reporter": case.reporter is not None} for case in rows]

    def handle(self, case_id: str, answer: str) -> str:
        """Take a case through to its end: another unit answers, review and the call back agree."""
        from lianxin.cases import actions as a
        from lianxin.cases.models import Case
        from lianxin.quality import actions as q

        pk, on = UUID(case_id), self.world.on
        a.accept(on(pk, "operator"), category=NOISE)
        a.dispatch(on(pk, "dispatcher"), lead_unit="housing")
        a.sign(on(pk, "housing"))
        a.reply(on(pk, "housing"), public_answer=answer, solved=True, means="not_left")
        q.approve(on(pk, "reviewer"))
        q.record_callback_attempt(on(pk, "callback"), outcome="reached", truthful=True, solved=True, satisfaction="satisfied")
        if Case.objects.get(pk=pk).state != "closed":
            q.close(on(pk, "callback"), explanation="已解决。")
        return Case.objects.get(pk=pk).state

    def add(self, case_id: str, words: str) -> None:
        from lianxin.cases import actions as a

        a.add_information(self.world.on(UUID(case_id), "operator"), words=words)

    def told(self, case_id: str) -> dict[str, Any]:
        """How a case stands here, what was noted of the other platform, and the reply that is prepared."""
        from lianxin.cases.models import Case, Event, EventText
        from lianxin.exchange import hearing
        from lianxin.exchange.models import Link

        pk = UUID(case_id)
        link = Link.objects.filter(case_id=pk).first()
        return {"state": Case.objects.get(pk=pk).state, "proposal": hearing.proposal_of(link) if link else "",
                "theirs": link.theirs if link else "",
                "stages": [one.data["stage"] for one in Event.objects.filter(case_id=pk, action="note_outside").order_by("id")],
                "words": list(EventText.objects.filter(case_id=pk, field="words").order_by("event_id").values_list("body", flat=True))}

    def differences(self) -> list[str]:
        from lianxin.exchange import reconciling
        from lianxin.exchange.models import System

        return [one.fault for one in reconciling.reconcile(System.objects.get())]


def _tell(said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def main() -> None:
    import django

    django.setup()
    from django.core.handlers.wsgi import WSGIHandler

    instance = Instance()
    server = make_server("127.0.0.1", 0, WSGIHandler(), server_class=Threaded, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    _tell(f"http://127.0.0.1:{server.server_address[1]}")
    for line in sys.stdin:
        name, *values = json.loads(line)
        _tell(getattr(instance, name)(*values))
    server.shutdown()


if __name__ == "__main__":
    main()
