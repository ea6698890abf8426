"""A market of any size, drawn in the database itself: published listings of one item each, and what they are found by."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import make_url

from services.kernel import database
from services.kernel.reference import materials
from services.listings.searching.places import COARSE, FINEST, Place, cell
from services.listings.searching.words import sign
from tests.factories.parties import Party, organization

PLACES = 20_000
COUNTRIES = [
    *("DE", "FR", "PL", "IT", "ES", "NL", "BE", "AT", "CZ", "SE", "RO", "HU", "PT", "DK"),
    *("FI", "SK", "BG", "IE", "LT", "SI", "LV", "EE", "HR", "LU", "CY", "MT", "GR"),
]
WEST, EAST, SOUTH, NORTH = -9.0, 25.0, 37.0, 60.0
"""Most of Europe: 6 million km²."""

WORDS = 2_000
_PLACE = """CREATE TEMP TABLE place
(place_no int, country text, latitude float8, longitude float8, h3_res3 bigint, h3_res5 bigint)"""
_DRAWN = """
CREATE TEMP TABLE drawn AS
SELECT n, 'lst_' || lpad(to_hex(n), 26, '0') AS id, 1 + floor(random() * {places})::int AS place_no,
    CASE WHEN random() < 0.0005 THEN 5 ELSE 1 + floor(random() * 4)::int END AS return_reason,
    random() AS better, 1 + floor(3 * random() ^ 1.5)::int AS mode, floor(random() * 3)::int AS direction,
    (1000 * exp(random() * 11))::bigint AS mass_g,
    now() + random() * interval '30 days' AS closes_at,
    ARRAY[{materials}] AS known,
    1 + floor({count} * random() ^ 2.5)::int AS first, 1 + floor({count} * random() ^ 2.5)::int AS second,
    lpad(to_hex(1 + floor(230 * random() ^ 2)::int), 6, '0') AS waste_code,
    'word' || floor({words} * random() ^ 2.5)::int AS one, 'word' || floor({words} * random() ^ 2.5)::int AS two,
    'word' || floor({words} * random() ^ 2.5)::int AS three
FROM generate_series(1, {listings}) n"""
_LISTINGS = """
INSERT INTO listing (id, seller_id, site_id, title, mode, price_unit, currency, disposition_floor, status, opens_at,
    closes_at, effective_end_at, hard_cap_at, published_at, visibility, invited, tolerance_bps, inspection_days, dispute_days,
    goods_vat_bps, gate_fee_vat_bps, haulage_vat_bps, country, latitude, longitude, item_count, total_mass_g, materials,
    version, livemode, created_at)
SELECT id, $1, $2, initcap(one || ' ' || two || ' ' || three), 'sealed', 'tonne', 'EUR', 'recycle', 'open', now(),
    closes_at, closes_at, closes_at, now(), 'public', '{}', 500, 3, 5, 0, 1900, 1900, country, latitude, longitude, 1, mass_g,
    jsonb_build_array(jsonb_build_object('material', known[first], 'mass_g', mass_g)), 1, false, now()
FROM drawn JOIN place USING (place_no) ORDER BY n"""
_OFFERS = """
INSERT INTO offer (listing_id, place, term, status, closes_at, grade, return_reason, disposition_floor, mode, direction,
    materials, country, waste_code, mass_g, h3_res3, h3_res5, latitude, longitude, livemode, created_at, said)
SELECT id, terms.place, terms.term, 'open', closes_at, grade, return_reason,
    CASE WHEN grade <= 3 THEN 1 + floor(better * 3)::int ELSE 4 + floor(better * 4)::int END, mode, direction,
    CASE WHEN terms.term LIKE 'w:%' THEN '|' || array_to_string(made_of, '|') || '|' END, country, waste_code, mass_g, h3_res3,
    h3_res5, latitude, longitude, false, now(),
    CASE WHEN terms.term LIKE 'w:%' THEN
        (SELECT string_agg(sign, '') FROM spoken WHERE word IN (one, two, three)) END
FROM (
    SELECT *, CASE return_reason WHEN 4 THEN 1 + floor(better * 2)::int WHEN 3 THEN 5 + floor(better * 3)::int
        ELSE 1 + floor(better * 7)::int END AS grade,
        CASE WHEN first = second THEN ARRAY[known[first]] ELSE ARRAY[known[first], known[second]] END AS made_of
    FROM drawn
) found JOIN place USING (place_no)
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (term) term, place FROM unnest(
        ARRAY[''] || ARRAY(SELECT 'm:' || one_material FROM unnest(made_of) one_material)
        || ARRAY['w:' || one, 'w:' || two, 'w:' || three]
    ) WITH ORDINALITY AS each (term, place)
) terms
ORDER BY n, terms.place"""
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1 AND indexname NOT LIKE 'pk_%'"""


