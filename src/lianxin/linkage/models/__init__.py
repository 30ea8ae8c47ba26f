"""The tables of the link with other desks, by what they are about; and the states a handover may be in."""

from ..states import NOT_TAKEN, OVER, TAKEN, UNDECIDED, HandoverState, Who
from .matters import Direction, Disclosure, Handover, HandoverLimit, HandoverStep, Holder, Matter, StepBy
from .messages import Outgoing, OutgoingState, Received
from .partners import Identity, Partner, PartnerKind, PartnerSecret
from .rules import JointRule
from .words import Mapping, MappingChange, Term, TermList, Unmapped, What

__all__ = [
    "NOT_TAKEN", "OVER", "TAKEN", "UNDECIDED", "Direction", "Disclosure", "Handover", "HandoverLimit",
    "HandoverState", "HandoverStep", "Holder", "Identity", "JointRule", "Mapping", "MappingChange", "Matter",
    "Outgoing", "OutgoingState", "Partner", "PartnerKind", "PartnerSecret", "Received", "StepBy", "Term",
    "TermList", "Unmapped", "What", "Who",
]
