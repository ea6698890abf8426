"""The one door: a key, an access token or a session becomes the actor it stands for, or the one it may act for."""

from services.kernel.actors import Actor
from services.kernel.errors import Unauthenticated
from services.kernel.http.routing import Authenticate
from services.kernel.settings import Settings
from services.kernel.unit_of_work import UnitOfWork
from services.parties import api_keys, delegating, signing_in, tokens
from services.parties.errors import LiveNotServed
from services.parties.permissions import ROLES
from services.parties.tokens import Issuer


def door(settings: Settings) -> Authenticate:
    """`runtime.authenticate`. Access tokens are checked against the key that this server signs with."""

    async def authenticate(
        work: UnitOfWork, token: str, *, account: str | None = None, serves_live: bool = True
    ) -> Actor:
        async with work.as_house(of_both=True):
            actor, named = await _actor_of(work, settings, token, account, serves_live)
            return await delegating.acting_for(work, actor, named)

    return authenticate


async def _actor_of(
    work: UnitOfWork, settings: Settings, token: str, account: str | None, serves_live: bool
) -> tuple[Actor, str | None]:
    """Who calls, and whom he names to act for."""
    if token.startswith(signing_in.PREFIX):
        return await _of_session(work, token, serves_live), account
    if tokens.looks_like_one(token):
        return await _of_token(work, tokens.issuer(settings), token, account, serves_live)
    return await api_keys.authenticate(work, token, serves_live=serves_live), account


async def _of_session(work: UnitOfWork, token: str, serves_live: bool) -> Actor:
    session, member, organization = await signing_in.authenticate(work, token)
    if session.livemode and not serves_live:
        raise LiveNotServed()
    if not signing_in.opens(session, member, await api_keys.now_in(work, session.livemode)):
        raise Unauthenticated("The session is not valid.")
    permissions = ROLES[member.role]
    return api_keys.actor_of(organization, member, kind="session", session_id=session.id, permissions=permissions)


async def _of_token(
    work: UnitOfWork, issuer: Issuer, token: str, account: str | None, serves_live: bool
) -> tuple[Actor, str | None]:
    """The key's actor, and whom it acts for: what the token says, which a header may repeat but not change."""
    claims = tokens.read(issuer, token)
    if claims.livemode and not serves_live:
        raise LiveNotServed()
    actor = await tokens.actor_of(work, claims)
    if claims.account is None:
        return actor, account
    return actor, tokens.agreed(claims.account, account)
