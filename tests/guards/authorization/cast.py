"""Who calls, in every role of a member: the parties to the matter, one who has nothing to do with it, one of the other environment,
one who acts for the parties and one who did so once, keys that were revoked."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import httpx

from services.kernel.actors import anonymous
from services.kernel.database import Sessions
from services.kernel.http.routing import Runtime
from services.kernel.unit_of_work import UnitOfWork
from services.parties import api_keys, delegating, inviting, members, signing_in, sites
from services.parties.models import MemberDetails
from services.parties.permissions import ALL, NEVER_DELEGATED, ROLES, MemberRole
from tests.factories import papers
from tests.factories import pickups as hauls
from tests.factories.bidding import STORY_CODES, processor
from tests.factories.orders import Market, open_market
from tests.factories.parties import Party, organization, permit, yard

ANY_ROLE = ("manufacturer", "holder", "carrier", "repairer", "remanufacturer", "recycler", "broker")
RELATIONS = ("anonymous", "own", "counterparty", "foreign", "delegate", "expired", "revoked", "live")
MEMBER_ROLES = ("owner", "manager", "operator", "driver", "viewer")

PASSWORD = "seven green lorries at noon"

Crew = Mapping[str, str]
"""A bearer token by the role of the member it is of."""


@dataclass(frozen=True)
class Outsiders:
    """Both have every role and permit that the owner of any operation has, so that nothing but the matter refuses them. The
    foreign owner has a password at `email`, and has invited somebody."""

    foreign: Party
    live: Party
    crews: Mapping[str, Crew]
    email: str
    invitation: str


@dataclass(frozen=True)
class Cast:
    """`crews` are by party, those of the outsiders included; `revoked` hold tokens that open nothing any more. `delegate` holds a
    grant of every party with all that can be granted, `expired` held one."""

    market: Market
    outsiders: Outsiders
    parties: Mapping[str, Party]
    crews: Mapping[str, Crew]
    revoked: Mapping[str, Crew]
    delegate: Crew
    expired: Crew

    def __getitem__(self, name: str) -> Party:
        return self.parties[name]


async def outsiders(sessions: Sessions) -> Outsiders:
    foreign = await organization(sessions, [*ANY_ROLE, "verifier"], name="Fernab AG")
    live = await _live(sessions)
    for outsider in (foreign, live):
        await permit(sessions, outsider, waste_codes=STORY_CODES)
        await permit(sessions, outsider, kind="transport", waste_codes=STORY_CODES, number="T-1")
    crews = {"foreign": await crew(sessions, foreign), "live": await crew(sessions, live)}
    async with UnitOfWork(sessions, foreign.actor) as work:
        owner = await signing_in.set_password(work, PASSWORD, by=foreign.actor)
        guest = await inviting.invite(work, by=foreign.actor, email="mia@fernab.example", name="Mia", role="viewer")
    return Outsiders(foreign, live, crews, owner.email, guest.token)


async def _live(sessions: Sessions) -> Party:
    """Verified by an operator, as live organizations are."""
    operator, _ = await papers.operator(sessions, livemode=True)
    registered = await papers.live(sessions, ANY_ROLE)
    await papers.verified(sessions, registered, operator)
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
        crews = {name: await crew(sessions, party) for name, party in parties.items()}
        revoked = {name: await _revoked(sessions, party) for name, party in parties.items()}
        expired = await _agent(market, "Vormals & Co.", parties, timedelta(minutes=1))
        await market.advance(timedelta(minutes=2))
        delegate = await _agent(market, "Vertretung GmbH", parties, timedelta(days=365))
        yield Cast(market, found, parties, {**crews, **found.crews}, revoked, delegate, expired)


async def crew(sessions: Sessions, party: Party) -> Crew:
    """A member of each role, with a key that carries all the role may do; the owner is there."""
    return {"owner": party.key, **{role: await _joined(sessions, party, role) for role in MEMBER_ROLES[1:]}}


async def _joined(sessions: Sessions, party: Party, role: str) -> str:
    details = MemberDetails(name=role.title(), email=f"{role}@{party.org.id.replace('_', '-')}.example")
    async with UnitOfWork(sessions, party.actor) as work:
        member = await members.create(work, details, role=cast(MemberRole, role), by=party.actor)
        return (await api_keys.create(work, by=party.actor, name=role, member_id=member.id)).token


async def _revoked(sessions: Sessions, party: Party) -> Crew:
    """One of each role's scopes: what a key could do before makes no difference after."""
    tokens = {}
    for role in MEMBER_ROLES:
        async with UnitOfWork(sessions, party.actor) as work:
            issued = await api_keys.create(work, by=party.actor, name="Withdrawn", scopes=ROLES[role])
            await api_keys.revoke(work, issued.key.id, by=party.actor)
        tokens[role] = issued.token
    return tokens


async def _agent(market: Market, name: str, parties: Mapping[str, Party], until: timedelta) -> Crew:
    agent = await organization(market.sessions, ["broker"], name=name)
    for party in parties.values():
        async with market.work(party) as work:
            terms = delegating.Terms(agent.org.id, sorted(ALL - NEVER_DELEGATED), (), None, work.now + until)
            await delegating.grant(work, terms, by=party.actor)
    return await crew(market.sessions, agent)


def names_of(parties: Sequence[Party]) -> frozenset[str]:
    return frozenset(party.org.legal_name for party in parties)
