"""What an installation says of itself, to be compared with what another says: run as a program, or called."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import datetime
from typing import Any


def facts() -> dict[str, Any]:
    """Figures, events, rebuilt states, identities and files, as plain values."""
    from django.core.files.storage import default_storage

    from lianxin.analysis import facts as kept
    from lianxin.analysis.assemble import report
    from lianxin.analysis.figures import Period
    from lianxin.cases.actions.identity import open_identity
    from lianxin.cases.models import Case, Event, EventText, Reporter
    from lianxin.cases.rebuild import differences
    from lianxin.kernel import clock
    from lianxin.operations.backup import stored

    with clock.frozen(datetime.fromisoformat("2026-12-01T10:00:00+08:00")):
        kept.refresh(whole=True)
        made = report(Period.of("2026-11"))
    files = {}
    for name in stored():
        with default_storage.open(name, "rb") as file:
            files[name] = hashlib.sha256(file.read()).hexdigest()
    return json.loads(json.dumps({
        "figures": {code: [one.numerator, one.denominator] for code, one in made.figures.items()},
        "registered": made.registered,
        "events": [list(map(str, row)) for row in Event.objects.order_by("id").values_list(
            "id", "case_id", "action", "at", "changes", "data")],
        "texts": [list(map(str, row)) for row in EventText.objects.order_by("event_id", "field").values_list(
            "event_id", "field", "body")],
        "cases": [list(map(str, row)) for row in Case.objects.order_by("number").values_list(
            "number", "state", "due_at", "words", "version")],
        "differences": [said for key in Case.objects.values_list("pk", flat=True) for said in differences(key)],
        "identities": sorted([str(one.pk), open_identity(one).name, open_identity(one).phone] for one in Reporter.objects.all()),
        "files": files,
    }))


if __name__ == "__main__":
    import django

    django.setup()
    json.dump(facts(), sys.stdout)
