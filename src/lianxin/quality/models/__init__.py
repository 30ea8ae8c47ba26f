"""Review, callback, rating, contest and campaign: whether what was promised was done."""

from .callback import CallbackAttempt, CallbackOutcome, Contest, Rating, Satisfaction
from .campaign import Campaign, CampaignDraw
from .review import ANSWERS, Answer, ChecklistItem, Review, ReviewVerdict

__all__ = [
    "ANSWERS", "Answer", "CallbackAttempt", "CallbackOutcome", "Campaign", "CampaignDraw", "ChecklistItem", "Contest",
    "Rating", "Review", "ReviewVerdict", "Satisfaction",
]
