"""Award and confirmation: who may, when, and what is frozen."""

import hashlib
from typing import Any

import httpx
import pytest
import rfc8785
from sqlalchemy import select, text
from sqlmodel import col

from services.bidding import queries as bids
from services.bidding.models import Bid
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.errors import Blocked
from services.kernel.events import EventRow
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.orders import awarding, queries
from services.orders.errors import AlreadyAwarded
from services.orders.models import Order
from services.parties.models import PermitScope
from tests.conftest import Advance, Settle
from tests.factories.bidding import placed_bid, processor
from tests.factories.listings import motors, open_listing
from tests.factories.orders import awarded, confirmed, negotiated, payable, story_items
from tests.factories.parties import Party, organization, permit

ONCE = {"id", "award_id", "created_at", "confirm_by", "lines"}


async def a_bid(sessions: Sessions, price: str = "120.00") -> tuple[Party, Party, Bid]:
    seller = await organization(sessions)
    buyer = await processor(sessions)
    await payable(sessions, seller, buyer)
    bid = await placed_bid(sessions, await negotiated(sessions, seller, story_items()), buyer, price)
    return seller, buyer, bid


async def version_of(sessions: Sessions, bid: Bid) -> int:
    async with UnitOfWork(sessions, system(False)) as work:
        return (await bids.bid(work, bid.id)).version


async def award(
    client: httpx.AsyncClient, by: Party, bid: Bid, version: int | None = None, **query: Any
) -> httpx.Response:
    headers = by.headers | ({} if version is None else {"If-Match": f'"{version}"'})
    return await client.post(f"/v1/bids/{bid.id}/award", headers=headers, params=query)


async def confirm(client: httpx.AsyncClient, by: Party, bid: Bid, terms_hash: str, version: int) -> httpx.Response:
    headers = by.headers | {"If-Match": f'"{version}"'}
    return await client.post(f"/v1/bids/{bid.id}/confirm", headers=headers, json={"terms_hash": terms_hash})


async def reserved_g(sessions: Sessions) -> list[tuple[int, int]]:
    async with sessions() as session:
        rows = await session.execute(
            select(col(PermitScope.reserved_g), col(PermitScope.used_g)).order_by(col(PermitScope.id))
        )
        return [(row[0], row[1]) for row in rows.all()]


async def count(sessions: Sessions, table: str) -> int:
    async with sessions() as session:
        return int((await session.execute(text(f'SELECT count(*) FROM "{table}"'))).scalar_one())


async def test_an_award_freezes_the_terms_and_reserves_the_permits(
    sessions: Sessions, client: httpx.AsyncClient
) -> None:
    seller, buyer, bid = await a_bid(sessions)

    answer = await award(client, seller, bid, bid.version)

    assert answer.status_code == 200, answer.text
    order = answer.json()
    assert order["status"] == "pending_confirmation"
    assert (order["seller_id"], order["buyer_id"]) == (seller.org.id, buyer.org.id)
    assert order["terms"]["price"] == {"amount": "120.00", "currency": "EUR"}
    assert order["terms"]["tolerance_bps"] == 500
    assert order["terms"]["certificate"] == "recycling"
    assert [line["mass"]["value"] for line in order["lines"]] == ["12000", "3000", "1800", "1200"]
    assert await reserved_g(sessions) == [(18_900_000, 0)]


