"""From the bytes of a text file to its text."""

import codecs
import re
from dataclasses import dataclass

import charset_normalizer

from services.listings.manifests.raw import ManifestIsUnreadable


@dataclass(frozen=True)
class Decoded:
    """Text without its byte order mark. Bytes that fit nothing stand in it as lone surrogates (or U+FFFD from UTF-16).

    `encoding` is utf-8, utf-8-sig, utf-16-le, utf-16-be, or the single-byte or East Asian encoding it was taken for;
    `problems` are sentences about the decision, empty when nothing was guessed and nothing broken."""

    text: str
    encoding: str
    has_bom: bool = False
    problems: tuple[str, ...] = ()


_BINARY_STARTS = {
    b"PK\x03\x04": "a zip archive",
    b"\xd0\xcf\x11\xe0": "an old office document",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip archive",
}
_CONTROLS = bytes([*range(9), 11, 12, *range(14, 32)])


def decode(content: bytes) -> Decoded:
    """UTF-16 and UTF-8 by their marks, UTF-8 as long as most non-ASCII lines are, else the likeliest legacy encoding.

    Bytes that fit nothing spoil their own row only; UTF-8 lines in a Windows-1252 file are still read as UTF-8.
    Binary content raises `ManifestIsUnreadable("encoding")`."""
    wide = _utf16(content)
    if wide:
        return _decoded_utf16(content, wide)
    _refuse_binary(content)
    has_bom = content.startswith(codecs.BOM_UTF8)
    name = "utf-8-sig" if has_bom else "utf-8"
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return Decoded(content.decode("utf-8"), name, has_bom)
    except UnicodeDecodeError:
        lines = [line for line in content.splitlines() if not line.isascii()]
    broken = [line for line in lines if not is_utf8(line)]
    if has_bom or 2 * len(broken) <= len(lines):
        problem = f"{len(broken)} lines hold bytes that are not UTF-8"
        return Decoded(content.decode("utf-8", "surrogateescape"), name, has_bom, (problem,))
    return _decoded_legacy(content, broken)


def _utf16(content: bytes) -> str | None:
    """By its mark, or by the zero bytes that fill up every second place of Western text."""
    if content.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if content.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    sample = content[:4_096]
    high, low = sample[0::2].count(0), sample[1::2].count(0)
    if (
        len(sample) < 8
        or len(content) % 2
        or 10 * max(high, low) < 4 * len(sample)
        or min(high, low) * 50 > len(sample)
    ):
        return None
    return "utf-16-be" if high > low else "utf-16-le"


def _decoded_utf16(content: bytes, name: str) -> Decoded:
    has_bom = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content[2 * has_bom :].decode(name, "replace")
    _refuse_binary(text[:65_536].encode("utf-8", "replace"))
    guessed = () if has_bom else (f"the file has no byte order mark and was taken for {name}",)
    broken = ("some characters are broken UTF-16",) if "\ufffd" in text else ()
    return Decoded(text, name, has_bom, guessed + broken)


def encode(line: str, encoding: str) -> bytes:
    """A line as `decode` would read it from a file of this encoding, broken bytes as they were; without a mark.

    What a Windows-1252 file cannot say is written in UTF-8, line by line, as `decode` understands it."""
    if encoding.startswith("utf-8"):
        return line.encode("utf-8", "surrogateescape")
    if encoding != "cp1252":
        return line.encode(encoding, "replace")
    try:
        return line.encode("cp1252", "surrogateescape")
    except UnicodeEncodeError:
        return line.encode("utf-8", "surrogateescape")


MARKS = {"utf-8-sig": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}


def _refuse_binary(content: bytes) -> None:
    for start, kind in _BINARY_STARTS.items():
        if content.startswith(start):
            raise ManifestIsUnreadable("encoding", f"the file is {kind}, not CSV, XLSX or JSONL")
    sample = content[:65_536]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if (controls > 8 and controls * 20 > len(sample)) or controls * 3 > len(sample):
        raise ManifestIsUnreadable("encoding", "the file is binary, or in an encoding nobody knows; save it as UTF-8")


def is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


_WESTERN_SIGNS = "€‚„…‰‹›‘’“”•–—™\xa0¡¢£¥§©ª«®°±²³´µ·¸¹º»¼½¾¿×÷"
_CP1250_INSIDE_A_WORD = re.compile(r"[¹³¿£¯¶][a-z]")


def _is_western(character: str) -> bool:
    return character in _WESTERN_SIGNS or (character.isalpha() and character not in "þÿ")


def _western(byte: int) -> str:
    character = bytes([byte]).decode("cp1252", "replace")
    return character if byte < 128 or _is_western(character) else chr(0xDC00 + byte)


CP1252 = "".join(map(_western, range(256)))
"""Windows-1252 where a byte hardly any Western text holds (0xFF, the undefined ones, …) counts as broken."""


def _decoded_legacy(content: bytes, broken: list[bytes]) -> Decoded:
    sample = b"\n".join(broken)[:65_536]
    name = _guess(sample)
    problem = f"the file is not UTF-8 and was taken for {name}"
    lines = content.splitlines(keepends=True)
    if name != "cp1252":
        return Decoded("".join(line.decode(name, "replace") for line in lines), name, problems=(problem,))
    return Decoded("".join(map(_decoded_line, lines)), name, problems=(problem,))


def _decoded_line(line: bytes) -> str:
    if not line.isascii() and is_utf8(line):
        return line.decode("utf-8")
    return codecs.charmap_decode(line, "strict", CP1252)[0]


OTHER_SCRIPTS = ["cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp932", "euc_jp", "gb18030", "big5", "cp949"]


LEAST_EVIDENCE = 24
"""Non-ASCII bytes below which another script is not even considered."""


def _guess(sample: bytes) -> str:
    """Dense non-ASCII is another script, which charset-normalizer tells well; it takes French for Central European."""
    high = sum(byte > 127 for byte in sample)
    letters = sum(chr(byte).isalpha() for byte in sample if byte < 128)
    if high > max(letters, LEAST_EVIDENCE):
        best = charset_normalizer.from_bytes(sample, cp_isolation=OTHER_SCRIPTS).best()
        return best.encoding if best is not None else "cp1252"
    is_central = _CP1250_INSIDE_A_WORD.search(codecs.charmap_decode(sample, "strict", CP1252)[0])
    return "cp1250" if is_central else "cp1252"
