"""docs/reference/field-sync.md: every curl line runs, as a reader would run it, and the tables name what there is."""

from __future__ import annotations

import base64
import json
import re
import shlex
import uuid
from pathlib import Path
from typing import Any

import pytest

from lianxin.cases.models import Attachment, Case
from lianxin.fieldwork import registry
from lianxin.fieldwork.models import Receipt
from lianxin.kernel.clock import Frozen
from tests.api.conftest import Machine
from tests.api.test_field import telephone
from tests.files.samples import photo
from tests.world import World

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "field-sync.md").read_text(encoding="utf-8")
PHOTO = photo()


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    return [line for block in blocks for line in re.sub(r"\\\n\s*", " ", block).splitlines() if line.startswith("curl")]


def run(line: str) -> Any:
    method, url, body, headers = "GET", "", b"", {}
    rest = iter(shlex.split(line)[1:])
    for word in rest:
        match word:
            case "-s":
                continue
            case "-I":
                method = "HEAD"
            case "-X":
                method = next(rest)
            case "-H":
                name, _colon, value = next(rest).partition(": ")
                headers[name] = value
            case "-d":
                body, method = next(rest).encode(), "POST"
            case "--data-binary":
                assert next(rest) == "@photo.jpg"
                body = PHOTO
            case _:
                url = word
    return Machine().send(method, url, body, **headers)


@pytest.mark.django_db
def test_the_examples_run(world: World, monday: Frozen, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"
    upload = str(uuid.uuid4())
    known = {"$BASE": "", "$SECRET": telephone(world)[1].secret, "$SIZE": str(len(PHOTO)), "$ID": upload,
             "$ID_IN_BASE64": base64.b64encode(upload.encode()).decode()}
    statuses: list[str] = []
    lines = commands()
    assert len(lines) == 8
    for line in lines:
        for name, value in sorted(known.items(), key=lambda pair: -len(pair[0])):
            line = line.replace(name, value)
        answer = run(line)
        assert 200 <= answer.status_code < 300, (line, answer.content)
        if answer.content:
            said = json.loads(answer.content)
            known["$CURSOR"] = said.get("cursor", known.get("$CURSOR", ""))
            statuses += [one["status"] for one in said.get("results", [])]
    assert statuses == ["accepted", "refused", "accepted", "accepted"]
    assert (Case.objects.count(), Receipt.objects.count()) == (2, 4)
    assert Attachment.objects.get().case_id is not None


def test_the_page_names_every_kind_and_section() -> None:
    for name in registry.KINDS:
        assert f"`{name}`" in PAGE, name
    for name in registry.SECTIONS:
        assert f"`{name}`" in PAGE or name.startswith("tasks."), name
