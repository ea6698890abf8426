"""Migrations and models say the same."""

import asyncio

from alembic import command
from alembic.config import Config

from services.hosting import TOP
from services.kernel.embedded_postgres import EmbeddedPostgres


async def test_migrations_match_the_models(postgres: EmbeddedPostgres, template: str) -> None:
    config = Config(toml_file=str(TOP / "pyproject.toml"))
    config.attributes["url"] = postgres.url(template, role="backhaul_owner")
    await asyncio.to_thread(command.check, config)


async def test_migrations_go_down_and_up_again(postgres: EmbeddedPostgres, template: str) -> None:
    name = f"{template}_down"
    postgres.create_database(name, template=template)
    config = Config(toml_file=str(TOP / "pyproject.toml"))
    config.attributes["url"] = postgres.url(name, role="backhaul_owner")
    await asyncio.to_thread(command.downgrade, config, "base")
    await asyncio.to_thread(command.upgrade, config, "head")
    postgres.drop_database(name)
