"""What the installed Stripe library says may be sent, held against every request of a test.

Read from the wheel by `ast`: each operation with verb, path and the TypedDict of its parameters. Violations are
collected and answered 400 in Stripe's shape; the fixture fails the test at teardown. Raising in a transport would
become a retryable connection error and vanish in a retry.
"""

import ast
import importlib.util
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from starlette.types import ASGIApp

from services.payments.simulator import build_simulator
from services.payments.stripe_gateway import StripeGateway

SURFACE = Path(__file__).parent.parent / "payments" / "stripe_surface.txt"
BANNED = frozenset(
    {
        "application_fee_amount",
        "capture_method",
        "configurations",
        "confirm",
        "on_behalf_of",
        "payment_method_types",
        "refund_application_fee",
        "reverse_transfer",
        "transfer_data",
    }
)
MONEY_OBJECTS = frozenset(
    {"POST /v1/payment_intents", "POST /v1/transfers", "POST /v1/transfers/{id}/reversals", "POST /v1/refunds"}
)
_A_LIBRARY_KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Operation:
    method: str
    template: str
    params_module: str | None
    params_class: str | None

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{[^}]+\}", "[^/]+", self.template))


@dataclass(frozen=True)
class Violation:
    operation: str
    parameter: str
    reason: str


@dataclass
class ContractTransport(httpx.AsyncBaseTransport):
    """Around the transport that reaches the simulator."""

    inner: httpx.AsyncBaseTransport
    violations: list[Violation] = field(default_factory=list)
    seen: dict[str, set[str]] = field(default_factory=dict)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        found = self.check(request.method, request.url.path, await _params(request), dict(request.headers))
        if not found:
            return await self.inner.handle_async_request(request)
        self.violations.extend(found)
        message = "; ".join(f"{each.parameter}: {each.reason}" for each in found)
        return httpx.Response(
            400, json={"error": {"type": "invalid_request_error", "message": message}}, request=request
        )

    async def aclose(self) -> None:
        await self.inner.aclose()

    def check(self, method: str, path: str, params: dict[str, Any], headers: dict[str, str]) -> list[Violation]:
        operation = find(method, path)
        if operation is None:
            return [Violation(f"{method} {path}", "", "unknown path")]
        self.seen.setdefault(operation.name, set()).update(leaves(params))
        reasons = list(_problems(operation, params, is_json=path.startswith("/v2/") and method == "POST"))
        reasons += _house_problems(operation, params, headers)
        return [Violation(operation.name, parameter, reason) for parameter, reason in reasons]

    def surface(self) -> str:
        """One line per operation seen: its name and every parameter, in order."""
        lines = [" ".join([name, *sorted(parameters)]) for name, parameters in sorted(self.seen.items())]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Simulated:
    """A gateway over the contract over a simulator in memory; `hand` reaches its knobs."""

    gateway: StripeGateway
    contract: ContractTransport
    hand: httpx.AsyncClient

    async def do(self, path: str, **params: Any) -> dict[str, Any]:
        """A knob under `/_simulator/`."""
        answer = await self.hand.post(f"/_simulator/{path}", json=params)
        answer.raise_for_status()
        done: dict[str, Any] = answer.json()
        return done

    async def state(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.hand.get("/_simulator/state")).json()
        return found

    async def effects(self, op: str) -> dict[str, int]:
        """Kind of object → how many this operation made."""
        return {kind: made["count"] for kind, made in (await self.state())["effects"].get(op, {}).items()}


