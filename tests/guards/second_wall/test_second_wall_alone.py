"""The sweep of every operation as every caller, with queries that ask nothing: row-level security alone finds no foreign row."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.app import build_app, openapi_document
from services.kernel.http.routing import Runtime
from tests.conftest import client_of
from tests.guards.authorization import leaks
from tests.guards.authorization.asking import Call, Operation, callers, operations
from tests.guards.authorization.calls import calls
from tests.guards.authorization.cells import Cell, answered
from tests.guards.authorization.world import World, built
from tests.guards.second_wall.forgetting import forgetful

ROLES = ("nobody", "owner")
"""Policies know organizations, not the roles of their members: who may most asks for each relation."""

AT_A_SHARED_PLACE = ("sites.get", "sites.list")
"""The parties to a movement know where it begins and ends; whose sites the API lists is the first wall's matter."""


@dataclass(frozen=True)
class Sweep:
    """The same world as `remembering` and as `forgetting` queries show it."""

    world: World
    operations: list[Operation]
    remembering: httpx.AsyncClient
    forgetting: httpx.AsyncClient

    async def leaks(self, asked: Iterable[str]) -> list[str]:
        known = calls(self.world)
        return [leak for one in self.operations if one.id in asked for leak in await self._of(one, known[one.id])]

    async def _of(self, operation: Operation, call: Call) -> list[str]:
        found = []
        for caller in callers(self.world, call):
            if caller.role in ROLES:
                usual = await answered(self.world, self.remembering, operation, call, caller)
                alone = await answered(self.world, self.forgetting, operation, call, caller)
                found += self._more(usual, alone)
        return found

    def _more(self, usual: Cell, alone: Cell) -> list[str]:
        """Ids that only the forgetful build shows, without what the market shows to everybody."""
        if alone.status >= 500:
            return [f"{alone}: it failed: {alone.text}"]
        if alone.operation.id in AT_A_SHARED_PLACE and alone.caller.relation in ("own", "counterparty", "delegate"):
            return []
        told = (alone.ids & self.world.ids) - usual.ids - self.world.public
        return [f"{alone}, not {usual.status}: the answer tells {id}" for id in sorted(told)]


async def test_row_level_security_alone_shows_nobody_a_foreign_row(runtime: Runtime, client: httpx.AsyncClient) -> None:
    async with swept(runtime, client) as sweep:
        found = await sweep.leaks([one.id for one in sweep.operations])
        found += await secrets_told(sweep)
        assert not found, "\n".join(["", *found])
        async with taken_down(sweep.world, "order"), taken_down(sweep.world, "site"):
            without = await sweep.leaks(["orders.get", "orders.list", "sites.list", "permits.list"])
    shown = {leak.partition("=")[0] for leak in without}
    by_a_stranger = {shown_to.removesuffix(" as foreign owner") for shown_to in shown}
    assert {"orders.get", "orders.list", "sites.list"} <= by_a_stranger
    assert "permits.list" not in by_a_stranger


@asynccontextmanager
async def swept(runtime: Runtime, client: httpx.AsyncClient) -> AsyncIterator[Sweep]:
    async with built(runtime, client) as world, client_of(forgetful(runtime)) as forgetting:
        known = calls(world)
        asked = [one for one in operations(openapi_document(build_app(runtime))) if one.id in known]
        yield Sweep(world, asked, client, forgetting)


async def secrets_told(sweep: Sweep) -> list[str]:
    """Ids of what must not be learnt, whatever is asked for; how it is refused is the first wall's matter. `mine=true` is a
    filter, so what is public may come without it."""
    told = await leaks.of_secrets(sweep.world, sweep.forgetting)
    return [one for one in told if " tells " in one and not any(id in one for id in sweep.world.public)]


@asynccontextmanager
async def taken_down(world: World, table: str) -> AsyncIterator[None]:
    """The table without its policy: a sweep that cannot find this finds nothing."""
    connection: AsyncConnection = world.sessions.kw["bind"]
    async with connection.begin_nested() as savepoint:
        await connection.execute(text(f'ALTER POLICY seen_by ON "{table}" USING (true)'))
        yield
        await savepoint.rollback()
