"""Who asks too often is told so, and when to come back."""

from pathlib import Path

import httpx
import pytest

from services.kernel.actors import Actor
from services.kernel.database import Sessions
from services.kernel.http.limits import Limiter, RateLimited
from services.kernel.http.routing import Runtime
from services.kernel.ids import OrgId
from services.kernel.settings import Settings
from services.parties.authenticating import door
from tests.conftest import client_of
from tests.factories.parties import organization


@pytest.fixture
def strict(sessions: Sessions, tmp_path: Path) -> Runtime:
    """Three requests a minute for an organization, two for an address."""
    settings = Settings(
        data_dir=tmp_path, public_url="http://testserver", rate_limit="3/minute", anonymous_rate_limit="2/minute"
    )
    return Runtime(settings=settings, sessions=sessions, authenticate=door(settings))


async def asked(runtime: Runtime, times: int, headers: dict[str, str]) -> list[httpx.Response]:
    async with client_of(runtime) as client:
        return [await client.get("/v1/sites", headers=headers) for _ in range(times)]


def _left(answer: httpx.Response) -> str:
    return answer.headers["ratelimit"].partition(";t=")[0]


async def test_every_answer_says_what_is_left(strict: Runtime) -> None:
    party = await organization(strict.sessions, roles=["manufacturer"])
    answers = await asked(strict, 3, party.headers)
    assert [_left(answer) for answer in answers] == ['"default";r=2', '"default";r=1', '"default";r=0']
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"default";q=3;w=60'}


async def test_above_the_quota_there_is_a_problem_and_a_time_to_come_back(strict: Runtime) -> None:
    party = await organization(strict.sessions, roles=["manufacturer"])
    *_, refused = await asked(strict, 4, party.headers)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"] == f'"default";r=0;t={refused.headers["retry-after"]}'


async def test_a_quota_is_an_organizations_own(strict: Runtime) -> None:
    one = await organization(strict.sessions, roles=["manufacturer"])
    other = await organization(strict.sessions, roles=["recycler"])
    await asked(strict, 4, one.headers)
    (answer,) = await asked(strict, 1, other.headers)
    assert (answer.status_code, _left(answer)) == (200, '"default";r=2')


async def test_nobody_and_who_guesses_keys_share_the_quota_of_their_address(strict: Runtime) -> None:
    party = await organization(strict.sessions, roles=["manufacturer"])
    guessed = {"Authorization": party.headers["Authorization"][:-1] + "x"}
    (without,) = await asked(strict, 1, {})
    wrong, refused = await asked(strict, 2, guessed)
    (right,) = await asked(strict, 1, party.headers)
    told = [answer.status_code for answer in (without, wrong, refused, right)]
    assert told == [401, 401, 429, 200]


def _actor(org_id: OrgId, *, acting_org_id: OrgId | None = None) -> Actor:
    return Actor(kind="key", livemode=False, org_id=org_id, acting_org_id=acting_org_id)


def test_under_a_delegation_the_quota_is_the_delegates() -> None:
    limiter, consultant = Limiter("1/minute", ""), OrgId.new()
    limiter.take({}, _actor(OrgId.new(), acting_org_id=consultant))
    with pytest.raises(RateLimited):
        limiter.take({}, _actor(OrgId.new(), acting_org_id=consultant))


@pytest.mark.parametrize("quota", ["", "0"])
def test_without_a_quota_nothing_is_counted(quota: str) -> None:
    limiter, scope = Limiter(quota, "1/minute"), {"client": ("127.0.0.1", 1)}
    limiter.take(scope, _actor(OrgId.new()))
    limiter.take_anonymous(scope)
    assert list(scope) == ["client"]


def test_the_addresses_of_one_network_count_as_one() -> None:
    limiter = Limiter("1/minute", "1/minute")
    limiter.take_anonymous({"client": ("2001:db8::1", 1)})
    limiter.take_anonymous({"client": ("2001:db8:0:1::1", 1)})
    with pytest.raises(RateLimited):
        limiter.take_anonymous({"client": ("2001:db8::2", 1)})
