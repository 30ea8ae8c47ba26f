"""One version of the program as a process of its own, told what to do line by line: `test_upgrade.py` runs two of them side by side.

It is run by its path with the version's own `src` and `tests` on the path, so it imports nothing that the older one may lack.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def migrate(_said: dict[str, Any]) -> Any:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    return "done"


def fill(_said: dict[str, Any]) -> Any:
    """A small city with cases; tokens and the ids of the cases."""
    from lianxin.organisations.models import ApiToken, token_digest
    from tests.world import World

    world = World.make()
    tokens = {}
    for name in ("operator", "dispatcher"):
        tokens[name] = f"lx_{name}"
        ApiToken.objects.create(
            name=name, staff=world.staff[name], unit=world.staff[name].unit, digest=token_digest(tokens[name]), scopes=["*"])
    return {"tokens": tokens, "cases": [str(world.case(name="王小明", phone="13812342201")), str(world.accepted())]}


def ask(said: dict[str, Any]) -> Any:
    """One request as this version answers it: signed in as `user`, or with a token."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client(raise_request_exception=False)
    if said.get("user"):
        client.force_login(get_user_model().objects.get(username=said["user"]), backend="django.contrib.auth.backends.ModelBackend")
    headers = {"Authorization": f"Bearer {said['token']}"} if said.get("token") else {}
    if "body" in said:
        answer = client.post(said["path"], json.dumps(said["body"]), content_type="application/json", headers=headers)
    else:
        answer = client.get(said["path"], headers=headers)
    kind = answer.headers.get("Content-Type", "")
    return {"status": answer.status_code, "body": json.loads(answer.content) if "json" in kind else None}


def work(_said: dict[str, Any]) -> Any:
    """Work off what waits; how many jobs failed."""
    from django.db import connection
    from procrastinate.contrib.django import app

    with app.replace_connector(app.connector.get_worker_connector()) as working:  # type: ignore[attr-defined]
        working.run_worker(wait=False, install_signal_handlers=False, queues=["messages"], listen_notify=False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FILTER (WHERE status = 'succeeded'), count(*) FILTER (WHERE status = 'failed' OR attempts > 1) "
                       "FROM procrastinate_jobs WHERE queue_name = 'messages'")
        return list(cursor.fetchone())


def rebuilt(_said: dict[str, Any]) -> Any:
    from lianxin.cases.models import Case
    from lianxin.cases.rebuild import differences

    return [said for key in Case.objects.values_list("pk", flat=True) for said in differences(key)]


def main() -> None:
    import django

    django.setup()
    doing = {"migrate": migrate, "fill": fill, "ask": ask, "work": work, "rebuilt": rebuilt}
    for line in sys.stdin:
        said = json.loads(line)
        sys.stdout.write(json.dumps(doing[said["do"]](said)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
