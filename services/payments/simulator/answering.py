"""From request to answer: idempotency keys, faults on demand, one transaction for effect, saved answer and events."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.payments.simulator import money_in, money_out, operations
from services.payments.simulator.calls import Behaviour, Call
from services.payments.simulator.operations import Operation
from services.payments.simulator.store import Store
from services.payments.simulator.wire import Answer, Json, Refusal, decode_form

FAULTS = ("error_before", "error_after", "drop", "conflict", "rate_limit", "slow")
_REPLAYED = {"idempotent-replayed": "true"}
_NO_RETRY = {"stripe-should-retry": "false"}
_UNSAVED_FAULTS = {
    "conflict": Refusal("This object is in use by another request.", status=409, code="lock_timeout"),
    "rate_limit": Refusal("Too many requests hit the API too quickly.", status=429, code="rate_limit"),
}


@dataclass(frozen=True)
class Asked:
    """A request as it came; `headers` are lower case."""

    method: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]
    base_url: str


@dataclass(frozen=True)
class Fault:
    kind: str
    seconds: float


@dataclass
class Counter:
    """Where requests are answered. `told` is called after each commit, so that delivery looks for events."""

    store: Store
    behaviour: Behaviour
    told: Callable[[], None]
    in_flight: set[str] = field(default_factory=set)

    async def answer(self, asked: Asked) -> tuple[Answer, bool]:
        """The answer, and whether it is to be dropped on the way back."""
        try:
            return await self._answer(asked)
        except Refusal as refusal:
            return Answer(refusal.status_code, refusal.body), False

    async def _answer(self, asked: Asked) -> tuple[Answer, bool]:
        _authenticate(asked.headers)
        found = operations.find(asked.method, asked.path)
        if found is None:
            raise self._not_imitated(asked)
        operation, path = found
        call = Call(self.store, self.behaviour, _params(asked), path, asked.base_url)
        key = asked.headers.get("idempotency-key") if asked.method == "POST" else None
        if key is None:
            return await self._unkeyed(operation, call, asked)
        if key in self.in_flight:
            message = "There is currently another in-progress request using this Idempotent Key."
            raise Refusal(message, status=409, code="idempotency_key_in_use", type="idempotency_error")
        self.in_flight.add(key)
        try:
            return await self._keyed(operation, call, asked, key)
        finally:
            self.in_flight.discard(key)

    async def _unkeyed(self, operation: Operation, call: Call, asked: Asked) -> tuple[Answer, bool]:
        with self.store.transaction():
            fault = self._draw_fault(operation)
        await _stall(fault)
        return self._perform(operation, call, asked, None, fault)

    async def _keyed(self, operation: Operation, call: Call, asked: Asked, key: str) -> tuple[Answer, bool]:
        fingerprint = _fingerprint(asked, call.params)
        with self.store.transaction():
            saved = self._saved(key, fingerprint)
            fault = None if saved else self._draw_fault(operation)
        if saved:
            return saved, False
        await _stall(fault)
        return self._perform(operation, call, asked, (key, fingerprint), fault)

    def _perform(
        self, operation: Operation, call: Call, asked: Asked, saving: tuple[str, str] | None, fault: Fault | None
    ) -> tuple[Answer, bool]:
        kind = fault.kind if fault else None
        with self.store.transaction():
            catch_up(call)
            if asked.method == "POST":
                self.store.set("api_version", asked.headers.get("stripe-version") or self.store.setting("api_version"))
                self.store.set("current_key", saving[0] if saving else None)
            if kind == "error_before":
                answer, is_kept = _server_error(), True
            else:
                answer, is_kept = self._handled(operation, call)
            if kind == "error_after":
                answer, is_kept = _server_error(), True
            if saving and is_kept and (asked.path.startswith("/v1/") or answer.status < 300):
                self._save(saving, answer)
        self.told()
        return answer, kind == "drop"

    def _handled(self, operation: Operation, call: Call) -> tuple[Answer, bool]:
        """The answer and whether its key keeps it; a declined request leaves nothing behind."""
        unknown = set(call.params) - operation.parameters
        if unknown:
            name = sorted(unknown)[0]
            refusal = Refusal(f"Received unknown parameter: {name}", param=name, code="parameter_unknown")
            return Answer(400, refusal.body), False
        self.store.run("SAVEPOINT effect")
        try:
            body = operation.handle(call)
        except Refusal as refusal:
            self.store.run("ROLLBACK TO effect")
            return Answer(refusal.status_code, refusal.body), refusal.is_saved
        self.store.run("RELEASE effect")
        return Answer(200, body), True

    def _saved(self, key: str, fingerprint: str) -> Answer | None:
        lifetime = int(self.store.setting("key_lifetime", self.behaviour.key_lifetime))
        self.store.run("DELETE FROM answer WHERE key = ? AND saved_at <= ?", key, self.store.now - lifetime)
        rows = self.store.rows("SELECT * FROM answer WHERE key = ?", key)
        if not rows:
            return None
        if rows[0]["fingerprint"] != fingerprint:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with."
            )
            raise Refusal(message, type="idempotency_error")
        headers = _REPLAYED | (_NO_RETRY if rows[0]["status"] >= 500 else {})
        return Answer(rows[0]["status"], json.loads(rows[0]["body"]), headers)

    def _save(self, saving: tuple[str, str], answer: Answer) -> None:
        row = (*saving, answer.status, json.dumps(answer.body), self.store.now)
        self.store.run("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?)", *row)

    def _draw_fault(self, operation: Operation) -> Fault | None:
        """The first one that matches and whose die falls; 409 and 429 answer at once, keeping nothing."""
        for row in self.store.rows("SELECT * FROM fault WHERE times <> 0 ORDER BY seq"):
            if row["operation"] not in ("*", operation.name) or self.store.chance() >= row["probability"]:
                continue
            self.store.run("UPDATE fault SET times = times - 1 WHERE seq = ? AND times > 0", row["seq"])
            return Fault(row["kind"], row["seconds"])
        return None

    def _not_imitated(self, asked: Asked) -> Refusal:
        name = f"{asked.method} {asked.path}"
        with self.store.transaction():
            self.store.run(
                "INSERT INTO not_imitated VALUES (?, 1) ON CONFLICT (operation) DO UPDATE SET count = count + 1", name
            )
        return Refusal(f"Not imitated by the simulator: {name}", status=404, code="not_imitated")


def catch_up(call: Call) -> None:
    """What the simulator's clock has made due since the last look."""
    for row in call.store.rows("SELECT * FROM due WHERE at <= ? ORDER BY at, seq", call.store.now):
        call.store.run("DELETE FROM due WHERE seq = ?", row["seq"])
        _STEPS[row["step"]](call, row["object_id"])


