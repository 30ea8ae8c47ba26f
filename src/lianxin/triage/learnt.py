"""What a city's model learns from: texts written for it, and the city's own closed cases."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from lianxin.cases.models import Case, State
from lianxin.cases.reference import Reference, reference
from lianxin.kernel.errors import Invalid

from . import keywords, store
from .models import LearntModel
from .personal import masked

if TYPE_CHECKING:
    from .classify.files import Example
    from .classify.training import Beside

CASES: Final = 20_000  # of the newest closed ones
EXAMPLES: Final = 3  # a category with fewer is left to the keyword rules
SHORTEST: Final = 6  # characters: less is no message


def texts_in(directory: Path) -> list[Path]:
    """The files of training texts of a city, in the order of their names."""
    return sorted(directory.glob("*.csv"))


def written(directory: Path) -> tuple[Example, ...]:
    """The texts of a directory whose category the city has. Raises Invalid for a file that cannot be read."""
    from .classify.files import labelled

    known = reference().nodes_by_code
    return tuple(one for path in texts_in(directory) for one in labelled(path).examples if one.label in known)


def closed_cases(limit: int = CASES) -> Iterator[tuple[str, str, str]]:
    """Heading (empty where there is none) and words, with personal data masked, and the code of the category that stood in the
    end – what an operator corrected is in it as corrected. The newest first; what was anonymised is gone."""
    held = reference()
    rows = Case.objects.filter(state=State.CLOSED, category__isnull=False).exclude(words="").order_by("-id").values_list(
        "title", "words", "category_id")[:limit]
    for title, words, category_id in rows.iterator():
        node = held.nodes.get(category_id)
        if node is not None and node.active and node.is_leaf and len(words) >= SHORTEST:
            yield masked(title), masked(words), node.code


def enough(examples: Sequence[Example], least: int = EXAMPLES) -> tuple[Example, ...]:
    """Those of categories that have so many of them."""
    often = Counter(one.label for one in examples)
    return tuple(one for one in examples if often[one.label] >= least)


def beside(held: Reference) -> Beside:
    """The tree of the city's categories and its keyword rules, for a model whose labels are codes."""
    from .classify.training import Beside

    known, rules = held.nodes_by_code, keywords.in_force(held)

    def lineage(code: str) -> tuple[str, ...]:
        return tuple(held.nodes[pk].code for pk in known[code].lineage[:0:-1])

    def scores(codes: Sequence[str], title: str, detail: str) -> Sequence[float]:
        found = rules.read(f"{title}\n{detail}" if title else detail)
        return [found[pk].score if (pk := known[code].id) in found else 0.0 for code in codes]

    return Beside(lineage, scores)


def learn(*, texts: Path | None, cases: int = CASES, seed: int = 0, use: bool = False) -> LearntModel:
    """Train on the texts of a directory and the newest closed cases, and keep the model as the next version; with `use` put it
    in force. Raises Invalid when there is too little to learn from."""
    from .classify.files import Example, Labelled
    from .classify.model_file import save
    from .classify.training import train

    held = reference()
    texts_written = written(texts) if texts else ()
    own = [Example(title, words, code) for title, words, code in closed_cases(cases)] if cases else []
    if not texts_written and not own:
        raise Invalid(_("没有可以学的：没有训练文字，也没有办结的工单。"))
    done = train(Labelled(enough((*texts_written, *own)), 0, False), seed=seed, beside=beside(held))
    measured = done.pooled or done.measures
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "model"
        save(done.classifier, file)
        model = store.keep(file, source=_("训练文字 %(texts)d 条，办结工单 %(cases)d 件") % {
            "texts": len(texts_written), "cases": len(own)}, measured={
                "n": measured.n, **{name: round(one.value, 6) for name, one in measured.figures.items()}})
    return store.put_in_force(model.number) if use else model
