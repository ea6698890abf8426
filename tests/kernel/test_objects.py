"""Files lie in the store as they came, and nowhere half."""

import asyncio
from pathlib import Path

import pytest

from services.kernel.errors import Invalid
from services.kernel.objects import PAPERS, Folder, ObjectMissing, sniff

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(32)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(32)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "objects")


def kept_files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()]


async def test_what_was_put_is_got(folder: Folder) -> None:
    sha256 = await folder.put(b"a ticket")

    assert await folder.get(sha256) == b"a ticket"


async def test_what_is_put_twice_lies_there_once(folder: Folder, tmp_path: Path) -> None:
    both = await asyncio.gather(*(folder.put(b"a ticket") for _ in range(8)))

    assert len(set(both)) == 1
    assert len(kept_files(tmp_path)) == 1


async def test_only_its_owner_reads_the_folder(folder: Folder, tmp_path: Path) -> None:
    await folder.put(b"a ticket")

    (file,) = kept_files(tmp_path)
    assert (file.stat().st_mode & 0o077, file.parent.stat().st_mode & 0o077) == (0, 0)


async def test_what_was_deleted_is_missing(folder: Folder) -> None:
    sha256 = await folder.put(b"a ticket")

    await folder.delete(sha256)
    await folder.delete(sha256)

    with pytest.raises(ObjectMissing):
        await folder.get(sha256)


async def test_bytes_that_were_changed_are_not_handed_out(folder: Folder, tmp_path: Path) -> None:
    sha256 = await folder.put(b"a ticket")
    (file,) = kept_files(tmp_path)
    file.write_bytes(b"another ticket")

    with pytest.raises(ObjectMissing):
        await folder.get(sha256)


@pytest.mark.parametrize("key", ["../../etc/passwd", "a" * 63, "A" * 64, "/" * 64])
async def test_a_key_never_leaves_the_folder(folder: Folder, key: str) -> None:
    with pytest.raises(ValueError):
        await folder.get(key)


@pytest.mark.parametrize(
    ("content", "media_type"), [(b"%PDF-1.7\n", "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")]
)
def test_the_first_bytes_say_the_type(content: bytes, media_type: str) -> None:
    assert sniff(content, PAPERS) == media_type


def test_a_type_is_taken_only_where_it_is_allowed() -> None:
    with pytest.raises(Invalid):
        sniff(PNG, ["application/pdf"])