async def connect(url: str) -> asyncpg.Connection:
    """At a URL for SQLAlchemy, without it."""
    told = make_url(url)
    return await asyncpg.connect(
        user=told.username, database=told.database, host=told.query["host"], port=int(told.port or 5432)
    )


@asynccontextmanager
async def as_house(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(url)
    try:
        await connection.execute("SELECT set_config('app.house', 'on', false), set_config('app.livemode', '', false)")
        yield connection
    finally:
        await connection.close()


async def fill(url: str, owner_url: str, listings: int) -> Party:
    """Draws them with `url`'s owner and answers the seller. Keys are checked by nobody and indexes made at the end."""
    engine = database.connect(url)
    seller = await organization(database.sessions_of(engine))
    await engine.dispose()
    async with as_house(owner_url) as owner:
        await owner.execute("SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'; SELECT setseed(0.42)")
        await owner.execute(_PLACE)
        await owner.copy_records_to_table("place", records=_places(random.Random(42)))
        await owner.execute("CREATE TEMP TABLE spoken (word text PRIMARY KEY, sign text)")
        await owner.copy_records_to_table("spoken", records=[(f"word{n}", sign(f"word{n}")) for n in range(WORDS)])
        await owner.execute("ANALYZE spoken, place")
        codes = [one.code for one in materials.every()]
        named = ", ".join(f"'{code}'" for code in codes)
        await owner.execute(
            _DRAWN.format(places=PLACES, materials=named, count=len(codes), words=WORDS, listings=int(listings))
        )
        for table in ("listing", "offer"):
            await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        await _insert(owner, "listing", _LISTINGS, seller.org.id, seller.site.id)
        await owner.execute("ALTER TABLE offer DROP CONSTRAINT fk_offer_listing_id")
        await _insert(owner, "offer", _OFFERS)
        await owner.execute("ALTER TABLE listing ENABLE TRIGGER USER")
    for table in ("listing", "offer"):
        await _vacuum(owner_url, table)
    return seller


_SEEN = """
SELECT bool_and(relallvisible >= 0.99 * relpages) FROM pg_class
WHERE relkind = 'r' AND (oid = CAST($1 AS regclass) OR oid IN
    (SELECT inhrelid FROM pg_inherits WHERE inhparent = CAST($1 AS regclass)))"""


async def _vacuum(owner_url: str, table: str) -> None:
    """Until every page is known to be visible to all, which is what an index alone can answer from."""
    async with as_house(owner_url) as owner:
        async with asyncio.timeout(120):
            await owner.execute(f"VACUUM (ANALYZE) {table}")
            while not await owner.fetchval(_SEEN, table):
                await asyncio.sleep(0.5)
                await owner.execute(f"VACUUM {table}")


async def _insert(owner: asyncpg.Connection, table: str, sql: str, *parameters: str) -> None:
    indexes = await owner.fetch(_INDEXES, table)
    for index in indexes:
        await owner.execute(f"DROP INDEX {index['indexname']}")
    await owner.execute(sql, *parameters, timeout=3_600)
    for index in indexes:
        await owner.execute(index["indexdef"].replace(" ON ONLY ", " ON "), timeout=3_600)


def _places(drawn: random.Random) -> list[tuple[int, str, float, float, int, int]]:
    """A third of them in twelve regions of industry, the rest anywhere."""
    regions = [(drawn.uniform(SOUTH, NORTH), drawn.uniform(WEST, EAST)) for _ in range(12)]
    found = []
    for number in range(1, PLACES + 1):
        latitude, longitude = drawn.uniform(SOUTH, NORTH), drawn.uniform(WEST, EAST)
        if number % 3 == 0:
            middle = drawn.choice(regions)
            latitude, longitude = drawn.gauss(middle[0], 0.7), drawn.gauss(middle[1], 1.0)
        country = COUNTRIES[int(len(COUNTRIES) * drawn.random() ** 2.5)]
        where = Place(latitude, longitude)
        found.append((number, country, latitude, longitude, cell(where, COARSE), cell(where, FINEST)))
    return found
