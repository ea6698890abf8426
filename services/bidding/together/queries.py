"""Statements of a batch, on a connection of asyncpg. Lists go in as arrays, rows as JSON."""

from services.bidding.auctions import WAKE_CHANNEL
from services.bidding.models import LIVE, Auction, Bid
from services.kernel import clock, events
from services.kernel.audit.model import AuditEntry
from services.kernel.events import EventRow
from services.kernel.idempotency import IdempotencyRecord
from services.parties.dossiers import STAMPS
from services.parties.recognizing import is_known

_LIVE = ", ".join(f"'{status}'" for status in LIVE)

AS_HOUSE = (
    "SELECT set_config('app.org_id', '', true), set_config('app.livemode', $1, true), set_config('app.house', 'on', true),"
    " set_config('plan_cache_mode', 'force_generic_plan', true)"
)
"""Planning these statements anew, row policies and all, costs more than running them."""

DOORS = f"""
SELECT {
    is_known(
        who="k.org_id = asked.org_id",
        livemode="$6::boolean",
        key="asked.key_id",
        stamps=("asked.key_stamp", "asked.member_stamp", "asked.org_stamp"),
    )
} AS is_known, {STAMPS.format(org="asked.org_id")} AS stamps,
    (SELECT array_agg(key_hash) FROM idempotency_record WHERE key_hash = ANY ($7::bytea[])) AS used
FROM unnest($1::text[], $2::text[], $3::xid[], $4::xid[], $5::xid[])
    WITH ORDINALITY AS asked (org_id, key_id, key_stamp, member_stamp, org_stamp, number)
ORDER BY number"""
"""Of each asker: whether the door's word still stands, and what its dossier must have been read at. `used` are those of all the
batch's Idempotency-Keys that somebody has used."""

LOCK = "SELECT pg_advisory_xact_lock(hashtext(id)) FROM unnest($1::text[]) id"
"""In the order of the array, which is that of the ids in every process."""

LOTS = f"""
SELECT l.*, l.materials::text AS materials_text, {clock.NOW.replace(":mode", "$2::boolean")} AS now, seller.vat_id AS seller_vat_id,
    seller.iban_fingerprint AS seller_iban, a.listing_id IS NOT NULL AS has_auction, a.leader_bid_id, a.leader_id,
    a.price_minor AS lead_minor, a.limit_minor AS lead_limit_minor, a.ends_at, a.count AS counted, a.received_at AS last_stamp,
    a.listing_id IS NULL AND EXISTS (SELECT FROM bid WHERE bid.listing_id = l.id) AS has_lost_its_auction,
    goods.codes, goods.grams, goods.is_recalled
FROM unnest($1::text[]) asked (id)
JOIN listing l ON l.id = asked.id AND l.livemode = $2
JOIN organization seller ON seller.id = l.seller_id
LEFT JOIN auction a ON a.listing_id = l.id
CROSS JOIN LATERAL (
    SELECT array_agg(waste_code) AS codes, array_agg(grams)::bigint[] AS grams, bool_or(is_recalled) AS is_recalled FROM (
        SELECT COALESCE(waste_code, '') AS waste_code, bool_or(recall_campaign_id IS NOT NULL) AS is_recalled,
            sum(COALESCE(mass_g, 0)
                * (10000 + CASE WHEN l.origin_remainder_id IS NULL THEN l.tolerance_bps ELSE 0 END) / 10000) AS grams
        FROM item WHERE item.listing_id = l.id GROUP BY 1
    ) by_code
) goods"""
"""How each listing stands, with the goods of it: grams at the upper tolerance by waste code, as `eligibility.masses` adds them."""

OWN = f"""
WITH held AS MATERIALIZED (SELECT id FROM listing WHERE id = ANY ($1) ORDER BY id FOR KEY SHARE)
SELECT bid.* FROM unnest($1::text[], $2::text[]) asked (listing_id, bidder_id)
JOIN bid ON bid.listing_id = asked.listing_id AND bid.bidder_id = asked.bidder_id AND bid.status IN ({_LIVE})
WHERE (SELECT count(*) FROM held) >= 0 ORDER BY bid.id FOR UPDATE OF bid"""
"""Bids that are to be superseded. Nobody moves or divides the listings from here on, as by `listings.hold`."""

BIDDERS = f"SELECT DISTINCT bidder_id FROM bid WHERE listing_id = $1 AND status IN ({_LIVE})"

SUPERSEDE = """
UPDATE bid SET status = ended.status, ended_reason = ended.ended_reason, version = ended.version
FROM json_to_recordset($1) AS ended (id text, status text, ended_reason text, version integer) WHERE bid.id = ended.id"""


def _columns(table: type, *, without: frozenset[str] = frozenset()) -> str:
    names = [column.name for column in table.__table__.columns]  # type: ignore[attr-defined]
    return ", ".join(name for name in names if name not in without)


_OF_BID = _columns(Bid)
_OF_EVENT = _columns(EventRow, without=frozenset({"ordinal", "seq", "subject_seq"}))
_OF_ENTRY = _columns(AuditEntry, without=frozenset({"ordinal", "seq", "prev_hash", "hash"}))
_OF_AUCTION = _columns(Auction)
_OF_RECORD = _columns(IdempotencyRecord, without=frozenset({"kept_until"}))
_STANDS = ", ".join(
    f"{name} = excluded.{name}"
    for name in ("leader_bid_id", "leader_id", "price_minor", "limit_minor", "ends_at", "count", "received_at")
)

WRITE = f"""
WITH kept AS (
    INSERT INTO idempotency_record ({_OF_RECORD}, kept_until)
    SELECT {_OF_RECORD}, clock_timestamp() + $8 FROM json_populate_recordset(NULL::idempotency_record, $1)
    ON CONFLICT DO NOTHING RETURNING 1
), placed AS (
    INSERT INTO bid ({_OF_BID}) SELECT {_OF_BID} FROM json_populate_recordset(NULL::bid, $2)
), told AS (
    INSERT INTO event ({_OF_EVENT}) SELECT {_OF_EVENT} FROM json_populate_recordset(NULL::event, $3)
), noted AS (
    INSERT INTO audit_entry ({_OF_ENTRY}) SELECT {_OF_ENTRY} FROM json_populate_recordset(NULL::audit_entry, $4)
), stands AS (
    INSERT INTO auction ({_OF_AUCTION}) SELECT {_OF_AUCTION} FROM json_populate_recordset(NULL::auction, $5)
    ON CONFLICT (listing_id) DO UPDATE SET {_STANDS}
), moved AS (
    UPDATE listing SET effective_end_at = later.ends_at, version = listing.version + 1
    FROM json_to_recordset($6) AS later (id text, ends_at timestamptz) WHERE listing.id = later.id AND status = 'open'
)
SELECT (SELECT count(*) FROM kept) AS kept, pg_notify('{events.WAKE_CHANNEL}', ''),
    (SELECT count(pg_notify('{WAKE_CHANNEL}', id)) FROM unnest($7::text[]) id)"""
"""Everything of a batch at once; `kept` is less than what was asked where a twin was faster."""
