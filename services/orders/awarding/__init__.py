"""From a bid that won to a contract: award, confirm, or let the time pass."""

from services.orders.awarding.accepting import accept_counter
from services.orders.awarding.buying import buy, sell
from services.orders.awarding.choosing import award
from services.orders.awarding.confirming import confirm
from services.orders.awarding.lapsing import CONFIRM_WINDOW, time_out
from services.orders.awarding.ruling import award_best

__all__ = ["CONFIRM_WINDOW", "accept_counter", "award", "award_best", "buy", "confirm", "sell", "time_out"]
