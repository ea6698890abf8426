"""Attempts, keys, pauses, headers and errors, against a scripted server."""

import json
import time
from email.utils import formatdate
from typing import Any

import httpx
import pytest
from backhaul_client import (
    NOT_GIVEN,
    AsyncBackhaul,
    Backhaul,
    BackhaulError,
    Conflict,
    ConnectionFailed,
    NotFound,
    PreconditionRequired,
    ServerError,
    StatusError,
    Timeout,
    TooManyRequests,
    Unauthorized,
    UnexpectedAnswer,
    UnprocessableEntity,
)

Step = httpx.Response | Exception


class Script:
    """Answers requests in turn and keeps them; pauses are recorded, not waited for."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def client(self, **settings: Any) -> Backhaul:
        http = httpx.Client(transport=httpx.MockTransport(self))
        return Backhaul("bh_test_k_s", http_client=http, sleep=self.pauses.append, **settings)

    def sent_keys(self) -> set[str | None]:
        return {request.headers.get("idempotency-key") for request in self.requests}


def ok(body: Any = None) -> httpx.Response:
    return httpx.Response(200, json=body or {})


def problem(status: int, code: str, **more: Any) -> httpx.Response:
    body = {"title": "No", "status": status, "code": code, "request_id": "req_1", **more}
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})


def test_every_attempt_of_a_post_carries_the_same_key_and_body() -> None:
    script = Script(httpx.ConnectError("down"), httpx.Response(503), httpx.ReadTimeout("slow"), ok())
    script.client(max_retries=3).request("POST", "/v1/x", json={"a": 1})
    assert len(script.requests) == 4
    assert len(script.sent_keys()) == 1
    assert None not in script.sent_keys()
    assert {request.content for request in script.requests} == {b'{"a":1}'}


def test_two_calls_carry_two_keys() -> None:
    script = Script(ok(), ok())
    client = script.client()
    client.request("POST", "/v1/x")
    client.request("POST", "/v1/x")
    assert len(script.sent_keys()) == 2


def test_a_given_key_is_used() -> None:
    script = Script(ok())
    script.client().request("POST", "/v1/x", idempotency_key="mine")
    assert script.sent_keys() == {"mine"}


def test_a_get_carries_no_key_and_refuses_one() -> None:
    script = Script(ok())
    client = script.client()
    client.request("GET", "/v1/x")
    assert script.sent_keys() == {None}
    with pytest.raises(TypeError, match="idempotency_key"):
        client.request("GET", "/v1/x", idempotency_key="mine")


def test_a_patch_is_not_repeated_when_it_may_have_taken_effect() -> None:
    script = Script(httpx.Response(503))
    with pytest.raises(ServerError):
        script.client().request("PATCH", "/v1/x", json={})
    assert len(script.requests) == 1


def test_a_patch_is_repeated_when_it_never_left() -> None:
    script = Script(httpx.ConnectError("down"), httpx.Response(429), ok())
    script.client().request("PATCH", "/v1/x", json={})
    assert len(script.requests) == 3


def test_a_running_twin_is_waited_for_and_another_conflict_is_not() -> None:
    waiting = Script(problem(409, "idempotency_in_progress"), ok())
    waiting.client().request("POST", "/v1/x")
    assert len(waiting.requests) == 2
    final = Script(problem(409, "bidding_closed"))
    with pytest.raises(Conflict) as raised:
        final.client().request("POST", "/v1/x")
    assert raised.value.code == "bidding_closed"


def test_retry_after_in_seconds_is_honoured() -> None:
    script = Script(httpx.Response(429, headers={"Retry-After": "7"}), ok())
    script.client().request("GET", "/v1/x")
    assert script.pauses == [7.0]


def test_retry_after_as_a_date_is_honoured() -> None:
    date = formatdate(time.time() + 20, usegmt=True)
    script = Script(httpx.Response(503, headers={"Retry-After": date}), ok())
    script.client().request("GET", "/v1/x")
    assert 17 <= script.pauses[0] <= 20


@pytest.mark.parametrize(("value", "pause"), [("86400", 60.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0)])
def test_retry_after_is_kept_within_bounds(value: str, pause: float) -> None:
    script = Script(httpx.Response(429, headers={"Retry-After": value}), ok())
    script.client().request("GET", "/v1/x")
    assert script.pauses == [pause]


def test_an_unreadable_retry_after_falls_back_to_growing_jittered_pauses() -> None:
    script = Script(*[httpx.Response(500, headers={"Retry-After": "soon"}) for _ in range(3)], ok())
    script.client(max_retries=3).request("GET", "/v1/x")
    first, second, third = script.pauses
    assert 0.25 <= first <= 0.5 <= second <= 1.0 <= third <= 2.0


def test_retries_end_and_the_last_answer_is_raised() -> None:
    script = Script(*[problem(429, "rate_limited") for _ in range(3)])
    with pytest.raises(TooManyRequests):
        script.client().request("POST", "/v1/x")
    assert len(script.requests) == 3


def test_retries_can_be_switched_off_for_one_call() -> None:
    script = Script(httpx.ReadTimeout("slow"))
    with pytest.raises(Timeout) as raised:
        script.client().request("POST", "/v1/x", max_retries=0, idempotency_key="mine")
    assert raised.value.idempotency_key == "mine"
    assert (raised.value.code, raised.value.request_id, raised.value.errors) == ("timeout", None, [])


def test_a_lost_connection_is_its_own_error() -> None:
    script = Script(httpx.RemoteProtocolError("cut"))
    with pytest.raises(ConnectionFailed) as raised:
        script.client(max_retries=0).request("GET", "/v1/x")
    assert not isinstance(raised.value, Timeout)


def test_an_error_carries_the_problem() -> None:
    entry = {"pointer": "/items/0/mass", "code": "unit_unknown", "detail": "no such unit"}
    script = Script(problem(422, "invalid", detail="look", errors=[entry, "odd"]))
    with pytest.raises(UnprocessableEntity, match="422 No: look") as raised:
        script.client().request("POST", "/v1/x")
    error = raised.value
    assert (error.status, error.code, error.request_id) == (422, "invalid", "req_1")
    assert [(one.pointer, one.code, one.detail) for one in error.errors] == [tuple(entry.values())]
    assert error.problem["errors"][1] == "odd"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, NotFound), (428, PreconditionRequired), (418, StatusError), (307, StatusError), (502, ServerError)],
)
def test_a_body_that_is_no_problem_still_raises_the_class_of_its_status(status: int, kind: type[StatusError]) -> None:
    answer = httpx.Response(status, text="<html>", headers={"x-request-id": "req_2", "location": "http://other.test/"})
    script = Script(answer)
    with pytest.raises(kind) as raised:
        script.client(max_retries=0).request("GET", "/v1/x")
    assert type(raised.value) is kind
    assert (raised.value.request_id, raised.value.problem, len(script.requests)) == ("req_2", {}, 1)


def test_the_error_of_an_oauth_refusal_is_its_code() -> None:
    refusal = httpx.Response(401, json={"error": "invalid_client", "error_description": "no such key"})
    with pytest.raises(Unauthorized, match="401 invalid_client: no such key") as raised:
        Script(refusal).client().request("POST", "/oauth/token")
    assert raised.value.code == "invalid_client"


def test_a_success_that_is_not_json_is_told() -> None:
    script = Script(httpx.Response(200, content=b"{", headers={"content-type": "application/json"}))
    with pytest.raises(UnexpectedAnswer):
        _ = script.client().request("GET", "/v1/x").parsed


def test_what_every_request_says() -> None:
    script = Script(ok())
    script.client(account="org_1").request("GET", "/v1/x", timeout=3, extra_headers={"X-Trace": "t"})
    headers = script.requests[0].headers
    assert headers["authorization"] == "Bearer bh_test_k_s"
    assert headers["backhaul-version"] == "2026-11-01"
    assert headers["backhaul-account"] == "org_1"
    assert headers["user-agent"].startswith("backhaul-python/0.1.0 ")
    assert headers["x-trace"] == "t"
    assert script.requests[0].extensions["timeout"]["read"] == 3


def test_one_call_may_act_for_another_account_than_its_client() -> None:
    script = Script(ok(), ok(), ok())
    client = script.client(account="org_1")
    client.request("GET", "/v1/x", account="org_2")
    client.request("GET", "/v1/x", account=None)
    client.request("GET", "/v1/x")
    assert [request.headers.get("backhaul-account") for request in script.requests] == ["org_2", None, "org_1"]


def test_another_account_shares_the_connections() -> None:
    script = Script(ok(), ok())
    client = script.client()
    client.with_account("org_2").request("GET", "/v1/x")
    client.request("GET", "/v1/x")
    assert [request.headers.get("backhaul-account") for request in script.requests] == ["org_2", None]


def test_not_given_is_left_out_and_none_is_null() -> None:
    script = Script(ok())
    body = {"note": None, "mass": NOT_GIVEN, "nested": [{"unit": NOT_GIVEN}]}
    script.client().request("POST", "/v1/x", query={"cursor": None, "dry_run": True}, json=body)
    assert json.loads(script.requests[0].content) == {"note": None, "nested": [{}]}
    assert script.requests[0].url.query == b"dry_run=true"


def test_credentials_of_an_injected_client_do_not_replace_the_key() -> None:
    script = Script(ok())
    http = httpx.Client(transport=httpx.MockTransport(script), auth=("someone", "else"))
    Backhaul("bh_test_k_s", http_client=http).request("GET", "/v1/x")
    assert script.requests[0].headers["authorization"] == "Bearer bh_test_k_s"


def test_only_an_own_http_client_is_closed() -> None:
    http = httpx.Client()
    with Backhaul("bh_test_k_s", http_client=http):
        pass
    assert not http.is_closed
    with Backhaul("bh_test_k_s") as owner:
        mine = owner._transport.http
    assert mine.is_closed
    http.close()


def test_a_key_of_the_other_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKHAUL_BASE_URL", raising=False)
    with pytest.raises(ValueError, match="live key"):
        Backhaul("bh_live_k_s", environment="sandbox", base_url="https://api.test")
    with pytest.raises(ValueError, match="base_url"):
        Backhaul("bh_live_k_s")
    assert Backhaul("bh_live_k_s", base_url="https://api.test").environment == "live"


def test_without_a_key_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKHAUL_API_KEY", raising=False)
    script = Script()
    http = httpx.Client(transport=httpx.MockTransport(script))
    with pytest.raises(BackhaulError) as raised:
        Backhaul(http_client=http).request("GET", "/v1/x")
    assert (raised.value.code, script.requests) == ("api_key_missing", [])


async def test_the_async_client_repeats_in_the_same_way() -> None:
    script = Script(httpx.Response(503, headers={"Retry-After": "4"}), httpx.ConnectError("down"), ok({"a": 1}))
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    http = httpx.AsyncClient(transport=httpx.MockTransport(script))
    client = AsyncBackhaul("bh_test_k_s", http_client=http, sleep=sleep)
    answer = await client.request("POST", "/v1/x", json={})
    assert (answer.parsed, len(script.sent_keys()), pauses[0], len(pauses)) == ({"a": 1}, 1, 4.0, 2)


def test_an_unknown_code_reaches_the_caller() -> None:
    script = Script(problem(409, "a_code_of_next_year"))
    with pytest.raises(Conflict) as raised:
        script.client().request("POST", "/v1/x")
    assert raised.value.code == "a_code_of_next_year"
