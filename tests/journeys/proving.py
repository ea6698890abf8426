"""Wednesday to Wednesday: erased, treated, weighed out, certified; and anybody may check it."""

import base64
import json
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import jwt
import pytest

from tests.journeys import goods
from tests.journeys.players import Json, Market, february, in_tonnes, tonnes

TICKET = {"sha256": "12" * 32, "name": "scale-tickets.pdf", "media_type": "application/pdf", "size": 48_211}
ERASURE = {"sha256": "34" * 32, "name": "erasure-log.json", "media_type": "application/json", "size": 9_120}
PRODUCTS = {"steel": "9.620", "aluminium": "1.850", "copper": "2.310", "plastics": "1.130"}
DOWNSTREAM = {"printed_circuit_boards": "0.310", "black_mass": "0.620"}
RESIDUE = {"residue": "1.350"}
BATTERIES = {"black_mass": "0.180", "aluminium": "0.108", "plastics": "0.072"}


def outputs(masses: dict[str, str], disposition: str) -> list[Json]:
    return [{"material": name, "mass": tonnes(mass), "disposition": disposition} for name, mass in masses.items()]


async def _batches(market: Market, name: str, order: str) -> dict[str, str]:
    """Title → id of what this processor accepted under the order."""
    found = await market[name].all("material-batches", order_id=market.ids[order], status="awaiting_processing")
    return {one["title"]: one["id"] for one in found if one["owner_id"] == market[name].org_id}


async def erase(market: Market) -> None:
    # Wednesday 10 February: the data of 120 servers is erased
    await market.go_to(february(10, "09:00"))
    servers = (await _batches(market, "Rheinkreis", "ord_1"))["Rack servers"]
    erased = await market["Rheinkreis"].post(
        "custody-events", type="modify", activity="data_erasure", inputs=[{"batch_id": servers}], evidence=[ERASURE]
    )
    (line,) = erased["lines"]
    assert (line["batch_id"], in_tonnes(line["mass"])) == (servers, "2.980")


async def make(market: Market) -> None:
    rheinkreis = market["Rheinkreis"]
    # Friday 12 February: 17.340 t become products, downstream, residue and loss under R4
    await market.go_to(february(12, "14:00"))
    batches = await _batches(market, "Rheinkreis", "ord_1")
    assert batches.keys() == goods.PIECES.keys()
    whole = {
        "type": "make",
        "operation": "R4",
        "inputs": [{"batch_id": id} for id in batches.values()],
        "outputs": [*outputs(PRODUCTS, "product"), *outputs(DOWNSTREAM, "downstream"), *outputs(RESIDUE, "residue")],
        "evidence": [TICKET],
    }
    problem = await rheinkreis.refused("custody-events", **whole)
    assert (problem["status"], problem["code"]) == (422, "mass_balance")
    made = await rheinkreis.post("custody-events", **whole, loss={"mass": tonnes("0.150"), "reason": "dust"})
    assert in_tonnes({"value": _sum(made, "in"), "unit": "kg"}) == "17.340"
    assert in_tonnes({"value": _sum(made, "out"), "unit": "kg"}) == "17.190"
    await market.come_to_rest()
    (drafted,) = await rheinkreis.all("certificates")
    assert (drafted["type"], drafted["status"], drafted["operation"]) == ("recycling", "draft", "R4")
    assert (in_tonnes(drafted["input"]), in_tonnes(drafted["certified"])) == ("17.340", "14.910")
    market.ids["crt_1"] = drafted["id"]


def _sum(event: Json, direction: str) -> str:
    return str(sum(int(line["mass"]["value"]) for line in event["lines"] if line["direction"] == direction))


async def submit(market: Market) -> None:
    # Monday 15 February: tickets and logs are in; the mass is reserved
    await market.go_to(february(15, "10:00"))
    submitted = await market["Rheinkreis"].post(
        f"certificates/{market.ids['crt_1']}/submit",
        verifier_id=market["Prüfwerk"].org_id,
        goods="end-of-life equipment",
        distance_km="231",
    )
    assert submitted["status"] == "submitted"
    assert await _claimed(market) == ("14.910", "0.000")
    assert await market["Nordwerk"].status(f"certificates/{market.ids['crt_1']}") == 404


