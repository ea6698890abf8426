"""Batches, custody events and certificates; the reference tables."""

from typing import Any

from tests.guards.authorization.asking import NOT_SENT, Call
from tests.guards.authorization.world import World


def calls(world: World) -> dict[str, Call]:
    return _material(world) | _holding(world) | _verifying(world)


def _material(world: World) -> dict[str, Call]:
    code = {"scheme": "LoW", "code": "160214"}
    return {
        "material_batches.list": Call("buyer", "loser", query={"order_id": world["order"]}),
        "material_batches.get": Call("buyer", "seller", path={"batch_id": world["batch"]}),
        "custody_events.list": Call("buyer", "loser"),
        "custody_events.get": Call("buyer", "seller", path={"custody_event_id": world["operation"]}),
        "custody_events.create": Call("buyer", "carrier", given=_made(world)),
        "waste_codes.get": Call("buyer", "seller", path=code, query={"jurisdiction": "EU"}),
        "factor_sets.list": Call("buyer", "seller"),
    }


def _made(world: World) -> dict[str, Any]:
    steel = {"material": "steel", "mass": {"value": "0.9", "unit": "t"}, "disposition": "product"}
    return {
        "occurred_at": NOT_SENT,
        "inputs": [{"batch_id": world["batch"], "mass": {"value": "1", "unit": "t"}}],
        "outputs": [steel],
        "loss": {"mass": {"value": "0.1", "unit": "t"}, "reason": "dust"},
    }


def _certificate(world: World, stage: str) -> dict[str, str]:
    return {"certificate_id": world[f"{stage}_certificate"]}


def _holding(world: World) -> dict[str, Call]:
    draft = _certificate(world, "draft")
    verifier = {"verifier_id": world.party("verifier").org.id}
    wanted = verifier | {"custody_event_ids": [world["operation"]]}
    return {
        "certificates.list": Call("buyer", "loser"),
        "certificates.get": Call("buyer", "verifier", path=draft),
        "certificates.create": Call("buyer", "seller", given=wanted),
        "certificates.submit": Call("buyer", "seller", path=draft, given=verifier),
        "certificates.withdraw": Call("buyer", "seller", path=draft),
    }


def _verifying(world: World) -> dict[str, Call]:
    verifying, issued = _certificate(world, "verifying"), _certificate(world, "issued")
    return {
        "certificates.take_up": Call("verifier", "buyer", path=_certificate(world, "submitted")),
        "certificates.query": Call("verifier", "buyer", path=verifying),
        "certificates.refuse": Call("verifier", "buyer", path=verifying),
        "certificates.issue": Call("verifier", "buyer", path=verifying),
        "certificates.suspend": Call("verifier", "buyer", path=issued),
        "certificates.reinstate": Call("verifier", "buyer", path=_certificate(world, "suspended")),
        "certificates.revoke": Call("verifier", "buyer", path=issued),
    }
