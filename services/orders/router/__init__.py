"""HTTP of awards, orders and receipts. Importing it registers the four timers of orders with their verbs."""

from fastapi import APIRouter

from services.orders.router.bids import bids
from services.orders.router.listings import listings
from services.orders.router.orders import orders
from services.orders.router.receipts import receipts

routers: list[APIRouter] = [bids, listings, orders, receipts]
