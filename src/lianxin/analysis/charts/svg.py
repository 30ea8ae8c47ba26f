"""What every chart is made of: elements, text that fits, round ticks."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 360
# Without quotes: WeasyPrint takes them for part of the name.
FONT = "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, Source Han Sans SC, sans-serif"

# How a thing looks on paper. On a page `.lx-chart .c-…` says the same in tokens.
LOOKS: dict[str, dict[str, str]] = {
    "c-ink": {"fill": "#1f1d19"},
    "c-quiet": {"fill": "#57534a"},
    "c-axis": {"stroke": "#8d887b", "fill": "none", "stroke-width": "1"},
    "c-grid": {"stroke": "#d9d5cb", "fill": "none", "stroke-width": "1"},
    "c-band": {"fill": "#e9e6de"},
    "c-centre": {"stroke": "#57534a", "fill": "none", "stroke-width": "1", "stroke-dasharray": "4 3"},
    "c-line": {"stroke": "#0b6b6f", "fill": "none", "stroke-width": "2"},
    "c-range": {"stroke": "#0b6b6f", "fill": "none", "stroke-width": "3", "stroke-opacity": "0.45"},
    "c-dot": {"fill": "#0b6b6f", "stroke": "#ffffff", "stroke-width": "1"},
    "c-few": {"fill": "#ffffff", "stroke": "#57534a", "stroke-width": "1.5"},
    "c-out": {"fill": "#b3261e", "stroke": "#ffffff", "stroke-width": "1"},
    "c-bar": {"fill": "#0b6b6f"},
    "c-before": {"stroke": "#1f1d19", "fill": "none", "stroke-width": "2"},
    "c-land": {"fill": "#f1efe9", "stroke": "#8d887b", "stroke-width": "0.8"},
    "c-land-high": {"fill": "#c9e3e1", "stroke": "#8d887b", "stroke-width": "0.8"},
    "c-land-low": {"fill": "#fbe3c0", "stroke": "#8d887b", "stroke-width": "0.8"},
    "c-made": {"fill": "none", "stroke": "#57534a", "stroke-width": "1", "stroke-dasharray": "2 2"},
    "c-circle": {"fill": "#0b6b6f", "fill-opacity": "0.82", "stroke": "#ffffff", "stroke-width": "1"},
    "c-on": {"fill": "#ffffff"},
    "c-halo": {"fill": "none", "stroke": "#ffffff", "stroke-width": "3", "stroke-linejoin": "round"},
}


@dataclass(frozen=True, slots=True)
class Caption:
    """What a chart is called and what it shows, in a sentence or two: read out where it cannot be seen. `key` makes the
    chart's own ids; a page has each key once."""

    key: str
    title: str
    told: str


def number(value: float) -> str:
    """A coordinate: two decimals at most, no minus before nothing."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def element(name: str, look: str = "", /, *inside: str, **attributes: str | float) -> str:
    """One element; `_` in a name stands for `-`. `inside` is markup already."""
    given: dict[str, str] = dict(LOOKS[look]) | {"class": look} if look else {}
    for key, value in attributes.items():
        given[key.rstrip("_").replace("_", "-")] = value if isinstance(value, str) else number(value)
    said = "".join(f' {key}="{escape(value, quote=True)}"' for key, value in given.items())
    return f"<{name}{said}>{''.join(inside)}</{name}>" if inside else f"<{name}{said}/>"


def text(x: float, y: float, words: str, *, look: str = "c-ink", size: float = 11, anchor: str = "start",
         bold: bool = False) -> str:
    """Words. As `c-halo` they stand on a rim that keeps them apart from what lies under them: two elements, since not every
    renderer knows `paint-order`."""
    more = {"font-weight": "700"} if bold else {}
    if look == "c-halo":
        rim = element("text", look, escape(words), x=x, y=y, font_size=size, text_anchor=anchor, **more)
        return rim + text(x, y, words, size=size, anchor=anchor, bold=bold)
    return element("text", look, escape(words), x=x, y=y, font_size=size, text_anchor=anchor, **more)


def picture(caption: Caption, height: float, parts: Iterable[str], *, width: float = WIDTH) -> str:
    """The whole chart, with its title and description for those who hear it."""
    key = escape(caption.key, quote=True)
    return element(
        "svg", "", f'<title id="{key}-title">{escape(caption.title)}</title>',
        f'<desc id="{key}-told">{escape(caption.told)}</desc>', *parts,
        xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {number(width)} {number(height)}", width=width, height=height,
        role="img", class_="lx-chart", font_family=FONT,
        **{"aria-labelledby": f"{caption.key}-title {caption.key}-told"},
    )


def width_of(words: str, size: float) -> float:
    """About how wide a text stands: a Chinese character is a square, others a little over half of one."""
    return sum(size if unicodedata.east_asian_width(letter) in "WF" else size * 0.56 for letter in words)


def fitted(words: str, room: float, size: float) -> str:
    """The text, or as much of it as there is room for with an ellipsis."""
    if width_of(words, size) <= room:
        return words
    kept = words
    while kept and width_of(kept + "…", size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values that cover `low` to `high`: steps of 1, 2 or 5 times a power of ten."""
    span = max(high - low, 1e-9)
    size = 10.0 ** math.floor(math.log10(span / most))
    step = next(size * factor for factor in (1, 2, 5, 10) if span / (size * factor) <= most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]


def per_cent(value: float) -> str:
    return f"{value * 100:.0f}%"


def path_of(points: Sequence[tuple[float, float]], *, closed: bool = False) -> str:
    """The `d` of a path through these points."""
    said = " L".join(f"{number(x)} {number(y)}" for x, y in points)
    return f"M{said}{'Z' if closed else ''}"
