"""Measures as a table for people."""

from __future__ import annotations

from collections.abc import Iterator

from lianxin.triage.classify.measures import Measures


def written(measures: Measures) -> Iterator[str]:
    """One line a figure, with its standard error and its interval; then one a category."""
    yield f"  {'n':<16}{measures.n:>8}"
    for name, one in measures.figures.items():
        yield f"  {name:<16}{one.value:>8.4f}  ± {one.error:.4f}  [{one.low:.4f}, {one.high:.4f}]"
    yield ""
    yield f"  {'n':>6}{'precision':>11}{'recall':>9}{'f1':>9}  "
    for each in sorted(measures.labels, key=lambda one: one.f1):
        yield f"  {each.n:>6}{each.precision:>11.4f}{each.recall:>9.4f}{each.f1:>9.4f}  {each.label}"