@asynccontextmanager
async def simulated_stripe(app: ASGIApp) -> AsyncIterator[Simulated]:
    """Fails at its end on a request outside the contract or outside what the simulator imitates."""
    contract = ContractTransport(httpx.ASGITransport(app, client=("127.0.0.1", 1)))
    gateway = StripeGateway(
        "sk_test_simulated", base_url="http://simulator.test", http_client=httpx.AsyncClient(transport=contract)
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://simulator.test") as hand:
        yield Simulated(gateway, contract, hand)
        missing = (await hand.get("/_simulator/not_imitated")).json()
    await gateway.close()
    assert contract.violations == []
    assert missing["operations"] == {}


@pytest_asyncio.fixture
async def simulated() -> AsyncIterator[Simulated]:
    async with simulated_stripe(build_simulator(seed="tests")) as stripe:
        yield stripe


def committed_surface(seen: str) -> str:
    """The committed surface; with UPDATE_STRIPE_SURFACE set, after writing what was seen."""
    if os.environ.get("UPDATE_STRIPE_SURFACE"):
        SURFACE.write_text(seen)
    return SURFACE.read_text()


def leaves(params: Any, prefix: str = "") -> set[str]:
    """`metadata.op`, `expand[]`: the names, never the values."""
    if isinstance(params, dict) and params:
        below = [leaves(value, f"{prefix}.{name}" if prefix else name) for name, value in params.items()]
        return set().union(*below)
    if isinstance(params, list):
        return set().union(*(leaves(each, f"{prefix}[]") for each in params)) if params else {f"{prefix}[]"}
    return {prefix} if prefix else set()


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the installed library's services."""
    return tuple(operation for path in sorted(_root().rglob("_*_service.py")) for operation in _operations_in(path))


@cache
def find(method: str, path: str) -> Operation | None:
    """A fixed path before one with a placeholder that would also match."""
    matching = [each for each in operations() if each.method == method and each.pattern.fullmatch(path)]
    return min(matching, key=lambda each: each.template.count("{"), default=None)


def _root() -> Path:
    spec = importlib.util.find_spec("stripe")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("stripe")
    return Path(spec.origin).parent


def _operations_in(path: Path) -> Iterator[Operation]:
    tree = ast.parse(path.read_text())
    imported = _imports(tree)
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef) or function.name.endswith("_async"):
            continue
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "_request":
                name = _params_name(function)
                method = ast.literal_eval(call.args[0]).upper()
                yield Operation(method, _template(call.args[1]), imported.get(name or ""), name)


def _imports(tree: ast.AST) -> dict[str, str]:
    return {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def _template(expression: ast.expr) -> str:
    """A plain string, or the string whose `.format(…)` is called."""
    literal = (
        expression.func.value
        if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute)
        else expression
    )
    return str(ast.literal_eval(literal))


def _params_name(function: ast.FunctionDef) -> str | None:
    for argument in (*function.args.posonlyargs, *function.args.args):
        if argument.arg == "params" and argument.annotation is not None:
            match = re.search(r"\w+Params\b", ast.unparse(argument.annotation))
            return match.group() if match else None
    return None


@cache
def _typed_dicts(module: str) -> dict[str, dict[str, ast.expr]]:
    path = _root().parent / Path(*module.split(".")).with_suffix(".py")
    return {
        node.name: {
            item.target.id: _unquoted(item.annotation)
            for item in node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        }
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    }


def _unquoted(annotation: ast.expr) -> ast.expr:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return ast.parse(annotation.value, mode="eval").body
    return annotation


def _problems(operation: Operation, params: dict[str, Any], *, is_json: bool) -> Iterator[tuple[str, str]]:
    if operation.params_module is None or operation.params_class is None:
        yield from ((name, "unknown parameter") for name in params)
        return
    checker = _Checker(_typed_dicts(operation.params_module), is_json=is_json)
    yield from checker.fields(operation.params_class, params, "")


