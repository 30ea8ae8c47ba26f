"""Every write to a case. `ACTIONS` names those of this context; `quality.actions` adds review and callback."""

from collections.abc import Callable

from .callers import add_reporter
from .dispatching import (
    accept,
    add_assisting,
    answer_on_the_spot,
    correct,
    decline,
    dispatch,
    redispatch,
    refer_emergency,
)
from .extending import ask_extension, grant_extension, refuse_extension
from .grid import answer_check, ask_check, settle_on_the_spot
from .handing_over import (
    close_handover,
    note_handover,
    offer_handover,
    release_handover,
    take_back_handover,
    tell_handover,
    withdraw_handover,
)
from .handling import (
    ask_colleague,
    assist_reply,
    assist_sign,
    hand_to_colleague,
    record_contact,
    reply,
    sign,
)
from .intake import History, Intake, Registered, register
from .merging import merge, unmerge
from .outside import note_outside
from .pausing import lift_suspension, resume_work, suspend
from .reporting import (
    add_information,
    attach,
    clear_publication,
    refuse_publication,
    request_publication,
    withdraw,
)
from .returning import raise_return, reject_return, rule_jointly, uphold_return
from .writing import register_many

ACTIONS: dict[str, Callable[..., object]] = {
    "accept": accept, "decline": decline, "answer_on_the_spot": answer_on_the_spot, "dispatch": dispatch,
    "redispatch": redispatch, "add_assisting": add_assisting, "sign": sign, "record_contact": record_contact,
    "raise_return": raise_return, "uphold_return": uphold_return, "reject_return": reject_return,
    "rule_jointly": rule_jointly,
    "assist_sign": assist_sign, "assist_reply": assist_reply, "hand_to_colleague": hand_to_colleague,
    "ask_colleague": ask_colleague, "reply": reply, "withdraw": withdraw, "add_information": add_information,
    "attach": attach, "correct": correct, "refer_emergency": refer_emergency, "add_reporter": add_reporter,
    "suspend": suspend, "resume_work": resume_work, "lift_suspension": lift_suspension, "ask_extension": ask_extension,
    "grant_extension": grant_extension, "refuse_extension": refuse_extension,
    "request_publication": request_publication, "clear_publication": clear_publication,
    "refuse_publication": refuse_publication, "merge": merge, "unmerge": unmerge,
    "settle_on_the_spot": settle_on_the_spot, "ask_check": ask_check, "answer_check": answer_check,
    "offer_handover": offer_handover, "withdraw_handover": withdraw_handover,
}

__all__ = [
    "ACTIONS", "History", "Intake", "Registered", "accept", "add_assisting", "add_information", "add_reporter",
    "answer_check", "answer_on_the_spot", "ask_check", "ask_colleague", "assist_reply", "assist_sign", "attach",
    "clear_publication", "close_handover", "correct", "decline", "dispatch", "hand_to_colleague", "merge",
    "note_handover", "note_outside", "offer_handover", "raise_return", "record_contact", "redispatch", "refer_emergency",
    "refuse_publication", "register", "register_many", "reject_return", "release_handover", "reply",
    "request_publication", "rule_jointly", "settle_on_the_spot", "sign", "take_back_handover", "tell_handover",
    "unmerge", "uphold_return", "withdraw", "withdraw_handover",
]
