"""Delegations: who may act for whom, how far, where and how long."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.kernel.actors import doorkeeper
from services.kernel.clock import wall_now
from services.kernel.database import Sessions
from services.kernel.http.routing import Runtime
from services.kernel.ids import OrgId, SiteId
from services.kernel.settings import Settings
from services.kernel.unit_of_work import UnitOfWork
from services.parties import delegating, sites
from services.parties.authenticating import door
from services.parties.delegating import Terms
from services.parties.models import Delegation, Site
from tests.conftest import Advance
from tests.factories import listings, parties
from tests.factories.bidding import placed_bid
from tests.factories.orders import awarded, negotiated, open_market
from tests.factories.parties import Party
from tests.factories.pickups import requested

DELEGATIONS = "/v1/delegations"
DAILY = ("sites:read", "listings:read", "listings:write", "pickups:read", "orders:read")
A_YEAR = timedelta(days=365)


def terms(**given: Any) -> dict[str, Any]:
    return {"scopes": list(DAILY), "valid_until": (wall_now() + A_YEAR).isoformat()} | given


async def granted(
    sessions: Sessions, grantor: Party, grantee: Party, *site_ids: SiteId, scopes: tuple[str, ...] = DAILY
) -> Delegation:
    async with UnitOfWork(sessions, grantor.actor) as work:
        wanted = Terms(grantee.org.id, scopes, site_ids, None, work.now + A_YEAR)
        return await delegating.grant(work, wanted, by=grantor.actor)


async def two(sessions: Sessions) -> tuple[Party, Party]:
    """A manufacturer and its consultant."""
    consultant = await parties.organization(sessions, ["broker"], name="Beratung Süd GmbH")
    return await parties.organization(sessions), consultant


def acting(delegate: Party, account: str) -> dict[str, str]:
    return delegate.headers | {"Backhaul-Account": account}


async def test_a_delegate_acts_for_the_grantor(client: httpx.AsyncClient, sessions: Sessions) -> None:
    grantor, delegate = await two(sessions)
    await granted(sessions, grantor, delegate)
    body = listings.terms(grantor).model_dump(mode="json", exclude_unset=True)

    made = await client.post("/v1/listings", json=body, headers=acting(delegate, grantor.org.id))

    assert made.status_code == 201
    assert made.json()["seller_id"] == grantor.org.id


async def test_what_a_delegate_did_names_both(client: httpx.AsyncClient, sessions: Sessions) -> None:
    grantor, delegate = await two(sessions)
    delegation = await granted(sessions, grantor, delegate)
    body = listings.terms(grantor).model_dump(mode="json", exclude_unset=True)
    await client.post("/v1/listings", json=body, headers=acting(delegate, grantor.org.id))

    async with sessions() as session:
        event = text("SELECT actor, org_id FROM event WHERE type = 'listing.created'")
        actor, org_id = (await session.execute(event)).one()

    assert actor == f"{delegate.actor.key_id} under {delegation.id}"
    assert org_id == grantor.org.id


async def test_a_delegate_may_what_both_grant_and_key_carry(client: httpx.AsyncClient, sessions: Sessions) -> None:
    grantor, delegate = await two(sessions)
    await granted(sessions, grantor, delegate, scopes=("sites:read", "members:read"))
    narrow = {"name": "narrow", "scopes": ["sites:read", "listings:read"]}
    key = (await client.post("/v1/api-keys", json=narrow, headers=delegate.headers)).json()["secret"]
    headers = {"Authorization": f"Bearer {key}", "Backhaul-Account": grantor.org.id}

    answers = [await client.get(path, headers=headers) for path in ("/v1/sites", "/v1/listings", "/v1/members")]

    assert [answer.status_code for answer in answers] == [200, 403, 403]


@pytest.mark.parametrize("account", ["nobody", "org_", "key_01kaq4m8q3e8xvw2t5n6r7s8d9"])
async def test_an_account_that_is_no_id_is_malformed(
    client: httpx.AsyncClient, sessions: Sessions, account: str
) -> None:
    party = await parties.organization(sessions)

    answer = await client.get("/v1/sites", headers=acting(party, account))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "account_malformed"


async def test_ones_own_account_needs_no_delegation(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await parties.organization(sessions)

    assert (await client.get("/v1/sites", headers=acting(party, party.org.id))).status_code == 200


async def test_whether_an_organization_exists_is_not_told(client: httpx.AsyncClient, sessions: Sessions) -> None:
    grantor, stranger = await two(sessions)
    nobody = OrgId.new()

    answers = [await client.get("/v1/sites", headers=acting(stranger, id)) for id in (grantor.org.id, nobody)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert {answer.json()["code"] for answer in answers} == {"not_delegated"}
    assert answers[0].json()["detail"].replace(grantor.org.id, nobody) == answers[1].json()["detail"]


@pytest.mark.parametrize("side", ["grantor", "grantee"])
async def test_either_side_ends_it_at_once(client: httpx.AsyncClient, sessions: Sessions, side: str) -> None:
    grantor, delegate = await two(sessions)
    delegation = await granted(sessions, grantor, delegate)
    sides = {"grantor": grantor, "grantee": delegate}
    before = await client.get("/v1/sites", headers=acting(delegate, grantor.org.id))

    revoked = await client.post(f"{DELEGATIONS}/{delegation.id}/revoke", headers=sides[side].headers)

    assert before.status_code == 200
    assert revoked.json()["revoked_by"] == sides[side].org.id
    assert (await client.get("/v1/sites", headers=acting(delegate, grantor.org.id))).status_code == 403


async def test_it_holds_from_its_first_instant_until_its_last(
    client: httpx.AsyncClient, sessions: Sessions, advance: Advance
) -> None:
    grantor, delegate = await two(sessions)
    tomorrow, next_week = wall_now() + timedelta(days=1), wall_now() + timedelta(days=7)
    body = terms(grantee_id=delegate.org.id, valid_from=tomorrow.isoformat(), valid_until=next_week.isoformat())
    made = await client.post(DELEGATIONS, json=body, headers=grantor.headers)
    headers = acting(delegate, grantor.org.id)

    early = await client.get("/v1/sites", headers=headers)
    await advance(timedelta(days=2))
    within = await client.get("/v1/sites", headers=headers)
    await advance(timedelta(days=6))
    late = await client.get("/v1/sites", headers=headers)
    read = await client.get(f"{DELEGATIONS}/{made.json()['id']}", headers=delegate.headers)

    assert [early.status_code, within.status_code, late.status_code] == [403, 200, 403]
    assert read.json()["status"] == "expired"


async def test_both_sides_see_it_and_nobody_else(client: httpx.AsyncClient, sessions: Sessions) -> None:
    grantor, delegate = await two(sessions)
    stranger = await parties.organization(sessions, name="Fernab AG")
    delegation = await granted(sessions, grantor, delegate)
    url = f"{DELEGATIONS}/{delegation.id}"

    seen = [await client.get(url, headers=party.headers) for party in (grantor, delegate, stranger)]
    listed = [await client.get(DELEGATIONS, headers=party.headers) for party in (grantor, delegate, stranger)]

    assert [answer.status_code for answer in seen] == [200, 200, 404]
    assert [len(answer.json()["data"]) for answer in listed] == [1, 1, 0]
    assert [answer.json()["allowed_transitions"] for answer in seen[:2]] == [["revoke"], ["revoke"]]


async def test_both_sides_are_told(client: httpx.AsyncClient, sessions: Sessions) -> None:
    grantor, delegate = await two(sessions)
    delegation = await granted(sessions, grantor, delegate)
    await client.post(f"{DELEGATIONS}/{delegation.id}/revoke", headers=delegate.headers)

    query = text("SELECT type, audience FROM event WHERE subject_id = :id ORDER BY ordinal")
    async with sessions() as session:
        told = (await session.execute(query, {"id": delegation.id})).all()

    both = {grantor.org.id: "grantor", delegate.org.id: "grantee"}
    assert [tuple(row) for row in told] == [("delegation.granted", both), ("delegation.revoked", both)]


@pytest.mark.parametrize("scope", ["members:write", "api_keys:write", "organizations:write", "delegations:write"])
async def test_who_acts_for_whom_is_not_delegated(client: httpx.AsyncClient, sessions: Sessions, scope: str) -> None:
    grantor, delegate = await two(sessions)
    body = terms(grantee_id=delegate.org.id, scopes=["sites:read", scope])

    answer = await client.post(DELEGATIONS, json=body, headers=grantor.headers)

    assert answer.json()["errors"] == [
        {"pointer": "/scopes/1", "code": "never_delegated", "detail": f"{scope} is for the organization's own members."}
    ]


async def test_a_delegate_does_not_delegate(client: httpx.AsyncClient, sessions: Sessions) -> None:
    grantor, delegate = await two(sessions)
    friend = await parties.organization(sessions, name="Fernab AG")
    delegation = await granted(sessions, grantor, delegate, scopes=("delegations:read",))
    headers = acting(delegate, grantor.org.id)

    listed = await client.get(DELEGATIONS, headers=headers)
    passed_on = await client.post(DELEGATIONS, json=terms(grantee_id=friend.org.id), headers=headers)
    revoked = await client.post(f"{DELEGATIONS}/{delegation.id}/revoke", headers=headers)

    assert [listed.status_code, passed_on.status_code, revoked.status_code] == [200, 403, 403]
    assert listed.json()["data"][0]["allowed_transitions"] == []


async def test_nobody_grants_what_his_key_does_not_carry(client: httpx.AsyncClient, sessions: Sessions) -> None:
    grantor, delegate = await two(sessions)
    narrow = {"name": "narrow", "scopes": ["delegations:write", "sites:read"]}
    key = (await client.post("/v1/api-keys", json=narrow, headers=grantor.headers)).json()["secret"]

    answer = await client.post(
        DELEGATIONS, json=terms(grantee_id=delegate.org.id), headers={"Authorization": f"Bearer {key}"}
    )

    assert answer.json()["code"] == "scopes_not_held"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"grantee_id": "org_01kaq4m8q3e8xvw2t5n6r7s8d9"}, "organization_not_found"),
        ({"site_ids": ["site_01kaq4m8q3e8xvw2t5n6r7s8d9"]}, "site_not_found"),
        ({"valid_until": "2020-01-01T00:00:00Z"}, "ends_before_it_begins"),
        ({"scopes": []}, "too_short"),
    ],
)
async def test_terms_that_cannot_be_are_refused(
    client: httpx.AsyncClient, sessions: Sessions, given: dict[str, Any], code: str
) -> None:
    grantor, delegate = await two(sessions)

    answer = await client.post(DELEGATIONS, json=terms(grantee_id=delegate.org.id) | given, headers=grantor.headers)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == code


async def test_an_operator_makes_nobody_an_operator(sessions: Sessions, settings: Settings) -> None:
    house = await parties.organization(sessions, ["operator"], name="Backhaul")
    delegate = await parties.organization(sessions)
    await granted(sessions, house, delegate)

    async with UnitOfWork(sessions, doorkeeper()) as work:
        actor = await door(settings)(work, delegate.key, account=house.org.id)

    assert actor.org_id == house.org.id
    assert not actor.is_operator


async def test_a_token_for_an_account_acts_for_it_alone(client: httpx.AsyncClient, sessions: Sessions) -> None:
    grantor, delegate = await two(sessions)
    delegation = await granted(sessions, grantor, delegate)
    form = {"grant_type": "client_credentials", "client_id": delegate.actor.key_id, "client_secret": delegate.key}
    issued = (await client.post("/oauth/token", data=form | {"account": grantor.org.id})).json()
    token = {"Authorization": f"Bearer {issued['access_token']}"}

    for_grantor = await client.get("/v1/sites", headers=token)
    for_itself = await client.get("/v1/sites", headers=token | {"Backhaul-Account": delegate.org.id})
    await client.post(f"{DELEGATIONS}/{delegation.id}/revoke", headers=grantor.headers)
    afterwards = await client.get("/v1/sites", headers=token)

    assert issued["scope"].split() == sorted(DAILY)
    assert [site["id"] for site in for_grantor.json()["data"]] == [grantor.site.id]
    assert [for_itself.status_code, afterwards.status_code] == [403, 403]


async def test_an_answer_kept_for_a_retry_is_not_given_under_another_delegation(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    grantor, delegate = await two(sessions)
    wide = await granted(sessions, grantor, delegate)
    body = listings.terms(grantor).model_dump(mode="json", exclude_unset=True)
    headers = acting(delegate, grantor.org.id) | {"Idempotency-Key": "draft-of-monday"}
    first = await client.post("/v1/listings", json=body, headers=headers)
    await client.post(f"{DELEGATIONS}/{wide.id}/revoke", headers=grantor.headers)
    await granted(sessions, grantor, delegate, scopes=("sites:read",))

    again = await client.post("/v1/listings", json=body, headers=headers)

    assert [first.status_code, again.status_code] == [201, 403]


async def second_site(sessions: Sessions, party: Party) -> Site:
    async with UnitOfWork(sessions, party.actor) as work:
        return await sites.create(work, parties.yard(name="Yard 2"), by=party.actor)


async def test_a_delegate_of_one_site_sees_nothing_of_another(client: httpx.AsyncClient, sessions: Sessions) -> None:
    grantor, delegate = await two(sessions)
    elsewhere = await second_site(sessions, grantor)
    await granted(sessions, grantor, delegate, grantor.site.id)
    here = await listings.draft_listing(sessions, grantor)
    there = await listings.draft_listing(sessions, grantor, site_id=elsewhere.id)
    headers = acting(delegate, grantor.org.id)

    listed = [await client.get(path, headers=headers) for path in ("/v1/sites", "/v1/listings")]
    read = [
        await client.get(f"/v1/{path}", headers=headers)
        for path in (f"sites/{elsewhere.id}", f"listings/{there.id}", f"listings/{here.id}")
    ]

    assert [[row["id"] for row in answer.json()["data"]] for answer in listed] == [[grantor.site.id], [here.id]]
    assert [answer.status_code for answer in read] == [404, 404, 200]


async def test_a_delegate_of_one_site_does_nothing_at_another(client: httpx.AsyncClient, sessions: Sessions) -> None:
    grantor, delegate = await two(sessions)
    elsewhere = await second_site(sessions, grantor)
    await granted(sessions, grantor, delegate, grantor.site.id)
    here = await listings.draft_listing(sessions, grantor)
    there = await listings.draft_listing(sessions, grantor, site_id=elsewhere.id)
    headers = acting(delegate, grantor.org.id)
    body = listings.terms(grantor, site_id=elsewhere.id).model_dump(mode="json", exclude_unset=True)

    answers = [
        await client.post("/v1/listings", json=body, headers=headers),
        await client.patch(f"/v1/listings/{here.id}", json={"site_id": elsewhere.id}, headers=headers),
        await client.patch(f"/v1/listings/{there.id}", json={"title": "Mine"}, headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 404]
    assert answers[0].json()["code"] == "site_not_delegated"


async def test_what_the_grantor_offers_elsewhere_is_not_found_on_the_market(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    grantor, delegate = await two(sessions)
    await listings.published_listing(sessions, grantor)
    elsewhere = await second_site(sessions, grantor)
    await granted(sessions, grantor, delegate, elsewhere.id)

    found = await client.get("/v1/listings?mine=false", headers=acting(delegate, grantor.org.id))

    assert found.json()["data"] == []


async def test_a_delegate_of_one_site_sees_the_pickups_there(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await requested(sessions)
    elsewhere = await second_site(sessions, haul.owner)
    delegates = [await parties.organization(sessions, ["broker"], name=name) for name in ("Here", "Elsewhere")]
    for delegate, site_id in zip(delegates, (haul.job.to_site_id, elsewhere.id), strict=True):
        await granted(sessions, haul.owner, delegate, site_id)

    seen = [await client.get(haul.url, headers=acting(delegate, haul.owner.org.id)) for delegate in delegates]

    assert [answer.status_code for answer in seen] == [200, 404]


async def test_what_knows_no_site_is_not_limited_to_one(client: httpx.AsyncClient, sessions: Sessions) -> None:
    grantor, delegate = await two(sessions)
    body = terms(grantee_id=delegate.org.id, scopes=["ledger:read"], site_ids=[grantor.site.id])

    answer = await client.post(DELEGATIONS, json=body, headers=grantor.headers)

    assert answer.json()["errors"][0]["code"] == "not_bound_to_a_site"


async def test_a_delegate_of_one_site_sees_the_orders_that_leave_it(
    client: httpx.AsyncClient, sessions: Sessions, runtime: Runtime
) -> None:
    async with open_market(runtime, client) as market:
        listing = await negotiated(sessions, market.seller, [listings.motors()])
        order = await awarded(sessions, await placed_bid(sessions, listing, market.buyer), market.seller)
        elsewhere = await second_site(sessions, market.seller)
        delegates = [await parties.organization(sessions, ["broker"], name=name) for name in ("Here", "Elsewhere")]
        for delegate, site_id in zip(delegates, (market.seller.site.id, elsewhere.id), strict=True):
            await granted(sessions, market.seller, delegate, site_id)
        callers = [acting(delegate, market.seller.org.id) for delegate in delegates]

        read = [await client.get(f"/v1/orders/{order.id}", headers=caller) for caller in callers]
        listed = [await client.get("/v1/orders", headers=caller) for caller in callers]

    assert [answer.status_code for answer in read] == [200, 404]
    assert [len(answer.json()["data"]) for answer in listed] == [1, 0]
