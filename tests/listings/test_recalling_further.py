"""Recalls that name much, that meet others at the same moment, and whose goods go different ways."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.ids import CertificateId, ItemId, ListingId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import drafting, queries
from services.listings.dividing import splitting
from services.listings.dividing.splitting import Taking
from services.listings.recalling import campaigns, quarantine
from tests.conftest import Advance, Race, Settle
from tests.factories.bidding import placed_bid, processor
from tests.factories.listings import draft_listing, motors, open_listing, published_listing, received_import, terms
from tests.factories.negotiating import countered
from tests.factories.parties import organization
from tests.listings.test_recalling import PACKS, done, opened, read, serials

STOPPED = ["recall_quarantine"]


async def test_a_predicate_may_name_as_much_as_it_may(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    maker, holder = await organization(sessions), await organization(sessions, roles=["holder"], name="Kaufhaus AG")
    await received_import(sessions, holder, serials("A", "B"))
    await settle()
    many = [f"NW-{number}" for number in range(9_999)]
    predicate = {"gtins": many, "mpns": many, "batches": many, "serials": [*many, "SN-B"]}
    told = await opened(client, maker, predicate={"serials": predicate["serials"]})
    assert told["effectiveness"]["matched"] == 1
    assert (await opened(client, maker, predicate=predicate))["effectiveness"]["matched"] == 0


@pytest.mark.parametrize(("title", "word"), [("Kühlschrank weiß", "weiß"), ("KÜHLSCHRANK WEISS", "weiß")])
async def test_words_are_found_however_they_are_written(
    sessions: Sessions, client: httpx.AsyncClient, title: str, word: str
) -> None:
    maker = await organization(sessions)
    await draft_listing(sessions, maker, [motors(title=title)])
    told = await opened(client, maker, predicate={"title_words": [word]})
    assert told["effectiveness"]["matched"] == 40


@pytest.mark.parametrize("named", [{"gtins": ["04006381333931"]}, {"mpns": ["wpl-1000-a"]}, {"batches": ["l2026-117"]}])
async def test_items_without_units_are_found_by_what_they_say(
    sessions: Sessions, client: httpx.AsyncClient, named: dict[str, Any]
) -> None:
    maker, holder = await organization(sessions), await organization(sessions, roles=["holder"], name="Kaufhaus AG")
    known = motors(key="known", gtin="4006381333931", mpn="WPL-1000-A", batch="L2026-117")
    await draft_listing(sessions, holder, [known, motors(key="other")])
    assert (await opened(client, maker, predicate=named))["effectiveness"]["matched"] == 40


async def test_what_a_recall_names_is_looked_up_by_index(sessions: Sessions) -> None:
    async with UnitOfWork(sessions, system(False)) as work:
        await work.session.execute(text("SET LOCAL enable_seqscan = off"))
        for key in ("serial_key", "gtin_key", "mpn_key", "model_key", "batch_key"):
            asked = text(f"EXPLAIN SELECT item_id FROM unit WHERE {key} IS NOT NULL AND {key} = ANY (:said)")
            plan = (await work.session.execute(asked, {"said": ["a", "b"]})).scalars().all()
            assert f"ix_unit_{key}" in "".join(plan)


async def test_a_listing_that_should_have_opened_opens_when_the_recall_is_lifted(
    sessions: Sessions, client: httpx.AsyncClient, advance: Advance
) -> None:
    seller = await organization(sessions)
    async with UnitOfWork(sessions, seller.actor) as work:
        tomorrow = work.now + timedelta(days=1)
    listing = await published_listing(sessions, seller, [PACKS], mode="negotiated", opens_at=tomorrow)
    campaign = await opened(client, seller)
    await advance(timedelta(days=2))
    waiting = (await read(client, seller, f"listings/{listing.id}"))["status"]
    await done(client, seller, f"recall-campaigns/{campaign['id']}/lift", {"reason": "A false alarm"})
    await advance(timedelta(minutes=1))
    assert (waiting, (await read(client, seller, f"listings/{listing.id}"))["status"]) == ("scheduled", "open")


async def test_a_counter_to_a_bid_for_recalled_goods_is_not_accepted(
    sessions: Sessions, client: httpx.AsyncClient
) -> None:
    seller, bidder = await organization(sessions), await processor(sessions)
    listing = await open_listing(sessions, seller, [PACKS], mode="negotiated")
    bid = await countered(sessions, await placed_bid(sessions, listing, bidder), seller, "130.00")
    before = (await read(client, bidder, f"bids/{bid.id}"))["allowed_transitions"]
    await opened(client, seller)
    after = (await read(client, bidder, f"bids/{bid.id}"))["allowed_transitions"]
    assert ("accept_counter" in before, "accept_counter" in after) == (True, False)


# At the same moment


async def stopped_packs(race: Race) -> tuple[Any, ListingId, ItemId, Any]:
    """A seller, its draft of recalled packs, their item, and the campaign."""
    seller = await organization(race.sessions)
    listing = await draft_listing(race.sessions, seller, [PACKS], mode="negotiated")
    campaign = await opened(race.client, seller)
    item = (await read(race.client, seller, f"listings/{listing.id}"))["items"][0]["id"]
    return seller, listing.id, ItemId(item), campaign["id"]


@pytest.mark.race
@pytest.mark.xdist_group("race")
async def test_two_certificates_at_once_count_both(race: Race) -> None:
    _, listing_id, item_id, _ = await stopped_packs(race)

    async def prove(quantity: int) -> None:
        async with UnitOfWork(race.sessions, system(False)) as work:
            certificate = CertificateId.new()
            await quarantine.remedied(
                work, item_id, quantity, listing_id=listing_id, kind="recycling", certificate_id=certificate
            )
            await asyncio.sleep(0.2)

    await asyncio.gather(prove(15), prove(25))
    assert await race.value("SELECT remedied_quantity FROM stop") == 40
    assert await race.value("SELECT lift_reason FROM stop") == "remedied"


@pytest.mark.race
@pytest.mark.xdist_group("race")
async def test_lifting_and_dividing_at_once_do_not_wait_for_each_other(race: Race) -> None:
    seller, listing_id, item_id, campaign_id = await stopped_packs(race)

    async def lift() -> None:
        async with UnitOfWork(race.sessions, seller.actor) as work:
            await campaigns.lift(work, campaign_id, by=seller.actor, reason="A false alarm")

    async with UnitOfWork(race.sessions, seller.actor) as work:
        await queries.listing_for_update(work, listing_id)
        lifting = asyncio.create_task(lift())
        await asyncio.sleep(0.5)
        await splitting.split(work, listing_id, [Taking(item_id, 15)], by=seller.actor)
    await asyncio.wait_for(lifting, 10)
    assert await race.value("SELECT status FROM recall_campaign") == "lifted"


@pytest.mark.race
@pytest.mark.xdist_group("race")
async def test_what_was_written_while_a_recall_was_opened_is_found_after_all(race: Race) -> None:
    seller = await organization(race.sessions)
    async with UnitOfWork(race.sessions, seller.actor) as work:
        await drafting.draft(work, terms(seller, items=[PACKS], mode="negotiated"), by=seller.actor)
        campaign = await opened(race.client, seller)
    before = await race.value("SELECT stops FROM listing")
    await race.settle()
    assert (before, await race.value("SELECT stops FROM listing")) == ([], STOPPED)
    told = await read(race.client, seller, f"recall-campaigns/{campaign['id']}")
    assert told["effectiveness"]["matched"] == 40
