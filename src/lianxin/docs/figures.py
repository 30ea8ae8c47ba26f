"""docs/reference/figures.md: every figure with what it counts, and the facts it is counted from."""

from __future__ import annotations

from lianxin.analysis.control import LEAST, RUN
from lianxin.analysis.facts_sql import EXPRESSIONS
from lianxin.analysis.models import Episode
from lianxin.analysis.rates import DEFINITIONS

from .markdown import code, page, table

# What each name of `counting.measures` counts.
COUNTED = {
    "due": "episodes whose callback fell due in the period",
    "contacted_in_time": "of them, the first-contact clock met by its due time",
    "reached": "of them, the reporter was reached by a callback, rated by themselves, or contested the closing",
    "solved": "of those, their last word was that it is solved",
    "rated": "of them, the reporter said how satisfied they are",
    "satisfied": "of those, satisfied or basically satisfied in their last word on it",
    "unreached": "of them, nobody reached the reporter and they did not rate",
    "sign_for_owed": "of them, some unit was dispatched to",
    "sign_for_in_time": "of those, the last lead unit signed by its due time",
    "first_contact_owed": "of them, a first contact was owed",
    "first_contact_in_time": "of those, the clock ended by its due time",
    "resolve_owed": "of them, a resolution was owed",
    "resolve_in_time": "of those, the clock ended by its due time",
    "rulings_owed": "rulings on returns in them that have ended",
    "rulings_in_time": "of those, by their due time",
    "callback_in_time": "of them, the callback clock ended by its due time",
    "first_dispatched": "of them, first rounds that were dispatched",
    "first_dispatch_stood": "of those, the first lead unit kept the case for the round",
    "reopened": "of them, a later round followed",
    "returns": "returns raised in them",
    "reworks": "replies that review sent back in them, and reopenings after them",
    "against_catalogue": "dispatches in them to another lead unit than the catalogue's",
    "pauses": "pauses in them",
    "extensions": "extensions granted in them",
}


def _better(which: str) -> str:
    return "" if which == "neither" else which


def render() -> str:
    figures = table(
        ["figure", "", "numerator", "denominator", "kind", "better"],
        [[code(one.code), one.label, COUNTED[one.numerator], COUNTED[one.denominator], one.kind.value, _better(one.better)]
         for one in DEFINITIONS.values()],
    )
    columns = table(
        ["column", "type", "made of"],
        [[code(name), Episode._meta.get_field(name).get_internal_type().removesuffix("Field"), code(made)]
         for name, made in EXPRESSIONS.items()],
    )
    return page(
        "Figures", "analysis/rates.py and analysis/facts_sql.py",
        "What they mean and how to check them: [how the rates are computed](../explanation/rates.md).",
        "## Figures\n\nAll are over the same episodes. An episode is one round of one case; a merged reporter's case has its own. "
        "A proportion has Wilson's 95 % interval, a count for each episode the exact Poisson one.\n\n" + figures,
        f"## Control limits\n\nCentre ± 3 σ with each period's own denominator, p chart for proportions and u chart for counts. "
        f"Something happened where a point is outside, or {RUN} in a row are on one side of the centre. No limits with fewer than "
        f"{LEAST} periods; one over small numbers (`LIANXIN_SMALL_NUMBERS`) takes no part.",
        "## Facts\n\nThe columns of `analysis_episode` and of the exported Parquet files. `c` is the case, `r` its round, the other "
        "names the parts of the query in `analysis/facts_sql.py`.\n\n" + columns,
    )