async def test_the_terms_hash_is_that_of_the_terms_as_answered(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, _, bid = await a_bid(sessions)
    order = (await award(client, seller, bid, bid.version)).json()
    assert hashlib.sha256(rfc8785.dumps(order["terms"])).hexdigest() == order["terms_hash"]


async def test_a_dry_run_answers_what_the_award_will_and_changes_nothing(
    sessions: Sessions, client: httpx.AsyncClient
) -> None:
    seller, _, bid = await a_bid(sessions)
    tried = await award(client, seller, bid, bid.version, dry_run="true")
    orders_after_trying, events_after_trying = await count(sessions, "order"), await count(sessions, "event")
    reserved_after_trying = await reserved_g(sessions)
    done = await award(client, seller, bid, bid.version)

    assert (tried.status_code, orders_after_trying, reserved_after_trying) == (200, 0, [(0, 0)])
    assert events_after_trying < await count(sessions, "event")
    assert {k: v for k, v in tried.json().items() if k not in ONCE} == {
        k: v for k, v in done.json().items() if k not in ONCE
    }


async def test_a_dry_run_is_refused_like_the_award(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, _, bid = await a_bid(sessions)
    async with sessions() as session:
        await session.execute(text("DELETE FROM payout_account"))
        await session.commit()
    tried = await award(client, seller, bid, bid.version, dry_run="true")
    done = await award(client, seller, bid, bid.version)
    assert (tried.status_code, tried.json()["code"]) == (done.status_code, done.json()["code"])
    assert done.json()["code"] == "payouts_not_active"


async def test_a_second_award_is_refused(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, _, bid = await a_bid(sessions)
    other = await processor(sessions, name="Zweitlauf GmbH")
    async with UnitOfWork(sessions, system(False)) as work:
        listing = await listings.listing(work, bid.listing_id)
    runner_up = await placed_bid(sessions, listing, other, "100.00")
    await awarded(sessions, bid, seller)

    again = await award(client, seller, bid, await version_of(sessions, bid))
    another = await award(client, seller, runner_up, await version_of(sessions, runner_up))

    assert [(one.status_code, one.json()["code"]) for one in (again, another)] == [(409, "already_awarded")] * 2


async def test_an_award_says_which_version_of_the_bid_was_read(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, _, bid = await a_bid(sessions)
    without = await award(client, seller, bid)
    stale = await award(client, seller, bid, bid.version + 1)
    assert (without.status_code, stale.status_code) == (428, 412)


async def test_only_the_seller_awards_and_strangers_see_no_bid(sessions: Sessions, client: httpx.AsyncClient) -> None:
    _, buyer, bid = await a_bid(sessions)
    stranger = await organization(sessions, name="Fremd AG")
    by_bidder = await award(client, buyer, bid, bid.version)
    by_stranger = await award(client, stranger, bid, bid.version)
    assert (by_bidder.status_code, by_stranger.status_code) == (403, 404)


async def test_every_reason_against_an_award_is_told(sessions: Sessions) -> None:
    seller = await organization(sessions)
    buyer = await organization(sessions, ["recycler"], name="Rheinkreis Metall GmbH")
    await permit(sessions, buyer, number="P-0")
    bid = await placed_bid(sessions, await negotiated(sessions, seller, [motors()]), buyer)
    async with sessions() as session:
        await session.execute(text("UPDATE permit SET valid_until = CURRENT_DATE - 2"))
        await session.commit()

    with pytest.raises(Blocked) as refused:
        await awarded(sessions, bid, seller)

    assert [reason.code for reason in refused.value.reasons] == ["payouts_not_active", "permit_expired"]


async def test_a_sealed_bid_cannot_be_awarded_before_the_close(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, buyer = await organization(sessions), await processor(sessions)
    await payable(sessions, seller)
    bid = await placed_bid(sessions, await open_listing(sessions, seller), buyer)
    assert (await award(client, seller, bid, bid.version)).status_code == 404


async def test_a_timed_bid_cannot_be_awarded_before_the_close(sessions: Sessions) -> None:
    seller, buyer = await organization(sessions), await processor(sessions)
    await payable(sessions, seller)
    bid = await placed_bid(sessions, await open_listing(sessions, seller, mode="timed"), buyer)
    with pytest.raises(Blocked) as refused:
        await awarded(sessions, bid, seller)
    assert refused.value.code == "still_open"


async def test_of_a_gate_fee_the_bidder_is_the_payee(sessions: Sessions) -> None:
    seller, buyer = await organization(sessions), await processor(sessions)
    await payable(sessions, seller)
    bid = await placed_bid(sessions, await negotiated(sessions, seller), buyer, "-35.00")
    with pytest.raises(Blocked) as refused:
        await awarded(sessions, bid, seller)
    assert refused.value.code == "payouts_not_active"
    assert buyer.org.legal_name in refused.value.detail


async def test_the_buyer_confirms_what_it_has_read(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, buyer, bid = await a_bid(sessions)
    order = await awarded(sessions, bid, seller)
    version = await version_of(sessions, bid)

    other_terms = await confirm(client, buyer, bid, "0" * 64, version)
    by_seller = await confirm(client, seller, bid, order.terms_hash, version)
    done = await confirm(client, buyer, bid, order.terms_hash, version)

    assert (other_terms.status_code, other_terms.json()["code"]) == (409, "terms_differ")
    assert by_seller.status_code == 403
    assert (done.status_code, done.json()["status"]) == (200, "confirmed")
    assert [owed["kind"] for owed in done.json()["obligations"]] == ["recycling"]


async def test_a_bid_that_was_not_awarded_cannot_be_confirmed(sessions: Sessions, client: httpx.AsyncClient) -> None:
    _, buyer, bid = await a_bid(sessions)
    answer = await confirm(client, buyer, bid, "0" * 64, bid.version)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_awarded")


async def test_the_others_lose_when_the_winner_confirms_and_not_before(sessions: Sessions) -> None:
    seller, buyer, bid = await a_bid(sessions)
    other = await processor(sessions, name="Zweitlauf GmbH")
    async with UnitOfWork(sessions, system(False)) as work:
        listing = await listings.listing(work, bid.listing_id)
    runner_up = await placed_bid(sessions, listing, other, "100.00")

    order = await awarded(sessions, bid, seller)
    lost_at_award = await heard(sessions, other, "bid.lost")
    async with UnitOfWork(sessions, buyer.actor) as work:
        await awarding.confirm(work, bid.id, terms_hash=order.terms_hash, by=buyer.actor)

    assert (lost_at_award, await heard(sessions, other, "bid.lost")) == ([], [runner_up.id])


async def heard(sessions: Sessions, party: Party, event_type: str) -> list[str]:
    query = select(EventRow).where(col(EventRow.type) == event_type)
    async with sessions() as session:
        rows = (await session.execute(query)).scalars().all()
    return [row.subject_id for row in rows if party.org.id in row.audience]


async def test_silence_for_two_business_days_ends_the_award_and_the_runner_up_can_have_it(
    sessions: Sessions, advance: Advance
) -> None:
    seller, _, bid = await a_bid(sessions)
    other = await processor(sessions, name="Zweitlauf GmbH")
    async with UnitOfWork(sessions, system(False)) as work:
        listing = await listings.listing(work, bid.listing_id)
    runner_up = await placed_bid(sessions, listing, other, "100.00")
    order = await awarded(sessions, bid, seller)

    await advance(order.confirm_by)

    assert await statuses(sessions, order, bid) == ("cancelled", "timed_out", "closed")
    assert await reserved_g(sessions) == [(0, 0), (0, 0)]
    second = await awarded(sessions, runner_up, seller)
    assert second.bid_id == runner_up.id


async def statuses(sessions: Sessions, order: Order, bid: Bid) -> tuple[str, str, str]:
    async with UnitOfWork(sessions, system(False)) as work:
        return (
            (await queries.order(work, order.id)).status,
            (await bids.bid(work, bid.id)).status,
            (await listings.listing(work, order.listing_id)).status,
        )


async def test_a_confirmation_in_time_is_not_undone_by_the_timer(sessions: Sessions) -> None:
    seller, buyer, bid = await a_bid(sessions)
    order = await confirmed(sessions, bid, seller, buyer)
    with pytest.raises(Exception, match="lapse is not possible"):
        async with UnitOfWork(sessions, system(False), now=order.confirm_by) as work:
            await awarding.time_out(work, order_id=order.id)


async def test_after_the_window_a_confirmation_is_refused_even_before_the_timer_has_run(sessions: Sessions) -> None:
    seller, buyer, bid = await a_bid(sessions)
    order = await awarded(sessions, bid, seller)
    async with sessions() as session:
        await session.execute(text('UPDATE "order" SET confirm_by = created_at'))
        await session.commit()
    with pytest.raises(Blocked) as refused:
        async with UnitOfWork(sessions, buyer.actor) as work:
            await awarding.confirm(work, bid.id, terms_hash=order.terms_hash, by=buyer.actor)
    assert refused.value.code == "confirm_window_over"


async def test_an_award_that_is_live_is_the_only_one_even_to_the_verb(sessions: Sessions, settle: Settle) -> None:
    seller, _, bid = await a_bid(sessions)
    await awarded(sessions, bid, seller)
    with pytest.raises(AlreadyAwarded):
        await awarded(sessions, bid, seller)
