"""An export of the audit trail is verified from its bytes alone, and whatever was done to it shows."""

import random
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.cli import main
from services.kernel.audit.lines import sealed
from services.kernel.audit.values import plain
from services.kernel.audit.verifying import FORMAT, START, Broken, verify
from services.kernel.database import Sessions
from tests.conftest import Settle
from tests.factories.parties import Party, organization

EXPORT = "/v1/audit-entries/export"
ORG = "org_01kaq4m8q3e8xvw2t5n6r7s8d9"


def chain_of(count: int, changes: list[Any] | None = None) -> list[bytes]:
    """A header and `count` entries."""
    entries: list[bytes] = []
    prev_hash = START.hex()
    for seq in range(1, count + 1):
        entry = {"org_id": ORG, "livemode": False, "seq": seq, "prev_hash": prev_hash, "changes": changes or ["yard"]}
        entries.append(sealed(entry))
        prev_hash = _hash_of(entries[-1])
    return [header(0, START.hex(), count, prev_hash), *entries]


def header(after: int, prev_hash: str, last: int, last_hash: str, head: tuple[int, str] | None = None) -> bytes:
    head_seq, head_hash = head or (last, last_hash)
    run = {"after_seq": after, "prev_hash": prev_hash, "last_seq": last, "last_hash": last_hash}
    at = {"exported_at": "2026-11-22T10:00:00Z", "head_seq": head_seq, "head_hash": head_hash}
    return sealed({"format": FORMAT, "org_id": ORG, "livemode": False, **run, **at})


def _hash_of(line: bytes) -> str:
    found: str = line.decode().split('"hash":"')[1][:64]
    return found


def broken_at(lines: list[bytes]) -> int:
    with pytest.raises(Broken) as raised:
        verify([b"".join(lines)])
    return raised.value.line


def test_a_whole_chain_is_unbroken() -> None:
    verdict = verify([b"".join(chain_of(20))])
    assert (verdict.entries, verdict.first_seq, verdict.last_seq, verdict.is_complete) == (20, 1, 20, True)


def test_an_empty_chain_is_unbroken() -> None:
    assert verify([b"".join(chain_of(0))]).entries == 0


def test_a_changed_line_is_named() -> None:
    lines = chain_of(20)
    lines[7] = lines[7].replace(b"yard", b"Yard")
    assert broken_at(lines) == 8


def test_a_line_that_was_changed_and_hashed_anew_breaks_the_next() -> None:
    lines = chain_of(20)
    other = chain_of(20, ["another yard"])
    lines[7] = lines[7].replace(lines[7], other[7])
    assert broken_at(lines) == 8


def test_a_removed_line_is_missed() -> None:
    lines = chain_of(20)
    del lines[7]
    assert broken_at(lines) == 8


def test_lines_that_changed_places_are_noticed() -> None:
    lines = chain_of(20)
    lines[7], lines[8] = lines[8], lines[7]
    assert broken_at(lines) == 8


def test_a_chain_that_ends_before_its_head_is_noticed() -> None:
    assert broken_at(chain_of(20)[:-1]) == 20


def test_a_line_too_many_is_noticed() -> None:
    lines = chain_of(20)
    assert broken_at([*lines[:1], *lines[1:], lines[-1]]) == 22


def test_entries_of_another_chain_are_noticed() -> None:
    lines, other = chain_of(20), chain_of(20, ["another yard"])
    assert broken_at([lines[0], *other[1:]]) == 21


def test_what_is_no_export_is_named_so() -> None:
    assert broken_at([b""]) == broken_at([b"{}\n"]) == broken_at([b"\xff"]) == broken_at([b"[" * 100_000]) == 1


def test_a_thousand_random_mutations_are_all_noticed() -> None:
    whole = b"".join(chain_of(20))
    chance = random.Random(20261122)
    mutated = [_mutated(whole, chance) for _ in range(1_000)]
    assert [content for content in mutated if _is_unbroken(content)] == []


def _mutated(whole: bytes, chance: random.Random) -> bytes:
    """One byte replaced, removed or added, or one line removed, doubled or moved."""
    at, byte = chance.randrange(len(whole)), bytes([chance.randrange(256)])
    other = bytes([whole[at] ^ (1 << chance.randrange(8))])
    lines = whole.splitlines(keepends=True)
    line, place = chance.sample(range(len(lines)), 2)
    rest = lines[:line] + lines[line + 1 :]
    return chance.choice(
        [
            whole[:at] + other + whole[at + 1 :],
            whole[:at] + whole[at + 1 :],
            whole[:at] + byte + whole[at:],
            whole[:at],
            b"".join(rest),
            b"".join([*lines[:line], lines[line], *lines[line:]]),
            b"".join([*rest[:place], lines[line], *rest[place:]]),
        ]
    )


