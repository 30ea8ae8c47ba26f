"""The command `lianxin`: every management command, with the embedded database served while one runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# What works without a database, so that none is started for it.
WITHOUT_DATABASE = frozenset({
    "help", "version", "collectstatic", "findstatic", "makemessages", "compilemessages", "makemigrations", "devdb",
    "diffsettings", "bench", "places", "messages",
    "docs", "screenshots", "switch_double", "check_migrations",
})
# Parts of `triage` that read and write files only.
TRIAGE_ON_FILES = frozenset({"train", "eval", "ablate", "hot", "measure", "measure-pairs"})
# Commands that speak to a person: in Chinese where the shell does, else in English. What others write down (texts in
# the database, reference pages) is in the city's language whoever runs them.
SPEAKING = frozenset({
    "analysis", "backup", "build", "check_migrations", "deliver", "doctor", "exchange", "export", "export_catalogue", "import",
    "linkage", "lists", "load", "open311", "restore",
    "recompute_due_times", "rotate_keys", "triage",
})


def _speak() -> None:
    from django.utils.translation import activate

    locale = next((said for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (said := os.environ.get(name))), "")
    taiwan = locale.replace("-", "_").lower().startswith(("zh_tw", "zh_hk", "zh_mo"))
    activate("zh-hant" if taiwan else "zh-hans" if locale.startswith("zh") else "en")


def _help() -> None:
    from django.core.management import get_commands, load_command_class

    print("lianxin [--data DIR] COMMAND [...]      lianxin COMMAND --help\n")
    for name, app in sorted(get_commands().items()):
        if app.startswith("lianxin."):
            summary = str(load_command_class(app, name).help).strip().split("\n")[0]
            print(f"  {name:<20} {summary}")
    print("\n  demo                 ./run demo serves a city to try")
    others = sorted(name for name, app in get_commands().items() if not app.startswith("lianxin."))
    print("\nDjango: " + " ".join(others))


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] == ["--data"] and len(arguments) > 1:
        os.environ["LIANXIN_DATA"] = str(Path(arguments[1]).resolve())
        arguments = arguments[2:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lianxin.config.settings")
    if arguments[:1] == ["demo"]:
        from lianxin.demo import supervisor

        return supervisor.main(arguments[1:])

    import django
    from django.conf import settings
    from django.core.management import execute_from_command_line

    from lianxin.kernel.starting import kept

    with kept():
        django.setup()
    if not arguments or (arguments[0] in ("--help", "-h", "help") and len(arguments) == 1):
        _help()
        return 0
    own = None
    on_files = arguments[0] == "triage" and not TRIAGE_ON_FILES.isdisjoint(arguments[1:2]) and "--cases" not in arguments
    on_files = on_files or arguments[:2] in (["linkage", "check"], ["open311", "check"])
    wants_database = arguments[0] not in WITHOUT_DATABASE and not on_files and not {"--help", "-h"} & set(arguments)
    if wants_database and not settings.LIANXIN_DATABASE_URL:
        from lianxin.embedded.server import EmbeddedServer

        server = EmbeddedServer(settings.DATA)
        if not server.serving():
            server.start()
            own = server
    if arguments[0] in SPEAKING:
        _speak()
    try:
        execute_from_command_line(["lianxin", *arguments])
    finally:
        if own is not None:
            from django.db import connections

            connections.close_all()
            own.stop()
    return 0
