"""The market of the orders' tests. Orders do not know certification, so its reactions are left out."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from services import reactions
from services.kernel.http.routing import Runtime
from tests.factories.orders import Market, open_market

OF_CERTIFICATION = {"pickup.loaded": "take the load into custody", "receipt.inspected": "book what was inspected"}


@pytest.fixture(autouse=True)
def _without_certification(monkeypatch: pytest.MonkeyPatch) -> None:
    for event_type, reaction in OF_CERTIFICATION.items():
        monkeypatch.delitem(reactions.REACTIONS[event_type], reaction, raising=False)


@pytest_asyncio.fixture
async def market(runtime: Runtime, client: httpx.AsyncClient) -> AsyncIterator[Market]:
    async with open_market(runtime, client) as market:
        yield market
