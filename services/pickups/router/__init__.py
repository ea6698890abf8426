"""HTTP only: parse, call one verb, answer."""

from fastapi import APIRouter

from services.pickups.router.jobs import pickups
from services.pickups.router.offers import offers

routers: list[APIRouter] = [pickups, offers]
