"""Sends every request as every caller; no caller finds what another has done."""

import base64
from dataclasses import dataclass

import httpx
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.guards.authorization.asking import Call, Caller, Operation, callers, request, sent_ids
from tests.guards.authorization.world import ID, World


@dataclass(frozen=True)
class Cell:
    """What one caller was answered by one operation. `sent` are the ids in the request."""

    operation: Operation
    call: Call
    caller: Caller
    status: int
    text: str
    sent: frozenset[str]

    @property
    def ids(self) -> set[str]:
        """Those in the answer that the caller did not send."""
        return set(ID.findall(self.text)) - self.sent

    @property
    def is_refused(self) -> bool:
        return self.status >= 400

    def __str__(self) -> str:
        return f"{self.operation.id} as {self.caller}={self.status}"


async def rolled_back(world: World, client: httpx.AsyncClient, sent: httpx.Request) -> httpx.Response:
    """The request's commit is a savepoint within this one."""
    connection: AsyncConnection = world.sessions.kw["bind"]
    savepoint = await connection.begin_nested()
    try:
        return await client.send(sent)
    finally:
        await savepoint.rollback()


async def row_of(world: World, client: httpx.AsyncClient, operation: Operation, call: Call) -> list[Cell]:
    return [await answered(world, client, operation, call, caller) for caller in callers(world, call)]


async def answered(world: World, client: httpx.AsyncClient, operation: Operation, call: Call, caller: Caller) -> Cell:
    sent = request(client, operation, call, caller)
    ids = frozenset(sent_ids(sent))
    answer = await rolled_back(world, client, sent)
    return Cell(operation, call, caller, answer.status_code, _readable(answer), ids)


def _readable(answer: httpx.Response) -> str:
    """Of a token what it says."""
    if not answer.headers.get("content-type", "").startswith("application/vc+jwt"):
        return answer.text
    payload = answer.text.split(".")[1]
    return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()


def line_of(row: list[Cell]) -> str:
    """Statuses by relation: one where every role is answered alike, else owner/manager/operator/driver/viewer."""
    operation = row[0].operation
    found: dict[str, list[str]] = {}
    for cell in row:
        found.setdefault(cell.caller.relation, []).append(str(cell.status))
    told = [f"{relation}={_together(statuses)}" for relation, statuses in found.items()]
    return f"{operation.id:34}{operation.permission or 'public':22}{' '.join(told)}"


def _together(statuses: list[str]) -> str:
    return statuses[0] if len(set(statuses)) == 1 else "/".join(statuses)
