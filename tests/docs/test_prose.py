"""What is written by hand: links lead somewhere, commands and settings exist, decisions are whole, words are the product's."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from lianxin.docs import commands, settings
from tests.docs.prose import ROOT, anchors, blocks, files, links, name_of, without_blocks

PAGES = files()
ADR = ROOT / "docs" / "explanation" / "adr"
# Words of the making rather than of the product, and the absolute paths a page may name: a city's and the addresses.
FORBIDDEN = (r"\bTODO\b", r"\bFIXME\b", r"\bXXX\b", r"\blorem ipsum\b",
             r"(?<!user[- ])(?<!call,)(?<!`)(?<!unique )\bagents?\b", r"\blanguage model\b")
SYSTEM = {"opt", "srv", "etc", "usr", "var", "run", "backup", "elsewhere"}
ADDRESSES = {"api", "desk", "accounts", "field", "places", "cases", "areas", "public", "attachments", "mine", "say", "track", "tracking",
             "campaigns", "catalogue", "help", "hot", "articles", "grids", "missed-calls", "notices", "returns", "supervision",
             "telephony", "live", "linkage", "feeds", "follow", "webhooks", "hooks", "data", "open311", "ogc",
             "tiles", "collections", "conf", "scim", "area",
             "performance", "embed", "city"}
IMAGES = ROOT / "docs" / "images"


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_and_pictures_exist(path: Path) -> None:
    broken = []
    for link in links(path):
        if re.match(r"[a-z]+:", link.target):
            continue
        target, _mark, anchor = link.target.partition("#")
        where = (path.parent / target).resolve() if target else path
        if not where.exists() or ROOT not in [where, *where.parents] or (anchor and where.suffix == ".md" and anchor not in anchors(where)):
            broken.append(link.target)
        elif link.image and not link.words.strip():
            broken.append(f"{link.target} (a picture without words)")
    assert broken == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_page_speaks_of_the_product_only(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = [match[0] for pattern in FORBIDDEN for match in re.finditer(pattern, text, re.IGNORECASE)]
    found += [match[0] for match in re.finditer(r"(?<![\w.:/$…}>~-])/([a-z][\w.-]*)/", text)
              if match[1] not in SYSTEM | ADDRESSES]
    assert found == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_settings_a_page_names_exist(path: Path) -> None:
    named = set(re.findall(r"LIANXIN_[A-Z0-9_]+[A-Z0-9]", path.read_text(encoding="utf-8")))
    assert named - settings.documented() == set()


def _commands(path: Path) -> list[tuple[int, list[str]]]:
    """Lines that call `./run` or `lianxin`, in blocks and in backticks, cut into words."""
    text = path.read_text(encoding="utf-8")
    lines = [(block.line, line) for block in blocks(path) if block.language in ("sh", "console", "bash")
             for line in block.body.splitlines()]
    lines += [(0, span) for span in re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))]
    found = []
    for number, line in lines:
        line = line.replace("-u lianxin", "")  # the user of that name
        match = re.search(r"(?:^|[\s;&(/])(\./run|lianxin)\s+([^;&|'\"#)]*)", " " + line.removeprefix("$ "))
        if match and (match[1] == "./run" or re.match(r"(--data\s+\S+\s+)?[a-z_]+(\s|$)", match[2])):
            found.append((number, [match[1], *match[2].split()]))
    return found


def _options(parser: argparse.ArgumentParser) -> set[str]:
    """Options of a command, and of what is below it."""
    found = {option for action in parser._actions for option in action.option_strings}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found = found.union(*(_options(sub) for sub in action.choices.values()))
    return found


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_commands_a_page_shows_exist(path: Path) -> None:
    known = get_commands()
    faults = []
    for line, said in _commands(path):
        words = said[1:]
        if said[0] == "./run":
            if not words or words[0] == "…":
                continue
            if words[0] not in ("demo", "test", "bench", "lianxin"):
                faults.append((line, " ".join(said)))
                continue
            if words[0] == "demo":
                wrong = [w for w in words if w.startswith("--") and f"`{w}`" not in commands._demo()]
                faults += [(line, " ".join(said))] if wrong else []
            if words[0] != "lianxin":
                continue
            words = words[1:]
        if words[:1] == ["--data"]:
            words = words[2:]
        if not words or words[0].startswith(("…", "--", "COMMAND")) or words[0] == "demo":
            continue
        if words[0] not in known:
            faults.append((line, " ".join(said)))
            continue
        app = known[words[0]]
        command = load_command_class(app, words[0]) if isinstance(app, str) else app
        parser = command.create_parser("lianxin", words[0])
        options = _options(parser)
        if any(w.startswith("--") and w.split("=")[0] not in options for w in words):
            faults.append((line, " ".join(said)))
    assert faults == []


def test_the_two_commands_of_the_readme_are_those_of_run() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in ("./run demo", "./run test"):
        assert f"$ {command}\n" in readme
        assert command in commands.usage_of_run()


def test_decisions_are_numbered_whole_and_in_the_index() -> None:
    pages = sorted(path for path in ADR.glob("*.md") if path.name != "index.md")
    assert [int(path.name[:4]) for path in pages] == list(range(1, len(pages) + 1))
    index = (ADR / "index.md").read_text(encoding="utf-8")
    for path in pages:
        text = path.read_text(encoding="utf-8")
        title = text.splitlines()[0].removeprefix(f"# {path.name[:4]}. ")
        assert f"| {path.name[:4]} | [{title}]({path.name}) |" in index
        parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences"], path.name
        assert "Status: accepted" in text or "Status: superseded" in text
        assert len(text.split()) < 700, f"{path.name}: one page"


def test_every_page_is_reached_from_the_index() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md", ROOT / "docs" / "index.md"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for link in links(path):
            target = (path.parent / link.target.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists():
                waiting.append(target)
    assert [name_of(path) for path in PAGES if path not in seen] == []


def test_pictures_are_small_and_all_are_shown() -> None:
    pictures = sorted(path for path in IMAGES.rglob("*") if path.is_file())
    shown = {(path.parent / link.target).resolve() for path in PAGES for link in links(path) if link.image}
    assert [path.name for path in pictures if path not in shown] == []
    assert sum(path.stat().st_size for path in pictures) < 3_000_000
    assert pictures, "the documentation shows the screens"


@pytest.mark.parametrize("path", [p for p in PAGES if "tutorial" in p.parts or p.name == "README.zh.md"], ids=name_of)
def test_labels_in_bold_are_on_the_screens(path: Path) -> None:
    """In the tutorial, Chinese in bold is what a button, field or heading says: it must be in the source."""
    source = "".join(
        file.read_text(encoding="utf-8") for kind in ("*.html", "*.py") for file in sorted((ROOT / "src").rglob(kind))
    ) + "".join(file.read_text(encoding="utf-8") for file in (ROOT / "cities" / "yueyang").rglob("*.csv"))
    labels = re.findall(r"\*\*([^*\n]*[\u4e00-\u9fff][^*\n]*)\*\*", without_blocks(path.read_text(encoding="utf-8")))
    assert labels
    assert [label for label in labels if label.strip() not in source] == []
