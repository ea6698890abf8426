"""Manners that an operation has by what it declares: asked of every operation, on things that exist."""

from dataclasses import replace
from typing import Any

import httpx

from services.app import openapi_document
from services.kernel.http.routing import Runtime
from tests.guards.authorization.asking import Operation, operations, owner_of, request
from tests.guards.authorization.calls import calls
from tests.guards.authorization.cells import rolled_back
from tests.guards.authorization.world import World, built

MONEY_AND_AWARDS = {
    "bids.accept_counter",
    "bids.award",
    "bids.confirm",
    "bids.counter",
    "certificates.issue",
    "listings.buy",
    "orders.cancel",
    "orders.route_remainder",
    "organizations.update",
    "receipts.inspect",
}
"""They demand If-Match: what cannot be taken back must not follow from something that was not read. An organization's own change
is one of them for the account that is paid."""

WITHOUT_VERSION = {
    "api_keys.get",
    "api_keys.revoke",
    "api_keys.rotate",
    "certificates.verification",
    "custody_events.get",
    "events.get",
    "material_batches.get",
}
"""What happened once never changes; a key is replaced or revoked once; the amount of a batch moves without its version."""


def _document(client: httpx.AsyncClient) -> dict[str, Any]:
    transport: Any = client._transport
    return openapi_document(transport.app)


def _is_transition(operation: Operation) -> bool:
    """`POST /v1/{things}/{id}/{transition}`."""
    return operation.method == "POST" and "}/" in operation.template and operation.id not in MAKES_A_PART


async def test_every_transition_can_be_rehearsed_and_takes_a_version(client: httpx.AsyncClient) -> None:
    transitions = [each for each in operations(_document(client)) if _is_transition(each)]
    unrehearsed = [each.id for each in transitions if not each.takes_dry_run]
    unguarded = [each.id for each in transitions if not each.takes_version and each.id not in WITHOUT_VERSION]
    assert (unrehearsed, unguarded) == ([], [])


async def test_money_and_awards_demand_the_version_that_was_read(runtime: Runtime, client: httpx.AsyncClient) -> None:
    declared = {
        told["operationId"]: parameter["required"]
        for item in _document(client)["paths"].values()
        for told in item.values()
        for parameter in told.get("parameters", [])
        if parameter["name"] == "If-Match"
    }
    assert {name for name, is_required in declared.items() if is_required} == MONEY_AND_AWARDS
    async with built(runtime, client) as world:
        sent = [each for each in operations(_document(client)) if each.id in declared]
        without = {each.id: await _ask(world, client, replace(each, takes_version=False)) for each in sent}
    assert {name for name, answer in without.items() if answer.status_code == 428} == MONEY_AND_AWARDS


async def test_every_answer_about_one_thing_carries_its_version(runtime: Runtime, client: httpx.AsyncClient) -> None:
    async with built(runtime, client) as world:
        about_one = [each for each in operations(_document(client)) if _is_about_one(each)]
        answers = {each.id: await _ask(world, client, each) for each in about_one}
    done = {name: answer for name, answer in answers.items() if answer.is_success}
    untagged = [name for name, answer in done.items() if "etag" not in answer.headers]
    assert untagged == []
    assert len(done) > len(answers) * 3 / 4, f"refused: {sorted(answers.keys() - done.keys())}"


def _is_about_one(operation: Operation) -> bool:
    is_read = operation.method == "GET" and operation.template.endswith("_id}")
    return (is_read or _is_transition(operation)) and operation.id not in WITHOUT_VERSION | PUBLIC


MAKES_A_PART = {"listings.add_item", "listings.add_photo"}
"""Not a transition of the thing but a part of it that is new."""

PUBLIC = {"public.page", "public.status_list"}


async def _ask(world: World, client: httpx.AsyncClient, operation: Operation) -> httpx.Response:
    call = calls(world)[operation.id]
    return await rolled_back(world, client, request(client, operation, call, owner_of(world, call)))
