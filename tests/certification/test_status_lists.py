import base64
import gzip
from random import Random

import pytest

from services.certification import status_lists
from tests.certification import standards


def packed(content: bytes) -> str:
    return "u" + base64.urlsafe_b64encode(content).decode().rstrip("=")


def test_setting_a_bit_changes_exactly_that_one() -> None:
    draw = Random(3)
    bits = status_lists.empty()
    chosen = draw.sample(range(status_lists.SIZE), 200)

    for index in chosen:
        changed = status_lists.set_bit(bits, index)
        difference = int.from_bytes(bits, "big") ^ int.from_bytes(changed, "big")
        assert difference.bit_count() == 1
        bits = changed

    assert sorted(chosen) == [index for index in range(status_lists.SIZE) if status_lists.is_set(bits, index)]


def test_bit_0_is_the_leftmost() -> None:
    assert status_lists.set_bit(status_lists.empty(), 0)[0] == 0b1000_0000
    assert status_lists.set_bit(status_lists.empty(), 15)[1] == 0b0000_0001


def test_a_list_survives_encoding_and_equal_bits_give_equal_text() -> None:
    bits = status_lists.set_bit(status_lists.empty(), 94_567)

    assert status_lists.decode(status_lists.encode(bits)) == bits
    assert status_lists.encode(bits) == status_lists.encode(bytes(bits))
    assert status_lists.encode(bits).startswith("uH4sI")


@standards.needed
def test_the_example_list_is_read() -> None:
    bits = status_lists.decode(standards.read("examples/status-list.json")["credentialSubject"]["encodedList"])

    assert len(bits) * 8 == status_lists.SIZE
    assert not status_lists.is_set(bits, 94_567)


def test_a_bomb_is_refused_without_unpacking_it() -> None:
    bomb = packed(gzip.compress(bytes(64 * 1024 * 1024)))

    with pytest.raises(status_lists.StatusListIsInvalid, match="too long"):
        status_lists.decode(bomb)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "zabc",
        "u===",
        "uAAAA",
        packed(gzip.compress(bytes(100), mtime=0)),
        packed(gzip.compress(bytes(16_384), mtime=0)[:-9]),
        packed(gzip.compress(bytes(16_384), mtime=0) + b"more"),
    ],
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(status_lists.StatusListIsInvalid):
        status_lists.decode(text)


@pytest.mark.parametrize("index", [-1, status_lists.SIZE])
def test_an_index_outside_of_the_list_is_refused(index: int) -> None:
    with pytest.raises(status_lists.StatusListIsInvalid, match="outside"):
        status_lists.is_set(status_lists.empty(), index)


def test_an_index_is_read_as_integer_and_as_string() -> None:
    assert status_lists.index_of({"statusListIndex": 94_567}) == status_lists.index_of({"statusListIndex": "94567"})


@pytest.mark.parametrize("index", [None, True, -1, "-1", "007", "1e3", "٣", 1.0])
def test_another_spelling_of_an_index_is_refused(index: object) -> None:
    with pytest.raises(status_lists.StatusListIsInvalid):
        status_lists.index_of({"statusListIndex": index})
