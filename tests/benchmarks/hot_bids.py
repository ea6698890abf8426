"""Bids as a hot path: anywhere, and by sixty-four bidders on one listing. pgbench leaves the rows of one bid in one statement."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count, cycle

from tests.benchmarks.hot import BIDDING, Hot, listing_id, post
from tests.factories.parties import Party


def anywhere(buyer: Party, listings: int) -> list[Hot]:
    """Each beats the one before, wherever it falls. What is merely appended falls on the other half: no auction knows of it."""
    raised, half = count(1), listings // 2

    def request(number: int) -> bytes:
        return _new_bid(buyer, listing_id(1 + number % half), next(raised))

    return [
        _bidding("place a bid", request, _LEAVE, buyer, half),
        _bidding("the same, bare", request, _APPEND, buyer, listings, least=half + 2),
    ]


def on_one(buyers: Sequence[Party]) -> Hot:
    """The second of all listings, for the others are bid for too."""
    raised, next_buyer = count(1), cycle(buyers)
    hot = _bidding(
        "one hot listing",
        lambda _: _new_bid(next(next_buyer), listing_id(2), next(raised)),
        _LEAVE,
        buyers[0],
        2,
        least=2,
    )
    return replace(hot, bar=8.0)


def _bidding(
    name: str, request: Callable[[int], bytes], sql: str, buyer: Party, listings: int, *, least: int = 1
) -> Hot:
    written = " ".join(sql.replace("BUYER", f"'{buyer.org.id}'").replace("SITE", f"'{buyer.site.id}'").split())
    script = f"\\set n random({least}, {listings})\n{written};\n"
    return Hot(name, request, script, bar=1.0, cpu=0.30, role="postgres", connections=BIDDING)


_APPEND = """
WITH lot AS (SELECT id, currency, price_unit, seller_id FROM listing WHERE id = 'lst_' || lpad(:n::text, 26, '0') FOR UPDATE)
INSERT INTO bid (id, listing_id, bidder_id, site_id, price_minor, currency, price_unit, haulage_basis, disposition, operation,
    received_at, status, livemode, created_at, version)
SELECT 'bid_' || lpad(:client_id::text, 4, '0') || substr(md5(random()::text), 1, 22), id, BUYER, SITE, 12000, currency,
    price_unit, 'FCA', 'recycle', 'R4', clock_timestamp(), 'lost', false, clock_timestamp(), 1 FROM lot"""

_TOLD = """jsonb_build_object('bid_id', placed.id, 'listing_id', placed.listing_id, 'bidder_id', BUYER, 'price', jsonb_build_object(
    'amount', '120.00', 'currency', 'EUR'), 'price_unit', 'tonne', 'haulage_basis', 'FCA', 'disposition', 'recycle')"""
_LEAVE = f"""
WITH lot AS (SELECT id, currency, price_unit, seller_id FROM listing WHERE id = 'lst_' || lpad(:n::text, 26, '0') FOR UPDATE),
placed AS ({_APPEND.partition("FOR UPDATE)")[2]} RETURNING *),
told AS (
    INSERT INTO event (id, type, schema_version, subject_id, actor, org_id, occurred_at, recorded_at, data, audience,
        audience_orgs, livemode)
    SELECT 'evt_' || kind || substr(md5(random()::text), 1, 25), 'bid.placed', 1, placed.id, 'key', BUYER, clock_timestamp(),
        clock_timestamp(), {_TOLD}, jsonb_build_object(BUYER, 'bidder', lot.seller_id, 'seller'), ARRAY[BUYER, lot.seller_id], false
    FROM placed, lot, generate_series(1, 2) kind
), noted AS (
    INSERT INTO audit_entry (id, livemode, created_at, org_id, actor_kind, operation, changes, subject_ids)
    SELECT 'aud_' || substr(md5(random()::text), 1, 26), false, clock_timestamp(), BUYER, 'key', 'bids.place',
        jsonb_build_array(to_jsonb(placed)), ARRAY[placed.id] FROM placed
), kept AS (
    INSERT INTO idempotency_record (key_hash, request_hash, status_code, sealed, kept_until)
    SELECT sha256(placed.id::bytea), sha256(placed.id::bytea), 201, decode(repeat('ab', 1200), 'hex'), clock_timestamp() FROM placed
)
INSERT INTO auction (listing_id, leader_bid_id, leader_id, price_minor, limit_minor, ends_at, count, received_at, livemode,
    created_at)
SELECT listing_id, id, BUYER, 12000, 12000, clock_timestamp(), 1, clock_timestamp(), false, clock_timestamp() FROM placed
ON CONFLICT (listing_id) DO UPDATE SET leader_bid_id = excluded.leader_bid_id, count = auction.count + 1"""


def _new_bid(buyer: Party, listing: str, raised: int) -> bytes:
    body = json.dumps(
        {
            "listing_id": listing,
            "site_id": buyer.site.id,
            "price": {"amount": f"{raised * 30}.00", "currency": "EUR"},
            "haulage_basis": "FCA",
            "disposition": "recycle",
            "operation": "R4",
        }
    ).encode()
    return post(buyer, "/v1/bids", body)