@dataclass(frozen=True)
class _Checker:
    """Values against annotations. A form carries everything as strings; JSON keeps its types."""

    classes: dict[str, dict[str, ast.expr]]
    is_json: bool

    def fields(self, class_name: str, value: Any, at: str) -> Iterator[tuple[str, str]]:
        if not isinstance(value, dict):
            yield at, f"is no {class_name}"
            return
        known = self.classes[class_name]
        for name, inner in value.items():
            if name not in known:
                yield _below(at, name), "unknown parameter"
            else:
                yield from self.value(_required(known[name])[0], inner, _below(at, name))
        for name, annotation in known.items():
            if _required(annotation)[1] and name not in value:
                yield _below(at, name), "missing"

    def value(self, annotation: ast.expr, value: Any, at: str) -> Iterator[tuple[str, str]]:
        alternatives = _alternatives(annotation)
        found = [list(self.single(each, value, at)) for each in alternatives]
        if all(found):
            yield from min(found, key=len)

    def single(self, annotation: ast.expr, value: Any, at: str) -> Iterator[tuple[str, str]]:
        kind, arguments = _head(annotation)
        if kind == "List" and isinstance(value, list):
            for index, each in enumerate(value):
                yield from self.value(arguments[0], each, f"{at}[{index}]")
        elif kind == "Dict" and isinstance(value, dict):
            for name, each in value.items():
                yield from self.value(arguments[1], each, _below(at, name))
        elif kind in self.classes:
            yield from self.fields(kind, value, at)
        elif kind == "Literal" and value not in [ast.literal_eval(each) for each in arguments]:
            yield at, f"{value!r} is none of {[ast.literal_eval(each) for each in arguments]}"
        elif kind != "Literal" and not self._is_a(kind, value):
            yield at, f"{value!r} is no {kind}"

    def _is_a(self, kind: str, value: Any) -> bool:
        if kind == "Any":
            return True
        if self.is_json:
            native: dict[str, type | tuple[type, ...]] = {"str": str, "int": int, "bool": bool, "float": (int, float)}
            wanted = native.get(kind)
            return wanted is not None and isinstance(value, wanted) and (kind == "bool" or not isinstance(value, bool))
        patterns = {
            "str": r"(?s).*",
            "int": r"-?\d+",
            "bool": "true|false",
            "float": r"-?\d+(\.\d+)?",
            "Decimal": r"-?\d+(\.\d+)?",
        }
        return kind in patterns and isinstance(value, str) and re.fullmatch(patterns[kind], value) is not None


def _head(annotation: ast.expr) -> tuple[str, list[ast.expr]]:
    annotation = _unquoted(annotation)
    if isinstance(annotation, ast.Subscript):
        inner = annotation.slice
        return ast.unparse(annotation.value), list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
    return ast.unparse(annotation), []


def _required(annotation: ast.expr) -> tuple[ast.expr, bool]:
    kind, arguments = _head(annotation)
    return (_unquoted(arguments[0]), False) if kind == "NotRequired" else (annotation, True)


def _alternatives(annotation: ast.expr) -> list[ast.expr]:
    """Flat; an open enum `Literal[…] | str` is closed here, and the library's own objects are never sent."""
    annotation = _unquoted(annotation)
    kind, arguments = _head(annotation)
    if kind in ("Union", "Optional"):
        flat = [inner for each in arguments for inner in _alternatives(each)]
    elif isinstance(annotation, ast.BinOp):
        flat = [*_alternatives(annotation.left), *_alternatives(annotation.right)]
    else:
        flat = [annotation]
    kinds = [_head(each)[0] for each in flat]
    enums = {_head(each)[0] for each in flat if _head(each)[0] == "Literal" and ast.unparse(each) != "Literal['']"}
    return [
        each
        for each, kind in zip(flat, kinds, strict=True)
        if kind != "UntypedStripeObject" and not (enums and kind == "str")
    ]


def _house_problems(operation: Operation, params: dict[str, Any], headers: dict[str, str]) -> list[tuple[str, str]]:
    problems = [
        (name, "banned here") for leaf in leaves(params) for name in leaf.replace("[]", "").split(".") if name in BANNED
    ]
    key = headers.get("idempotency-key", "")
    if operation.method == "POST" and (not key or _A_LIBRARY_KEY.fullmatch(key)):
        problems.append(("Idempotency-Key", "not ours"))
    if operation.name in MONEY_OBJECTS and not (params.get("metadata") or {}).get("op"):
        problems.append(("metadata.op", "missing"))
    return problems


def _below(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


async def _params(request: httpx.Request) -> dict[str, Any]:
    if request.method != "POST":
        return unflatten(str(request.url.query, "ascii"))
    body = await request.aread()
    if request.url.path.startswith("/v2/"):
        parsed: dict[str, Any] = json.loads(body or b"{}")
        return parsed
    return unflatten(body.decode())


def unflatten(form: str) -> dict[str, Any]:
    """Bracketed names into a tree; a branch whose names are 0, 1, 2 … is a list."""
    tree: dict[str, Any] = {}
    for name, value in httpx.QueryParams(form).multi_items():
        *path, last = re.findall(r"[^\[\]]+", name)
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})
        branch[last] = value
    return {name: _listed(value) for name, value in tree.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and set(value) == {str(index) for index in range(len(value))}:
        return [_listed(value[str(index)]) for index in range(len(value))]
    return {name: _listed(inner) for name, inner in value.items()}
