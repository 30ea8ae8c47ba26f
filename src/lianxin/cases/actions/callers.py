"""Who raised a case, written down after it was registered: an emergency does not wait for a name."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.crypto import decrypt, encrypt, lookup_hash
from lianxin.kernel.errors import Conflict, Invalid
from lianxin.kernel.text import clean_text, phone_normalise

from ..engine import Step, action
from ..models import Reporter

LONGEST = {"name": 60, "phone": 40, "address": 200}


def telephone(said: str) -> str:
    """The digits of a telephone number, empty when nothing is said. Raises Invalid for what is no number."""
    number = phone_normalise(clean_text(said, max_length=LONGEST["phone"], multiline=False))
    if (number or said.strip()) and not 5 <= len(number.lstrip("+")) <= 20:
        raise Invalid(_("电话号码不对，请核对；也可以不留。"), fields={"phone": str(_("请核对号码。"))})
    return number


def _sealed(reporter: Reporter, field: str, value: str) -> bool:
    """Put a value where there is none. False when the same stands there already; raises Conflict when another does."""
    context = f"reporter:{reporter.pk}:{field}"
    held = getattr(reporter, field)
    if held is not None:
        if decrypt(bytes(held), context=context) == value:
            return False
        raise Conflict(_("这件工单已经登记了诉求人，登记过的不改。新的电话或姓名请写进补充情况。"), code="reporter_known")
    setattr(reporter, field, encrypt(value, context=context))
    return True


@action("add_reporter")
def add_reporter(step: Step, *, name: str = "", phone: str = "", address: str = "") -> None:
    """补登诉求人: who it was, when that was not known yet at registering. What is written down already is never changed."""
    said = {field: value for field, value in (
        ("name", clean_text(name, max_length=LONGEST["name"], multiline=False)), ("phone", telephone(phone)),
        ("address", clean_text(address, max_length=LONGEST["address"], multiline=False))) if value}
    if not said:
        raise Invalid(_("请至少填一项：姓名、电话或地址。"), fields={"phone": str(_("请至少填一项。"))})
    reporter = step.case.reporter or Reporter(created_at=step.at, language=step.case.language)
    added = [field for field, value in said.items() if _sealed(reporter, field, value)]
    if "phone" in added:
        reporter.phone_hash = lookup_hash(said["phone"], purpose="phone")
    reporter.save()
    if step.case.reporter_id is None:
        step.case.reporter = reporter
        step.case.save(update_fields=["reporter"])
    step.data.update(fields=added)
