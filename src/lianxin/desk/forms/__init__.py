"""One form for each action of the table. The fields are the table's; the engine checks them again."""

from . import cases, clocks, grid, handing_over, merging, quality, returns, supervision
from .base import ActionForm, AreaField, CategoryField, Coded, UnitField, settled, take_faults
from .cases import Nothing

FORMS: dict[str, type[ActionForm]] = {
    **cases.FORMS, **clocks.FORMS, **grid.FORMS, **handing_over.FORMS, **merging.FORMS,
    **quality.FORMS, **returns.FORMS, **supervision.FORMS,
}

__all__ = ["FORMS", "ActionForm", "AreaField", "CategoryField", "Coded", "Nothing", "UnitField", "settled", "take_faults"]
