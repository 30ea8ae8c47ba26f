"""Short times as a telephone shows them."""

from django import template

register = template.Library()


@register.filter
def minutes_seconds(seconds: int) -> str:
    """`1:05`, `61:05`: minutes and seconds."""
    return f"{seconds // 60}:{seconds % 60:02d}"


@register.filter
def talked(call: object) -> str:
    """How long a call was talked, `1:05`; empty for one that was not, or is not over."""
    answered, ended = getattr(call, "answered_at", None), getattr(call, "ended_at", None)
    return minutes_seconds(int((ended - answered).total_seconds())) if answered and ended else ""
