"""Two-character grams, so that a word of two characters inside a sentence is found by an index.

`bigrams` in Python and `lianxin_bigrams` in PostgreSQL give the same grams: runs of letters and digits, lower case,
each run cut into overlapping pairs; a run of one character is itself.
"""

from __future__ import annotations

import re

_RUN = re.compile(r"[^\W_]+")

SQL = r"""
CREATE FUNCTION lianxin_bigrams(body text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(DISTINCT gram), '{}')
  FROM regexp_split_to_table(lower(body), '[^[:alnum:]]+') AS run,
       LATERAL (
         SELECT substr(run, i, 2) AS gram FROM generate_series(1, greatest(length(run) - 1, 1)) AS i
       ) AS grams
  WHERE run <> ''
$$
"""
DROP_SQL = "DROP FUNCTION lianxin_bigrams(text)"


def bigrams(body: str) -> list[str]:
    """The sorted grams of a text."""
    grams: set[str] = set()
    for run in _RUN.findall(body.lower()):
        grams.update(run[i : i + 2] for i in range(max(len(run) - 1, 1)))
    return sorted(grams)
