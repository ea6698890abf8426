"""Who plays in the journeys, the market they meet in, and its clock. Everybody acts over HTTP with a key of their own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
from sqlalchemy import text

from services.demo.cast import PARTS, Part
from services.kernel import clock
from services.kernel.http.routing import Runtime
from services.kernel.jobs import Tools
from services.parties.authenticating import door
from services.webhooks.delivering import build_sender
from tests.factories.parties import organization
from tests.factories.payments import provider
from tests.fakes.receiver import Receiver, receiving
from tests.fakes.stripe_contract import Simulated
from tests.fakes.worker import drain

Json = dict[str, Any]
MONDAY_IS = 11
TOLD_BY_WEBHOOK = ("Nordwerk", "Fulda")


def _the_monday() -> date:
    """Monday 11 January 2027, or once that is past, the Monday from 11 January on of the next year that is to come."""
    ahead = clock.wall_now().date() + timedelta(days=2)
    eleventh = date(max(2027, ahead.year + (ahead > date(ahead.year, 1, MONDAY_IS))), 1, MONDAY_IS)
    return eleventh + timedelta(days=-eleventh.weekday() % 7)


MONDAY = _the_monday()


def january(day: int, time: str) -> datetime:
    """An instant of January 2027 in UTC; in later years the same weekday of the same week."""
    hours, minutes = time.split(":")
    first = datetime.combine(MONDAY, datetime.min.time(), UTC)
    return first + timedelta(days=day - MONDAY_IS, hours=int(hours), minutes=int(minutes))


def february(day: int, time: str) -> datetime:
    return january(31 + day, time)


def euros(amount: str) -> Json:
    return {"amount": amount, "currency": "EUR"}


def tonnes(value: str) -> Json:
    return {"value": value, "unit": "t"}


def in_tonnes(mass: Mapping[str, str]) -> str:
    """A mass of an answer, which is in kilograms, as the story writes it."""
    assert mass["unit"] == "kg"
    return f"{Decimal(mass['value']) / 1000:.3f}"


@dataclass
class Player:
    """An organization with its site, and what it sends."""

    name: str
    org_id: str
    site_id: str
    key: str
    client: httpx.AsyncClient

    async def _ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **parts: Any
    ) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {self.key}"}
        return await self.client.request(method, f"/v1/{path}", headers=bearer | dict(headers or {}), **parts)

    async def get(self, path: str, **params: Any) -> Json:
        return _told(await self._ask("GET", path, params=params))

    async def all(self, path: str, **params: Any) -> list[Json]:
        """A list of which one page is enough."""
        page = await self.get(path, **params)
        assert not page["has_more"]
        return list(page["data"])

    async def status(self, path: str) -> int:
        return (await self._ask("GET", path)).status_code

    async def post(self, path: str, **body: Any) -> Json:
        return _told(await self._ask("POST", path, json=body))

    async def patch(self, path: str, **body: Any) -> Json:
        return _told(await self._ask("PATCH", path, json=body))

    async def post_if_unchanged(self, path: str, read: str, **body: Any) -> Json:
        """With the ETag of what is read just before."""
        return _told(await self._post_as_read(path, read, body))

    async def _post_as_read(self, path: str, read: str, body: Json) -> httpx.Response:
        etag = (await self._ask("GET", read)).headers["ETag"]
        return await self._ask("POST", path, {"If-Match": etag}, json=body)

    async def upload(self, path: str, content: bytes, **fields: str) -> Json:
        return _told(await self._ask("POST", path, data=fields, files={"file": ("equipment.csv", content)}))

    async def read(self, path: str) -> bytes:
        return (await self._ask("GET", path)).raise_for_status().content

    async def refused(self, path: str, **body: Any) -> Json:
        """The problem of a request that must not succeed."""
        return _refusal(await self._ask("POST", path, json=body))

    async def refused_if_unchanged(self, path: str, read: str, **body: Any) -> Json:
        return _refusal(await self._post_as_read(path, read, body))

    async def feed(self) -> list[Json]:
        """Everything this organization may know, in order."""
        heard: list[Json] = []
        page: Json = {"has_more": True, "next_after": 0}
        while page["has_more"]:
            page = await self.get("events", after=page["next_after"], limit=200)
            heard += page["data"]
        return heard

    async def told(self, subject: str) -> list[str]:
        """Types of the events about one thing, in the order in which this organization hears them."""
        return [event["type"] for event in await self.feed() if event["subject"]["id"] == subject]


def _told(answer: httpx.Response) -> Json:
    assert answer.is_success, f"{answer.request.method} {answer.request.url.path}: {answer.text}"
    body: Json = answer.json()
    return body


def _refusal(answer: httpx.Response) -> Json:
    assert answer.is_client_error, f"{answer.request.method} {answer.request.url.path}: {answer.text}"
    problem: Json = answer.json()
    return problem


@dataclass
class Market:
    """Who is there, the simulated bank, two partners' webhook receivers, and the ids of what the story is about."""

    client: httpx.AsyncClient
    tools: Tools
    stripe: Simulated
    operator: Player
    players: dict[str, Player] = field(default_factory=dict)
    hooks: dict[str, Receiver] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Player:
        return self.players[name]

    async def come_to_rest(self) -> None:
        """Events, reactions, jobs and timers, and the bank's news, until nothing is left."""
        delivered = 1
        while delivered:
            await drain(self.tools)
            delivered = (await self.stripe.do("deliver"))["delivered"]

    async def go_to(self, moment: datetime) -> None:
        """Forward; what falls due on the way happens first."""
        async with self.tools.sessions() as session:
            now = await clock.market_now(session, livemode=False)
            assert moment > now, "the clock moves forward"
            await clock.advance(session, moment - now)
            await session.commit()
        await self.come_to_rest()

    async def pay(self, name: str, order_id: str) -> Json:
        """The payer's bank transfer, as its instructions ask; answers what they asked."""
        (deal,) = await self[name].all("deals", order_id=order_id)
        (payment,) = deal["payments"]
        told: Json = payment["instructions"]
        minor = int(Decimal(told["amount_remaining"]["amount"]) * 100)
        await self.stripe.do("bank-transfers", reference=told["reference"], amount=minor, currency="eur")
        await self.come_to_rest()
        return told

    async def send_again_now(self) -> None:
        """Retries of webhooks are due in real time: this makes them due."""
        async with self.tools.sessions() as session:
            await session.execute(text("UPDATE webhook_delivery SET next_attempt_at = clock_timestamp()"))
            await session.execute(text("UPDATE pgqueuer SET execute_after = clock_timestamp()"))
            await session.commit()
        await self.come_to_rest()


