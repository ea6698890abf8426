"""Every operation is called through its method, by both twins, against the real app."""

import asyncio
import inspect
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import httpx
from backhaul_client import AsyncBackhaul, AsyncPage, Backhaul, Model, Page, StatusError
from backhaul_client._models import field_kinds

from services.kernel.http.routing import Runtime
from tests.clients.exercising import Exercise, differences, opened


async def test_both_twins_send_what_is_written_by_hand_and_read_what_is_answered(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    wrong: list[str] = []
    async with opened(runtime, client) as (door, exercises), httpx.AsyncClient() as awaited:
        plain = await asyncio.to_thread(httpx.Client)
        for exercise in exercises:
            by_hand = await door.asked_by_hand(exercise)
            twin = AsyncBackhaul(exercise.token, base_url=door.url, max_retries=0, http_client=awaited)
            one = Backhaul(exercise.token, base_url=door.url, max_retries=0, http_client=plain)
            for outcome in (await asyncio.to_thread(_asked, one, exercise), await _awaited(twin, exercise)):
                promised = list[str] if exercise.is_stream else _promised(_method(one, exercise))
                wrong += _misread(exercise, outcome, by_hand, promised)
            wrong += [told for seen in door.exchanges[-2:] for told in await differences(exercise, seen.sent)]
        await asyncio.to_thread(plain.close)
    assert len(door.exchanges) == 2 * len(exercises)
    assert not wrong, "\n".join(["", *wrong])


def _asked(client: Backhaul, exercise: Exercise) -> Any:
    """What was read, or the error."""
    method = _method(client, exercise)
    try:
        if exercise.is_stream:
            return [event.data for event in method(*exercise.path)]
        return method.raw(*exercise.path, **_arguments(exercise, method)).parsed
    except StatusError as refusal:
        return refusal


async def _awaited(client: AsyncBackhaul, exercise: Exercise) -> Any:
    method = _method(client, exercise)
    try:
        if exercise.is_stream:
            return [event.data async for event in method(*exercise.path)]
        return (await method.raw(*exercise.path, **_arguments(exercise, method))).parsed
    except StatusError as refusal:
        return refusal


def _method(client: Any, exercise: Exercise) -> Any:
    resource, _, name = exercise.operation.id.rpartition(".")
    group = getattr(client, resource)
    return getattr(group, name, None) or getattr(group, f"{name}_")


def _arguments(exercise: Exercise, method: Any) -> dict[str, Any]:
    """By the names the method gives them: what Python or the client keeps for itself carries an underscore."""
    known = inspect.signature(method).parameters
    given = {name if name in known else f"{name}_": value for name, value in exercise.params.items()}
    if exercise.operation.takes_version:
        given["if_match"] = "*"
    if "file" in known:
        given["file"] = ("manifest.csv", exercise.call.file)
    return given


def _misread(exercise: Exercise, outcome: Any, by_hand: httpx.Response, promised: Any) -> Iterator[str]:
    name = exercise.operation.id
    if by_hand.status_code >= 500:
        yield f"{name}: the server failed"
    elif by_hand.status_code >= 400:
        told = (outcome.status, outcome.code) if isinstance(outcome, StatusError) else repr(outcome)
        if told != (by_hand.status_code, by_hand.json()["code"]):
            yield f"{name}: {told} where by hand it is {by_hand.status_code}: {by_hand.text}"
    elif isinstance(outcome, StatusError):
        yield f"{name}: {outcome} where by hand it is {by_hand.status_code}"
    else:
        yield from _unlike(promised, outcome, name)


def _promised(method: Any) -> Any:
    """The annotation that a plain method carries for its answer."""
    (kind,) = get_args(get_type_hints(inspect.unwrap(method))["return"])
    return kind


def _unlike(kind: Any, value: Any, where: str) -> Iterator[str]:
    """Where a value is not what its annotation says. A field that should be there and is not reads as None."""
    origin = get_origin(kind)
    if kind is Any:
        return
    if origin in (Union, UnionType):
        tries = [list(_unlike(arm, value, where)) for arm in get_args(kind)]
        yield from min(tries, key=len)
    elif origin is Page:
        yield from _unlike_page(get_args(kind)[0], value, where)
    elif origin in (list, dict):
        yield from _unlike_collection(origin, get_args(kind)[-1], value, where)
    elif not isinstance(value, (int, float) if kind is float else kind or NoneType):
        yield f"{where}: {value!r} is no {kind}"
    elif isinstance(value, Model):
        for name, field in field_kinds(kind).items():
            yield from _unlike(field, getattr(value, name), f"{where}.{name}")


def _unlike_page(item: Any, page: Any, where: str) -> Iterator[str]:
    if not isinstance(page, (Page, AsyncPage)) or not isinstance(page.has_more, bool):
        yield f"{where}: {page!r} is no page"
        return
    for value in page.data:
        yield from _unlike(item, value, f"{where}[]")


def _unlike_collection(kind: type, item: Any, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, kind):
        yield f"{where}: {value!r} is no {kind.__name__}"
        return
    ones: Any = value.values() if isinstance(value, dict) else value
    for one in ones:
        yield from _unlike(item, one, f"{where}[]")
