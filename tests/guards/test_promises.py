"""That the tests' client does find an answer or an event which the document does not have."""

import httpx

from tests.promises import unnamed_codes, unnamed_events

TOLD = {
    "operationId": "lots.sell",
    "responses": {"200": {}, "409": {}, "422": {}},
    "x-problem-codes": {"409": ["sold"]},
}


def _answer(status: int, code: str, *inner: str) -> httpx.Response:
    problem = {"code": code, "errors": [{"pointer": "", "code": one, "detail": ""} for one in inner]}
    return httpx.Response(status, json=problem, headers={"content-type": "application/problem+json"})


def test_a_code_that_is_named_passes() -> None:
    assert unnamed_codes(TOLD, _answer(409, "sold", "sold")) == []


def test_a_code_that_is_not_named_is_found() -> None:
    assert unnamed_codes(TOLD, _answer(409, "stolen")) == [
        "lots.sell answered 409 stolen, which its docstring does not name"
    ]


def test_a_reason_that_is_not_named_is_found() -> None:
    assert unnamed_codes(TOLD, _answer(409, "sold", "stolen")) == [
        "lots.sell answered 409 stolen, which its docstring does not name"
    ]


def test_a_status_that_is_not_in_the_document_is_found() -> None:
    found = unnamed_codes(TOLD, _answer(418, "teapot"))
    assert found[0].startswith("lots.sell answered 418, which its document does not have")


def test_what_any_body_can_have_wrong_is_not_named() -> None:
    told = TOLD | {"x-problem-codes": {"422": ["invalid"]}}
    assert unnamed_codes(told, _answer(422, "invalid", "string_too_long", "required", "unknown_field")) == []


def test_an_event_that_is_not_named_is_found() -> None:
    assert unnamed_events(TOLD, httpx.Response(200), ["lot.sold"]) == [
        "lots.sell caused lot.sold, which its docstring does not name"
    ]


def test_of_a_refused_request_nobody_hears() -> None:
    assert unnamed_events(TOLD, httpx.Response(409), ["lot.sold"]) == []
