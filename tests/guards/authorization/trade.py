"""Listings and bids at every stage, a manifest, and what each party keeps for itself."""

from datetime import timedelta

from sqlalchemy import select
from sqlmodel import col

from services.bidding import closing
from services.bidding.demanding import ordering
from services.bidding.integrity import looking
from services.bidding.models import Finding
from services.bidding.vouching import deciding
from services.kernel.actors import system
from services.kernel.ids import ItemId
from services.kernel.money import Money
from services.kernel.objects import Folder
from services.kernel.unit_of_work import UnitOfWork
from services.listings import picturing
from services.listings import queries as listings
from services.listings.importing import profiles
from services.listings.manifests import mapping as mappings
from services.listings.manifests.profiles import PROFILES
from services.listings.models import Listing, NewSearch
from services.listings.recalling import campaigns
from services.listings.recalling.predicates import Predicate
from services.listings.saved_searches import keeping
from services.parties import api_keys, delegating, inviting, members, queries, verification
from services.parties.events import Told
from services.parties.models import MemberDetails
from tests.factories import papers, parties
from tests.factories.bidding import placed_bid
from tests.factories.demands import demand_order
from tests.factories.listings import draft_listing, motors, open_listing, received_import
from tests.factories.negotiating import countered
from tests.factories.orders import awarded, negotiated
from tests.guards.authorization.cast import Cast
from tests.listings.manifest_files import manifest, motor
from tests.listings.test_picturing import PNG, SHA256

CEILING = Money.of("700.00", "EUR")


async def listed(cast: Cast) -> dict[str, str]:
    goods = await _drafts(cast) | await _sealed(cast) | await _negotiated(cast)
    return await _standing(cast) | await _own_affairs(cast) | goods | await _recalled(cast) | await _vouched_for(cast)


async def _recalled(cast: Cast) -> dict[str, str]:
    """Of goods that nobody has listed."""
    seller = cast["seller"]
    async with cast.market.work(seller) as work:
        campaign = await campaigns.open_(
            work,
            by=seller.actor,
            title="Motors that may spark",
            predicate=Predicate(serials=["NW-0001"]),
            dispositions=["recycle"],
            proofs=["recycling"],
        )
    return {"recall_campaign": campaign.id}


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
    other = await draft_listing(cast.market.sessions, seller, [motors()])
    read = await received_import(cast.market.sessions, seller, manifest(motor("A"), motor("B", reason="lost")))
    await cast.market.settle()
    item = ItemId(await _item(cast, draft))
    async with cast.market.work(seller) as work:
        kept = await profiles.keep(work, "own", mappings.document(PROFILES["backhaul-1"]), by=seller.actor)
        store = Folder(cast.market.till.runtime.settings.data_dir / "objects")
        await picturing.add(work, draft.id, item, PNG, name="motor.png", store=store, by=seller.actor)
    made = {"draft": draft.id, "other_draft": other.id, "draft_item": item, "item_photo": SHA256}
    return made | {"import": read.id, "import_profile": kept.id}


async def _sealed(cast: Cast) -> dict[str, str]:
    listing = await open_listing(cast.market.sessions, cast["seller"])
    bid = await placed_bid(cast.market.sessions, listing, cast["buyer"], haulage_ceiling=CEILING)
    other = await placed_bid(cast.market.sessions, listing, cast["loser"], "90.00", haulage_ceiling=CEILING)
    await cast.market.settle()
    told = {"open": listing.id, "sealed_bid": bid.id, "losers_bid": other.id}
    return told | {"opened_listing": await _opened(cast)}


async def _opened(cast: Cast) -> str:
    """A sealed listing whose bids were opened, ahead of its time."""
    listing = await open_listing(cast.market.sessions, cast["seller"])
    await placed_bid(cast.market.sessions, listing, cast["buyer"])
    async with UnitOfWork(cast.market.sessions, system(False), now=listing.closes_at) as work:
        await closing.close(work, listing.id)
    return listing.id


async def _negotiated(cast: Cast) -> dict[str, str]:
    """One whose bids wait for the seller, one whose bidder waits to be answered, and one whose winner waits to confirm."""
    market, seller, buyer = cast.market, cast["seller"], cast["buyer"]
    listing = await negotiated(market.sessions, seller)
    bid = await placed_bid(market.sessions, listing, buyer, haulage_ceiling=CEILING)
    talked = await placed_bid(
        market.sessions, await negotiated(market.sessions, seller), buyer, haulage_ceiling=CEILING
    )
    await countered(market.sessions, talked, seller, "130.00")
    priced = await open_listing(market.sessions, seller, mode="instant", closes_at=None, price=Money.of("90.00", "EUR"))
    decided = await negotiated(market.sessions, seller)
    winner = await placed_bid(market.sessions, decided, buyer, haulage_ceiling=CEILING)
    order = await awarded(market.sessions, winner, seller)
    return {
        "negotiated": listing.id,
        "for_sale": priced.id,
        "finding": await _finding(cast, listing),
        "bid": bid.id,
        "countered_bid": talked.id,
        "awarded_bid": winner.id,
        "proposed_order": order.id,
        "terms_hash": order.terms_hash,
    }


async def _vouched_for(cast: Cast) -> dict[str, str]:
    """Two listings that ask for a deposit; for one of them it is asked, and the provider has said where to send it."""
    market, loser = cast.market, cast["loser"]
    asking = [await negotiated(market.sessions, cast["seller"], deposit=Money.of("500.00", "EUR")) for _ in range(2)]
    async with market.work(loser) as work:
        deposit = await deciding.ask(work, asking[0].id, by=loser.actor)
    await market.settle()
    return {"deposit": deposit.id, "with_deposit": asking[1].id}


async def _finding(cast: Cast, listing: Listing) -> str:
    """The factories' people are reached at one address."""
    async with cast.market.work() as work:
        await looking.look(work, listing.id)
        return (await work.session.execute(select(col(Finding.id)).limit(1))).scalar_one()


async def _item(cast: Cast, listing: Listing) -> str:
    async with cast.market.work() as work:
        return (await listings.items(work, listing.id))[0].id
