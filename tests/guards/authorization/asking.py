"""One realistic request per operation, as every caller sends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.guards.authorization.cast import MEMBER_ROLES, RELATIONS, Crew
from tests.guards.authorization.world import ID, World

Document = dict[str, Any]
NOT_SENT = "not sent"


@dataclass(frozen=True)
class Call:
    """`owner` is whose operation it is, `counterparty` the other side of the matter. `path` and `query` name things that exist;
    `given` replaces fields of the operation's own example (NOT_SENT leaves one out); a `form` is sent instead, with its
    `file` if any."""

    owner: str
    counterparty: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    file: bytes = b""


@dataclass(frozen=True)
class Operation:
    """An operation of the OpenAPI document. `permission` is None for a public one."""

    id: str
    method: str
    template: str
    permission: str | None
    example: dict[str, Any] | None
    takes_version: bool
    takes_dry_run: bool

    @property
    def is_of_somebody(self) -> bool:
        """Whether its path names a thing by id."""
        return "_id}" in self.template


def operations(document: Document) -> list[Operation]:
    """In the order of their ids."""
    found = [
        _operation(document, method, template, told)
        for template, item in document["paths"].items()
        for method, told in item.items()
    ]
    return sorted(found, key=lambda operation: operation.id)


def _operation(document: Document, method: str, template: str, told: Document) -> Operation:
    named = {parameter["name"] for parameter in told.get("parameters", [])}
    return Operation(
        id=told["operationId"],
        method=method.upper(),
        template=template,
        permission=told.get("x-permission"),
        example=_example(document, told),
        takes_version="If-Match" in named,
        takes_dry_run="dry_run" in named,
    )


def _example(document: Document, told: Document) -> dict[str, Any] | None:
    """None where no JSON body is required."""
    body = told.get("requestBody", {})
    schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    if not body.get("required") or "$ref" not in schema:
        return None
    name = schema["$ref"].rsplit("/", 1)[1]
    example: dict[str, Any] = document["components"]["schemas"][name]["examples"][0]
    return example


@dataclass(frozen=True)
class Caller:
    """In what relation to the matter, as a member of which role, with which token, in whose name (None: in their own)."""

    relation: str
    role: str
    token: str | None
    account: str | None = None

    def __str__(self) -> str:
        return f"{self.relation} {self.role}"


def callers(world: World, call: Call) -> list[Caller]:
    """Every relation in every role; nobody has no role."""
    crews: dict[str, Crew] = {
        "own": world.cast.crews[call.owner],
        "counterparty": world.cast.crews[call.counterparty],
        "foreign": world.cast.crews["foreign"],
        "delegate": world.cast.delegate,
        "expired": world.cast.expired,
        "revoked": world.cast.revoked[call.owner],
        "live": world.cast.crews["live"],
    }
    owner = world.party(call.owner).org.id
    known = [
        Caller(relation, role, crews[relation][role], owner if relation in ("delegate", "expired") else None)
        for relation in RELATIONS
        if relation in crews
        for role in MEMBER_ROLES
    ]
    return [Caller("anonymous", "nobody", None), *known]


def owner_of(world: World, call: Call) -> Caller:
    return Caller("own", "owner", world.party(call.owner).key)


def request(client: httpx.AsyncClient, operation: Operation, call: Call, caller: Caller) -> httpx.Request:
    headers = {"Authorization": f"Bearer {caller.token}"} if caller.token is not None else {}
    if caller.account is not None:
        headers["Backhaul-Account"] = caller.account
    if operation.takes_version:
        headers["If-Match"] = "*"
    url = operation.template.format(**call.path)
    if call.form is not None:
        files = {"file": ("manifest.csv", call.file)} if call.file else None
        return client.build_request(operation.method, url, headers=headers, data=dict(call.form), files=files)
    return client.build_request(operation.method, url, headers=headers, params=call.query, json=body(operation, call))


def body(operation: Operation, call: Call) -> dict[str, Any] | None:
    if operation.example is None:
        return None
    whole = {**operation.example, **call.given}
    return {name: value for name, value in whole.items() if value != NOT_SENT}


def sent_ids(sent: httpx.Request) -> set[str]:
    told = [str(sent.url), sent.read().decode(errors="replace"), sent.headers.get("Backhaul-Account", "")]
    return {id for text in told for id in ID.findall(text)}