_STEPS: dict[str, Callable[[Call, str], object]] = {
    "book_charge": money_in.book_charge,
    "settle_refund": money_out.settle_refund,
}


async def _stall(fault: Fault | None) -> None:
    if fault and fault.kind in _UNSAVED_FAULTS:
        raise _UNSAVED_FAULTS[fault.kind]
    if fault and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)


def _authenticate(headers: Mapping[str, str]) -> None:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not key:
        raise Refusal("You did not provide an API key.", status=401)
    if "_live_" in key:
        raise Refusal("The simulator takes no live key: it moves no money.", status=401, code="livemode_mismatch")


def _params(asked: Asked) -> Json:
    if asked.method != "POST":
        return decode_form(asked.query)
    if not asked.path.startswith("/v2/"):
        return decode_form(asked.body.decode())
    try:
        params = json.loads(asked.body or b"{}")
    except ValueError as error:
        raise Refusal("The body is not JSON.") from error
    if not isinstance(params, dict):
        raise Refusal("The body is not a JSON object.")
    return params


def _fingerprint(asked: Asked, params: Json) -> str:
    return hashlib.sha256(f"{asked.method} {asked.path} {json.dumps(params, sort_keys=True)}".encode()).hexdigest()


def _server_error() -> Answer:
    refusal = Refusal("An unknown error occurred.", status=500, type="api_error")
    return Answer(500, refusal.body, _NO_RETRY)
