"""Every operation is called through its method, against the real app."""

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.sdkgen.typescript.names import camel
from services.kernel.http.routing import Runtime
from tests.clients.exercising import Door, Exercise, differences, opened
from tests.clients.typescript import node

ERRORS = {400: "BadRequest", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 412: "PreconditionFailed"}
ERRORS |= {422: "UnprocessableEntity", 428: "PreconditionRequired"}

pytestmark = pytest.mark.xdist_group("typescript")


async def test_every_operation_is_sent_as_written_by_hand_and_its_answer_read(
    runtime: Runtime, client: httpx.AsyncClient, project: Path, tmp_path: Path
) -> None:
    async with opened(runtime, client) as (door, exercises):
        outcomes = await _exercised(door, exercises, project, tmp_path)
        wrong = list(_unsent(exercises, outcomes))
        assert not wrong, "\n".join(["", *wrong])
        wrong += _mistyped(exercises, outcomes, project)
        for exercise, exchange, outcome in zip(exercises, door.exchanges, outcomes, strict=True):
            by_hand = await door.asked_by_hand(exercise)
            wrong += await differences(exercise, exchange.sent)
            wrong += _statuses(exercise, exchange.answer, by_hand)
            wrong += _misread(exercise, exchange.answer, outcome)
    assert not wrong, "\n".join(["", *wrong])


async def _exercised(door: Door, exercises: list[Exercise], project: Path, folder: Path) -> list[dict[str, Any]]:
    cases, outcomes = folder / "cases.json", folder / "outcomes.json"
    cases.write_text(json.dumps({"baseUrl": door.url, "cases": [_case(one) for one in exercises]}), "utf-8")
    variables = {"CASES": str(cases), "OUTCOMES": str(outcomes)}
    done = await asyncio.to_thread(node.run, node.program(project, "exercise.mjs"), variables=variables)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(outcomes.read_text("utf-8"))
    return found


def _case(exercise: Exercise) -> dict[str, Any]:
    call = exercise.call
    uploaded = {"filename": "manifest.csv", "content": base64.b64encode(call.file).decode()}
    return {
        "id": exercise.operation.id,
        "token": exercise.token,
        "path": exercise.path,
        "params": exercise.params,
        "options": {"ifMatch": "*"} if exercise.operation.takes_version else {},
        "file": uploaded if call.file else None,
        "is_stream": exercise.is_stream,
    }


def _unsent(exercises: list[Exercise], outcomes: list[dict[str, Any]]) -> Iterator[str]:
    """Calls that never reached the server: a method that is missing, an argument that it does not know."""
    for exercise, outcome in zip(exercises, outcomes, strict=True):
        if "status" not in outcome:
            yield f"{exercise.operation.id}: {outcome['error']}: {outcome['message']}"


def _mistyped(exercises: list[Exercise], outcomes: list[dict[str, Any]], project: Path) -> list[str]:
    """Answers that are not what the methods promise, by the compiler's word: each is written down as a constant of its type."""
    program = project / "answered.ts"
    lines = ['import type { Backhaul } from "@backhaul/client";']
    for exercise, outcome in zip(exercises, outcomes, strict=True):
        if outcome.get("parsed") is not None and "bytes" not in outcome["parsed"] and not exercise.is_stream:
            lines.append(_constant(exercise.operation.id, outcome["parsed"]))
    program.write_text("\n".join([*lines, ""]), "utf-8")
    told = node.compiled(project, *node.STRICT, program.name).stdout
    assert len(lines) > len(exercises) * 0.8
    return [
        f"{lines[int(number) - 1][:60]}… {why}"
        for number, why in re.findall(r"^answered\.ts\((\d+),\d+\): (.*)", told, re.M)
    ]


def _constant(operation_id: str, parsed: Any) -> str:
    resource, method = map(camel, operation_id.split("."))
    is_page = isinstance(parsed, dict) and {"data", "has_more", "next_cursor"} <= parsed.keys()
    kind = f'Awaited<ReturnType<Backhaul["{resource}"]["{method}"]>>' + ('["data"]' if is_page else "")
    return f"export const {resource}_{method}: {kind} = {json.dumps(parsed['data'] if is_page else parsed)};"


def _statuses(exercise: Exercise, answer: httpx.Response, by_hand: httpx.Response) -> Iterator[str]:
    if answer.status_code != by_hand.status_code:
        yield f"{exercise.operation.id}: answered {answer.status_code}, by hand {by_hand.status_code}: {answer.text}"


def _misread(exercise: Exercise, answer: httpx.Response, outcome: dict[str, Any]) -> Iterator[str]:
    wanted = _read_by_hand(exercise, answer)
    told = {name: outcome.get(name) for name in wanted}
    if told != wanted:
        yield f"{exercise.operation.id}: read as {told!r}, not {wanted!r}"


def _read_by_hand(exercise: Exercise, answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code >= 400:
        problem = answer.json()
        error = ERRORS.get(answer.status_code, "ServerError")
        return {
            "status": answer.status_code,
            "error": error,
            "code": problem["code"],
            "request_id": problem["request_id"],
        }
    return {"status": answer.status_code, "parsed": _body_by_hand(exercise, answer)}


def _body_by_hand(exercise: Exercise, answer: httpx.Response) -> Any:
    named = answer.headers.get("content-type", "").partition(";")[0]
    if exercise.is_file:
        return {"bytes": base64.b64encode(answer.content).decode()}
    if exercise.is_stream:
        return [
            json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data: ")
        ]
    return answer.json() if re.search(r"[/+]json$", named) and answer.content else answer.text or None