async def _claimed(market: Market) -> tuple[str, str]:
    """Reserved and certified on everything Rheinkreis has."""
    claims = [claim for batch in await market["Rheinkreis"].all("material-batches") for claim in batch["claims"]]
    sums = (str(sum(int(claim[column]["value"]) for claim in claims)) for column in ("reserved", "certified"))
    reserved, certified = (in_tonnes({"value": kilograms, "unit": "kg"}) for kilograms in sums)
    return reserved, certified


async def issue(market: Market) -> None:
    pruefwerk, certificate = market["Prüfwerk"], f"certificates/{market.ids['crt_1']}"
    # Wednesday 17 February: Prüfwerk takes it up and issues it; the first order and its listing end
    await market.go_to(february(17, "09:00"))
    await pruefwerk.post(f"{certificate}/take_up")
    await market.go_to(february(17, "15:00"))
    issued = await pruefwerk.post_if_unchanged(f"{certificate}/issue", certificate)
    assert (issued["status"], issued["current_version"]["number"]) == ("issued", 1)
    await market.come_to_rest()
    assert await _claimed(market) == ("0.000", "14.910")
    order = await market["Nordwerk"].get(f"orders/{market.ids['ord_1']}")
    assert [(one["kind"], one["status"]) for one in order["obligations"]] == [("recycling", "fulfilled")]
    assert order["obligations"][0]["certificate_id"] == market.ids["crt_1"]
    assert order["status"] == "closed"
    assert (await market["Nordwerk"].get(f"listings/{market.ids['lst_1']}"))["status"] == "fulfilled"


async def public(market: Market, path: str, **headers: str) -> Any:
    """As anybody asks, without a key."""
    answer = (await market.client.get(path, headers=headers)).raise_for_status()
    return answer.json() if "json" in answer.headers["content-type"] else answer.text


async def state_the_impact(market: Market) -> None:
    statement = await public(market, f"/credentials/{market.ids['crt_1']}/1/impact")
    assert {(line["kind"], line["what"]): _rounded(line["amount"]) for line in statement["lines"]} == {
        ("incurred", "231 km by articulated lorry, goods and packaging"): "398.17",
        ("avoided", "steel"): "10004.80",
        ("avoided", "aluminium"): "15023.52",
    }
    (carriage,) = [line for line in statement["lines"] if line["kind"] == "incurred"]
    assert Decimal(carriage["quantity"]) == Decimal("18.140") * 231
    assert [(entry["what"], entry["indicator"]) for entry in statement["missing"]] == [
        ("copper", "gwp100"),
        ("plastics", "gwp100"),
        ("downstream outputs", "gwp100"),
        ("residue", "gwp100"),
        ("plant energy", "gwp100"),
        ("energy", "energy"),
        ("water", "water"),
    ]
    assert "GB factors for DE" in statement["proxies"]


def _rounded(figure: str) -> str:
    return str(Decimal(figure).quantize(Decimal("0.01"), ROUND_HALF_UP))


async def read(market: Market) -> None:
    """The page behind the QR code."""
    page = await public(market, f"/c/{market.ids['crt_1']}", Accept="application/json")
    assert page["sentence"] == "Recycling of 17.340 t of end-of-life equipment"
    assert [(one["name"], one["value"]) for one in page["performance"]] == [
        ("Material Recovery Rate", pytest.approx(86.0, abs=0.05)),
        ("Certified Mass", 14.91),
    ]
    made = {one["material"]: (one["outcome"], one["mass_g"]) for one in page["recovery"]["outputs"]}
    assert made == {
        "steel": ("product", 9_620_000),
        "aluminium": ("product", 1_850_000),
        "copper": ("product", 2_310_000),
        "plastics": ("product", 1_130_000),
        "printed circuit boards": ("downstream", 310_000),
        "black mass": ("downstream", 620_000),
        "residue": ("pending", 1_350_000),
    }
    assert (page["recovery"]["loss_g"], page["verifier"]) == (150_000, "Prüfwerk Zertifizierung GmbH")


