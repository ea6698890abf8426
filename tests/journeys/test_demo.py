"""`backhaul demo` as a newcomer runs it: real processes, a report, and nothing left running."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import jwt
import pytest

from services.demo import goods
from services.hosting import TOP
from services.kernel.embedded_postgres import EmbeddedPostgres

MOST_SECONDS = 300


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The demo keeps its PostgreSQL for the next time; here it goes."""
    made = tmp_path_factory.mktemp("demo")
    yield made
    EmbeddedPostgres.start(made / "data").discard()


@pytest.fixture(scope="module")
def report(folder: Path) -> dict[str, Any]:
    """The facts of one run, with a manifest of our own beside the story's."""
    manifest, written = folder / "more.csv", folder / "report.json"
    manifest.write_bytes(goods.manifest())
    command = [sys.executable, "-m", "services.cli", "demo", "--manifest", str(manifest), "--report", str(written)]
    environment = {**os.environ, "BACKHAUL_DATA_DIR": str(folder / "data")}
    ran = subprocess.run(
        command, cwd=TOP, env=environment, capture_output=True, text=True, timeout=MOST_SECONDS, check=False
    )
    assert ran.returncode == 0, ran.stdout[-3_000:] + ran.stderr[-3_000:]
    return dict(json.loads(written.read_text()))


def test_every_row_is_accounted_for(report: dict[str, Any]) -> None:
    imports = report["imports"]
    assert imports["rows"] == imports["imported"] + imports["refused"] == 221
    assert imports["added_by_the_same_file_again"] == 0


def test_the_books_are_those_of_the_worked_example(report: dict[str, Any]) -> None:
    sums: dict[str, Decimal] = {}
    for account in report["ledger"]["accounts"]:
        sums[account["code"]] = sums.get(account["code"], Decimal(0)) + Decimal(account["amount"])
    figures = {"stripe_balance": "144.87", "stripe_fee": "10.00", "commission": "-130.14", "vat_output": "-24.73"}
    nothing = {"deal_hold": "0", "payable": "0", "refund_due": "0"}
    assert sums == {code: Decimal(amount) for code, amount in (figures | nothing).items()}
    assert (report["ledger"]["unbalanced"], report["simulator_balance"]) == (0, {"EUR": "144.87"})


def test_every_webhook_sent_was_verified(report: dict[str, Any]) -> None:
    assert report["webhooks"]["sent"] == report["webhooks"]["verified"] > 100


def _key(report: dict[str, Any]) -> Any:
    certificate = report["certificate"]
    kid = jwt.get_unverified_header(certificate["token"])["kid"]
    methods = certificate["did_document"]["verificationMethod"]
    (jwk,) = [method["publicKeyJwk"] for method in methods if method["id"] == kid]
    return jwt.PyJWK(jwk, algorithm="ES256").key


def test_the_certificate_verifies_in_another_library(report: dict[str, Any]) -> None:
    token = report["certificate"]["token"]
    claims = jwt.decode(token, _key(report), algorithms=["ES256"])
    assert claims["credentialSubject"]["issuedToParty"]["name"] == "Rheinkreis Recycling GmbH"


def test_one_changed_byte_fails(report: dict[str, Any]) -> None:
    head, body, signature = report["certificate"]["token"].split(".")
    changed = body[:100] + ("A" if body[100] != "A" else "B") + body[101:]
    with pytest.raises(jwt.InvalidTokenError):
        jwt.decode(f"{head}.{changed}.{signature}", _key(report), algorithms=["ES256"])


def _environments() -> Iterator[bytes]:
    for process in Path("/proc").iterdir():
        try:
            yield (process / "environ").read_bytes()
        except OSError:
            continue


def test_nothing_is_left_running(report: dict[str, Any], folder: Path) -> None:
    assert report["deals"]
    assert not any(str(folder).encode() in environment for environment in _environments())
