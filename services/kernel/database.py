"""The engine and its sessions. The app connects as a role that is neither superuser nor BYPASSRLS."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session

from services.kernel.settings import Settings

Sessions = async_sessionmaker[AsyncSession]
SETTINGS = "settings"


SHORT = {"max_parallel_workers_per_gather": "0", "jit": "off"}
"""Statements are many and short: neither workers nor a compiler may be started for one of them."""


def connect(url: str, *, pool_size: int = 20) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args={"server_settings": SHORT},
    )


def sessions_of(
    engine: AsyncEngine, *, settings: Settings | None = None, sync_session_class: type[Session] = Session
) -> Sessions:
    """`settings` are those of the process, for what signs and seals; without them nothing can."""
    return async_sessionmaker(
        engine,
        expire_on_commit=False,
        autoflush=True,
        sync_session_class=sync_session_class,
        info={SETTINGS: settings},
    )


class UnfitRole(RuntimeError):
    """The database URL names a role to which row-level security would not apply."""


async def refuse_unfit_role(engine: AsyncEngine) -> None:
    """Raises UnfitRole for a superuser or a role with BYPASSRLS; called at start."""
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
            )
        ).one()
    if row.rolsuper or row.rolbypassrls:
        raise UnfitRole(f"{row.rolname} is a superuser or bypasses row-level security; connect as backhaul_app")
