"""docs/reference/city-export.md: the format of a city's export, its tables from the models."""

from __future__ import annotations

from django.apps import apps

from lianxin.transfer.contents import FAMILIES
from lianxin.transfer.importing import MANY
from lianxin.transfer.manifest import FORMAT, FORMAT_VERSION
from lianxin.transfer.tables import JOBS, LEFT_OUT, OF_THE_MOMENT, ORDER, tables

from .markdown import code, codes, page, sentence, table


def _tables() -> str:
    models = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
    rows = []
    for number, one in enumerate(tables(), start=1):
        model = models[one.name]
        words = sentence(model) if model.__doc__ and not model.__doc__.startswith(model.__name__ + "(") else ""
        shown = code(one.name) if one.name == JOBS or not model.__module__.startswith("lianxin.") else \
            f"[{code(one.name)}](data-model.md#{one.name})"
        rows.append((str(number), shown, codes(one.order), words if one.name != JOBS else "Jobs that wait or failed."))
    return table(("", "table", "sorted by", ""), rows)


def render() -> str:
    return page(
        "City export", "the models and `lianxin.transfer`",
        f"What `lianxin export city` writes and `lianxin import city` reads: format {code(FORMAT)}, version "
        f"{FORMAT_VERSION}. A ZIP file (ZIP64 "
        "where it is large), or a directory with the same files. How to use it: [move-a-city.md](../howto/move-a-city.md).",
        "## Files",
        table(("file", ""), [
            ("`manifest.json`", "what it is; read it first"),
            ("`tables/TABLE.csv`", "one for each table below, with a header line"),
            *((f"`{family.shard('ab…')}`", f"{family.name}: a tar file of contents, each named by the SHA-256 of its content"
               + (", one for each first two digits of the hash" if family.digits else "")) for family in FAMILIES),
            ("`city/…`", "the city's own files, where the export was given them"),
        ]),
        "The keyring is never inside. With `--with-keys` it is a file of its own, of the same form as `keyring.json`.",
        "## manifest.json",
        table(("key", ""), [
            ("`format`, `format_version`", f"{code(FORMAT)}, `{FORMAT_VERSION}`. A reader refuses what it does not know."),
            ("`made_at`", "when, in UTC: the one thing in which two exports of the same state differ"),
            ("`made_by`", "`program` and `version`: who can read it"),
            ("`city`", "`code`, `name`, `name_en`"),
            ("`schema`", "`hash`: SHA-256 of every table, column and type; `migrations`: the last of each part. Both "
                         "must be those of the "
             "importing database."),
            ("`keys`", "for each key of the keyring a sign (eight bytes of an HMAC) by which the right keyring is known"),
            ("`event_months`", "first and last month of the log, for which partitions are made"),
            ("`sequences`", "the last number each counter gave, by `table.column` or its name"),
            ("`tables`", "in the order in which they can be written: `table`, `file`, `rows`, `bytes`, `sha256`, "
                         "`columns` (`name`, `type` as "
             "PostgreSQL writes it, `null`)"),
            ("`packs`", "the other files: `family`, `file`, `count`, `bytes`, `sha256`"),
            ("`missing`", "contents that rows name and the storage had lost"),
        ]),
        "## How values are written",
        "CSV as PostgreSQL's `COPY … (FORMAT csv)` writes it, UTF-8: nothing between two commas is NULL, `\"\"` is "
        "the empty text, quotes are "
        "doubled, a value may hold line ends. Times are UTC with their offset, as `2026-11-23 02:00:00+00`; days ISO "
        "8601; `bytea` is `\\x` and "
        "hexadecimal; arrays are `{a,b}`; `jsonb` is JSON; floating point numbers have as many digits as bring back "
        "the same number. DuckDB, pandas "
        "and every PostgreSQL read it. Rows are sorted, so that two exports can be compared line by line.",
        "Columns that are sealed in the database ([data-model.md](data-model.md)) are the same ciphertext here.",
        "## How an import writes",
        "In one transaction, by `COPY`, in the order of the foreign keys. Triggers that keep ledgers as they were "
        "written refuse changes and "
        "deletions; an import only adds, so they stay on. Off while their table is filled, because they judge a row "
        "by the moment it was written: "
        + codes(OF_THE_MOMENT) + ". Foreign keys are checked as each part of a table is written, those within one "
                                 "table at its end. A table of "
        f"{MANY:,} rows or more, unless triggers look rows up in it, is filled without foreign keys "
        "and without the indexes that hold up no constraint, and gets both back, all rows checked, in the same "
        "transaction. Counters go on where they stood.",
        "## Tables", _tables(),
        "Sorted by the primary key, but for " + codes(ORDER) + ". Of the job queue only jobs that wait or failed, "
                                                               "without their numbers; one that "
        "ran waits in the copy.",
        "## Left out",
        table(("table", "why"), ((code(name), why) for name, why in LEFT_OUT.items())),
    )
