"""The tables of pickups and how they may move."""

from services.pickups.models.handovers import Handover, HandoverLine, Measurement, Photo, Signature
from services.pickups.models.jobs import Goods, Movement, PickupJob, Slot
from services.pickups.models.moves import PICKUP, PickupFacts
from services.pickups.models.offers import OFFER, Offer, OfferFacts

__all__ = [
    "OFFER",
    "PICKUP",
    "Goods",
    "Handover",
    "HandoverLine",
    "Measurement",
    "Movement",
    "Offer",
    "OfferFacts",
    "Photo",
    "PickupFacts",
    "PickupJob",
    "Signature",
    "Slot",
]
