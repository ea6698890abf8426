"""Who calls: the parties to the matter, one who has nothing to do with it, one of the other environment, keys that were revoked."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from services.kernel.actors import anonymous
from services.kernel.database import Sessions
from services.kernel.http.routing import Runtime
from services.kernel.unit_of_work import UnitOfWork
from services.parties import api_keys, onboarding, sites, verification
from tests.factories import pickups as hauls
from tests.factories.bidding import STORY_CODES, processor
from tests.factories.orders import Market, open_market
from tests.factories.parties import Party, details_of, organization, permit, yard

ANY_ROLE = ("manufacturer", "holder", "carrier", "repairer", "remanufacturer", "recycler", "broker")
CALLERS = ("anonymous", "foreign", "counterparty", "owner", "live", "revoked")


@dataclass(frozen=True)
class Outsiders:
    """Both have every role and permit that the owner of any operation has, so that nothing but the matter refuses them."""

    foreign: Party
    live: Party


@dataclass(frozen=True)
class Cast:
    """`revoked` holds a bearer token of each party that opens nothing any more."""

    market: Market
    outsiders: Outsiders
    parties: Mapping[str, Party]
    revoked: Mapping[str, str]

    def __getitem__(self, name: str) -> Party:
        return self.parties[name]


async def outsiders(sessions: Sessions) -> Outsiders:
    foreign = await organization(sessions, [*ANY_ROLE, "verifier"], name="Fernab AG")
    live = await _live(sessions)
    for outsider in (foreign, live):
        await permit(sessions, outsider, waste_codes=STORY_CODES)
        await permit(sessions, outsider, kind="transport", waste_codes=STORY_CODES, number="T-1")
    return Outsiders(foreign, live)


async def _live(sessions: Sessions) -> Party:
    """Verified by an operator, as live organizations are."""
    async with UnitOfWork(sessions, anonymous(livemode=True)) as work:
        operator = await onboarding.create_operator(work, "Backhaul", livemode=True)
    async with UnitOfWork(sessions, anonymous(livemode=True)) as work:
        details, owner = details_of("Ernstfall GmbH")
        registered = await onboarding.register(work, details, roles=ANY_ROLE, owner=owner, livemode=True)
    async with UnitOfWork(sessions, anonymous(livemode=True)) as work:
        by = await api_keys.authenticate(work, operator.secret)
        await work.act_as(by)
        await verification.verify(work, registered.organization.id, by=by)
    async with UnitOfWork(sessions, anonymous(livemode=True)) as work:
        actor = await api_keys.authenticate(work, registered.secret)
        await work.act_as(actor)
        site = await sites.create(work, yard(), by=actor)
    return Party(registered.organization, site, actor, registered.secret)


@asynccontextmanager
async def assembled(runtime: Runtime, client: httpx.AsyncClient, found: Outsiders) -> AsyncIterator[Cast]:
    async with open_market(runtime, client) as market:
        sessions = runtime.sessions
        await permit(sessions, market.buyer, kind="transport", waste_codes=STORY_CODES, number="T-3")
        parties = {
            "seller": market.seller,
            "buyer": market.buyer,
            "carrier": market.carrier,
            "loser": await processor(sessions, "Zweitlauf GmbH", roles=["remanufacturer"]),
            "rival": await hauls.carrier(sessions, "Habicht Transporte", STORY_CODES),
            "verifier": await organization(sessions, ["verifier"], name="Prüfwerk eG"),
            "operator": await organization(sessions, ["operator"], name="Backhaul Betrieb"),
        }
        revoked = {name: await _revoked_key(sessions, party) for name, party in parties.items()}
        yield Cast(market, found, parties, revoked)


async def _revoked_key(sessions: Sessions, party: Party) -> str:
    async with UnitOfWork(sessions, party.actor) as work:
        issued = await api_keys.create(work, by=party.actor, name="Withdrawn")
        await api_keys.revoke(work, issued.key.id, by=party.actor)
    return issued.token


def names_of(parties: Sequence[Party]) -> frozenset[str]:
    return frozenset(party.org.legal_name for party in parties)
