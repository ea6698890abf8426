"""OAuth 2.1 client credentials: an API key is exchanged for an access token of ten minutes (RFC 6749 4.4, RFC 9068).

The token is signed, so that a partner's own services can check it against `/.well-known/jwks.json`; we still ask the key's row on
every request, so that what is revoked ends at once. Tokens live in real time, like every clock that checks them.
"""

import base64
import binascii
import copy
import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.kernel import clock
from services.kernel.actors import Actor
from services.kernel.errors import Problem, Unauthenticated
from services.kernel.ids import KeyId, OrgId
from services.kernel.kept import kept
from services.kernel.settings import Settings
from services.kernel.unit_of_work import UnitOfWork
from services.parties import api_keys, delegating, queries
from services.parties.errors import NotDelegated, TokenRefused

LASTS = timedelta(minutes=10)
LEEWAY = timedelta(seconds=5)
ALGORITHM = "EdDSA"
TYPE = "at+jwt"
GRANT = "client_credentials"
MOST_PARAMETERS = 20


class _Registry(JWSRegistry):
    """Knows EdDSA alone. joserfc warns that RFC 9864 renames it to Ed25519; most verifiers know the old name only."""

    algorithms = {ALGORITHM: copy.copy(JWSRegistry.algorithms[ALGORITHM])}


_Registry.algorithms[ALGORITHM].security_warning = None
REGISTRY = _Registry(algorithms=[ALGORITHM])


@dataclass(frozen=True)
class Issuer:
    """Who signs: `url` is `iss` and `aud`, `kid` the key's RFC 7638 thumbprint."""

    url: str
    key: OKPKey

    @property
    def kid(self) -> str:
        return self.key.thumbprint()

    @property
    def key_set(self) -> dict[str, Any]:
        """RFC 7517, public halves only."""
        public = {"kid": self.kid, "use": "sig", "alg": ALGORITHM}
        return {"keys": [{**self.key.as_dict(private=False), **public}]}


def issuer(settings: Settings) -> Issuer:
    """The processes of one server share the key; it is made on first use."""
    return _issuer(settings.base_url, settings.data_dir / "keys" / "oauth" / "ed25519.jwk.json")


@cache
def _issuer(url: str, file: Path) -> Issuer:
    secret = kept(file, lambda: json.dumps(OKPKey.generate_key("Ed25519").as_dict(private=True)))
    return Issuer(url, OKPKey.import_key(json.loads(secret)))


class _Act(BaseModel):
    sub: OrgId


class Claims(BaseModel):
    """Of an access token. `act` says who really acts where `sub` is an account under a delegation (RFC 8693 4.1)."""

    model_config = ConfigDict(strict=True)

    iss: str
    aud: str
    sub: OrgId
    client_id: KeyId
    scope: str
    jti: str = Field(max_length=64)
    iat: int
    nbf: int
    exp: int
    livemode: bool
    act: _Act | None = None

    @property
    def account(self) -> OrgId | None:
        """Whom the bearer acts for, if it is not his own organization."""
        return self.sub if self.act is not None else None

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.scope.split())


@dataclass(frozen=True)
class Asked:
    """`account` names whom to act for; `scope` None asks for all there is."""

    client_id: str
    client_secret: str
    scope: str | None
    account: str | None


@dataclass(frozen=True)
class Token:
    access_token: str
    scope: str


def asked(form: bytes, authorization: str | None) -> Asked:
    """Of a form body and, instead of `client_id` and `client_secret`, HTTP Basic. Raises TokenRefused."""
    given = _parameters(form)
    if "grant_type" not in given:
        raise TokenRefused("invalid_request", "grant_type is missing.")
    if given["grant_type"] != GRANT:
        raise TokenRefused("unsupported_grant_type", f"Only {GRANT} is supported.")
    client_id, client_secret = _client(given, authorization)
    return Asked(client_id, client_secret, given.get("scope"), given.get("account"))


def _parameters(form: bytes) -> dict[str, str]:
    """Empty ones count as absent, repeated ones are refused (RFC 6749 3.2)."""
    try:
        pairs = parse_qsl(form.decode(), max_num_fields=MOST_PARAMETERS, errors="strict")
    except ValueError:
        raise TokenRefused("invalid_request", "The body is no form.") from None
    given = dict(pairs)
    if len(given) != len(pairs):
        raise TokenRefused("invalid_request", "A parameter is repeated.")
    return given


