"""Listings and imports."""

import json

from tests.guards.authorization.asking import NOT_SENT, Call
from tests.guards.authorization.world import World
from tests.listings.manifest_files import manifest, motor
from tests.listings.test_picturing import PNG


def calls(world: World) -> dict[str, Call]:
    return _drafts(world) | _offers(world) | _imports(world) | _searches(world) | _recalls(world)


def _recalls(world: World) -> dict[str, Call]:
    campaign = {"campaign_id": world["recall_campaign"]}
    return {
        "recall_campaigns.create": Call("seller", "buyer"),
        "recall_campaigns.list": Call("seller", "buyer"),
        "recall_campaigns.get": Call("seller", "buyer", path=campaign),
        "recall_campaigns.stops": Call("seller", "buyer", path=campaign),
        "recall_campaigns.close": Call("seller", "buyer", path=campaign),
        "recall_campaigns.lift": Call("seller", "buyer", path=campaign),
    }


def _drafts(world: World) -> dict[str, Call]:
    draft = {"listing_id": world["draft"]}
    item = draft | {"item_id": world["draft_item"]}
    terms = {"site_id": world.party("seller").site.id, "opens_at": NOT_SENT, "closes_at": NOT_SENT}
    return {
        "listings.create": Call("seller", "buyer", given=terms),
        "listings.update": Call("seller", "buyer", path=draft, given={"closes_at": NOT_SENT, "title": "Motors"}),
        "listings.add_item": Call("seller", "buyer", path=draft),
        "listings.update_item": Call("seller", "buyer", path=item),
        "listings.remove_item": Call("seller", "buyer", path=item),
        "listings.add_photo": Call("seller", "buyer", path=item, form={}, file=PNG),
        "listings.photo": Call("seller", "buyer", path=item | {"sha256": world["item_photo"]}),
        "listings.publish": Call("seller", "buyer", path=draft),
        "listings.split": Call(
            "seller", "buyer", path=draft, given={"items": [{"item_id": item["item_id"]}], "title": "Motors"}
        ),
        "listings.merge": Call("seller", "buyer", path=draft, given={"into_listing_id": world["other_draft"]}),
        "listings.relist_remainder": Call("seller", "buyer", path=draft),
    }


def _offers(world: World) -> dict[str, Call]:
    offered = {"listing_id": world["open"]}
    return {
        "listings.list": Call("seller", "buyer"),
        "listings.search": Call("seller", "buyer"),
        "listings.get": Call("seller", "buyer", path=offered),
        "listings.lineage": Call("seller", "buyer", path=offered),
        "listings.withdraw": Call("seller", "buyer", path=offered),
    }


def _searches(world: World) -> dict[str, Call]:
    kept = {"saved_search_id": world["saved_search"]}
    return {
        "saved_searches.create": Call("buyer", "seller"),
        "saved_searches.list": Call("buyer", "seller"),
        "saved_searches.get": Call("buyer", "seller", path=kept),
        "saved_searches.update": Call("buyer", "seller", path=kept),
        "saved_searches.remove": Call("buyer", "seller", path=kept),
    }


def _imports(world: World) -> dict[str, Call]:
    read = {"import_id": world["import"]}
    kept = {"profile_id": world["import_profile"]}
    terms = {"title": "Returns", "site_id": world.party("seller").site.id, "mode": "sealed", "price_unit": "piece"}
    form = {"profile": "backhaul-1", "listing": json.dumps(terms | {"currency": "EUR"})}
    return {
        "imports.create": Call("seller", "buyer", form=form, file=manifest(motor("C"))),
        "imports.propose": Call("seller", "buyer", form={}, file=manifest(motor("C"))),
        "imports.list": Call("seller", "buyer"),
        "imports.get": Call("seller", "buyer", path=read),
        "imports.refused": Call("seller", "buyer", path=read),
        "import_profiles.create": Call("seller", "buyer"),
        "import_profiles.list": Call("seller", "buyer"),
        "import_profiles.get": Call("seller", "buyer", path=kept),
        "import_profiles.update": Call("seller", "buyer", path=kept),
        "import_profiles.delete": Call("seller", "buyer", path=kept),
    }
