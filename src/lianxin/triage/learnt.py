"""What a city's model learns from: texts written for it, and the city's own closed cases."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from lianxin.cases.models import Case, State
from lianxin.cases.reference import reference
from lianxin.kernel.errors import Invalid

from . import store
from .models import LearntModel
from .personal import masked

CASES: Final = 20_000  # of the newest closed ones
EXAMPLES: Final = 3  # a category with fewer is left to the keyword rules
SHORTEST: Final = 6  # characters: less is no message


def texts_in(directory: Path) -> list[Path]:
    """The files of training texts of a city, in the order of their names."""
    return sorted(directory.glob("*.csv"))


def closed_cases(limit: int = CASES) -> Iterator[tuple[str, str]]:
    """Words, with personal data masked, and the code of the category that stood in the end – what an operator corrected is
    in it as corrected. The newest first; what was anonymised is gone."""
    held = reference()
    rows = Case.objects.filter(state=State.CLOSED, category__isnull=False).exclude(words="").order_by("-id").values_list(
        "words", "category_id")[:limit]
    for words, category_id in rows.iterator():
        node = held.nodes.get(category_id)
        if node is not None and node.active and node.is_leaf and len(words) >= SHORTEST:
            yield masked(words), node.code


def learn(*, texts: Path | None, cases: int = CASES, seed: int = 0, use: bool = False) -> LearntModel:
    """Train on the texts of a directory and the newest closed cases, and keep the model as the next version; with `use` put it
    in force. Raises Invalid when there is too little to learn from."""
    from .classify.files import Example, Labelled, labelled
    from .classify.model_file import save
    from .classify.training import train

    known = reference().nodes_by_code
    written = [one for path in (texts_in(texts) if texts else []) for one in labelled(path).examples if one.label in known]
    own = [Example("", words, code) for words, code in closed_cases(cases)] if cases else []
    if not written and not own:
        raise Invalid(_("没有可以学的：没有训练文字，也没有办结的工单。"))
    often = Counter(one.label for one in (*written, *own))
    kept = tuple(one for one in (*written, *own) if often[one.label] >= EXAMPLES)
    done = train(Labelled(kept, 0, False), seed=seed)
    measured = done.measures
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "model"
        save(done.classifier, file)
        model = store.keep(file, source=_("训练文字 %(texts)d 条，办结工单 %(cases)d 件") % {
            "texts": len(written), "cases": len(own)}, measured={
                "n": measured.n, **{name: round(one.value, 6) for name, one in measured.figures.items()}})
    return store.put_in_force(model.number) if use else model
