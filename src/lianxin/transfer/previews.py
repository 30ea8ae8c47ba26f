"""A preview of an import, said in the terminal."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rich.console import Console
from rich.table import Table

from lianxin.cases.previewing import FieldSeen, Preview

SHOWN = 20


def tell_preview(seen: Preview, console: Console) -> None:
    """Which field comes from where, examples, values without a place, columns that nothing is made of."""
    console.print(_("%(records)d 条记录，其中 %(broken)d 条读不出来；编码 %(encoding)s") % {
        "records": seen.records, "broken": seen.broken, "encoding": seen.encoding})
    table = Table(_("字段"), _("来自哪一列"), _("有内容"), _("例子"))
    for one in seen.fields:
        table.add_row(one.name, _from(one), f"{one.filled:,}", "\n".join(f"{came} → {made}" for came, made in one.examples))
    console.print(table, markup=False)
    for one in seen.fields:
        if one.unmapped:
            console.print(_("%(field)s：有 %(kinds)d 种值没有对应项，共 %(count)d 条") % {
                "field": one.name, "kinds": len(one.unmapped), "count": one.unmapped.total()}, markup=False)
            for value, count in one.unmapped.most_common(SHOWN):
                console.print(f"  {count:,} × {value}", markup=False)
            if len(one.unmapped) > SHOWN or one.too_many:
                console.print("  …")
    if seen.unread:
        console.print(_("没有用到的列："))
        for name, example in seen.unread:
            console.print(f"  {name}" + (f"（{example}）" if example else ""), markup=False)


def _from(one: FieldSeen) -> str:
    if one.columns:
        return " / ".join(one.columns)
    return _("固定值：%s") % one.constant
