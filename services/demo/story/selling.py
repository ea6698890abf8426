"""Monday to Monday: a manifest becomes a listing, bids come in sealed, the best is awarded and confirmed."""

import hashlib
import json
from pathlib import Path
from typing import Any

from backhaul_client import Conflict, UnprocessableEntity
from backhaul_client.models import PhotoParam

from services.demo import goods
from services.demo.stage import Stage, amount, etag, euros, kilograms

PHOTO: PhotoParam = {"sha256": hashlib.sha256(b"modules on pallets").hexdigest(), "name": "modules-on-pallets.jpg"}


def tell(stage: Stage, manifest: Path | None) -> None:
    _import_the_goods(stage)
    if manifest is not None:
        _import_another(stage, manifest)
    _publish(stage)
    _bid(stage)
    _award(stage)
    _confirm(stage)


def _import_the_goods(stage: Stage) -> None:
    stage.go_to(0, "08:10")
    terms = {
        "title": "End-of-life equipment, Kassel works",
        "site_id": stage["Nordwerk"].site_id,
        "mode": "sealed",
        "price_unit": "tonne",
        "currency": "EUR",
        "disposition_floor": "recycle",
        "opens_at": stage.at(1, "08:00").isoformat(),
        "closes_at": stage.at(4, "14:00").isoformat(),
    }
    first = _read(stage, "equipment.csv", goods.manifest(), profile="backhaul-1", listing=terms)
    returned = stage["Nordwerk"].client.imports.refused(first.id)
    stage.facts["imports"] = {"rows": first.rows, "imported": first.imported, "refused": first.refused}
    stage.facts["listing"] = first.listing_id
    for line in returned.decode().splitlines()[1:]:
        stage.say("Backhaul", "sends back", line.split(",")[0])
    stage.go_to(0, "08:40")
    _read(stage, "equipment-mended.csv", goods.mended(), profile="backhaul-1", listing_id=first.listing_id)


def _read(stage: Stage, name: str, content: bytes, **into: Any) -> Any:
    client = stage["Nordwerk"].client
    posted = client.imports.create(file=(name, content), **_as_form(into))
    done = stage.wait_for(lambda: client.imports.get(posted.id), lambda seen: seen.status in ("completed", "failed"))
    stage.say(
        "Nordwerk",
        f"imports {name}",
        f"{done.rows} rows",
        f"{done.imported} imported",
        f"{done.refused} refused",
        done.id,
    )
    return done


def _as_form(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: json.dumps(value) if isinstance(value, dict) else value for name, value in fields.items()}


def _import_another(stage: Stage, manifest: Path) -> None:
    """Any file: in the Open Repair form by its profile, otherwise in our own. Sold as one lot, weighed at the dock."""
    content = manifest.read_bytes()
    mapping = _mapping_for(content.split(b"\n", 1)[0].decode("utf-8-sig", "replace"))
    terms = {
        "title": f"Returned goods: {manifest.name}"[:200],
        "site_id": stage["Nordwerk"].site_id,
        "mode": "sealed",
        "price_unit": "lot",
        "currency": "EUR",
        "disposition_floor": "recycle",
        "closes_at": stage.at(4, "14:00").isoformat(),
    }
    done = _read(stage, manifest.name, content, **mapping, listing=terms)
    again = _read(stage, manifest.name, content, **mapping, listing_id=done.listing_id)
    stage.facts["imports"] = {
        "rows": done.rows,
        "imported": done.imported,
        "refused": done.refused,
        "added_by_the_same_file_again": again.added,
    }
    try:
        published = stage["Nordwerk"].client.listings.publish(done.listing_id)
    except UnprocessableEntity as refusal:
        first = refusal.errors[0]
        stage.say("Backhaul", f"cannot publish it yet: {first.detail}", len(refusal.errors), first.pointer)
        return
    stage.say("Nordwerk", f"offers {published.item_count} kinds of goods as one lot", published.status, published.id)


