import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.certification import evidence, multibase
from services.certification.evidence import Evidence


def piece(number: int) -> Evidence:
    return Evidence(f"evd_{number:03}", hashlib.sha256(f"file {number}".encode()).digest(), bytes([number]) * 16)


def pieces(count: int) -> list[Evidence]:
    return [piece(number) for number in range(count)]


@settings(max_examples=50, deadline=None)
@given(size=st.integers(1, 40), data=st.data())
def test_every_piece_lies_under_the_root_by_its_path_and_no_other_does(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    everything, chosen = pieces(size), piece(index)
    root, path = evidence.root(everything), evidence.path(everything, chosen.id)
    other = replace(chosen, sha256=hashlib.sha256(b"another file").digest())

    assert evidence.is_under(chosen, index=index, size=size, path=path, root=root)
    assert not evidence.is_under(other, index=index, size=size, path=path, root=root)
    assert not evidence.is_under(chosen, index=index, size=size, path=[*path, bytes(32)], root=root)
    assert not evidence.is_under(chosen, index=size, size=size, path=path, root=root)


def test_the_root_does_not_depend_on_the_order_given() -> None:
    assert evidence.root(pieces(7)) == evidence.root(reversed(pieces(7)))


def test_the_root_is_the_multihash_the_page_describes() -> None:
    first, second = pieces(2)
    top = hashlib.sha256(b"\1" + first.leaf + second.leaf).digest()

    assert evidence.root([first, second]) == multibase.encode(b"\x12\x20" + top)
    assert evidence.root([first, second]).startswith("zQm")


def test_equal_files_under_different_salts_cannot_be_matched() -> None:
    one = piece(1)

    assert one.leaf != replace(one, salt=evidence.new_salt()).leaf


def test_a_root_needs_evidence_and_each_id_once() -> None:
    with pytest.raises(ValueError, match="at least one"):
        evidence.root([])
    with pytest.raises(ValueError, match="each id once"):
        evidence.root([piece(1), piece(1)])
    with pytest.raises(LookupError):
        evidence.path(pieces(3), "evd_999")


@pytest.mark.parametrize("change", [{"salt": b"short"}, {"sha256": b"short"}, {"id": ""}])
def test_a_piece_without_id_hash_or_salt_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="salt"):
        replace(piece(1), **change)  # type: ignore[arg-type]


def test_events_are_chained_by_the_hash_before() -> None:
    first = evidence.chained(None, {"type": "move", "accepted_g": 17_340_000})

    assert evidence.chained(first, {"type": "make"}) != evidence.chained(None, {"type": "make"})
    assert evidence.chained(None, {"accepted_g": 17_340_000, "type": "move"}) == first


def test_a_batch_has_another_name_in_every_certificate() -> None:
    names = {evidence.pseudonym(b"secret", certificate, "bat_1") for certificate in ("crt_1", "crt_2")}

    assert len(names) == 2
    assert {len(name) for name in names} == {26}
    assert evidence.pseudonym(b"secret", "crt_1", "bat_1") in names
