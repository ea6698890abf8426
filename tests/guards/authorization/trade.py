"""Listings and bids at every stage, and a manifest."""

from services.kernel.money import Money
from services.listings import queries as listings
from services.listings.models import Listing
from services.parties import api_keys, queries
from tests.factories.bidding import placed_bid
from tests.factories.listings import draft_listing, motors, open_listing, received_import
from tests.factories.orders import awarded, negotiated
from tests.guards.authorization.cast import Cast
from tests.listings.manifest_files import manifest, motor

CEILING = Money.of("700.00", "EUR")


async def listed(cast: Cast) -> dict[str, str]:
    return await _own_affairs(cast) | await _drafts(cast) | await _sealed(cast) | await _negotiated(cast)


async def _own_affairs(cast: Cast) -> dict[str, str]:
    seller, buyer = cast["seller"], cast["buyer"]
    async with cast.market.work(seller) as work:
        spare = await api_keys.create(work, by=seller.actor, name="Spare")
    async with cast.market.work(buyer) as work:
        query = queries.permits_visible_to(buyer.actor).limit(1)
        papers = (await work.session.execute(query)).scalar_one()
    return {"key": spare.key.id, "permit": papers.id}


async def _drafts(cast: Cast) -> dict[str, str]:
    seller = cast["seller"]
    draft = await draft_listing(cast.market.sessions, seller, [motors(), motors(title="Pumps")], mode="negotiated")
    read = await received_import(cast.market.sessions, seller, manifest(motor("A"), motor("B", reason="lost")))
    await cast.market.settle()
    return {"draft": draft.id, "draft_item": await _item(cast, draft), "import": read.id}


async def _sealed(cast: Cast) -> dict[str, str]:
    listing = await open_listing(cast.market.sessions, cast["seller"])
    bid = await placed_bid(cast.market.sessions, listing, cast["buyer"], haulage_ceiling=CEILING)
    other = await placed_bid(cast.market.sessions, listing, cast["loser"], "90.00", haulage_ceiling=CEILING)
    await cast.market.settle()
    return {"open": listing.id, "sealed_bid": bid.id, "losers_bid": other.id}


async def _negotiated(cast: Cast) -> dict[str, str]:
    """One whose bids wait for the seller, and one whose winner waits to confirm."""
    market, seller, buyer = cast.market, cast["seller"], cast["buyer"]
    listing = await negotiated(market.sessions, seller)
    bid = await placed_bid(market.sessions, listing, buyer, haulage_ceiling=CEILING)
    decided = await negotiated(market.sessions, seller)
    winner = await placed_bid(market.sessions, decided, buyer, haulage_ceiling=CEILING)
    order = await awarded(market.sessions, winner, seller)
    return {
        "negotiated": listing.id,
        "bid": bid.id,
        "awarded_bid": winner.id,
        "proposed_order": order.id,
        "terms_hash": order.terms_hash,
    }


async def _item(cast: Cast, listing: Listing) -> str:
    async with cast.market.work() as work:
        return (await listings.items(work, listing.id))[0].id
