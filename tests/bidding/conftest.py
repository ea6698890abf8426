"""Nordwerk sells, Rheinkreis and Zweitlauf bid."""

import pytest

from services.kernel.database import Sessions
from tests.factories.bidding import processor
from tests.factories.parties import Party, organization


@pytest.fixture
async def seller(sessions: Sessions) -> Party:
    return await organization(sessions)


@pytest.fixture
async def rheinkreis(sessions: Sessions) -> Party:
    return await processor(sessions)


@pytest.fixture
async def zweitlauf(sessions: Sessions) -> Party:
    return await processor(sessions, "Zweitlauf Maschinen GmbH", roles=("remanufacturer",))
