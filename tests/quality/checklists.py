"""A checklist for the small city, and answers that pass it."""

from __future__ import annotations

from lianxin.quality.models import ChecklistItem
from tests.world import World

ALL_YES = {"contacted": "yes", "answered": "yes", "basis": "na", "proof": "yes"}


def make(world: World) -> None:
    """Four questions of every case, one more of field matters, and a stricter one of enquiries."""
    rows = [
        ("contacted", None, "联系过诉求人", "Was the reporter contacted?", True, False, False),
        ("answered", None, "答的是所问", "Does it answer the question?", True, False, False),
        ("basis", None, "写明了依据", "Does it name its basis?", True, True, False),
        ("proof", None, "有凭据", "Is there proof?", True, False, False),
        ("photo", None, "照片是处理后的", "Was the photo taken afterwards?", True, False, True),
        ("plain", None, "看得懂", "Is it plain?", False, True, False),
        ("basis", "010103", "写明了水价文件", "Does it name the price notice?", True, False, False),
    ]
    for position, (code, category, question, english, required, na, field) in enumerate(rows, 1):
        ChecklistItem.objects.create(
            code=code, category=world.categories[category] if category else None, question=question,
            question_en=english, required=required, na_allowed=na, field_only=field, position=position)
