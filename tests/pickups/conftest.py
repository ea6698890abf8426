"""What partners heard, as the tests of pickups ask for it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from services.kernel.database import Sessions
from services.kernel.events import EventRow, render

Heard = Callable[[str], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def heard(sessions: Sessions) -> Heard:
    """The news of pickups and offers an organization may hear, oldest first, as it would be sent them."""

    async def of(org_id: str) -> list[dict[str, Any]]:
        async with sessions() as session:
            query = select(EventRow).where(col(EventRow.audience_orgs).contains([org_id]))
            rows = (await session.execute(query.order_by(col(EventRow.ordinal)))).scalars().all()
        return [render(row, org_id) for row in rows if row.type.startswith(("pickup.", "offer."))]

    return of
