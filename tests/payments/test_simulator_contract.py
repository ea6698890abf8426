"""The contract transport catches what the library's types would, and what our own rules forbid."""

from typing import Any

import httpx
import pytest

from services.payments.simulator import operations as imitated
from tests.fakes.stripe_contract import SURFACE, ContractTransport, operations, unflatten

OURS = {"idempotency-key": "ord_1:transfer:1:1"}
A_LIBRARY_KEY = {"idempotency-key": "0b9c2b0e-9f3c-4a53-8a53-3f0a3c1c9b11"}
TRANSFER = {"amount": "100", "currency": "eur", "destination": "acct_1", "metadata": {"op": "t"}}
ACCOUNT = {"display_name": "Nordwerk", "dashboard": "express", "configuration": {"customer": {}}}


def reasons(path: str, params: dict[str, Any], headers: dict[str, str] = OURS) -> list[tuple[str, str]]:
    contract = ContractTransport(httpx.MockTransport(lambda request: httpx.Response(200)))
    return [(each.parameter, each.reason) for each in contract.check("POST", path, params, headers)]


def without(params: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in params.items() if key != name}


def test_the_installed_library_has_hundreds_of_operations() -> None:
    assert len(operations()) > 600


def test_a_good_transfer_has_no_violation() -> None:
    assert reasons("/v1/transfers", TRANSFER) == []


def test_a_good_account_has_no_violation() -> None:
    assert reasons("/v2/core/accounts", ACCOUNT) == []


@pytest.mark.parametrize(
    ("path", "params", "expected"),
    [
        ("/v1/transferz", TRANSFER, ("", "unknown path")),
        ("/v1/transfers", TRANSFER | {"speed": "1"}, ("speed", "unknown parameter")),
        ("/v1/transfers", without(TRANSFER, "destination"), ("destination", "missing")),
        ("/v1/transfers", TRANSFER | {"amount": "1.5"}, ("amount", "'1.5' is no int")),
        ("/v1/transfers", without(TRANSFER, "metadata"), ("metadata.op", "missing")),
        (
            "/v1/payment_intents",
            {"amount": "1", "currency": "eur", "metadata": {"op": "p"}, "confirm": "true"},
            ("confirm", "banned here"),
        ),
        ("/v2/core/accounts", ACCOUNT | {"display_name": 1}, ("display_name", "1 is no str")),
        (
            "/v2/core/accounts",
            ACCOUNT | {"identity": {"country": "DE", "colour": "red"}},
            ("identity.colour", "unknown parameter"),
        ),
        (
            "/v2/core/accounts",
            ACCOUNT | {"defaults": {"responsibilities": {"fees_collector": "application"}}},
            ("defaults.responsibilities.losses_collector", "missing"),
        ),
        (
            "/v2/core/account_links",
            {
                "account": "acct_1",
                "use_case": {
                    "type": "account_onboarding",
                    "account_onboarding": {"refresh_url": "x", "configurations": ["recipient"]},
                },
            },
            ("configurations", "banned here"),
        ),
        (
            "/v1/payment_intents",
            {"amount": "1", "currency": "eur", "metadata": {"op": "p"}, "payment_method_types": ["sepa_debit"]},
            ("payment_method_types", "banned here"),
        ),
    ],
)
def test_a_violation_is_named(path: str, params: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in reasons(path, params)


def test_an_open_enum_is_closed() -> None:
    refund = {"payment_intent": "pi_1", "reason": "because", "metadata": {"op": "r"}}
    assert [parameter for parameter, _ in reasons("/v1/refunds", refund)] == ["reason"]


@pytest.mark.parametrize("headers", [{}, A_LIBRARY_KEY])
def test_a_post_without_a_key_of_ours_is_a_violation(headers: dict[str, str]) -> None:
    assert reasons("/v1/transfers", TRANSFER, headers) == [("Idempotency-Key", "not ours")]


async def test_a_violation_is_answered_and_kept_and_never_reaches_stripe() -> None:
    reached: list[httpx.Request] = []

    def stripe(request: httpx.Request) -> httpx.Response:
        reached.append(request)
        return httpx.Response(200)

    contract = ContractTransport(httpx.MockTransport(stripe))
    async with httpx.AsyncClient(transport=contract) as client:
        answer = await client.post("https://stripe.test/v1/transfers", data={"amount": "1"}, headers=OURS)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert {each.parameter for each in contract.violations} == {"currency", "destination", "metadata.op"}
    assert reached == []


def test_a_form_is_read_back_into_its_tree() -> None:
    assert unflatten("a[b]=c&d[0]=e&d[1]=f") == {"a": {"b": "c"}, "d": ["e", "f"]}


def test_everything_we_ask_of_stripe_is_imitated() -> None:
    asked = [line.split()[:2] for line in SURFACE.read_text().splitlines()]
    missing = [
        (method, path)
        for method, path in asked
        if imitated.find(method, path.replace("{", "").replace("}", "")) is None
    ]
    assert missing == []
