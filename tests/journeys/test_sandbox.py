"""`backhaul sandbox` as a partner runs it: a cast whose keys open what they should, and a clean end."""

import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from backhaul_client import Forbidden

from services.parties.models import ROLES
from services.parties.permissions import ROLES as MEMBER_ROLES
from services.sandbox import FolderNotUsable
from services.sandbox.folder import opened
from tests.fakes.sandbox import MOST_SECONDS, Sandbox, launched, processes_that_name, sandboxed, stop, wait_for


def test_two_organizations_of_every_role_are_there(sandbox: Sandbox) -> None:
    counted = {role: len(sandbox.organizations(role)) for role in ROLES}
    assert counted == {**dict.fromkeys(ROLES, 2), "operator": 1}
    assert all(one["sites"] for one in sandbox.report["organizations"])


def test_every_key_opens_its_own_organization(sandbox: Sandbox) -> None:
    for organization in sandbox.report["organizations"]:
        assert organization["keys"].keys() == organization["members"].keys() == MEMBER_ROLES.keys()
        opened = [_own_roles(sandbox, organization, role) for role in MEMBER_ROLES]
        assert opened == [organization["roles"]] * len(MEMBER_ROLES)


def _own_roles(sandbox: Sandbox, organization: dict[str, Any], role: str) -> list[str]:
    return sandbox.client(organization, role).organizations.get(organization["id"]).roles


def test_a_key_carries_all_that_its_role_may(sandbox: Sandbox) -> None:
    organization = sandbox.organizations("recycler")[0]
    keys = sandbox.client(organization).api_keys.list()
    carried = {key.member_id: set(key.scopes) for key in keys}
    assert carried == {organization["members"][role]: set(may) for role, may in MEMBER_ROLES.items()}


def test_a_viewer_reads_and_does_not_write(sandbox: Sandbox) -> None:
    organization = sandbox.organizations("manufacturer")[0]
    viewer = sandbox.client(organization, "viewer")
    assert viewer.sites.get(organization["sites"][0]).id == organization["sites"][0]
    with pytest.raises(Forbidden):
        viewer.listings.publish(sandbox.report["things"]["draft_listings"][0])


def test_there_is_something_to_bid_on_and_somebody_has(sandbox: Sandbox) -> None:
    things, recycler = sandbox.report["things"], sandbox.organizations("recycler")[0]
    client = sandbox.client(recycler)
    assert {one.id for one in client.listings.search()} >= set(things["open_listings"])
    bid = client.bids.get(things["bids"][0])
    assert (bid.listing_id, bid.bidder_id) == (things["open_listings"][0], recycler["id"])


def test_whoever_trades_can_be_paid(sandbox: Sandbox) -> None:
    for role in ("manufacturer", "holder", "carrier", "repairer", "remanufacturer", "recycler", "broker"):
        for organization in sandbox.organizations(role):
            assert sandbox.client(organization).payout_account.get().status == "active"


def test_the_report_is_for_its_owner_alone(sandbox: Sandbox) -> None:
    assert stat.S_IMODE(sandbox.file.stat().st_mode) == 0o600


def test_a_kept_sandbox_comes_back_with_the_same_cast_beside_another(sandbox: Sandbox, tmp_path: Path) -> None:
    data, report = tmp_path / "data", tmp_path / "report.json"
    with sandboxed(report, "--data-dir", str(data)) as (first, process):
        assert first.report["base_url"] != sandbox.report["base_url"]
        with pytest.raises(FolderNotUsable, match="another sandbox"), opened(data, keep=True):
            pytest.fail("two in one folder")
        assert stop(process) == 0
    assert processes_that_name(str(data)) == []
    with sandboxed(report, "--data-dir", str(data), "--discard") as (again, process):
        told = {name: again.report[name] for name in ("organizations", "things")}
        assert told == {name: first.report[name] for name in told}
        holder = again.organizations("holder")[0]
        assert _own_roles(again, holder, "driver") == ["holder"]
        assert stop(process) == 0
    assert (processes_that_name(str(data)), data.exists()) == ([], False)


def test_a_sandbox_that_is_stopped_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    process = launched(tmp_path / "report.json", "--data-dir", str(data), "--discard")
    wait_for(data / "api.log", process)
    assert stop(process) == 0
    assert (processes_that_name(str(data)), data.exists()) == ([], False)


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = launched(tmp_path / "report.json", "--port", port)
        assert process.wait(MOST_SECONDS) == 1
    told = (tmp_path / "report.log").read_text()
    assert told.startswith(f"port {port} of 127.0.0.1 cannot be had")


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FolderNotUsable, match="no sandbox made"), opened(tmp_path, keep=False):
        pytest.fail("not ours")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
