"""Who asks sees what is theirs; the house sees everything, for as long as it asks."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker

from services.kernel.actors import anonymous, doorkeeper, system
from services.kernel.database import Sessions
from services.kernel.second_wall import house
from services.kernel.unit_of_work import UnitOfWork
from services.parties.models import Site
from tests.conftest import Race
from tests.factories.bidding import placed_bid, processor
from tests.factories.listings import open_listing
from tests.factories.parties import Party, organization

SITES = text("SELECT org_id FROM site ORDER BY org_id")


@pytest.fixture
async def us(sessions: Sessions) -> Party:
    return await organization(sessions, ["manufacturer"], name="Nordwerk GmbH")


@pytest.fixture
async def them(sessions: Sessions) -> Party:
    return await organization(sessions, ["recycler"], name="Rheinkreis GmbH")


async def owners(work: UnitOfWork) -> list[str]:
    """Whose sites are seen, by a query that asks for all of them."""
    return list((await work.session.execute(SITES)).scalars())


async def test_a_caller_sees_its_own_rows(sessions: Sessions, us: Party, them: Party) -> None:
    async with UnitOfWork(sessions, us.actor) as work:
        assert await owners(work) == [us.org.id]


async def test_nobody_sees_nothing(sessions: Sessions, us: Party) -> None:
    async with UnitOfWork(sessions, anonymous()) as work:
        assert await owners(work) == []


async def test_a_transaction_that_names_nobody_sees_nothing(race: Race) -> None:
    await organization(race.sessions, ["manufacturer"])
    nameless = async_sessionmaker(race.sessions.kw["bind"])
    async with nameless() as session:
        assert (await session.execute(SITES)).all() == []


async def test_the_house_sees_everybodys_rows_until_it_has_done(sessions: Sessions, us: Party, them: Party) -> None:
    async with UnitOfWork(sessions, us.actor) as work:
        async with work.as_house():
            assert await owners(work) == sorted([us.org.id, them.org.id])
        assert await owners(work) == [us.org.id]


async def test_a_house_within_the_house_does_not_end_it(sessions: Sessions, us: Party, them: Party) -> None:
    async with UnitOfWork(sessions, us.actor) as work, work.as_house():
        async with work.as_house():
            pass
        assert await owners(work) == sorted([us.org.id, them.org.id])


async def test_the_wall_stands_again_after_an_error(sessions: Sessions, us: Party, them: Party) -> None:
    async with UnitOfWork(sessions, us.actor) as work:
        with pytest.raises(LookupError):
            async with work.as_house():
                raise LookupError
        assert await owners(work) == [us.org.id]


async def test_the_wall_stands_again_after_a_savepoint_is_lost(sessions: Sessions, us: Party, them: Party) -> None:
    async with UnitOfWork(sessions, us.actor) as work:
        with pytest.raises(LookupError):
            async with work.session.begin_nested(), work.as_house():
                raise LookupError
        assert await owners(work) == [us.org.id]


async def test_what_was_decided_is_written_behind_the_wall(sessions: Sessions, us: Party, them: Party) -> None:
    async with UnitOfWork(sessions, us.actor) as work:
        async with work.as_house():
            site = await work.session.get_one(Site, them.site.id)
        site.name = "Moved by a verb"
        await work.session.flush()
        assert await owners(work) == [us.org.id]
    async with house(sessions) as session:
        assert (await session.get_one(Site, them.site.id)).name == "Moved by a verb"


async def test_nobody_changes_by_hand_what_it_does_not_see(sessions: Sessions, us: Party, them: Party) -> None:
    async with UnitOfWork(sessions, us.actor) as work:
        changed = await work.session.execute(text("UPDATE site SET name = 'Ours' RETURNING org_id"))
        assert list(changed.scalars()) == [us.org.id]


async def test_the_house_sees_one_environment_and_the_door_both(sessions: Sessions, us: Party) -> None:
    async with UnitOfWork(sessions, system(livemode=True)) as work:
        assert await owners(work) == []
        async with work.as_house(of_both=True):
            assert await owners(work) == [us.org.id]
    async with UnitOfWork(sessions, doorkeeper()) as work:
        assert await owners(work) == [us.org.id]
        await work.act_as(anonymous())
        assert await owners(work) == []


async def test_a_sealed_bid_is_not_in_the_sellers_database_before_the_close(sessions: Sessions, us: Party) -> None:
    listing = await open_listing(sessions, us)
    bidder = await processor(sessions, "Zweitlauf GmbH")
    bid = await placed_bid(sessions, listing, bidder)
    every_bid = text("SELECT id FROM bid")
    async with UnitOfWork(sessions, us.actor) as work:
        assert (await work.session.execute(every_bid)).all() == []
    async with UnitOfWork(sessions, bidder.actor) as work:
        assert list((await work.session.execute(every_bid)).scalars()) == [bid.id]


async def test_a_connection_that_comes_back_to_the_pool_brings_nobody_with_it(race: Race) -> None:
    ours = await organization(race.sessions, ["manufacturer"], name="Nordwerk GmbH")
    theirs = await organization(race.sessions, ["recycler"], name="Rheinkreis GmbH")

    async def look(party: Party) -> list[str]:
        async with UnitOfWork(race.sessions, party.actor) as work:
            return await owners(work)

    seen = await asyncio.gather(*(look(party) for party in (ours, theirs) * 30))
    assert seen == [[ours.org.id], [theirs.org.id]] * 30
