"""Two-character grams, so that a word of two characters inside a sentence is found by an index.

`bigrams` in Python and `lianxin_bigrams` in PostgreSQL give the same grams of the same text: it is folded (NFKC,
ASCII letters small), cut into runs of letters and digits, and each run is cut into overlapping pairs.

Chinese, Latin and digits share one run ("3号楼" gives 3号 and 号楼), and whole Latin words are not grams of their
own: the pairs of any piece of a text are then among the pairs of the text, so that a piece finds it ("bus" finds
"buses", "3号" finds "13号"). The other side of it: one character alone has no grams and no index.

What counts as a letter is written out in ranges of code points and nothing rests on the server's locale: under the
collation `C` PostgreSQL's own `[:alnum:]` and `lower` know no Chinese, and a change of the C library would silently
break the index.
"""

from __future__ import annotations

import re
from itertools import pairwise
from unicodedata import normalize

# Letters and digits after folding, as the inside of a bracket expression that both engines read alike. Left out:
# punctuation, symbols, emoji, private use. Other scripts' own punctuation counts as letters: harmless in an index.
LETTERS = (
    r"0-9a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u1FFF\u2C00-\u2DFF\u3005-\u3007\u3021-\u302F\u3031-\u3035"
    r"\u3041-\u30FA\u30FC-\u4DBF\u4E00-\uD7FF\uF900-\uFDFB\uFE70-\uFEFC"
    r"\U00010000-\U0001EFFF\U00020000-\U0003FFFF"
)
_RUN = re.compile(f"[{LETTERS}]+")

# plpgsql because it keeps its plan for the connection; characters are taken apart once, so the cost grows with the
# length and not with its square, as with `substr` in a text of three-byte characters.
SQL = rf"""
CREATE FUNCTION lianxin_fold(body text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
  SELECT lower(normalize(body, NFKC) COLLATE "C")
$$;
CREATE FUNCTION lianxin_bigrams(body text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT COST 2000 AS $$
DECLARE
  characters text[] := string_to_array(
    regexp_replace(lower(normalize(body, NFKC) COLLATE "C"), '[^{LETTERS}]+', ' ', 'g'), NULL);
BEGIN
  RETURN ARRAY(
    SELECT first || second FROM unnest(characters, characters[2:]) AS pair (first, second)
    WHERE first <> ' ' AND second <> ' '
  );
END $$;
"""
DROP_SQL = "DROP FUNCTION lianxin_bigrams(text); DROP FUNCTION lianxin_fold(text)"


def fold(body: str) -> str:
    """The form texts are compared in: NFKC (full-width to half-width, ㎡ to m2), ASCII letters small.

    The same as `lianxin_fold` in PostgreSQL.
    """
    return normalize("NFKC", body).encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def bigrams(body: str) -> list[str]:
    """The grams of a text, each once, sorted. Empty when no two letters or digits stand together."""
    grams: set[str] = set()
    for run in _RUN.findall(fold(body)):
        grams.update(map("".join, pairwise(run)))
    return sorted(grams)
