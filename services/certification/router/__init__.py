"""HTTP only: parse, call one verb, answer."""

from fastapi import APIRouter

from services.certification.router.certificates import certificates
from services.certification.router.material import custody_events, factor_sets, material_batches, waste
from services.certification.router.public import public, verification

routers: list[APIRouter] = [material_batches, custody_events, waste, factor_sets, verification, certificates, public]
