"""Organizations and what is theirs; the sandbox's clock."""

from tests.factories.papers import PDF
from tests.guards.authorization.asking import NOT_SENT, Call
from tests.guards.authorization.world import World


def calls(world: World) -> dict[str, Call]:
    return _organizations(world) | _belongings(world) | _papers(world) | _reference() | _test_clock()


def _organizations(world: World) -> dict[str, Call]:
    seller = {"organization_id": world.party("seller").org.id}
    return {
        "onboarding.register": Call("seller", "buyer", given={"legal_name": "Neuling GmbH"}),
        "organizations.get": Call("seller", "buyer", path=seller),
        "organizations.list": Call("seller", "buyer"),
        "organizations.update": Call("seller", "buyer", path=seller),
        "organizations.submit": Call("seller", "buyer", path=seller),
        "organizations.request_changes": Call("operator", "seller", path=seller),
        "organizations.verify": Call("operator", "seller", path=seller),
        "organizations.reject": Call("operator", "seller", path=seller),
        "organizations.suspend": Call("operator", "seller", path=seller),
        "organizations.reinstate": Call(
            "operator", "seller", path={"organization_id": world["suspended_organization"]}
        ),
        "organizations.close": Call("seller", "buyer", path=seller),
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
        "sites.update": Call("seller", "buyer", path={"site_id": world.party("seller").site.id}),
        "permits.create": Call("buyer", "seller"),
        "permits.list": Call("buyer", "loser"),
        "permits.get": Call("buyer", "seller", path={"permit_id": world["permit"]}),
        "permits.withdraw": Call("buyer", "seller", path={"permit_id": world["permit"]}),
    }


def _papers(world: World) -> dict[str, Call]:
    document = {"document_id": world["document"]}
    form = {"kind": "vat_certificate", "issued_on": "2026-01-05"}
    return {
        "documents.create": Call("seller", "buyer", form=form, file=PDF),
        "documents.list": Call("seller", "buyer"),
        "documents.get": Call("seller", "buyer", path=document),
        "documents.file": Call("seller", "buyer", path=document),
        "documents.accept": Call("operator", "seller", path=document),
        "documents.refuse": Call("operator", "seller", path=document),
        "documents.withdraw": Call("seller", "buyer", path=document),
    }


def _reference() -> dict[str, Call]:
    lists = ("waste_codes", "operations", "un_numbers", "materials", "hazard_properties", "document_kinds")
    return {f"reference.{name}": Call("seller", "buyer") for name in lists}


def _test_clock() -> dict[str, Call]:
    return {
        "test_clock.get": Call("seller", "buyer"),
        "test_clock.advance": Call("seller", "buyer", given={"to": NOT_SENT, "seconds": 60}),
    }
