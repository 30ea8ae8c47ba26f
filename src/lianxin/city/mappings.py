"""Reading city.yaml and knowledge/*.yaml, with the line of every mapping."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import yaml
from django.utils.translation import gettext as _

from .faults import Faults
from .files import ARTICLE, ARTICLE_NEEDED, CITY, CITY_NEEDED, SYNONYMS_FILE
from .tables import Row, text_of

LINE = "__line__"
_LENGTHS = {"code": 40, "title": 160, "source": 200, "answer": 4000, "basis": 1000, "category": 12, "unit": 24, "area": 24}


class _Lined(yaml.SafeLoader):
    """The safe loader, noting where each mapping begins."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        made: dict[Any, Any] = super().construct_mapping(node, deep=True)
        made[LINE] = node.start_mark.line + 1
        return made


def parsed(path: Path, faults: Faults) -> Any:
    """A YAML file as plain data, each mapping with the line it begins on under `LINE`; None when it has faults."""
    text = text_of(path, faults)
    if text is None:
        return None
    try:
        return yaml.load(text, Loader=_Lined)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        faults.add(path.name, mark.line + 1 if mark else 0, _("不是合格的 YAML：%s") % reason)
    except ValueError as error:  # an impossible date, say 2026-02-30
        faults.add(path.name, 0, _("不是合格的 YAML：%s") % error)
    return None


def plain_of(value: Any) -> Any:
    """The same without lines, days as text."""
    if isinstance(value, dict):
        return {key: plain_of(inner) for key, inner in value.items() if key != LINE}
    if isinstance(value, list):
        return [plain_of(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def read_city(directory: Path, faults: Faults) -> dict[str, Any]:
    """The settings in city.yaml; an empty dict when they cannot be read."""
    path = directory / "city.yaml"
    if not path.is_file():
        faults.add("city.yaml", 0, _("缺少这个文件"))
        return {}
    before = len(faults)
    found = parsed(path, faults)
    if len(faults) > before:
        return {}
    if not isinstance(found, dict):
        faults.add("city.yaml", 0, _("应是“键: 值”的形式"))
        return {}
    line = found[LINE]
    for key in found.keys() - CITY.keys() - {LINE}:
        faults.add("city.yaml", line, _("不认识的键：%s") % key)
    for key in CITY_NEEDED:
        if not isinstance(found.get(key), str) or not found[key].strip():
            faults.add("city.yaml", line, _("%s 不能为空，而且应是文字（数字请加引号）") % key)
    if not isinstance(found.get("areas", {}), dict):
        faults.add("city.yaml", line, _("areas 应是“键: 值”的形式"))
    words = found.get("everyday_words", [])
    if not isinstance(words, list) or not all(isinstance(word, str) and 2 <= len(word) <= 80 for word in words):
        faults.add("city.yaml", line, _("everyday_words 应是地名简称的列表，每个 2 到 80 字"))
    plain: dict[str, Any] = plain_of(found)
    return plain


def read_articles(directory: Path, faults: Faults) -> list[Row]:
    """Every article of knowledge/*.yaml, typed."""
    rows: list[Row] = []
    folder = directory / "knowledge"
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else []:
        if path.name == SYNONYMS_FILE:
            continue
        before = len(faults)
        entries = parsed(path, faults)
        if len(faults) > before:
            continue
        if not isinstance(entries, list):
            faults.add(path.name, 0, _("应是一列文章，每篇以“- code:”开头"))
            continue
        for entry in entries:
            if not isinstance(entry, dict):
                faults.add(path.name, 0, _("应是一列文章，每篇以“- code:”开头"))
                continue
            row = _article(path.name, entry, faults)
            if row is not None:
                rows.append(row)
    return rows


def _article(file: str, entry: dict[str, Any], faults: Faults) -> Row | None:
    line = entry[LINE]
    before = len(faults)
    for key in entry.keys() - ARTICLE.keys() - {LINE}:
        faults.add(file, line, _("不认识的键：%s") % key)
    for key in ARTICLE_NEEDED:
        if entry.get(key) in (None, ""):
            faults.add(file, line, _("%s 不能为空") % key)
    cells: dict[str, Any] = {}
    for key in ARTICLE:
        value = entry.get(key)
        if key == "public":
            if value not in (None, True, False):
                faults.add(file, line, _("%s 应写成 true 或 false") % key)
            cells[key] = value is not False
        elif key in ("valid_from", "review_by", "valid_until"):
            if value is not None and type(value) is not date:
                faults.add(file, line, _("%s 不是日期，应写成 2026-01-31") % key)
            cells[key] = value
        elif key in ("questions", "keywords"):
            listed = value if isinstance(value, list) else [] if value is None else None
            limit = 200 if key == "questions" else 40
            if listed is None or any(not isinstance(one, str) or not 0 < len(one) <= limit for one in listed):
                faults.add(file, line, _("%(key)s 应是一列文字，每条最多 %(limit)s 个字") % {"key": key, "limit": limit})
            cells[key] = listed or []
        else:
            if value is not None and not isinstance(value, str):
                faults.add(file, line, _("%s 应是文字（数字请加引号）") % key)
            elif value is not None and len(value) > _LENGTHS[key]:
                faults.add(file, line, _("%(key)s 太长：最多 %(limit)s 个字") % {"key": key, "limit": _LENGTHS[key]})
            cells[key] = value or ""
    if len(faults) == before and cells["valid_until"] is not None and cells["valid_until"] < cells["valid_from"]:
        faults.add(file, line, _("valid_until 早于 valid_from"))
    return Row(file, line, cells) if len(faults) == before else None


def read_synonyms(directory: Path, faults: Faults) -> list[list[str]]:
    """The groups of words of knowledge/synonyms.yaml, which a city may do without. A word stands in one group only."""
    path = directory / "knowledge" / SYNONYMS_FILE
    if not path.is_file():
        return []
    before = len(faults)
    groups = parsed(path, faults)
    if len(faults) > before or groups is None:
        return []
    if not isinstance(groups, list):
        faults.add(path.name, 0, _("应是一列词组，每组写成“- [停水, 断水]”"))
        return []
    seen: dict[str, int] = {}
    for place, group in enumerate(groups, start=1):
        if not isinstance(group, list) or len(group) < 2 or any(not isinstance(word, str) for word in group):
            faults.add(path.name, 0, _("第 %s 组应是至少两个词，写成“- [停水, 断水]”（数字请加引号）") % place)
            continue
        for word in group:
            if not 2 <= len(word) <= 40:
                faults.add(path.name, 0, _("第 %(place)s 组的“%(word)s”应有 2 到 40 个字") % {"place": place, "word": word})
            elif word in seen:
                faults.add(path.name, 0, _("“%(word)s”在第 %(first)s 组和第 %(second)s 组都有")
                           % {"word": word, "first": seen[word], "second": place})
            seen.setdefault(word, place)
    return groups if len(faults) == before else []