def _is_unbroken(content: bytes) -> bool:
    try:
        verify([content])
    except Broken:
        return False
    return True


_ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8")) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(values=st.lists(_ANY_VALUE, min_size=1, max_size=5), length=st.integers(1, 6), seed=st.integers(0, 2**32))
def test_chains_of_any_values_are_unbroken_until_they_are_touched(values: list[Any], length: int, seed: int) -> None:
    whole = b"".join(chain_of(length, [plain(value) for value in values]))
    mutated = _mutated(whole, random.Random(seed))
    assert _is_unbroken(whole)
    assert not _is_unbroken(mutated) or mutated == whole


def pieces(count: int, cut: int) -> tuple[bytes, bytes]:
    lines = chain_of(count)
    at, end = _hash_of(lines[cut]), _hash_of(lines[-1])
    first = header(0, START.hex(), cut, at, (count, end))
    second = header(cut, at, count, end)
    return b"".join([first, *lines[1 : cut + 1]]), b"".join([second, *lines[cut + 1 :]])


def test_pieces_are_verified_as_one() -> None:
    first, second = pieces(20, cut=12)
    assert not verify([first]).is_complete
    assert verify([second]).first_seq == 13
    assert verify([first, second]) == verify([second]).__class__(
        **{**vars(verify([second])), "entries": 20, "first_seq": 1}
    )


def test_pieces_that_do_not_follow_are_noticed() -> None:
    first, second = pieces(20, cut=12)
    with pytest.raises(Broken) as raised:
        verify([second, first])
    assert (raised.value.file, raised.value.line) == (2, 1)


def test_a_hash_that_was_kept_must_be_in_the_chain() -> None:
    lines, other = chain_of(20), chain_of(20, ["another yard"])
    assert verify([b"".join(lines)], known_hash=_hash_of(lines[5])).entries == 20
    with pytest.raises(Broken):
        verify([b"".join(other)], known_hash=_hash_of(lines[5]))


async def exported(client: httpx.AsyncClient, party: Party, **query: Any) -> bytes:
    answer = await client.get(EXPORT, params=query, headers=party.headers)
    assert answer.headers["content-type"].startswith("application/x-ndjson"), answer.text
    return answer.content


async def keys(client: httpx.AsyncClient, party: Party, count: int) -> None:
    for number in range(count):
        await client.post("/v1/api-keys", json={"name": f"Nº {number} 🏭"}, headers=party.headers)


async def test_the_command_verifies_what_the_api_exports(
    client: httpx.AsyncClient, sessions: Sessions, settle: Settle, tmp_path: Path
) -> None:
    party = await organization(sessions)
    await keys(client, party, 5)
    await settle()
    file = tmp_path / "audit.ndjson"
    file.write_bytes(await exported(client, party))
    count = len(file.read_bytes().splitlines()) - 1

    said = CliRunner().invoke(main, ["audit", "verify", str(file)])

    assert said.exit_code == 0, said.output
    assert f"{count} entries of {party.org.id}, unbroken from 1 to {count}, head " in said.output
    assert count >= 5


async def test_the_command_names_the_first_broken_line(
    client: httpx.AsyncClient, sessions: Sessions, settle: Settle, tmp_path: Path
) -> None:
    party = await organization(sessions)
    await keys(client, party, 5)
    await settle()
    lines = (await exported(client, party)).splitlines(keepends=True)
    file = tmp_path / "audit.ndjson"
    file.write_bytes(b"".join([*lines[:3], *lines[4:]]))

    said = CliRunner().invoke(main, ["audit", "verify", str(file)])

    assert said.exit_code == 1
    assert f"{file}:4:" in said.output


async def test_an_export_in_pieces_is_one_chain(client: httpx.AsyncClient, sessions: Sessions, settle: Settle) -> None:
    party = await organization(sessions)
    await keys(client, party, 5)
    await settle()
    whole = verify([await exported(client, party)])

    first = await exported(client, party, limit=2)
    rest = await exported(client, party, after_seq=2)

    together = verify([first, rest])
    assert (together.entries, together.last_hash) == (whole.entries, whole.last_hash)


async def test_an_export_goes_on_from_where_the_chain_has_been(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await organization(sessions)
    answer = await client.get(EXPORT, params={"after_seq": 900}, headers=party.headers)
    assert answer.json()["code"] == "invalid"


async def test_what_has_no_place_yet_is_not_exported(client: httpx.AsyncClient, sessions: Sessions) -> None:
    party = await organization(sessions)
    await keys(client, party, 1)
    assert verify([await exported(client, party)]).entries == 0