@asynccontextmanager
async def open_market(client: httpx.AsyncClient, tools: Tools) -> AsyncIterator[Market]:
    """Everybody has registered, has site and permits, and can be paid; two are told by webhook."""
    runtime = Runtime(tools.settings, tools.sessions, door(tools.settings), resources=tools.resources)
    backhaul = await organization(tools.sessions, ["operator"], name="Backhaul")
    operator = Player("Backhaul", backhaul.org.id, backhaul.site.id, backhaul.key, client)
    async with provider(runtime, client) as stripe, build_sender(allow_loopback=True) as sender:
        async with receiving() as nordwerks, receiving() as fuldas:
            tools.resources["sender"] = sender
            market = Market(client, tools, stripe, operator)
            await market.go_to(january(10, "18:00"))
            for part in PARTS:
                market.players[part.name] = await _register(client, part)
            await market.come_to_rest()
            await _become_payable(market)
            for name, receiver in zip(TOLD_BY_WEBHOOK, (nordwerks, fuldas), strict=True):
                receiver.secret = (await market[name].post("webhook-endpoints", url=receiver.url))["secret"]
                market.hooks[name] = receiver
            yield market


async def _register(client: httpx.AsyncClient, part: Part) -> Player:
    stranger = Player(part.name, "", "", "", client)
    registered = await stranger.post(
        "organizations",
        legal_name=part.legal_name,
        country="DE",
        roles=list(part.roles),
        contact_email="office@example.com",
        owner={"name": "Erika Muster", "email": "erika@example.com"},
    )
    player = Player(part.name, registered["organization"]["id"], "", registered["api_key"]["secret"], client)
    site = await player.post(
        "sites",
        name=f"{part.city} works",
        street=part.street,
        postal_code=part.postal_code,
        city=part.city,
        country="DE",
        latitude=part.latitude,
        longitude=part.longitude,
        timezone="Europe/Berlin",
        docks=part.docks,
    )
    player.site_id = site["id"]
    authority = {"authority": "Regierungspräsidium", "valid_from": "2024-01-01", "valid_until": "2099-12-31"}
    for number, permit in enumerate(part.permits, 1):
        await player.post("permits", number=f"P-{number}", **authority, **permit)
    return player


async def _become_payable(market: Market) -> None:
    paid = [market[part.name] for part in PARTS if part.is_paid]
    for player in paid:
        await player.post("payout-account")
    await market.come_to_rest()
    for player in paid:
        here = "https://example.com/"
        link = await player.post("payout-account/link", return_url=here, refresh_url=here)
        (await market.stripe.hand.get(link["url"])).raise_for_status()
    await market.come_to_rest()
    for player in paid:
        assert (await player.get("payout-account"))["status"] == "active"
