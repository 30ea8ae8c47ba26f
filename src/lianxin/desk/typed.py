"""Names typed into lists: `010503 夜间施工` is its code; a bare name is looked up when it means one thing only."""

from __future__ import annotations

from collections.abc import Iterable

from lianxin.cases.reference import Body, Place, Reference, reference, today_of
from lianxin.kernel.clock import now
from lianxin.knowledge.queries import search

LIST_LIMIT = 20


def path_of(held: Reference, place: Place) -> str:
    """`岳阳楼区 › 五里牌街道 › 花板桥社区`: an area's names from the county down."""
    names = [held.places[pk].said for pk in reversed(place.lineage)]
    return " › ".join(names[1:] or names)


def _one(value: str, pairs: Iterable[tuple[str, tuple[str, ...]]]) -> str:
    found = {code for code, names in pairs if value in names}
    return found.pop() if len(found) == 1 else value


def category_code(value: str) -> str:
    """The leaf category meant; what was typed when it means none or several, for the action to refuse by name."""
    held, code = reference(), value.strip().split(" ", 1)[0]
    if code in held.nodes_by_code or not code:
        return code
    return _one(value.strip(), ((node.code, (node.name, node.name_en)) for node in held.nodes.values()
                                if node.is_leaf and node.active))


def area_code(value: str) -> str:
    """The area meant, by code, by path, or by a name that only one area has."""
    held, code = reference(), value.strip().split(" ", 1)[0]
    if code in held.places_by_code or not code:
        return code
    return _one(value.strip(), ((place.code, (place.name, place.name_en, path_of(held, place)))
                                for place in held.places.values() if place.level != "grid"))


def unit_code(value: str) -> str:
    """The open unit meant."""
    held, code = reference(), value.strip().split(" ", 1)[0]
    if code in held.units_by_code or not code:
        return code
    on = today_of(now())
    return _one(value.strip(), ((unit.code, (unit.name, unit.name_en)) for unit in held.units.values()
                                if unit.open_on(on)))


def article_code(value: str) -> str:
    """The article meant and its version, `city-01@3`; what was typed when it names none, for the action to refuse."""
    return value.strip().split(" ", 1)[0]


def unit_codes(value: str) -> list[str]:
    """Several units, separated by commas of either width."""
    return [unit_code(part) for part in value.replace("，", ",").split(",") if part.strip()]


def unit_line(code: str) -> str:
    """`urban 市城管局`, as the list offers it; the code alone when there is no such unit."""
    unit = reference().units_by_code.get(code)
    return _line(unit) if unit else code


def _line(unit: Body) -> str:
    # Without the comma that would part one unit from the next in a field for several.
    return f"{unit.code} {unit.said.replace(',', '')}"


def options(name: str, text: str) -> list[str] | None:
    """What a typed list offers for `text`: names that begin with it first. None for a list that there is not."""
    held, low = reference(), text.lower()

    def fits(*names: str) -> bool:
        return any(low in one.lower() for one in names)

    if name == "categories":
        found = [(node.said, f"{node.code} {node.said}") for node in held.nodes.values()
                 if node.is_leaf and node.active and (fits(node.name, node.name_en) or node.code.startswith(text))]
    elif name == "areas":
        found = [(place.said, f"{place.code} {path_of(held, place)}") for place in held.places.values()
                 if place.level != "grid" and (fits(place.name, place.name_en) or place.code.startswith(text))]
    elif name == "units":
        on = today_of(now())
        found = [(unit.said, _line(unit)) for unit in held.units.values()
                 if unit.open_on(on) and (fits(unit.name, unit.name_en) or text in unit.code)]
    elif name == "articles":
        return [f"{one.version} {one.title}" for one in search(text, on=today_of(now()), limit=LIST_LIMIT, least=0.0)]
    else:
        return None
    found.sort(key=lambda pair: (not pair[0].lower().startswith(low), len(pair[1]), pair[1]))
    return [line for _name, line in found[:LIST_LIMIT]]
