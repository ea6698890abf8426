"""Trials, progress, kept mappings and proposals, as partners meet them."""

import io
import json
from typing import Any

import httpx
import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import text

from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.jobs import Tools
from services.kernel.unit_of_work import UnitOfWork
from services.listings.importing import landing, progress, writing
from services.listings.importing import queries as stored
from services.listings.manifests.profiles import PROFILES
from services.listings.models import Import
from tests.conftest import Race, Settle
from tests.factories.listings import draft_listing, received_import
from tests.factories.parties import Party, organization
from tests.listings.manifest_files import manifest, motor
from tests.listings.test_importing import completions, counts, items, read, refusals, units
from tests.listings.test_listings_api import body, codes, file, form

MAPPING = {
    "decimal": ",",
    "fields": {
        "external_id": "Nr",
        "item_key": "Typ",
        "return_reason": {"constant": "end_of_life"},
        "condition_grade": {"constant": "salvage"},
    },
}


async def sent(
    client: httpx.AsyncClient, seller: Party, content: bytes, settle: Settle, **given: str
) -> dict[str, Any]:
    made = await client.post("/v1/imports", data=form(seller, **given), files=file(content), headers=seller.headers)
    assert made.status_code == 201, made.text
    await settle()
    found: dict[str, Any] = (await client.get(f"/v1/imports/{made.json()['id']}", headers=seller.headers)).json()
    return found


# Trials


