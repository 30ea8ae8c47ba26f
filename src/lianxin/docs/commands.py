"""docs/reference/commands.md: `./run` and every command of ours, from their own parsers."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from importlib.util import find_spec

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from .markdown import code, codes, page, table
from .settings import CHECKOUT, PACKAGE

# What an installation needs of the frameworks' own commands.
BORROWED = {
    "createcachetable": "Make the table in which counts of how often an address acts are kept.",
    "collectstatic": "Put every static file into `var/static`, hashed and compressed (`./run` does it by itself).",
    "changepassword": "Set the password of one person: `changepassword USERNAME`.",
    "procrastinate": "The job queue: `procrastinate worker` works it off, `procrastinate healthchecks` looks at it.",
    "clearsessions": "Delete expired sign-ins.",
    "check": "Let Django look for faults in the set-up; `--deploy` looks at what a public installation needs.",
    "dbshell": "PostgreSQL's own shell on the installation's database (needs `psql`).",
}
_BASE = frozenset(action.dest for action in BaseCommand().create_parser("lianxin", "x")._actions)


def ours() -> dict[str, BaseCommand]:
    """Our commands by name."""
    found: dict[str, BaseCommand] = {}
    for name, app in sorted(get_commands().items()):
        if isinstance(app, str) and app.startswith("lianxin."):
            found[name] = load_command_class(app, name)
    if "bench" not in found and find_spec("lianxin.bench.management.commands.bench"):
        found["bench"] = load_command_class("lianxin.bench", "bench")
    return dict(sorted(found.items()))


def parser_of(name: str, command: BaseCommand) -> argparse.ArgumentParser:
    return command.create_parser("lianxin", name)


def _arguments(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str, str]]:
    """Name, what it takes, and its help; for sub-commands, their own arguments too."""
    for action in parser._actions:
        if action.dest in _BASE or isinstance(action, argparse._HelpAction):
            continue
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                yield code(name), "", next((str(c.help) for c in action._choices_actions if c.dest == name), "")
                for inner, takes, told in _arguments(sub):
                    yield f"{code(name)} {inner}", takes, told
            continue
        shown = codes(action.option_strings) or code(str(action.metavar or action.dest))
        if action.choices is not None:
            takes = codes(action.choices)
        elif action.nargs == 0:
            takes = ""
        elif action.option_strings:
            takes = code(str(action.metavar or action.dest.upper()))
        else:
            takes = ""
        told = str(action.help or "")
        if action.nargs != 0 and action.default not in (None, "", argparse.SUPPRESS, []) and "default" not in told:
            told += f" (default {action.default})"
        if action.required and action.option_strings:
            told += " (required)"
        yield shown, takes, told.strip()


def _summary(command: BaseCommand) -> str:
    return str(command.help).strip()


def usage_of_run() -> str:
    """The usage text of the entry script."""
    source = (CHECKOUT / "run").read_text(encoding="utf-8")
    found = re.search(r'USAGE = """(.*?)"""', source, re.DOTALL)
    if found is None:
        raise AssertionError("run has no USAGE")
    return found[1].strip()


def _demo() -> str:
    """The demo's own options, read from its source: its parser belongs to the process that serves."""
    source = (PACKAGE / "demo" / "supervisor.py").read_text(encoding="utf-8")
    rows = []
    for name, rest in re.findall(r'parser\.add_argument\("(--[a-z-]+)"((?:[^()]|\([^()]*\))*)\)', source):
        told = re.search(r'help="([^"]*)"', rest)
        default = re.search(r"default=([^,]+)", rest)
        takes = "" if "store_true" in rest else code(name.lstrip("-").upper())
        words = told[1] if told else ""
        if default and "default" not in words:
            words = f"{words} (default {default[1].strip(chr(34))})".strip()
        rows.append((code(name), takes, words))
    return table(("option", "takes", ""), rows)


def render() -> str:
    parts = [
        "Two ways to the same commands: `./run lianxin …` prepares the environment first and works in a checkout; "
        "`lianxin …` is the program inside that environment (`var/env/bin/lianxin`) or wherever the package is "
        "installed. A command that needs the database starts the embedded server for as long as it runs, unless one "
        "serves already or `LIANXIN_DATABASE_URL` names another.",
        "`lianxin --data DIR COMMAND` works on the installation in that data directory. `lianxin --help` lists all "
        "commands, `lianxin COMMAND --help` explains one.",
        "## ./run", "```text\n" + usage_of_run() + "\n```", "### ./run demo", _demo(),
        "Ready when `/readyz` answers 200. `demo.json` in the data directory holds the address, the accounts and their API "
        "tokens. Ctrl-C stops everything the demo started.",
        "## Commands",
    ]
    for name, command in ours().items():
        rows = list(_arguments(parser_of(name, command)))
        parts += [f"### lianxin {name}", _summary(command)]
        if rows:
            parts.append(table(("argument", "takes", ""), rows))
    parts += ["## Commands of Django and of the job queue",
              "These come with what the platform stands on; an installation needs them.",
              table(("command", ""), ((code(name), told) for name, told in BORROWED.items()))]
    return page("Commands", "the commands' own parsers", *parts)
