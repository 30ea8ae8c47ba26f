"""A first pass over words that are to be public: what surely names a person is blacked out, the rest the person checks."""

from __future__ import annotations

from lianxin.triage.personal import BLACK, masked


def redacted(text: str, *, names: tuple[str, ...] = ()) -> str:
    """`text` with telephones, card and identity numbers, plates, flats, e-mail, names people call themselves and the given
    names blacked out, a ■ for each character."""
    for name in names:
        if len(name.strip()) >= 2:
            text = text.replace(name.strip(), BLACK * len(name.strip()))
    return masked(text, houses=True)