def _client(given: Mapping[str, str], authorization: str | None) -> tuple[str, str]:
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return given.get("client_id", ""), given.get("client_secret", "")
    if "client_secret" in given:
        raise TokenRefused("invalid_request", "Authenticate in one way, by Basic or in the body.")
    try:
        user, _, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise TokenRefused("invalid_client", "The Authorization header cannot be read.") from None
    return unquote_plus(user), unquote_plus(password)


async def exchange(work: UnitOfWork, by: Issuer, wanted: Asked, *, serves_live: bool) -> Token:
    """Raises TokenRefused."""
    actor = await _client_actor(work, wanted, serves_live=serves_live)
    await work.act_as(actor)
    try:
        acting = await delegating.acting_for(work, actor, wanted.account)
    except NotDelegated as error:
        raise TokenRefused("invalid_target", error.detail) from error
    except Problem as error:
        raise TokenRefused("invalid_request", error.detail) from error
    scopes = _granted(acting.permissions, wanted.scope)
    return Token(_signed(by, acting, scopes), " ".join(scopes))


async def _client_actor(work: UnitOfWork, wanted: Asked, *, serves_live: bool) -> Actor:
    """The secret is the key's, or the whole bearer token."""
    bearer = wanted.client_secret.startswith(tuple(api_keys.PREFIXES))
    secret = wanted.client_secret.rpartition("_")[2] if bearer else wanted.client_secret
    try:
        async with work.as_house(of_both=True):
            key, member, organization = await api_keys.proven(work, KeyId.parse(wanted.client_id), secret)
            actor = await api_keys.opened(work, key, member, organization, kind="token")
    except (ValueError, Unauthenticated):
        raise TokenRefused("invalid_client", "Client id and secret do not belong together.") from None
    if actor.livemode and not serves_live:
        raise TokenRefused("invalid_client", "This server serves the sandbox alone.")
    return actor


def _granted(held: Collection[str], scope: str | None) -> list[str]:
    wanted = frozenset(held) if scope is None else frozenset(scope.split())
    if not wanted or not wanted.issubset(held):
        raise TokenRefused("invalid_scope", "The key does not carry all that is asked for.")
    return sorted(wanted)


def _signed(by: Issuer, actor: Actor, scopes: Collection[str]) -> str:
    now = clock.wall_now()
    issued = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": by.url,
        "aud": by.url,
        "sub": actor.org,
        "client_id": actor.key_id,
        "scope": " ".join(scopes),
        "jti": uuid.uuid4().hex,
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(LASTS.total_seconds()),
        "livemode": actor.livemode,
    }
    if actor.acting_org_id is not None:
        claims["act"] = {"sub": actor.acting_org_id}
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": by.kid}
    return jwt.encode(header, claims, by.key, algorithms=[ALGORITHM], registry=REGISTRY)


def looks_like_one(token: str) -> bool:
    return token.count(".") == 2


def read(by: Issuer, token: str) -> Claims:
    """The claims of a token that we signed and that is valid now. Raises Unauthenticated without saying what is wrong."""
    try:
        found = jwt.decode(token, by.key, algorithms=[ALGORITHM], registry=REGISTRY)
        claims = Claims.model_validate(found.claims)
    except (JoseError, ValidationError, ValueError, UnicodeError):
        raise Unauthenticated("The access token is not valid.") from None
    is_ours = (claims.iss, claims.aud, found.header.get("typ")) == (by.url, by.url, TYPE)
    now, leeway = clock.wall_now().timestamp(), LEEWAY.total_seconds()
    if not is_ours or not claims.nbf - leeway <= now < claims.exp + leeway:
        raise Unauthenticated("The access token is not valid.")
    return claims


async def actor_of(work: UnitOfWork, claims: Claims) -> Actor:
    """The key's actor as it is now, with what the token carries of its scopes. Raises Unauthenticated."""
    found = await queries.credential(work, claims.client_id)
    if found is None or found[0].livemode != claims.livemode:
        raise Unauthenticated("The access token is not valid.")
    return await api_keys.opened(work, *found, kind="token", scopes=claims.scopes)


def agreed(account: OrgId, header: str | None) -> str:
    """A token made for an account is good for that account alone. Raises NotDelegated."""
    if header is not None and header != account:
        raise NotDelegated(header)
    return account
