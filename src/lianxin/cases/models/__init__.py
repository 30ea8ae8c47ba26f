"""The case aggregate."""

from .case import (
    BESIDE_AN_OFFER,
    OPEN_STATES,
    TERMINAL,
    TO_PUBLISH,
    WITH_UNIT,
    AnswerPublication,
    Assignment,
    AssignmentRole,
    AssignmentState,
    Case,
    Channel,
    Linkage,
    Outcome,
    Publication,
    State,
    Submission,
    Supervised,
)
from .catalogue import (
    CatalogueDecision,
    CatalogueProposal,
    CatalogueRule,
    CatalogueSource,
    CatalogueVersion,
    Category,
    Kind,
    Phrase,
    Publicity,
    TimeLimit,
    Urgency,
)
from .checks import Check
from .clocks import (
    RUNNING,
    Clock,
    ClockKind,
    DutyLimit,
    Extension,
    ExtensionDecision,
    Notice,
    NoticeLevel,
    NoticeRule,
    NoticeTo,
    Suspension,
    SuspensionEnd,
    SuspensionReason,
)
from .duplicates import Distinct
from .handling import Contact, ContactMeans, Reply, Return, ReturnRuling
from .missed import MissedCall, MissedCallOutcome, MissedCallTry, MissedCallTryOutcome
from .person import IdentityReading, Reporter, RetentionClass
from .record import (
    ActorKind,
    Attachment,
    Event,
    EventText,
    Notification,
    PublicVersion,
)

__all__ = [
    "BESIDE_AN_OFFER", "OPEN_STATES", "RUNNING", "TERMINAL", "TO_PUBLISH", "WITH_UNIT", "ActorKind", "AnswerPublication",
    "Assignment",
    "AssignmentRole", "AssignmentState", "Attachment", "Case", "CatalogueDecision", "CatalogueProposal",
    "CatalogueRule", "CatalogueSource", "CatalogueVersion", "Category", "Channel", "Check", "Clock", "ClockKind",
    "Contact", "ContactMeans", "Distinct", "DutyLimit", "Event", "EventText", "Extension", "ExtensionDecision",
    "IdentityReading", "Kind", "Linkage", "MissedCall", "MissedCallOutcome", "MissedCallTry",
    "MissedCallTryOutcome", "Notice", "NoticeLevel", "NoticeRule", "NoticeTo", "Notification", "Outcome", "Phrase",
    "PublicVersion", "Publication", "Publicity", "Reply", "Reporter", "RetentionClass", "Return", "ReturnRuling", "State",
    "Submission", "Supervised", "Suspension", "SuspensionEnd", "SuspensionReason", "TimeLimit", "Urgency",
]
