"""Listings and bids at every stage, a manifest, and what each party keeps for itself."""

from datetime import timedelta

from services.bidding.demanding import ordering
from services.kernel.money import Money
from services.kernel.objects import Folder
from services.listings import queries as listings
from services.listings.models import Listing, NewSearch
from services.listings.saved_searches import keeping
from services.parties import api_keys, delegating, inviting, members, queries, verification
from services.parties.events import Told
from services.parties.models import MemberDetails
from tests.factories import papers, parties
from tests.factories.bidding import placed_bid
from tests.factories.demands import demand_order
from tests.factories.listings import draft_listing, motors, open_listing, received_import
from tests.factories.orders import awarded, negotiated
from tests.guards.authorization.cast import Cast
from tests.listings.manifest_files import manifest, motor

CEILING = Money.of("700.00", "EUR")


async def listed(cast: Cast) -> dict[str, str]:
    standing = await _standing(cast)
    return standing | await _own_affairs(cast) | await _drafts(cast) | await _sealed(cast) | await _negotiated(cast)


async def _standing(cast: Cast) -> dict[str, str]:
    """What the buyer always takes and looks for; of another material than what is traded here."""
    sessions, buyer = cast.market.sessions, cast["buyer"]
    active = await demand_order(sessions, buyer, material="pp")
    paused = await demand_order(sessions, buyer, material="pp")
    async with cast.market.work(buyer) as work:
        await ordering.change_state(work, paused.id, "pause", by=buyer.actor)
        kept = await keeping.create(
            work, NewSearch.model_validate({"name": "Plastics", "criteria": {"material": "pp"}}), by=buyer.actor
        )
    return {"demand_order": active.id, "paused_demand_order": paused.id, "saved_search": kept.id}


async def _own_affairs(cast: Cast) -> dict[str, str]:
    seller, buyer = cast["seller"], cast["buyer"]
    async with cast.market.work(seller) as work:
        spare = await api_keys.create(work, by=seller.actor, name="Spare")
    async with cast.market.work(buyer) as work:
        query = queries.permits_visible_to(buyer.actor).limit(1)
        granted = (await work.session.execute(query)).scalar_one()
    return {"key": spare.key.id, "permit": granted.id} | await _papers(cast) | await _people(cast)


async def _people(cast: Cast) -> dict[str, str]:
    """A member who may go, an invitation, a delegation."""
    seller = cast["seller"]
    async with cast.market.work(seller) as work:
        leaving = MemberDetails(name="Ali", email="ali@nordwerk.example")
        member = await members.create(work, leaving, role="viewer", by=seller.actor)
        invited = await inviting.invite(work, by=seller.actor, email="mia@nordwerk.example", name="Mia", role="viewer")
        until = work.now + timedelta(days=30)
        terms = delegating.Terms(cast["rival"].org.id, ["sites:read"], [], None, until)
        delegation = await delegating.grant(work, terms, by=seller.actor)
    told = {"foreign_email": cast.outsiders.email, "foreign_invitation": cast.outsiders.invitation}
    return {"member": member.id, "invitation": invited.invitation.id, "delegation": delegation.id} | told


async def _papers(cast: Cast) -> dict[str, str]:
    """The seller's register extract waits for its review; an organization is suspended."""
    store = Folder(cast.market.till.runtime.settings.data_dir / "objects")
    register = await papers.handed_in(cast.market.sessions, cast["seller"].actor, store=store)
    stopped = await parties.organization(cast.market.sessions, name="Stillstand GmbH")
    operator = cast["operator"].actor
    async with cast.market.work(cast["operator"]) as work:
        complaint = [Told(code="complaint", detail="A partner complained.")]
        await verification.suspend(work, stopped.org.id, reasons=complaint, by=operator)
    return {"document": register.id, "suspended_organization": stopped.org.id}


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
