"""What a listing may not ask of those it is for."""

from typing import Any

import httpx
import pytest

from services.kernel.database import Sessions
from services.kernel.errors import Invalid
from services.listings.admitting import letting_in
from tests.factories.listings import draft_listing, motors, open_listing
from tests.factories.parties import organization


@pytest.mark.parametrize(
    ("capability", "pointer", "code"),
    [
        ({}, "/invited_capability", "capability_empty"),
        ({"operation": "R4", "roles": ["recycler"]}, "/invited_capability/operation", "operation_needs_permit"),
        ({"operation": "R99", "has_permit": True}, "/invited_capability/operation", "operation_unknown"),
    ],
)
async def test_a_capability_that_makes_no_sense_is_refused(
    sessions: Sessions, client: httpx.AsyncClient, capability: dict[str, Any], pointer: str, code: str
) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller)
    refused = await client.patch(
        f"/v1/listings/{listing.id}", headers=seller.headers, json={"invited_capability": capability}
    )
    assert refused.status_code == 422
    assert (pointer, code) in {(one["pointer"], one["code"]) for one in refused.json()["errors"]}


@pytest.mark.parametrize("capability", [{"roles": ["carrier"]}, {"countries": ["Germany"]}, {"permit": True}])
async def test_a_capability_that_is_malformed_is_refused(
    sessions: Sessions, client: httpx.AsyncClient, capability: dict[str, Any]
) -> None:
    seller = await organization(sessions)
    listing = await draft_listing(sessions, seller)
    refused = await client.patch(
        f"/v1/listings/{listing.id}", headers=seller.headers, json={"invited_capability": capability}
    )
    assert refused.status_code == 422
    assert all(one["pointer"].startswith("/invited_capability/") for one in refused.json()["errors"])


async def test_what_publishing_asks_of_a_capability(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    public = await draft_listing(
        sessions, seller, [motors()], mode="negotiated", invited_capability={"has_permit": True}
    )
    plain = motors(waste_code=None)
    nobody = await draft_listing(
        sessions, seller, [plain], mode="negotiated", visibility="invited", invited_capability={"has_permit": True}
    )
    codes = []
    for listing in (public, nobody):
        refused = await client.post(f"/v1/listings/{listing.id}/publish", headers=seller.headers)
        assert refused.status_code == 422
        codes += [(one["pointer"], one["code"]) for one in refused.json()["errors"]]
    assert codes == [
        ("/invited_capability", "capability_needs_invited"),
        ("/invited_capability/has_permit", "permit_needs_waste_code"),
    ]


async def test_a_capability_that_nearly_everybody_has_is_refused(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letting_in, "MOST_ADMITTED", 1)
    seller = await organization(sessions)
    for name in ("Rheinkreis Metall GmbH", "Fern AG"):
        await organization(sessions, ["recycler"], name)
    with pytest.raises(Invalid) as refused:
        await open_listing(sessions, seller, visibility="invited", invited_capability={"roles": ["recycler"]})
    assert [one.code for one in refused.value.errors] == ["capability_too_wide"]
