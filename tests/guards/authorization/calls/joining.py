"""Organizations and what is theirs; the sandbox's clock."""

from tests.guards.authorization.asking import NOT_SENT, Call
from tests.guards.authorization.world import World


def calls(world: World) -> dict[str, Call]:
    return _organizations(world) | _belongings(world) | _test_clock()


def _organizations(world: World) -> dict[str, Call]:
    seller = {"organization_id": world.party("seller").org.id}
    return {
        "onboarding.register": Call("seller", "buyer", given={"legal_name": "Neuling GmbH"}),
        "organizations.get": Call("seller", "buyer", path=seller),
        "organizations.verify": Call("operator", "seller", path=seller),
        "members.create": Call("seller", "buyer"),
        "members.list": Call("seller", "buyer"),
        "api_keys.create": Call("seller", "buyer", given={"expires_at": NOT_SENT}),
        "api_keys.list": Call("seller", "buyer"),
        "api_keys.revoke": Call("seller", "buyer", path={"api_key_id": world["key"]}),
    }


def _belongings(world: World) -> dict[str, Call]:
    return {
        "sites.create": Call("seller", "buyer"),
        "sites.list": Call("seller", "buyer"),
        "sites.get": Call("seller", "buyer", path={"site_id": world.party("seller").site.id}),
        "permits.create": Call("buyer", "seller"),
        "permits.list": Call("buyer", "loser"),
        "permits.get": Call("buyer", "seller", path={"permit_id": world["permit"]}),
    }


def _test_clock() -> dict[str, Call]:
    return {
        "test_clock.get": Call("seller", "buyer"),
        "test_clock.advance": Call("seller", "buyer", given={"to": NOT_SENT, "seconds": 60}),
    }