def _mapping_for(header: str) -> dict[str, Any]:
    """The profile whose columns these are; for any other file its first column is the id, and the rest is not known."""
    delimiter = max(",;\t|", key=header.count)
    columns = [column.strip().strip('"') for column in header.strip().split(delimiter)]
    if "repair_status" in columns:
        return {"profile": "ords-0.3"}
    if {"external_id", "item_key"} <= {column.casefold() for column in columns}:
        return {"profile": "backhaul-1"}
    unknown = {
        "item_key": "returned goods",
        "description": "Returned goods",
        "return_reason": "defective",
        "condition_grade": "salvage",
        "composition": "unknown",
    }
    constants = {target: {"constant": value} for target, value in unknown.items()}
    return {"mapping": {"fields": {"external_id": {"column": columns[0]}, **constants}}}


def _publish(stage: Stage) -> None:
    stage.go_to(0, "09:05")
    client, listing_id = stage["Nordwerk"].client, stage.facts["listing"]
    draft = client.listings.get(listing_id)
    (modules,) = [item for item in draft.items if item.key == "modules"]
    client.listings.update_item(
        listing_id,
        modules.id,
        hp_codes=["HP5", "HP14"],
        packaging={"kind": "Steel boxes on pallets", "packages": 6, "un_packing": "P909"},
        photos=[PHOTO],
    )
    published = client.listings.publish(listing_id)
    stage.say(
        "Nordwerk",
        f"publishes {published.item_count} items, sealed, whole lot",
        kilograms(published.total_mass),
        published.status,
        published.id,
    )


def _bid(stage: Stage) -> None:
    stage.go_to(2, "10:00")
    stage.facts["winner"] = _place(stage, "Rheinkreis", "120.00", haulage_basis="FCA", haulage_ceiling=euros("700.00"))
    stage.go_to(3, "09:30")
    _place(stage, "Zweitlauf", "0.00", haulage_basis="DAP", haulage_quote=euros("910.00"), disposition="remanufacture")
    stage.go_to(4, "13:58")
    _place(stage, "Batteriehof", "-35.00", haulage_basis="FCA", haulage_ceiling=euros("900.00"))
    try:
        _place(stage, "Altmetall", "150.00", haulage_basis="FCA", haulage_ceiling=euros("600.00"))
    except Conflict as refusal:
        stage.say("Altmetall", "may not bid: its permit does not cover the batteries", refusal.status, refusal.code)


def _place(stage: Stage, name: str, price: str, *, disposition: str = "recycle", **haulage: Any) -> str:
    bid = stage[name].client.bids.place(
        listing_id=stage.facts["listing"],
        site_id=stage[name].site_id,
        price=euros(price),
        price_unit="tonne",
        disposition=disposition,
        operation="R4",
        **haulage,
    )
    stage.say(name, f"bids {price} EUR/t {bid.haulage_basis}", bid.status, bid.id)
    return str(bid.id)


def _award(stage: Stage) -> None:
    stage.go_to(4, "14:00")
    stage.say("Backhaul", "closes the bidding to the instant; Nordwerk can read the bids now")
    stage.go_to(7, "09:30")
    client, bid_id = stage["Nordwerk"].client, stage.facts["winner"]
    names = {player.org_id: player.name for player in stage.players.values()}
    for ranked in client.bids.ranking(stage.facts["listing"]).data:
        value = ranked.landed_net_value.amount
        stage.say(f"{ranked.rank}.", f"{names[ranked.bidder_id]:<12} lands at {value:>9} EUR", ranked.haulage_basis)
    read = etag(client.bids.get.raw(bid_id))
    rehearsed = client.bids.award(bid_id, if_match=read, dry_run=True)
    stage.say("Nordwerk", "rehearses the award (dry run)", rehearsed.status)
    order = client.bids.award(bid_id, if_match=read)
    stage.facts["order"] = order.id
    stage.say("Nordwerk", "awards it to Rheinkreis", order.status, order.id)


def _confirm(stage: Stage) -> None:
    stage.go_to(7, "14:20")
    client, bid_id = stage["Rheinkreis"].client, stage.facts["winner"]
    order = client.orders.get(stage.facts["order"])
    read = etag(client.bids.get.raw(bid_id))
    confirmed = client.bids.confirm(bid_id, terms_hash=order.terms_hash, if_match=read)
    stage.settle()
    (deal,) = client.deals.list(order_id=order.id).data
    stage.facts["deal"] = deal.id
    stage.say("Rheinkreis", "confirms the same terms", confirmed.status, f"exposure {amount(deal.exposure)}", deal.id)
