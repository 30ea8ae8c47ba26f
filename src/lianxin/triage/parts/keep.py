"""`triage keep MODEL`: take a model file that was trained elsewhere in as the next version."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import OutputWrapper
from django.utils.translation import gettext as _

HELP: Final = "take a trained model file in as the next version"


def add(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="MODEL", help="as `triage train` wrote it")
    parser.add_argument("--source", default="", metavar="WORDS", help="what it was trained on, for the list")
    parser.add_argument("--use", action="store_true", help="put it in force at once")


def run(options: dict[str, Any], out: OutputWrapper) -> None:
    from lianxin.triage import store

    model = store.keep(options["file"], source=options["source"] or options["file"].name)
    if options["use"]:
        model = store.put_in_force(model.number)
    out.write(_("第 %(number)d 版，在用。") % {"number": model.number} if model.in_force else
              _("第 %(number)d 版，还没有用上。") % {"number": model.number})
