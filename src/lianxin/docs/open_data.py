"""docs/reference/open-data.md: the files, and every column of the open data, from `publishing.columns`."""

from __future__ import annotations

from django.utils.translation import override

from lianxin.publishing import rules
from lianxin.publishing.columns import TABLES
from lianxin.publishing.files import BOM, MEDIA, PACKED

from .markdown import code, page, table

FILES = (
    ("records.csv", "a record a line, with a head"), ("records.jsonl", "the same, a JSON object a line"),
    ("records.geojson", "the same as points; `geometry` is null where only the city is shown"),
    ("records.parquet", "the same, zstd, row groups of 61,440"),
    ("counts.csv", "counts by month, county and top category"), ("counts.jsonl", "the same, a JSON object a line"),
    ("dictionary.json", "this page for programs, in Chinese and English"),
)


def _levels() -> list[tuple[str, str, str, str]]:
    places = {"city": "the city"}
    return [(str(number), places.get(level.place, f"the {level.place}"), str(level.dated),
             {"leaf": "the category", "middle": "the one above it", "top": "the top category", "": "–"}[level.category])
            for number, level in enumerate(rules.LEVELS, 1)]


def _columns() -> list[str]:
    parts = []
    for name, columns in TABLES.items():
        parts.append(f"## {name}")
        rows = []
        for column in columns:
            values = ", ".join(f"{code(value)} {label}" for value, label in column.choices.choices) if column.choices else ""
            rows.append((code(column.name), str(column.type), f"{column.words}" + (f": {values}" if values else "")))
        parts.append(table(("column", "type", "meaning"), rows))
    return parts


def render() -> str:
    with override("en"):
        return page(
            "Open data", "src/lianxin/publishing/columns.py and rules.py",
            "What [`/data/`](../howto/use-the-open-data.md) serves. [What is public](../explanation/what-is-public.md) tells the rules "
            "and what they are worth.",
            "## Files",
            table(("address", "media type", "holds"),
                  [(code(f"/data/{name}"), code(MEDIA[name.rpartition(".")[2]]), words) for name, words in FILES]),
            f"CSV is UTF-8 with a byte order mark ({code(BOM.hex(' '))}): without it the spreadsheet programs of China take it for GBK. In "
            "CSV a text that a spreadsheet would take for a formula has an apostrophe before it; the other formats have it as it is. "
            "Instants are ISO 8601 with the city's offset. What is not known or not told is empty in CSV, `null` elsewhere. Lines are "
            "in the order of `opened_at`, then of `number`.",
            "Each address takes `Range` (one part), `If-Range`, `If-None-Match` and `If-Modified-Since`, and answers with a strong `ETag` "
            f"from the file's SHA-256. {', '.join(code(kind) for kind in PACKED)} go out as gzip to whoever takes it. Any site may read "
            "them (CORS). "
            "`/data/manifest.json` names sizes and hashes, `/data/catalog.jsonld` is a DCAT 3 catalogue.",
            "## Likeness",
            f"In this order a record that was not cleared looks for at least {rules.K - 1} others that are alike in all three; who has "
            "found them is not counted again. Days are gathered when they are over, weeks on Monday, months a week after their end.",
            table(("", "place", "time", "category"), _levels()),
            *_columns(),
        )
