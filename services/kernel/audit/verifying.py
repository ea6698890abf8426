"""Whether an export is whole, from its bytes alone: no database, no network."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import rfc8785

FORMAT = "backhaul-audit/1"
START = bytes(32)
"""What the first entry of a chain follows."""
_HEADER = {
    "format",
    "org_id",
    "livemode",
    "exported_at",
    "after_seq",
    "prev_hash",
    "last_seq",
    "last_hash",
    "head_seq",
    "head_hash",
    "hash",
}


class Broken(Exception):
    """`file` and `line` are counted from 1."""

    def __init__(self, file: int, line: int, reason: str) -> None:
        super().__init__(reason)
        self.file = file
        self.line = line
        self.reason = reason


@dataclass(frozen=True)
class Verdict:
    """An unbroken run of a chain, from `first_seq` to `last_seq`. `head_seq` is how far the chain had come at the export."""

    org_id: str
    livemode: bool
    entries: int
    first_seq: int
    last_seq: int
    last_hash: str
    head_seq: int
    exported_at: str

    @property
    def is_complete(self) -> bool:
        return self.last_seq == self.head_seq


def verify(files: Iterable[bytes], *, known_hash: str | None = None) -> Verdict:
    """The files, in order, are one unbroken run. `known_hash`: one that was kept from an earlier export must be among them.

    Raises Broken at the first line that is not what it was when it was written, or not where it was.
    """
    verdict: Verdict | None = None
    hashes = {known_hash}
    for number, content in enumerate(files, 1):
        reading = _Reading(number, content)
        verdict = reading.after(verdict)
        hashes -= reading.hashes
    if verdict is None:
        raise Broken(1, 1, "there is no file")
    if hashes - {None}:
        raise Broken(number, reading.line, f"the chain does not hold {known_hash}: it is another, or was written anew")
    return verdict


class _Reading:
    """One file on its way."""

    def __init__(self, file: int, content: bytes) -> None:
        self._file = file
        self._lines = content.split(b"\n")
        self.line = 1
        self.hashes: set[str | None] = set()

    def after(self, before: Verdict | None) -> Verdict:
        header = self._header(before)
        seq, prev_hash = header["after_seq"], header["prev_hash"]
        for entry in self._entries():
            self._must(entry.get("org_id") == header["org_id"], "it is of another organization")
            self._must(entry.get("livemode") == header["livemode"], "it is of another environment")
            self._must(entry.get("seq") == seq + 1, f"number {seq + 1} belongs here, not {entry.get('seq')}")
            self._must(entry.get("prev_hash") == prev_hash, "it does not follow the line before")
            seq, prev_hash = entry["seq"], entry["hash"]
            self.hashes.add(prev_hash)
        self._must(seq == header["last_seq"], f"the file ends at {seq}, and should at {header['last_seq']}")
        self._must(prev_hash == header["last_hash"], "the last entry is not the one the header names")
        return self._verdict(header, before)

    def _header(self, before: Verdict | None) -> dict[str, Any]:
        header = self._content(self._lines[0])
        self._must(header.get("format") == FORMAT and header.keys() == _HEADER, "it is not the header of an export")
        self._must(self._lines[-1] == b"", "the last line is cut off")
        numbers = [header["after_seq"], header["last_seq"], header["head_seq"]]
        are_numbers = all(type(number) is int for number in numbers)
        self._must(are_numbers and [0, *numbers] == sorted([0, *numbers]), "its numbers cannot be")
        if header["last_seq"] == header["head_seq"]:
            self._must(header["last_hash"] == header["head_hash"], "it names two ends")
        if header["after_seq"] == 0:
            self._must(header["prev_hash"] == START.hex(), "a chain's first entry follows nothing")
        if before is not None:
            follows = (before.org_id, before.livemode, before.last_seq, before.last_hash)
            found = (header["org_id"], header["livemode"], header["after_seq"], header["prev_hash"])
            self._must(found == follows, f"this file does not go on from {before.last_seq}, where the one before ended")
        return header

    def _entries(self) -> Iterator[dict[str, Any]]:
        for line in self._lines[1:-1]:
            self.line += 1
            yield self._content(line)

    def _content(self, line: bytes) -> dict[str, Any]:
        """Raises Broken for what is not canonical JSON, or not what its hash was made of."""
        try:
            content = json.loads(line)
            is_canonical = rfc8785.dumps(content) == line
        except (ValueError, RecursionError):
            raise Broken(self._file, self.line, "it is not JSON as it was written") from None
        self._must(is_canonical and isinstance(content, dict), "it is not JSON as it was written")
        covered = {name: value for name, value in content.items() if name != "hash"}
        self._must(content.get("hash") == hashlib.sha256(rfc8785.dumps(covered)).hexdigest(), "its content was changed")
        found: dict[str, Any] = content
        return found

    def _must(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise Broken(self._file, self.line, otherwise)

    def _verdict(self, header: dict[str, Any], before: Verdict | None) -> Verdict:
        return Verdict(
            org_id=header["org_id"],
            livemode=header["livemode"],
            entries=header["last_seq"] - header["after_seq"] + (before.entries if before else 0),
            first_seq=before.first_seq if before else header["after_seq"] + 1,
            last_seq=header["last_seq"],
            last_hash=header["last_hash"],
            head_seq=header["head_seq"],
            exported_at=header["exported_at"],
        )
