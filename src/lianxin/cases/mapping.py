"""How the columns of a foreign file become an intake: the mapping file of `lianxin import cases`.

A mapping is YAML. docs/howto/import-cases.md describes every key; `Mapping.read` refuses what it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from django.utils.translation import gettext as _

from lianxin.kernel.coordinates import CoordinateSystem
from lianxin.kernel.errors import Invalid

from .actions import History, Intake
from .models import Channel

TEXTS = frozenset({
    "words", "title", "category", "area", "place_text", "kind", "urgency", "name", "phone", "address", "email",
    "language", "channel", "source_id", "closing_note", "coordinate_system",
})
TIMES = frozenset({"registered_at", "target_at", "closed_at"})
NUMBERS = frozenset({"lon", "lat"})
FIELDS = TEXTS | TIMES | NUMBERS
_SPEC_KEYS = frozenset({"column", "columns", "join", "format", "zone", "values", "otherwise", "default", "empty"})
_TOP_KEYS = frozenset({
    "source_system", "encoding", "delimiter", "fields", "constants", "required", "accept", "outside",
})


class MappingError(Exception):
    """The mapping file cannot be used; the message names the key and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Spec:
    """Where one field comes from. With `values` the text is looked up, `otherwise` standing for what is not listed."""

    columns: tuple[str, ...]
    join: str | None = None
    formats: tuple[str, ...] = ()
    zone: tzinfo | None = None
    values: Map[str, str] | None = None
    otherwise: str | None = None
    default: str = ""
    empty: frozenset[str] = frozenset()

    def text(self, row: Map[str, str]) -> str:
        found = [value for name in self.columns if (value := row.get(name, "").strip()) and value not in self.empty]
        value = (self.join.join(found) if self.join is not None else found[0]) if found else ""
        return value or self.default


