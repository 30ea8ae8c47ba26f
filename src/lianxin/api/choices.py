"""The values a field of a request may have, from the lists that the models and the database hold."""

from typing import TYPE_CHECKING, Literal

from lianxin.cases.models import Channel, Kind, State, Urgency
from lianxin.kernel.coordinates import CoordinateSystem
from lianxin.knowledge.models import Fault

if TYPE_CHECKING:  # a list made at run time is no type to a checker
    ChannelName = str
    FaultName = str
    KindName = str
    StateName = str
    SystemName = str
    UrgencyName = str
else:
    ChannelName = Literal[tuple(Channel.values)]
    FaultName = Literal[tuple(Fault.values)]
    KindName = Literal[tuple(Kind.values)]
    StateName = Literal[tuple(State.values)]
    SystemName = Literal[tuple(system.value for system in CoordinateSystem)]
    UrgencyName = Literal[tuple(Urgency.values)]
