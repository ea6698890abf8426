"""On the road: the driver's facts, and the two moments at which custody changes."""

from services.pickups.handover.contents import Content
from services.pickups.handover.moving import Report, arrive, depart
from services.pickups.handover.signing import Signing, sign_delivery, sign_handover

__all__ = ["Content", "Report", "Signing", "arrive", "depart", "sign_delivery", "sign_handover"]
