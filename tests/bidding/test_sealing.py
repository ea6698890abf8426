"""Sealed bids: unread until the close by whoever reads the database, and provable afterwards."""

import base64
import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import KeySet, OKPKey
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from services.bidding import closing, envelopes, receipts
from services.bidding.envelopes import Opening, Unreadable
from services.bidding.models import Amounts
from services.bidding.receipts import Link, Receipt, ReceiptIsWrong
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.embedded_postgres import EmbeddedPostgres
from services.kernel.ids import BidId, ListingId, OrgId
from services.kernel.money import Money
from services.kernel.settings import Settings
from services.kernel.unit_of_work import UnitOfWork
from services.parties import tokens
from tests.bidding.dumping import dump, found_in, ways
from tests.bidding.lots import close_of, open_lot
from tests.bidding.reading import bids_of, heard, statuses
from tests.conftest import Advance, Race
from tests.factories.bidding import placed_bid, processor
from tests.factories.parties import Party, organization

PRICE = Money.of("-8673519284.37", "EUR")
CEILING = Money.of("7719305548.61", "EUR")
QUOTE = Money.of("6402885173.09", "EUR")


def test_whoever_searches_finds_an_amount_wherever_it_stands() -> None:
    told = json.dumps({"price": PRICE.to_wire()}).encode()
    written = [PRICE.amount, str(PRICE.minor), told.hex(), told.decode("utf-8").encode("utf-16-le").hex()]
    written += [base64.b64encode(b"x" * n + told).decode() for n in range(3)]
    assert all(found_in(f"… {one} …", PRICE) for one in written)
    assert all(len(way) >= 9 for way in ways(PRICE))


@pytest.mark.race
@pytest.mark.xdist_group("race")
async def test_a_dump_taken_before_the_close_contains_no_amount(race: Race, postgres: EmbeddedPostgres) -> None:
    seller = await organization(race.sessions)
    rheinkreis, zweitlauf = await processor(race.sessions), await processor(race.sessions, "Zweitlauf Maschinen GmbH")
    listing = await open_lot(race.sessions, seller)
    fca = {"price": PRICE.to_wire(), "haulage_basis": "FCA", "haulage_ceiling": CEILING.to_wire()}
    dap = {"price": PRICE.to_wire(), "haulage_basis": "DAP", "haulage_quote": QUOTE.to_wire()}
    first = await post_bid(race.client, listing.id, rheinkreis, fca)
    second = await post_bid(race.client, listing.id, rheinkreis, dap)
    third = await post_bid(race.client, listing.id, zweitlauf, fca)
    await race.client.get("/v1/bids", params={"expand": "listing"}, headers=rheinkreis.headers)
    await race.client.post(f"/v1/bids/{third['id']}/withdraw", headers=zweitlauf.headers)
    await race.settle()
    root = postgres.url(str(make_url(race.url).database), role="postgres")
    before = await dump(root)
    async with UnitOfWork(race.sessions, system(False), now=close_of(listing)) as work:
        await closing.close(work, listing.id)
    after = await dump(root)

    assert all(bid["id"] in before for bid in (first, second, third))
    assert [found_in(before, amount) for amount in (PRICE, CEILING, QUOTE)] == [set(), set(), set()]
    assert found_in(after, PRICE)
    assert found_in(after, QUOTE)
    assert found_in(after, CEILING) == set()


