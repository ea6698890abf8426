"""Random sequences of split, merge, partial award, lapse, relist and withdraw through the API: pieces and grams are kept."""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.factories.listings import motors
from tests.factories.orders import Market

STEPS = ("split", "split", "merge", "award", "award", "lapse", "relist", "withdraw")
STARTED_WITH = (47, 13_000_001)
"""40 motors and 7 pumps, in grams that no part divides evenly."""

_HELD = text(
    "SELECT sum(quantity - relisted_quantity), sum(mass_g - relisted_g) FROM item JOIN listing ON listing.id = listing_id"
    " WHERE seller_id = :seller"
)
_AWARDED = text(
    "SELECT COALESCE(sum(awarded_quantity), 0), COALESCE(sum(awarded_g), 0) FROM item JOIN listing ON listing.id = listing_id"
    " WHERE seller_id = :seller"
)
_WON = text(
    'SELECT COALESCE(sum(quantity), 0), COALESCE(sum(mass_g), 0) FROM order_line JOIN "order" ON "order".id = order_id'
    " WHERE seller_id = :seller AND status <> 'cancelled'"
)
_SUMS = text(
    "SELECT count(*) FROM listing WHERE seller_id = :seller AND total_mass_g IS DISTINCT FROM"
    " (SELECT CAST(sum(mass_g) AS bigint) FROM item WHERE listing_id = listing.id)"
)


@dataclass
class Sequence:
    market: Market
    draw: random.Random
    drafts: list[str] = field(default_factory=list)
    sold: list[str] = field(default_factory=list)
    """Published, sold by fraction."""

    async def post(self, path: str, body: object = None) -> dict[str, Any] | None:
        """None where it is refused; what is not a refusal fails."""
        headers = self.market.seller.headers | {"If-Match": "*"}
        answer = await self.market.client.post(f"/v1/{path}", json=body, headers=headers)
        assert answer.status_code in (200, 201, 409, 422), answer.text
        told: dict[str, Any] | None = answer.json() if answer.is_success else None
        return told

    async def read(self, listing_id: str) -> dict[str, Any]:
        answer = await self.market.client.get(f"/v1/listings/{listing_id}", headers=self.market.seller.headers)
        told: dict[str, Any] = answer.json()
        return told

    async def begin(self) -> None:
        made = await self.post(
            "listings",
            {
                "title": "Motors and pumps",
                "site_id": self.market.seller.site.id,
                "mode": "negotiated",
                "price_unit": "piece",
                "currency": "EUR",
                "lot_rule": "by_fraction",
                "items": [
                    motors(key="motors").model_dump(mode="json", exclude_none=True),
                    motors(key="pumps", title="Pumps", quantity=7, mass={"value": "1000001", "unit": "g"}).model_dump(
                        mode="json", exclude_none=True
                    ),
                ],
            },
        )
        assert made is not None
        self.drafts.append(made["id"])

    async def split(self) -> None:
        if not self.drafts:
            return
        listing_id = self.draw.choice(self.drafts)
        item = self.draw.choice((await self.read(listing_id))["items"])
        taken = {"item_id": item["id"], "quantity": self.draw.randint(1, item["quantity"])}
        part = await self.post(f"listings/{listing_id}/split", {"items": [taken]})
        self.drafts += [part["id"]] if part is not None else []

    async def merge(self) -> None:
        if len(self.drafts) < 2:
            return
        one, other = self.draw.sample(self.drafts, 2)
        if await self.post(f"listings/{one}/merge", {"into_listing_id": other}) is not None:
            self.drafts.remove(one)

    async def award(self) -> None:
        """Publishes a draft, and awards a part of it to a bid."""
        if not self.drafts:
            return
        listing_id = self.drafts.pop(self.draw.randrange(len(self.drafts)))
        assert await self.post(f"listings/{listing_id}/publish") is not None
        self.sold.append(listing_id)
        items = (await self.read(listing_id))["items"]
        wanted = self.draw.sample(items, self.draw.randint(1, len(items)))
        parts = [{"item_id": item["id"], "quantity": self.draw.randint(1, item["quantity"])} for item in wanted]
        buyer = self.market.buyer
        bid = await self.market.client.post(
            "/v1/bids",
            headers=buyer.headers,
            json={
                "listing_id": listing_id,
                "site_id": buyer.site.id,
                "price": {"amount": "1.00", "currency": "EUR"},
                "haulage_basis": "FCA",
                "disposition": "recycle",
                "operation": "R4",
                "parts": parts,
            },
        )
        assert bid.status_code == 201, bid.text
        assert await self.post(f"bids/{bid.json()['id']}/award") is not None

    async def lapse(self) -> None:
        """Nobody confirms in time."""
        await self.market.advance(timedelta(days=5))

    async def relist(self) -> None:
        if not self.sold:
            return
        rest = await self.post(f"listings/{self.draw.choice(self.sold)}/relist_remainder")
        self.drafts += [rest["id"]] if rest is not None else []

    async def withdraw(self) -> None:
        if len(self.drafts) < 2:
            return
        listing_id = self.drafts.pop(self.draw.randrange(len(self.drafts)))
        assert await self.post(f"listings/{listing_id}/withdraw") is not None

    async def looked_up(self, query: Any) -> tuple[int, ...]:
        async with self.market.sessions() as session:
            row = (await session.execute(query, {"seller": self.market.seller.org.id})).one()
        return tuple(int(value) for value in row)


@pytest.mark.parametrize("start", range(4))
async def test_whatever_is_done_through_the_api_pieces_and_grams_are_kept(market: Market, start: int) -> None:
    """Twelve sequences each, on one market: what they begin with adds up."""
    for begun, seed in enumerate(range(start * 12, start * 12 + 12), start=1):
        sequence = Sequence(market, random.Random(seed))
        await sequence.begin()
        for _ in range(7):
            await getattr(sequence, sequence.draw.choice(STEPS))()
        assert await sequence.looked_up(_HELD) == tuple(begun * amount for amount in STARTED_WITH)
        assert await sequence.looked_up(_AWARDED) == await sequence.looked_up(_WON)
        assert await sequence.looked_up(_SUMS) == (0,)
