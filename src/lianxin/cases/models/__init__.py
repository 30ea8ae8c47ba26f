"""The case aggregate."""

from .case import (
    OPEN_STATES,
    TERMINAL,
    WITH_UNIT,
    Assignment,
    AssignmentRole,
    AssignmentState,
    Case,
    Channel,
    Clock,
    ClockKind,
    Outcome,
    Publication,
    State,
    Submission,
)
from .catalogue import (
    CatalogueRule,
    CatalogueVersion,
    Category,
    Kind,
    Phrase,
    TimeLimit,
    Urgency,
)
from .handling import Contact, ContactMeans, Reply, Return
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
    "OPEN_STATES", "TERMINAL", "WITH_UNIT", "ActorKind", "Assignment", "AssignmentRole", "AssignmentState",
    "Attachment", "Case", "CatalogueRule", "CatalogueVersion", "Category", "Channel", "Clock", "ClockKind", "Contact",
    "ContactMeans", "Event", "EventText", "IdentityReading", "Kind", "Notification", "Outcome", "Phrase", "PublicVersion",
    "Publication", "Reply", "Reporter", "RetentionClass", "Return", "State", "Submission", "TimeLimit", "Urgency",
]