async def post_bid(
    client: httpx.AsyncClient, listing_id: ListingId, bidder: Party, given: dict[str, Any]
) -> dict[str, Any]:
    body = {"listing_id": listing_id, "site_id": bidder.site.id, "disposition": "recycle", "operation": "R4", **given}
    key = f"{bidder.org.id}-{hashlib.sha256(rfc8785.dumps(body)).hexdigest()}"
    answer = await client.post("/v1/bids", json=body, headers=bidder.headers | {"Idempotency-Key": key})
    replay = await client.post("/v1/bids", json=body, headers=bidder.headers | {"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    assert answer.json() == replay.json()
    assert answer.json()["price"] == given["price"]
    found: dict[str, Any] = answer.json()
    return found


async def test_the_bidder_reads_its_own_amounts_before_the_close(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    listing = await open_lot(sessions, seller)
    bid = await placed_bid(sessions, listing, rheinkreis, "120.00", haulage_ceiling=CEILING)
    told = (await client.get(f"/v1/bids/{bid.id}", headers=rheinkreis.headers)).json()
    (listed,) = (await client.get("/v1/bids", headers=rheinkreis.headers)).json()["data"]
    assert (told["price"]["amount"], told["haulage_ceiling"]) == ("120.00", CEILING.to_wire())
    assert listed == told


async def test_the_events_of_a_sealed_bid_tell_no_price(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    bid = await placed_bid(sessions, await open_lot(sessions, seller), rheinkreis)
    await client.post(f"/v1/bids/{bid.id}/withdraw", headers=rheinkreis.headers)
    async with sessions() as session:
        told = (
            await session.execute(text("SELECT type, data FROM event WHERE subject_id = :id"), {"id": bid.id})
        ).all()
    assert {row.type: row.data["price"] for row in told} == {
        "bid.placed": None,
        "bid.admitted": None,
        "bid.withdrawn": None,
    }


async def test_the_close_writes_the_amounts_of_the_bids_that_stand(
    sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    await placed_bid(sessions, listing, rheinkreis, "1.00")
    await placed_bid(sessions, listing, rheinkreis, "2.00")
    await placed_bid(sessions, listing, zweitlauf, "-3.00")
    await advance(close_of(listing))
    assert [row.price_minor for row in await bids_of(sessions, rheinkreis)] == [None, 200]
    assert [row.price_minor for row in await bids_of(sessions, zweitlauf)] == [-300]


MUTILATE = "UPDATE sealed_bid SET sealed = {} WHERE bid_id = :id"


@pytest.fixture
async def forged(postgres: EmbeddedPostgres, race: Race) -> Any:
    """Runs a statement as the database's superuser, whom no grant binds."""
    engine = create_async_engine(postgres.url(str(make_url(race.url).database), role="postgres"))

    async def run(sql: str, **values: Any) -> None:
        async with engine.begin() as connection:
            await connection.execute(text(sql), values)

    yield run
    await engine.dispose()


@pytest.mark.race
@pytest.mark.xdist_group("race")
@pytest.mark.parametrize(
    "value",
    [
        "set_byte(sealed, 100, get_byte(sealed, 100) # 1)",
        "'\\x00'",
        "(SELECT sealed FROM sealed_bid other WHERE other.bid_id <> :id LIMIT 1)",
    ],
    ids=["one bit", "cut off", "another bid's"],
)
async def test_a_box_that_was_tampered_with_loses_its_own_bid_alone(race: Race, forged: Any, value: str) -> None:
    seller = await organization(race.sessions)
    rheinkreis, zweitlauf = await processor(race.sessions), await processor(race.sessions, "Zweitlauf Maschinen GmbH")
    listing = await open_lot(race.sessions, seller)
    harmed = await placed_bid(race.sessions, listing, rheinkreis, "1.00")
    other = await placed_bid(race.sessions, listing, zweitlauf, "2.00")
    await forged(MUTILATE.format(value), id=harmed.id)
    async with UnitOfWork(race.sessions, system(False), now=close_of(listing)) as work:
        await closing.close(work, listing.id)
    assert await statuses(race.sessions, listing) == {harmed.id: "lost", other.id: "active"}
    assert [row.ended_reason for row in await bids_of(race.sessions, rheinkreis)] == ["unreadable"]
    assert [row.price_minor for row in await bids_of(race.sessions, zweitlauf)] == [200]
    assert "bid.lost" in await heard(race.sessions, rheinkreis)


async def test_with_another_closers_key_nothing_is_decided(
    sessions: Sessions, seller: Party, rheinkreis: Party, settings: Settings
) -> None:
    listing = await open_lot(sessions, seller)
    bid = await placed_bid(sessions, listing, rheinkreis)
    file = envelopes.house(settings, livemode=False).folder / "closer.key"
    file.write_text("11" * 32)
    envelopes._new_or_kept.cache_clear()
    with pytest.raises(CryptoError):
        async with UnitOfWork(sessions, system(False), now=close_of(listing)) as work:
            await closing.close(work, listing.id)
    assert await statuses(sessions, listing) == {bid.id: "active"}


async def keys_of(client: httpx.AsyncClient) -> KeySet:
    return KeySet.import_key_set((await client.get("/.well-known/jwks.json")).json())


async def test_a_bidder_proves_what_it_sent_with_the_published_keys(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    listing = await open_lot(sessions, seller)
    bid = await placed_bid(sessions, listing, rheinkreis, "120.00")
    told = (await client.get(f"/v1/bids/{bid.id}/receipt", headers=rheinkreis.headers)).json()
    receipt = receipts.verify(told["receipt"], await keys_of(client))
    assert hashlib.sha256(rfc8785.dumps(told["opening"])).hexdigest() == receipt.commitment == told["commitment"]
    assert told["opening"]["price"] == {"amount": "120.00", "currency": "EUR"}
    assert (receipt.bid_id, receipt.bidder_id, receipt.received_at) == (bid.id, rheinkreis.org.id, bid.received_at)


async def test_a_receipt_is_the_bidders_until_the_bid_is_opened(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    bid = await placed_bid(sessions, listing, rheinkreis, "120.00")
    before = await client.get(f"/v1/bids/{bid.id}/receipt", headers=seller.headers)
    await advance(close_of(listing))
    after = await client.get(f"/v1/bids/{bid.id}/receipt", headers=seller.headers)
    mine = await client.get(f"/v1/bids/{bid.id}/receipt", headers=rheinkreis.headers)
    assert before.status_code == 404
    assert after.json() == mine.json()
    assert (after.json()["position"], after.json()["opening"]["price"]["amount"]) == (1, "120.00")


async def test_a_bid_that_was_never_sealed_has_no_receipt(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party
) -> None:
    bid = await placed_bid(sessions, await open_lot(sessions, seller, mode="negotiated"), rheinkreis)
    answer = await client.get(f"/v1/bids/{bid.id}/receipt", headers=rheinkreis.headers)
    assert answer.status_code == 404


async def test_the_seller_sees_after_the_close_that_nothing_was_added(
    client: httpx.AsyncClient, sessions: Sessions, seller: Party, rheinkreis: Party, zweitlauf: Party, advance: Advance
) -> None:
    listing = await open_lot(sessions, seller)
    await placed_bid(sessions, listing, rheinkreis, "1.00")
    stands = [await placed_bid(sessions, listing, rheinkreis, "2.00"), await placed_bid(sessions, listing, zweitlauf)]
    path = f"/v1/listings/{listing.id}/receipts"
    early = await client.get(path, headers=seller.headers)
    await advance(close_of(listing))
    told = (await client.get(path, headers=seller.headers)).json()
    links = [
        Link(one["position"], bytes.fromhex(one["digest"]), bytes.fromhex(one["hash"]), one["receipt"])
        for one in told["data"]
    ]
    shown = receipts.verify_book(listing.id, links, told["statement"], await keys_of(client))
    assert (early.status_code, early.json()["code"]) == (409, "still_open")
    assert [link.receipt is None for link in links] == [True, False, False]
    assert [receipt.bid_id for receipt in shown] == [bid.id for bid in stands]


LISTING = ListingId.new()
ISSUER = tokens.Issuer("https://backhaul.example", OKPKey.generate_key("Ed25519"))
FORGER = tokens.Issuer("https://backhaul.example", OKPKey.generate_key("Ed25519"))
KEYS = KeySet([ISSUER.key])
AMOUNTS = Amounts(Money(12_000, "EUR"), haulage_ceiling=Money(70_000, "EUR"))


def a_receipt(second: int, *, listing_id: ListingId = LISTING) -> Receipt:
    at = datetime(2027, 1, 15, 14, 0, second, tzinfo=UTC)
    return Receipt(ISSUER.url, listing_id, BidId.new(), OrgId.new(), at, "aa" * 32, "bb" * 32)


def a_chain(count: int = 4) -> list[Link]:
    return receipts.chain(LISTING, [receipts.sign(a_receipt(second), ISSUER) for second in range(count)])


def statement_of(links: list[Link], by: tokens.Issuer = ISSUER) -> str:
    return receipts.sign_book(LISTING, links, datetime(2027, 1, 15, 15, tzinfo=UTC), by)


def without_receipt(link: Link) -> Link:
    return replace(link, receipt=None)


def test_a_whole_chain_verifies_with_and_without_what_is_withheld() -> None:
    links = a_chain()
    shown = receipts.verify_book(LISTING, [without_receipt(links[0]), *links[1:]], statement_of(links), KEYS)
    assert len(shown) == 3


def test_a_listing_without_bids_has_an_empty_chain() -> None:
    assert receipts.verify_book(LISTING, [], statement_of([]), KEYS) == []


BREAKAGES: dict[str, Callable[[list[Link]], list[Link]]] = {
    "one is dropped": lambda links: links[:-1],
    "the first is dropped": lambda links: links[1:],
    "one is added": lambda links: [*links, Link(5, b"\1" * 32, b"\2" * 32)],
    "one is added and chained": lambda links: receipts.chain(
        LISTING, [*(str(link.receipt) for link in links), receipts.sign(a_receipt(30), ISSUER)]
    ),
    "two are swapped": lambda links: [links[1], links[0], *links[2:]],
    "two are swapped and chained": lambda links: receipts.chain(LISTING, [str(links[i].receipt) for i in (1, 0, 2, 3)]),
    "a receipt is replaced": lambda links: [replace(links[0], receipt=links[1].receipt), *links[1:]],
    "a digest is replaced": lambda links: [replace(links[0], digest=b"\0" * 32), *links[1:]],
    "a hash is replaced": lambda links: [*links[:-1], replace(links[-1], hash=b"\0" * 32)],
    "positions are moved": lambda links: [replace(link, position=link.position + 1) for link in links],
}


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_chain_that_was_changed_does_not_verify(breakage: str) -> None:
    links = a_chain()
    with pytest.raises(ReceiptIsWrong):
        receipts.verify_book(LISTING, BREAKAGES[breakage](links), statement_of(links), KEYS)


def test_a_chain_out_of_order_does_not_verify_even_if_it_was_signed_so() -> None:
    links = receipts.chain(LISTING, [receipts.sign(a_receipt(second), ISSUER) for second in (2, 1)])
    with pytest.raises(ReceiptIsWrong, match="order"):
        receipts.verify_book(LISTING, links, statement_of(links), KEYS)


def test_a_receipt_of_another_listing_does_not_belong_to_the_chain() -> None:
    links = receipts.chain(LISTING, [receipts.sign(a_receipt(1, listing_id=ListingId.new()), ISSUER)])
    with pytest.raises(ReceiptIsWrong, match="another listing"):
        receipts.verify_book(LISTING, links, statement_of(links), KEYS)


def test_a_statement_that_somebody_else_signed_proves_nothing() -> None:
    links = a_chain()
    with pytest.raises(ReceiptIsWrong, match="signature"):
        receipts.verify_book(LISTING, links, statement_of(links, by=FORGER), KEYS)


def test_a_receipt_is_not_taken_for_a_statement() -> None:
    with pytest.raises(ReceiptIsWrong, match="something else"):
        receipts.verify_book(LISTING, [], receipts.sign(a_receipt(1), ISSUER), KEYS)


def test_a_receipt_that_somebody_else_signed_proves_nothing() -> None:
    with pytest.raises(ReceiptIsWrong, match="signature"):
        receipts.verify(receipts.sign(a_receipt(1), FORGER), KEYS)


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_bit_of_a_receipt_can_be_turned(place: int, bit: int) -> None:
    signed = receipts.sign(a_receipt(1), ISSUER)
    body = bytearray(signed.encode())
    body[place % (len(body) - 1)] ^= 1 << bit
    with pytest.raises(ReceiptIsWrong):
        receipts.verify(body.decode("latin-1"), KEYS)


@pytest.mark.parametrize(
    "other",
    [
        {"price": Money(12_001, "EUR")},
        {"price": Money(12_000, "CHF")},
        {"haulage_ceiling": None},
        {"haulage_quote": Money(0, "EUR")},
    ],
)
def test_an_opening_with_another_amount_is_not_what_was_committed_to(other: dict[str, Any]) -> None:
    opening = Opening.of(BidId.new(), AMOUNTS)
    receipt = replace(a_receipt(1), bid_id=opening.bid_id, commitment=opening.commitment.hex())
    signed = receipts.sign(receipt, ISSUER)
    lie = replace(opening, amounts=dataclasses.replace(AMOUNTS, **other))
    assert receipts.verify(signed, KEYS, opening) == receipt
    with pytest.raises(ReceiptIsWrong, match="committed"):
        receipts.verify(signed, KEYS, lie)


def test_equal_bids_are_not_seen_to_be_equal() -> None:
    one, other = Opening.of(BidId.new(), AMOUNTS), Opening.of(BidId.new(), AMOUNTS)
    key = PrivateKey.generate()
    boxes = [envelopes.seal(opening, bytes(key.public_key)) for opening in (one, one, other)]
    assert len({*boxes, one.commitment, other.commitment}) == 5


@settings(max_examples=100, deadline=None)
@given(
    price=st.integers(-(10**14), 10**14),
    ceiling=st.none() | st.integers(0, 10**14),
    currency=st.sampled_from(["EUR", "JPY"]),
)
def test_every_box_is_of_one_length_and_opens_to_what_was_put_in(
    price: int, ceiling: int | None, currency: str
) -> None:
    amounts = Amounts(Money(price, currency), None if ceiling is None else Money(ceiling, currency))
    opening, key, own = Opening.of(BidId.new(), amounts), PrivateKey.generate(), b"k" * 32
    sealed, mine = envelopes.seal(opening, bytes(key.public_key)), envelopes.lock_own(opening, own)
    assert (len(sealed), len(mine)) == (envelopes.LENGTH + 48, envelopes.LENGTH + 40)
    assert envelopes.unseal(sealed, SealedBox(key)) == opening == envelopes.read_own(mine, own)


def test_another_bidders_key_opens_nothing() -> None:
    opening = Opening.of(BidId.new(), AMOUNTS)
    with pytest.raises(Unreadable):
        envelopes.read_own(envelopes.lock_own(opening, b"a" * 32), b"b" * 32)


def test_every_organization_has_a_key_of_its_own(settings: Settings) -> None:
    house = envelopes.house(settings, livemode=False)
    one, other = OrgId.new(), OrgId.new()
    assert house.own_key(one) == house.own_key(one) != house.own_key(other)
