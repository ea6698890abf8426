"""Landed net value, with the figures of the main job."""

from datetime import UTC, datetime, timedelta

from services.bidding.models import Bid
from services.bidding.ranking import Ranked, rank
from services.kernel.ids import BidId, ListingId, OrgId, SiteId
from services.kernel.money import Money
from services.listings.models import Item, Listing

NOON = datetime(2027, 1, 13, 12, tzinfo=UTC)
LOT = ListingId.new()


def listing(price_unit: str = "tonne") -> Listing:
    return Listing(
        id=LOT,
        seller_id=OrgId.new(),
        site_id=SiteId.new(),
        title="End-of-life equipment",
        mode="sealed",
        price_unit=price_unit,
        currency="EUR",
        disposition_floor="recycle",
        country="DE",
        latitude=51.3,
        longitude=9.5,
        livemode=False,
        created_at=NOON,
    )


def item(mass_g: int | None, quantity: int = 1) -> Item:
    return Item(
        listing_id=LOT,
        position=1,
        key="1",
        title="Goods",
        quantity=quantity,
        mass_g=mass_g,
        livemode=False,
        created_at=NOON,
    )


def bid(
    price_minor: int,
    *,
    haulage: int | None = None,
    disposition: str = "recycle",
    received_at: datetime = NOON,
    id: str | None = None,
) -> Bid:
    return Bid(
        id=BidId(id) if id else BidId.new(),
        listing_id=LOT,
        bidder_id=OrgId.new(),
        site_id=SiteId.new(),
        price_minor=price_minor,
        currency="EUR",
        price_unit="tonne",
        haulage_basis="FCA" if haulage is None else "DAP",
        haulage_quote_minor=haulage,
        disposition=disposition,
        received_at=received_at,
        status="active",
        livemode=False,
        created_at=received_at,
    )


STORY = [item(12_000_000, 40), item(3_000_000, 120), item(1_800_000, 60), item(1_200_000)]


def best_of(*bids: Bid) -> Bid:
    return rank(bids, listing(), STORY)[0].bid


def test_the_main_job_ranks_by_what_is_left_to_the_seller() -> None:
    rheinkreis, zweitlauf, batteriehof = bid(120_00), bid(0, haulage=910_00), bid(-35_00)
    ranked = rank([zweitlauf, batteriehof, rheinkreis], listing(), STORY)
    assert [one.bid for one in ranked] == [rheinkreis, batteriehof, zweitlauf]
    assert [one.landed_net_value.amount for one in ranked] == ["2052.00", "-630.00", "-910.00"]
    assert [one.rank for one in ranked] == [1, 2, 3]


def test_the_seller_bears_the_commission_only_where_it_is_paid() -> None:
    paid, nothing, paying = rank([bid(120_00), bid(-35_00), bid(0)], listing(), STORY)
    assert (paid.total, paid.commission) == (Money(2_160_00, "EUR"), Money(108_00, "EUR"))
    assert (paying.total, paying.commission) == (Money(-630_00, "EUR"), Money(0, "EUR"))
    assert nothing.landed_net_value == Money(0, "EUR")


def test_the_commission_is_what_the_caller_says() -> None:
    assert rank([bid(100_00)], listing(), STORY, commission_bps=0)[0].landed_net_value == Money(1_800_00, "EUR")


def test_a_price_per_piece_counts_pieces() -> None:
    ranked = rank([bid(2_00)], listing("piece"), [item(None, 40), item(None, 120)])
    assert ranked[0].total == Money(320_00, "EUR")


def test_a_price_for_the_lot_is_the_total() -> None:
    assert rank([bid(-7_77)], listing("lot"), STORY)[0].total == Money(-7_77, "EUR")


def test_the_higher_rung_wins_at_equal_value() -> None:
    recycled, repaired = bid(100_00), bid(100_00, disposition="repair", received_at=NOON + timedelta(days=1))
    assert best_of(recycled, repaired) is repaired


def test_the_earlier_bid_wins_at_equal_value_and_rung() -> None:
    late, early = bid(100_00), bid(100_00, received_at=NOON - timedelta(microseconds=1))
    assert best_of(late, early) is early


def test_the_lower_id_decides_last() -> None:
    second, first = bid(100_00, id="bid_b"), bid(100_00, id="bid_a")
    assert best_of(second, first) is first


def test_nobody_bid() -> None:
    nobody: list[Ranked] = []
    assert rank([], listing(), STORY) == nobody