async def test_a_trial_judges_every_row_and_lands_none(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller = await organization(sessions)
    content = manifest(motor("A"), motor("B", mass="heavy"))
    tried = await sent(client, seller, content, settle, trial="true")
    assert (tried["status"], tried["is_trial"], tried["listing_id"], tried["rows_landed"]) == (
        "completed",
        True,
        None,
        0,
    )
    assert (tried["rows"], tried["added"], tried["refused"]) == (2, 1, 1)
    back = await client.get(f"/v1/imports/{tried['id']}/refused", headers=seller.headers)
    assert len(back.text.splitlines()) == 2
    assert await units(sessions, seller) == 0
    assert (await client.get("/v1/listings", headers=seller.headers)).json()["data"] == []


async def test_a_trial_is_refused_where_the_import_would_be(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, other = await organization(sessions), await organization(sessions, name="Südwerk GmbH")
    foreign = json.dumps(body(seller, price_unit="piece", site_id=other.site.id))
    refused = await client.post(
        "/v1/imports", data=form(seller, trial="true", listing=foreign), files=file(manifest()), headers=seller.headers
    )
    assert codes(refused) == [("/site_id", "site_not_found")]


async def test_a_trial_knows_what_stands_already(sessions: Sessions, client: httpx.AsyncClient, settle: Settle) -> None:
    seller = await organization(sessions)
    landed = await sent(client, seller, manifest(motor("A"), motor("B")), settle)
    changed = manifest(motor("A"), motor("B", mass="400"), motor("C"), motor("D", reason="damaged"))
    listing = {"listing": "", "listing_id": landed["listing_id"], "trial": "true"}
    data = {name: value for name, value in form(seller, **listing).items() if value}
    made = await client.post("/v1/imports", data=data, files=file(changed), headers=seller.headers)
    await settle()
    tried = (await client.get(f"/v1/imports/{made.json()['id']}", headers=seller.headers)).json()
    assert [tried[name] for name in ("added", "updated", "unchanged", "refused")] == [1, 1, 1, 1]
    assert [(item.quantity, item.mass_g) for item in await items(sessions, landed["listing_id"])] == [(2, 600_000)]


# Formats


async def test_a_workbook_comes_back_as_one(sessions: Sessions, client: httpx.AsyncClient, settle: Settle) -> None:
    seller = await organization(sessions)
    book = Workbook()
    for line in manifest(motor("A"), motor("B", mass="heavy")).decode().splitlines():
        book.worksheets[0].append(line.split(","))
    out = io.BytesIO()
    book.save(out)
    found = await sent(client, seller, out.getvalue(), settle)
    assert (found["file_format"], found["added"], found["refused"]) == ("xlsx", 1, 1)
    back = await client.get(f"/v1/imports/{found['id']}/refused", headers=seller.headers)
    assert back.headers["content-disposition"].endswith('-refused.xlsx"')
    assert load_workbook(io.BytesIO(back.content)).worksheets[0]["B2"].value == "B"


async def test_items_say_what_their_rows_agree_on(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller = await organization(sessions)
    head = "external_id,item_key,return_reason,condition_grade,gtin,mpn,batch"
    rows = "1,k,damaged,new,4006381333931,WPL,L1\n2,k,damaged,new,4006381333931,WPL,L2\n"
    found = await sent(client, seller, f"{head}\n{rows}".encode(), settle)
    (item,) = (await client.get(f"/v1/listings/{found['listing_id']}", headers=seller.headers)).json()["items"]
    assert (item["gtin"], item["mpn"], item["batch"]) == ("4006381333931", "WPL", None)


# Progress


async def test_a_finished_import_tells_how_far_it_went(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller = await organization(sessions)
    found = await sent(client, seller, manifest(motor("A"), motor("B"), motor("C", mass="heavy")), settle)
    assert (found["rows_total"], found["rows_read"], found["rows_landed"]) == (3, 3, 2)


@pytest.mark.race
async def test_how_far_it_is_shows_while_it_lands(race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    seller = await organization(race.sessions)
    row = await received_import(race.sessions, seller, manifest(*(motor(f"U{number}") for number in range(5))))
    monkeypatch.setattr(stored, "PORTION", 2)
    seen: list[tuple[str, int, int | None]] = []
    noted = progress.Progress.note

    async def note(self: progress.Progress, **counts: int) -> None:
        await noted(self, **counts)
        found = await read(race.sessions, row)
        seen.append((found.status, found.rows_landed, found.rows_total))

    monkeypatch.setattr(progress.Progress, "note", note)
    await landing.land(race.tools, {"import_id": row.id})
    assert seen == [("landing", 2, 5), ("landing", 4, 5), ("landing", 5, 5)]


class Killed(BaseException):
    """As SIGKILL, it is nobody's to catch."""


@pytest.mark.race
@pytest.mark.parametrize("died_in", ["_make_items", "_count"])
async def test_a_job_killed_half_way_is_run_again_to_the_same_end(
    race: Race, monkeypatch: pytest.MonkeyPatch, died_in: str
) -> None:
    seller, calm = await organization(race.sessions), await organization(race.sessions, name="Südwerk GmbH")
    content = manifest(*(motor(f"U{number}", item=f"k{number % 3}") for number in range(9)), motor("X", mass="heavy"))
    undisturbed = await received_import(race.sessions, calm, content)
    await landing.land(race.tools, {"import_id": undisturbed.id})
    row = await received_import(race.sessions, seller, content)

    async def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(writing, died_in, die)
        with pytest.raises(Killed):
            await landing.land(race.tools, {"import_id": row.id})
    assert (await read(race.sessions, row)).status == "landing"
    assert await race.value(f"SELECT count(*) FROM unit WHERE seller_id = '{seller.org.id}'") == 0
    await landing.land(race.tools, {"import_id": row.id})
    assert await counts(race.sessions, row) == await counts(race.sessions, undisturbed) == (10, 9, 0, 0, 1)
    found, wanted = [await items(race.sessions, one.listing_id) for one in (row, undisturbed)]
    assert [(one.key, one.quantity, one.mass_g) for one in found] == [
        (one.key, one.quantity, one.mass_g) for one in wanted
    ]
    assert len(await completions(race.sessions, row)) == 1


async def test_units_from_before_batches_were_read_are_unchanged(sessions: Sessions, settle: Settle) -> None:
    seller = await organization(sessions)
    first = await received_import(sessions, seller, manifest(motor("A")))
    await settle()
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        await work.session.execute(text("UPDATE unit SET details = details - 'gtin' - 'mpn' - 'batch'"))
    again = await received_import(sessions, seller, manifest(motor("A")))
    await settle()
    assert first.id != again.id
    assert await counts(sessions, again) == (1, 0, 0, 1, 0)


async def test_a_cascade_of_refused_changes_ends(sessions: Sessions, settle: Settle) -> None:
    """Every row moves on to the next item; the last item does not take it, so that nobody can."""
    seller = await organization(sessions)
    places = 60
    before = [motor(f"U{n}", item=f"k{n}", reason="damaged" if n % 2 else "defective") for n in range(places)]
    landed = await received_import(
        sessions, seller, manifest(*before, motor("Z", item=f"k{places}", reason="unsold_inventory"))
    )
    await settle()
    after = [motor(f"U{n}", item=f"k{n + 1}", reason="damaged" if n % 2 else "defective") for n in range(places)]
    moved = await received_import(sessions, seller, manifest(*after), into=await listing_of(sessions, landed))
    await settle()
    assert await counts(sessions, moved) == (places, 0, 0, 0, places)
    assert {code for _, _, code in await refusals(sessions, moved)} == {"item_disagrees"}


async def listing_of(sessions: Sessions, row: Import) -> Any:
    from services.listings import queries

    assert row.listing_id is not None
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        return await queries.listing(work, row.listing_id)


async def test_one_manifest_at_a_time_in_a_process(sessions: Sessions, tools: Tools, settle: Settle) -> None:
    seller = await organization(sessions)
    row = await received_import(sessions, seller, manifest(motor("A")))
    await landing.land(tools, {"import_id": row.id})
    assert not tools.resources[landing.TURN].locked()


# Kept mappings


async def kept(client: httpx.AsyncClient, seller: Party, name: str = "wms") -> httpx.Response:
    return await client.post("/v1/import-profiles", json={"name": name, "mapping": MAPPING}, headers=seller.headers)


async def test_a_kept_mapping_is_used_by_its_name(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller = await organization(sessions)
    assert (await kept(client, seller)).status_code == 201
    found = await sent(client, seller, b"Nr;Typ\n1;Motor\n", settle, profile="wms")
    assert (found["profile"], found["added"]) == ("wms", 1)


async def test_a_name_is_taken_once(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, other = await organization(sessions), await organization(sessions, name="Südwerk GmbH")
    answers = [await kept(client, seller), await kept(client, seller), await kept(client, other)]
    assert [answer.status_code for answer in answers] == [201, 409, 201]
    assert (await kept(client, seller, name=next(iter(PROFILES)))).json()["code"] == "profile_name_taken"


async def test_a_kept_mapping_has_no_faults(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    faulty = {"name": "wms", "mapping": {"fields": {"item_key": "Typ"}}}
    refused = await client.post("/v1/import-profiles", json=faulty, headers=seller.headers)
    assert ("/mapping/fields/external_id", "target_required") in codes(refused)


async def test_a_kept_mapping_is_changed_and_removed(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    made = await kept(client, seller)
    path, headers = f"/v1/import-profiles/{made.json()['id']}", seller.headers
    stale = await client.patch(path, json={"name": "b"}, headers=headers | {"If-Match": '"7"'})
    changed = await client.patch(path, json={"name": "b"}, headers=headers | {"If-Match": '"1"'})
    assert (stale.status_code, changed.json()["name"], changed.json()["version"]) == (412, "b", 2)
    assert (await client.get(path, headers=headers)).json() == changed.json()
    assert (await client.delete(path, headers=headers)).status_code == 204
    assert (await client.get("/v1/import-profiles", headers=headers)).json()["data"] == []


async def test_a_foreign_mapping_is_not_there(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller, stranger = await organization(sessions), await organization(sessions, name="Südwerk GmbH")
    path = f"/v1/import-profiles/{(await kept(client, seller)).json()['id']}"
    assert (await client.get(path, headers=stranger.headers)).status_code == 404
    assert (await client.delete(path, headers=stranger.headers)).status_code == 404
    refused = await client.post(
        "/v1/imports", data=form(stranger, profile="wms"), files=file(manifest()), headers=stranger.headers
    )
    assert codes(refused) == [("/profile", "profile_unknown")]


# Proposals


async def test_a_proposal_is_sent_back_as_the_mapping(
    sessions: Sessions, client: httpx.AsyncClient, settle: Settle
) -> None:
    seller = await organization(sessions)
    content = "Inventarnr;Artikel;Gewicht (kg);Grund;Zustand;Farbe\n1;Motor;12,5;defekt;neu;rot\n".encode("cp1252")
    content = content.replace(b"Inventarnr", b"Inventarnummer")
    proposed = (await client.post("/v1/imports/propose", files=file(content), headers=seller.headers)).json()
    assert (proposed["unmapped"], proposed["missing"], proposed["file_format"]) == (["Farbe"], [], "csv")
    listing = await draft_listing(sessions, seller)
    data = {"mapping": json.dumps(proposed["mapping"]), "listing_id": listing.id}
    await client.post("/v1/imports", data=data, files=file(content), headers=seller.headers)
    await settle()
    assert [item.mass_g for item in await items(sessions, listing.id)] == [12_500]


async def test_a_mapping_is_proposed_for_a_large_file(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    content = manifest(*(motor(f"U{number}", fault="x" * 900) for number in range(3_000)))
    proposed = await client.post("/v1/imports/propose", files=file(content), headers=seller.headers)
    assert (proposed.status_code, proposed.json()["missing"]) == (200, [])


async def test_of_nonsense_nothing_is_proposed(sessions: Sessions, client: httpx.AsyncClient) -> None:
    seller = await organization(sessions)
    refused = await client.post("/v1/imports/propose", files=file(b"PK\x03\x04"), headers=seller.headers)
    assert codes(refused) == [("/file", "manifest_unreadable")]
