"""What the app connects as, and what it keeps."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.kernel import database, idempotency
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.embedded_postgres import EmbeddedPostgres
from services.kernel.unit_of_work import UnitOfWork


async def test_the_embedded_default_is_an_ordinary_role(postgres: EmbeddedPostgres, template: str) -> None:
    engine = create_async_engine(postgres.url(template), poolclass=NullPool)
    await database.refuse_unfit_role(engine)
    await engine.dispose()


async def test_a_superuser_is_refused_at_the_start(postgres: EmbeddedPostgres, template: str) -> None:
    engine = create_async_engine(postgres.url(template, role="postgres"), poolclass=NullPool)
    with pytest.raises(database.UnfitRole, match="postgres is a superuser"):
        await database.refuse_unfit_role(engine)
    await engine.dispose()


async def test_the_apps_role_may_not_change_what_happened(sessions: Sessions) -> None:
    async with sessions() as session:
        may = "SELECT has_table_privilege('event', 'DELETE') OR has_column_privilege('event', 'data', 'UPDATE')"
        assert (await session.execute(text(may))).scalar_one() is False


async def test_stored_answers_are_forgotten_after_their_time(sessions: Sessions) -> None:
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        for name, age in (("old", -1), ("new", 1)):
            await work.session.execute(
                text(
                    "INSERT INTO idempotency_record VALUES (:name, '', 200, '', clock_timestamp() + :age * interval '1 h')"
                ),
                {"name": name.encode(), "age": age},
            )
        await idempotency.forget_old(work)
        left = (await work.session.execute(text("SELECT key_hash FROM idempotency_record"))).scalars().all()
    assert left == [b"new"]
