"""What is read in a message while an operator types: category by model and by rules, danger, personal data.

The messages are the city's training texts, so this part has nothing to measure where the city's files are not at hand. The
model learns their top-level categories; how right it is, docs/reference/triage.md says, this says how long it takes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import lianxin
from lianxin.triage.classify.files import Example, Labelled, labelled
from lianxin.triage.classify.model_file import load, save
from lianxin.triage.classify.training import train
from lianxin.triage.danger import alarms
from lianxin.triage.learnt import texts_in
from lianxin.triage.personal import masked

from .parts import Run
from .results import Row, percentile

PART = "reading"
TEXTS: Final = Path(lianxin.__file__).parents[2] / "cities" / "yueyang" / "training"
ONE, BATCH = 5.0, 1.0  # milliseconds a message
LEARN = 60.0  # seconds
LONG = 12_000  # characters, the longest message


def _texts() -> list[Example]:
    return [replace(one, label=one.label[:2]) for path in texts_in(TEXTS) for one in labelled(path).examples]


def _each(texts: list[str], read: Callable[[str], object]) -> tuple[float, float]:
    """50th and 95th percentile, milliseconds, once the rules of all of it are made."""
    read("".join(texts)[:LONG])
    took = []
    for text in texts:
        begun = time.perf_counter()
        read(text)
        took.append((time.perf_counter() - begun) * 1000)
    return percentile(took, 0.5), percentile(took, 0.95)


def bench(run: Run) -> list[Row]:
    """The lines of this part."""
    examples = _texts()
    if not examples:
        return [Row(PART, "no training texts at hand", "—")]
    if run.quick:
        examples = examples[::8]
    run.tell(f"learning from {len(examples):,} texts, and reading them")
    begun = time.perf_counter()
    done = train(Labelled(tuple(examples), 0, False))
    learning = time.perf_counter() - begun
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "model"
        size = save(done.classifier, file)
        begun = time.perf_counter()
        classifier = load(file)
        loading = (time.perf_counter() - begun) * 1000
    texts = [f"{one.title}。{one.detail}" for one in examples]
    half, most = _each(texts, lambda text: classifier.read("", text))
    begun = time.perf_counter()
    classifier.probabilities([("", text) for text in texts])
    batch = (time.perf_counter() - begun) * 1000 / len(texts)
    long = ["".join(texts)[start:start + LONG] for start in range(0, min(20 * LONG, max(1, sum(map(len, texts)) - LONG)), LONG)]
    rows = [
        Row(PART, f"learn {len(examples):,} texts, {len(classifier.labels)} categories", f"{learning:.1f} s", bar=f"≤ {LEARN:.0f} s",
            met=learning <= LEARN),
        Row(PART, "load a model", f"{loading:.0f} ms, {size / 1e6:.1f} MB", bar="≤ 30 MB", met=size <= 30e6),
        Row(PART, "one message by the model", f"p50 {half:.2f} · p95 {most:.2f} ms", bar=f"p95 ≤ {ONE:.0f} ms", met=most <= ONE),
        Row(PART, "many messages at once, each", f"{batch:.2f} ms", bar=f"≤ {BATCH:.0f} ms", met=batch <= BATCH),
    ]
    for what, read in (("words of danger", alarms), ("personal data masked", masked)):
        half, most = _each(texts, read)
        _half, longest = _each(long, read)
        rows.append(Row(PART, what, f"p50 {half:.2f} · p95 {most:.2f} ms", f"{LONG:,} characters: p95 {longest:.1f} ms"))
    return rows