@dataclass(frozen=True, slots=True)
class Mapping:
    """A checked mapping. `intake` makes an intake of one row, or raises Invalid in plain words."""

    source_system: str
    fields: dict[str, Spec]
    constants: dict[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    accept: bool = False
    outside: bool = False
    encoding: str = "utf-8-sig"
    delimiter: str = ","

    @classmethod
    def read(cls, path: Path) -> Mapping:
        """Raises MappingError."""
        try:
            raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise MappingError(f"{path}: {error}") from error
        try:
            return cls.of(raw)
        except MappingError as error:
            raise MappingError(f"{path}: {error}") from error

    @classmethod
    def of(cls, raw: Any) -> Mapping:
        """A mapping from plain data. Raises MappingError."""
        if not isinstance(raw, dict):
            raise MappingError(_("映射文件应是一组“键: 值”。"))
        _known(raw, _TOP_KEYS, "")
        name = raw.get("source_system")
        if not isinstance(name, str) or not 1 <= len(name) <= 40:
            raise MappingError(_("source_system：请写来源名称（1 到 40 个字符）。"))
        fields = {key: _spec(key, value) for key, value in _dict(raw, "fields").items()}
        constants = {key: str(value) for key, value in _dict(raw, "constants").items()}
        for key in (*fields, *constants):
            if key not in FIELDS:
                raise MappingError(_("不认识的字段：%(key)s。可用的有：%(all)s。")
                                   % {"key": key, "all": ", ".join(sorted(FIELDS))})
        if "words" not in fields:
            raise MappingError(_("fields：缺少 words（诉求内容）。"))
        required = raw.get("required") or []
        if not isinstance(required, list) or not all(isinstance(column, str) for column in required):
            raise MappingError(_("required：应是列名的列表。"))
        return cls(
            source_system=name, fields=fields, constants=constants, required=tuple(required),
            accept=bool(raw.get("accept", False)), outside=bool(raw.get("outside", False)),
            encoding=str(raw.get("encoding", "utf-8-sig")), delimiter=str(raw.get("delimiter", ",")),
        )

    @classmethod
    def plain(cls, columns: frozenset[str] = FIELDS) -> Mapping:
        """For files whose columns already bear our own names. Times are ISO 8601 with an offset."""
        fields: dict[str, Any] = {name: name for name in (FIELDS - TIMES) & columns}
        fields |= {name: {"column": name, "format": "iso"} for name in TIMES & columns}
        return cls.of({"source_system": "import", "fields": fields, "accept": True})

    @property
    def columns(self) -> frozenset[str]:
        """Every source column the mapping reads."""
        return frozenset(self.required) | {column for spec in self.fields.values() for column in spec.columns}

    def text(self, row: Map[str, str], name: str) -> str:
        """One field as text, mapped through `values`. Raises Invalid for a value that has no place."""
        spec = self.fields.get(name)
        value = spec.text(row) if spec else ""
        if spec and spec.values is not None and value:
            found = spec.values.get(value, spec.otherwise)
            if found is None:
                raise Invalid(_("“%(column)s”的值“%(value)s”没有对应项，请在映射文件里补上。")
                              % {"column": "/".join(spec.columns), "value": value[:60]})
            value = found
        return value or self.constants.get(name, "")

    def _time(self, row: Map[str, str], name: str) -> datetime | None:
        spec = self.fields.get(name)
        value = spec.text(row) if spec else self.constants.get(name, "")
        if not value:
            return None
        for form in (spec.formats if spec else ()) or ("iso",):
            try:
                at = datetime.fromisoformat(value) if form == "iso" else datetime.strptime(value, form)  # noqa: DTZ007
            except ValueError:
                continue
            if at.tzinfo is not None:
                return at
            zone = spec.zone if spec else None
            if zone is None:
                raise Invalid(_("时间“%(value)s”没有时区，请在映射文件里写明 zone。") % {"value": value})
            return at.replace(tzinfo=zone)
        raise Invalid(_("“%(column)s”的时间看不懂：“%(value)s”。")
                      % {"column": "/".join(spec.columns) if spec else name, "value": value[:60]})

    def _number(self, row: Map[str, str], name: str) -> float | None:
        value = self.text(row, name)
        if not value:
            return None
        try:
            return float(value)
        except ValueError:
            raise Invalid(_("“%(name)s”不是数字：“%(value)s”。") % {"name": name, "value": value[:60]}) from None

    def said(self, row: Map[str, str], name: str) -> str:
        """What a field would hold, as text. Raises Invalid as `intake` does."""
        if name in TIMES:
            at = self._time(row, name)
            return at.isoformat() if at is not None else ""
        if name in NUMBERS:
            number = self._number(row, name)
            return "" if number is None else str(number)
        return self.text(row, name)

    def intake(self, row: Map[str, str], *, source_id: str, source_system: str) -> Intake:
        """Raises Invalid: an empty required column, a time, number or value that cannot be read."""
        for column in self.required:
            if not row.get(column, "").strip():
                raise Invalid(_("“%(column)s”是空的。") % {"column": column})
        text = {name: self.text(row, name) for name in TEXTS}
        registered_at = self._time(row, "registered_at")
        if registered_at is None and "registered_at" in self.fields:
            raise Invalid(_("“%(column)s”是空的，没有登记时间。")
                          % {"column": "/".join(self.fields["registered_at"].columns)})
        history = History(self._time(row, "target_at"), self._time(row, "closed_at"), text["closing_note"])
        lon, lat = self._number(row, "lon"), self._number(row, "lat")
        if len(source_id) > 120:
            raise Invalid(_("来源编号太长，最多 120 个字符。"))
        return Intake(
            words=text["words"], title=text["title"], channel=text["channel"] or Channel.IMPORT.value,
            category=text["category"] or None, area=text["area"] or None, place_text=text["place_text"],
            lon=lon, lat=lat, coordinate_system=text["coordinate_system"] or CoordinateSystem.WGS84.value,
            kind=text["kind"] or None, urgency=text["urgency"] or None, name=text["name"], phone=text["phone"],
            address=text["address"], email=text["email"], language=text["language"] or "zh-hans",
            accept=self.accept and bool(text["category"]), outside_allowed=self.outside, registered_at=registered_at,
            source_system=source_system, source_id=source_id,
            history=history if history.target_at or history.closed_at else None,
        )


def _known(raw: Map[Any, Any], allowed: frozenset[str], where: str) -> None:
    for key in raw:
        if key not in allowed:
            raise MappingError(_("%(where)s不认识的键：%(key)s。可用的有：%(all)s。")
                               % {"where": where, "key": key, "all": ", ".join(sorted(allowed))})


def _dict(raw: Map[str, Any], name: str) -> dict[str, Any]:
    value = raw.get(name) or {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise MappingError(_("%(name)s：应是一组“键: 值”。") % {"name": name})
    return value


def _spec(name: str, raw: Any) -> Spec:
    if isinstance(raw, str):
        raw = {"column": raw}
    if not isinstance(raw, dict):
        raise MappingError(_("fields.%(name)s：应是列名，或一组“键: 值”。") % {"name": name})
    _known(raw, _SPEC_KEYS, f"fields.{name}: ")
    columns = raw.get("columns") or [raw.get("column")]
    if not isinstance(columns, list) or not all(isinstance(column, str) and column for column in columns):
        raise MappingError(_("fields.%(name)s：请写 column（一列）或 columns（几列）。") % {"name": name})
    formats = raw.get("format") or []
    formats = [formats] if isinstance(formats, str) else formats
    if name in TIMES and not formats:
        raise MappingError(_("fields.%(name)s：请写 format（时间格式；ISO 8601 写 iso）。") % {"name": name})
    values = raw.get("values")
    if values is not None and not isinstance(values, dict):
        raise MappingError(_("fields.%(name)s.values：应是“原值: 新值”。") % {"name": name})
    try:
        zone = ZoneInfo(raw["zone"]) if raw.get("zone") else None
    except (KeyError, ValueError, OSError):
        raise MappingError(_("fields.%(name)s.zone：没有这个时区：%(zone)s。")
                           % {"name": name, "zone": raw["zone"]}) from None
    otherwise = raw.get("otherwise")
    return Spec(
        columns=tuple(columns), join=raw.get("join"), formats=tuple(formats), zone=zone,
        values={str(key): str(value) for key, value in values.items()} if values is not None else None,
        otherwise=None if otherwise is None else str(otherwise), default=str(raw.get("default", "")),
        empty=frozenset(str(value) for value in raw.get("empty") or []),
    )