async def verify(market: Market) -> None:
    # The same day: anybody, without a key; the chain holds back to the origin, parties by role, no prices
    checked = await public(market, f"/v1/certificates/{market.ids['crt_1']}/verification")
    assert checked["verified"] is True
    assert {check["result"] for check in checked["checks"]} == {"pass"}
    assert [(step["kind"], in_tonnes(step["mass"]), step["by"]) for step in checked["chain"]] == [
        ("make", "17.340", ["processor"]),
        ("modify", "2.980", ["processor"]),
        ("move", "1.160", ["carrier", "processor"]),
        ("move", "1.440", ["carrier", "processor"]),
        ("move", "2.980", ["carrier", "processor"]),
        ("move", "11.760", ["carrier", "processor"]),
        ("move", "17.720", ["holder", "carrier"]),
    ]
    assert all(step["is_intact"] for step in checked["chain"])
    told = json.dumps(checked, ensure_ascii=False)
    upstream = ("Nordwerk", "Fulda", market["Nordwerk"].org_id, market["Fulda"].org_id, market.ids["ord_1"], "120.00")
    assert [secret for secret in upstream if secret in told] == []


async def check_the_token(market: Market) -> None:
    # The same day: a stranger with nothing but a JWT library and the issuer's did.json
    token = await public(market, f"/credentials/{market.ids['crt_1']}/1", Accept="application/vc+jwt")
    key = _key(token, await public(market, "/sandbox/did.json"))
    certificate = jwt.decode(token, key, algorithms=["ES256"])
    assert certificate["id"].endswith(f"/credentials/{market.ids['crt_1']}/1")
    forged = _with_one_byte_changed(token)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(forged, key, algorithms=["ES256"])
    answer = await market.client.post("/v1/certificates/verify", json={"credential": forged})
    (failed,) = [check for check in answer.json()["checks"] if check["result"] == "fail"]
    assert (answer.json()["verified"], failed["code"]) == (False, "signature_invalid")


def _key(token: str, did: Json) -> jwt.PyJWK:
    """Of the issuer's document, the key that the token names."""
    kid = jwt.get_unverified_header(token)["kid"]
    (method,) = [method for method in did["verificationMethod"] if method["id"] == kid]
    return jwt.PyJWK(method["publicKeyJwk"])


def _with_one_byte_changed(token: str) -> str:
    header, payload, signature = token.split(".")
    content = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    changed = content.replace(b"end-of-life equipment", b"end-of-life equipmend", 1)
    assert changed != content
    return ".".join((header, base64.urlsafe_b64encode(changed).rstrip(b"=").decode(), signature))


async def certify_the_rest(market: Market) -> None:
    batteriehof, pruefwerk = market["Batteriehof"], market["Prüfwerk"]
    # Wednesday 24 February: the twelve modules too; the second order and its listing end
    await market.go_to(february(24, "08:00"))
    (batch,) = (await _batches(market, "Batteriehof", "ord_2")).values()
    made = {"type": "make", "operation": "R4", "inputs": [{"batch_id": batch}], "evidence": [TICKET]}
    await batteriehof.post("custody-events", **made, outputs=outputs(BATTERIES, "product"))
    await market.come_to_rest()
    (draft,) = await batteriehof.all("certificates")
    path, market.ids["crt_2"] = f"certificates/{draft['id']}", draft["id"]
    await batteriehof.post(f"{path}/submit", verifier_id=pruefwerk.org_id, goods="lithium battery modules")
    await pruefwerk.post(f"{path}/take_up")
    issued = await pruefwerk.post_if_unchanged(f"{path}/issue", path)
    assert (issued["status"], in_tonnes(issued["certified"])) == ("issued", "0.360")
    await market.come_to_rest()
    assert (await market["Nordwerk"].get(f"orders/{market.ids['ord_2']}"))["status"] == "closed"
    assert (await market["Nordwerk"].get(f"listings/{market.ids['lst_2']}"))["status"] == "fulfilled"
