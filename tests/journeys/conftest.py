"""The market of the journeys: one per test, on the test's own database and simulator."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.kernel.jobs import Tools
from tests.journeys.players import Market, open_market


@pytest.fixture
async def market(client: httpx.AsyncClient, tools: Tools) -> AsyncIterator[Market]:
    async with open_market(client, tools) as market:
        yield market
