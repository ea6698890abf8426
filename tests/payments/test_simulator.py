"""The simulator over bare HTTP: keys, refusals, paging, its clock, and what it keeps when it is killed."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import stripe
from stripe._object_classes import get_object_class

from services.payments.simulator import NotLoopback, build_simulator, run
from services.payments.simulator.wire import Json, decode_form, fee_in

KEY = {"authorization": "Bearer sk_test_x"}
ACCOUNT = {
    "display_name": "Rheinkreis",
    "configuration": {
        "customer": {},
        "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}},
    },
}
BANK_TRANSFER = {
    "allowed_payment_method_types[0]": "customer_balance",
    "payment_method_data[type]": "customer_balance",
    "payment_method_options[customer_balance][funding_type]": "bank_transfer",
}


def speaking_to(app: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://simulator.test", headers=KEY)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with speaking_to(build_simulator(seed="tests")) as client:
        yield client


async def an_account(http: httpx.AsyncClient) -> str:
    account_id: str = (await http.post("/v2/core/accounts", json=ACCOUNT)).json()["id"]
    await http.post(f"/_simulator/accounts/{account_id}/complete")
    return account_id


async def an_intent(http: httpx.AsyncClient, account: str, amount: int = 10_000, key: str = "p:1") -> Json:
    asked = {"amount": str(amount), "currency": "eur", "customer_account": account, "metadata[op]": key}
    answer = await http.post("/v1/payment_intents", data=asked | BANK_TRANSFER, headers={"idempotency-key": key})
    intent: Json = answer.json()
    return intent


async def a_confirmed_intent(http: httpx.AsyncClient, account: str, amount: int = 10_000, key: str = "p:1") -> Json:
    intent = await an_intent(http, account, amount, key)
    confirmed: Json = (await http.post(f"/v1/payment_intents/{intent['id']}/confirm")).json()
    return confirmed


async def funded(http: httpx.AsyncClient, account: str, amount: int) -> None:
    await http.post(
        f"/v1/test_helpers/customers/{account}/fund_cash_balance", data={"amount": str(amount), "currency": "eur"}
    )


async def status_of(http: httpx.AsyncClient, intent: Json) -> str:
    found: str = (await http.get(f"/v1/payment_intents/{intent['id']}")).json()["status"]
    return found


async def test_a_repeated_key_answers_the_same_and_says_so(http: httpx.AsyncClient) -> None:
    account = await an_account(http)
    asked = {"amount": "100", "currency": "eur", "customer_account": account}
    first = await http.post("/v1/payment_intents", data=asked, headers={"idempotency-key": "k"})
    second = await http.post("/v1/payment_intents", data=asked, headers={"idempotency-key": "k"})
    assert (second.json(), second.headers["idempotent-replayed"]) == (first.json(), "true")
    assert "idempotent-replayed" not in first.headers


async def test_a_key_is_forgotten_after_a_day(http: httpx.AsyncClient) -> None:
    account = await an_account(http)
    first = await an_intent(http, account)
    await http.post("/_simulator/clock", json={"advance_seconds": 86_399})
    assert (await an_intent(http, account))["id"] == first["id"]
    await http.post("/_simulator/clock", json={"advance_seconds": 1})
    assert (await an_intent(http, account))["id"] != first["id"]


async def test_a_key_in_flight_is_a_conflict(http: httpx.AsyncClient) -> None:
    account = await an_account(http)
    slow = {"operation": "POST /v1/payment_intents", "kind": "slow", "seconds": 0.2}
    await http.post("/_simulator/faults", json=slow)
    asked = {"amount": "100", "currency": "eur", "customer_account": account}
    answers = await asyncio.gather(
        *(http.post("/v1/payment_intents", data=asked, headers={"idempotency-key": "k"}) for _ in range(2))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


@pytest.mark.parametrize("wrong", [{"currency": "eur"}, {"amount": "100", "currency": "eur", "colour": "red"}])
async def test_refused_parameters_do_not_use_up_their_key(http: httpx.AsyncClient, wrong: dict[str, str]) -> None:
    account = await an_account(http)
    named = {"idempotency-key": "k"}
    refused = await http.post("/v1/payment_intents", data=wrong, headers=named)
    asked = {"amount": "100", "currency": "eur", "customer_account": account}
    assert refused.status_code == 400
    assert (await http.post("/v1/payment_intents", data=asked, headers=named)).status_code == 200


async def test_a_failed_v2_request_runs_again_under_its_key(http: httpx.AsyncClient) -> None:
    await http.post("/_simulator/faults", json={"operation": "POST /v2/core/accounts", "kind": "error_before"})
    named = {"idempotency-key": "k"}
    first = await http.post("/v2/core/accounts", json=ACCOUNT, headers=named)
    second = await http.post("/v2/core/accounts", json=ACCOUNT, headers=named)
    third = await http.post("/v2/core/accounts", json=ACCOUNT, headers=named)
    assert [each.status_code for each in (first, second, third)] == [500, 200, 200]
    assert third.json()["id"] == second.json()["id"]


@pytest.mark.parametrize("name", ["payment_method_types[0]", "on_behalf_of", "transfer_data[destination]"])
async def test_parameters_stripe_does_not_take_are_refused(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.post("/v1/payment_intents", data={"amount": "1", "currency": "eur", name: "x"})
    assert answer.json()["error"]["code"] == "parameter_unknown"


async def test_what_is_not_imitated_says_so_and_is_counted(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/checkout/sessions", data={"mode": "payment"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")
    counted = (await http.get("/_simulator/not_imitated")).json()
    assert counted == {"count": 1, "operations": {"POST /v1/checkout/sessions": 1}}


@pytest.mark.parametrize("authorization", ["Bearer sk_live_x", "Bearer ", ""])
async def test_only_a_test_key_is_let_in(http: httpx.AsyncClient, authorization: str) -> None:
    answer = await http.get("/v1/balance", headers={"authorization": authorization})
    assert answer.status_code == 401


async def test_money_without_a_reference_pays_the_oldest_first_and_splits(http: httpx.AsyncClient) -> None:
    account = await an_account(http)
    older = await a_confirmed_intent(http, account, 10_000, "p:1")
    newer = await a_confirmed_intent(http, account, 20_000, "p:2")
    await funded(http, account, 15_000)
    assert await status_of(http, older) == "succeeded"
    waiting = (await http.get("/_simulator/bank-transfers")).json()["data"]
    assert [(each["payment_intent"], each["amount"]) for each in waiting] == [(newer["id"], 15_000)]


async def test_money_of_exactly_one_open_amount_pays_that_one(http: httpx.AsyncClient) -> None:
    account = await an_account(http)
    older = await a_confirmed_intent(http, account, 10_000, "p:1")
    newer = await a_confirmed_intent(http, account, 20_000, "p:2")
    await funded(http, account, 20_000)
    assert [await status_of(http, each) for each in (older, newer)] == ["requires_action", "succeeded"]


async def test_a_bank_transfer_with_an_unknown_reference_is_not_found(http: httpx.AsyncClient) -> None:
    asked = {"reference": "SIMNONE", "amount": 1, "currency": "eur"}
    assert (await http.post("/_simulator/bank-transfers", json=asked)).status_code == 404


async def test_an_intent_takes_eight_digits_and_no_more(http: httpx.AsyncClient) -> None:
    account = await an_account(http)
    assert (await an_intent(http, account, 99_999_999, "most"))["amount"] == 99_999_999
    assert (await an_intent(http, account, 100_000_000, "more"))["error"]["code"] == "amount_too_large"


async def test_pages_lead_through_everything_once(http: httpx.AsyncClient) -> None:
    account = await an_account(http)
    made = [(await an_intent(http, account, key=f"p:{n}"))["id"] for n in range(5)]
    first = (await http.get("/v1/payment_intents", params={"limit": 3})).json()
    after = {"limit": 3, "starting_after": first["data"][-1]["id"]}
    second = (await http.get("/v1/payment_intents", params=after)).json()
    before = {"limit": 3, "ending_before": second["data"][0]["id"]}
    back = (await http.get("/v1/payment_intents", params=before)).json()
    assert [each["id"] for each in first["data"] + second["data"]] == made[::-1]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert back["data"] == first["data"]


async def test_fields_outside_include_are_null(http: httpx.AsyncClient) -> None:
    account = await an_account(http)
    bare = (await http.get(f"/v2/core/accounts/{account}")).json()
    asked = {"include[0]": "configuration.recipient", "include[1]": "requirements"}
    full = (await http.get(f"/v2/core/accounts/{account}", params=asked)).json()
    assert (bare["configuration"], bare["requirements"]) == (None, None)
    assert (
        full["configuration"]["recipient"]["capabilities"]["stripe_balance"]["stripe_transfers"]["status"] == "active"
    )
    assert full["configuration"]["customer"] is None


async def test_a_link_leads_back_to_the_web_only(http: httpx.AsyncClient) -> None:
    urls = {"refresh_url": "http://app.test/", "return_url": "javascript:alert(1)"}
    asked = {"account": await an_account(http), "use_case": {"type": "account_onboarding", "account_onboarding": urls}}
    assert (await http.post("/v2/core/account_links", json=asked)).json()["error"]["code"] == "url_invalid"


async def test_accounts_are_listed_page_by_page(http: httpx.AsyncClient) -> None:
    made = [await an_account(http) for _ in range(3)]
    first = (await http.get("/v2/core/accounts", params={"limit": 2})).json()
    second = (await http.get(first["next_page_url"])).json()
    assert [each["id"] for each in first["data"] + second["data"]] == made[::-1]
    assert second["next_page_url"] is None


async def test_equal_seeds_give_equal_faults() -> None:
    async def statuses() -> list[int]:
        async with speaking_to(build_simulator(seed="same")) as http:
            await http.post("/_simulator/faults", json={"kind": "rate_limit", "times": -1, "probability": 0.5})
            return [(await http.get("/v1/balance")).status_code for _ in range(20)]

    first = await statuses()
    assert set(first) == {200, 429}
    assert await statuses() == first


async def test_a_restart_on_the_same_file_knows_everything(tmp_path: Path) -> None:
    async with speaking_to(build_simulator(tmp_path / "state.sqlite")) as http:
        account = await an_account(http)
        intent = await a_confirmed_intent(http, account)
        await http.post("/_simulator/clock", json={"advance_seconds": 1_000})
        before = (await http.get("/_simulator/state")).json()
    async with speaking_to(build_simulator(tmp_path / "state.sqlite")) as http:
        after = (await http.get("/_simulator/state")).json()
        again = await an_intent(http, account)
        await funded(http, account, 10_000)
        assert (after["counts"], after["events"]) == (before["counts"], before["events"])
        assert after["now"] >= before["now"]
        assert again["id"] == intent["id"]
        assert await status_of(http, intent) == "succeeded"


async def test_killed_before_the_effect_it_has_done_nothing(tmp_path: Path) -> None:
    async with served(tmp_path) as (process, http):
        account = await an_account(http)
        intent = await an_intent(http, account)
        stall = {"operation": "POST /v1/payment_intents/{id}/confirm", "kind": "slow", "seconds": 30}
        await http.post("/_simulator/faults", json=stall)
        confirming = asyncio.create_task(http.post(f"/v1/payment_intents/{intent['id']}/confirm"))
        await asyncio.sleep(0.1)
        process.kill()
        with pytest.raises(httpx.TransportError):
            await confirming
    async with served(tmp_path) as (_, http):
        assert await status_of(http, intent) == "requires_confirmation"


async def test_killed_after_a_lost_answer_it_repeats_that_answer(tmp_path: Path) -> None:
    async with served(tmp_path) as (process, http):
        account = await an_account(http)
        await http.post("/_simulator/faults", json={"operation": "POST /v1/payment_intents", "kind": "drop"})
        with pytest.raises(httpx.RemoteProtocolError):
            await an_intent(http, account)
        process.kill()
    async with served(tmp_path) as (_, http):
        found = (await http.get("/v1/payment_intents")).json()["data"]
        assert [each["metadata"]["op"] for each in found] == ["p:1"]
        assert (await an_intent(http, account))["id"] == found[0]["id"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.test"])
def test_it_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(NotLoopback):
        run(port=1, state=None, deliver_to=None, secret="whsec_x", host=host)


def test_a_form_with_brackets_becomes_a_tree() -> None:
    assert decode_form("a[b][0]=c&a[b][1]=d&e=f&g[]=h") == {"a": {"b": ["c", "d"]}, "e": "f", "g": ["h"]}


@pytest.mark.parametrize(("currency", "fee"), [("eur", 500), ("jpy", 5), ("kwd", 5_000)])
def test_the_fee_is_five_whole_units_in_any_currency(currency: str, fee: int) -> None:
    assert fee_in(currency, 500) == fee


async def test_every_answer_has_only_keys_stripes_library_knows(http: httpx.AsyncClient) -> None:
    account = await an_account(http)
    intent = await a_confirmed_intent(http, account)
    await funded(http, account, 12_000)
    paid = (await http.get(f"/v1/payment_intents/{intent['id']}", params={"expand[0]": "latest_charge"})).json()
    sent = {
        "amount": "9000",
        "currency": "eur",
        "destination": account,
        "source_transaction": paid["latest_charge"]["id"],
    }
    made = (await http.post("/v1/transfers", data=sent)).json()
    answers = [
        intent,
        paid,
        made,
        (await http.post(f"/v1/transfers/{made['id']}/reversals", data={"amount": "1"})).json(),
        (await http.post("/v1/refunds", data={"payment_intent": intent["id"], "amount": "1"})).json(),
        (await http.get("/v1/balance")).json(),
        *(await http.get("/v1/balance_transactions")).json()["data"],
        *(await http.get("/v1/events", params={"limit": "100"})).json()["data"],
    ]
    events = [each["data"]["object"] for each in answers if each["object"] == "event"]
    included = {f"include[{index}]": name for index, name in enumerate(("configuration.recipient", "requirements"))}
    v2 = (await http.get(f"/v2/core/accounts/{account}", params=included)).json()
    assert [key for answer in answers + events for key in unknown_keys(answer, "V1")] == []
    assert unknown_keys(v2, "V2") == []


def unknown_keys(body: Json, mode: str) -> list[str]:
    """Paths into `body` that no resource class of the library has."""
    return list(_unknown(body, get_object_class(mode, body["object"]), body["object"]))  # type: ignore[arg-type]


def _unknown(body: Json, known: type[stripe.StripeObject], at: str) -> list[str]:
    names = {name for cls in known.__mro__ for name in getattr(cls, "__annotations__", {})}
    inner: dict[str, type[stripe.StripeObject]] = getattr(known, "_inner_class_types", {})
    found = [f"{at}.{name}" for name in body if names - {"_retrieve_params"} and name not in names]
    for name, value in body.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and name in inner:
                found += _unknown(each, inner[name], f"{at}.{name}")
    return found


@contextlib.asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """`python -m services.payments.simulator` on a free loopback port, stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.payments.simulator"),
        *("--port", str(port), "--state", str(folder / "state.sqlite")),
    )
    transport = httpx.AsyncHTTPTransport(retries=0)
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=KEY, transport=transport, timeout=5
        ) as http:
            await _answering(http)
            yield process, http
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _answering(http: httpx.AsyncClient) -> None:
    for _ in range(200):
        with contextlib.suppress(httpx.TransportError):
            if (await http.get("/v1/balance")).is_success:
                return
        await asyncio.sleep(0.05)
    raise TimeoutError("the simulator did not answer within ten seconds")
