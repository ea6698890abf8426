"""What single cells of a manifest mean. Readers take trimmed text ("" for an empty cell) and raise `CellIsWrong`."""

import re
from decimal import ROUND_HALF_UP, Decimal

from stdnum import ean

from services.kernel.quantities import GRAMS_PER, MOST_GRAMS, Mass
from services.listings.manifests.mapping import CONDITION_GRADES, RETURN_REASONS

LONGEST_NAME = 200
LONGEST_TEXT = 2_000
MOST_PIECES = 10_000_000
WHOLE_PPM = 1_000_000


class CellIsWrong(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def name(text: str) -> str | None:
    if re.search(r"[\t\r\n]", text):
        raise CellIsWrong("control_character", "line breaks and tabs do not belong in here")
    return _limited(text, LONGEST_NAME)


def required_name(text: str) -> str:
    found = name(text)
    if found is None:
        raise CellIsWrong("required", "must not be empty")
    return found


def free_text(text: str) -> str | None:
    return _limited(text, LONGEST_TEXT)


def _limited(text: str, longest: int) -> str | None:
    if len(text) > longest:
        raise CellIsWrong("too_long", f"has {len(text)} characters, at most {longest} are kept")
    return text or None


def return_reason(text: str) -> str:
    return _one_of(text, RETURN_REASONS)


def condition_grade(text: str) -> str:
    return _one_of(text, CONDITION_GRADES)


def _one_of(text: str, known: tuple[str, ...]) -> str:
    if not text:
        raise CellIsWrong("required", "must not be empty")
    meant = re.sub(r"[\s_-]+", "_", text.casefold())
    if meant not in known:
        raise CellIsWrong("unknown_value", f"{text[:60]!r} is none of {', '.join(known)}")
    return meant


def quantity(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MOST_PIECES:
        raise CellIsWrong("quantity_malformed", f"{text[:60]!r} is no whole number from 1 to {MOST_PIECES}")
    return int(text)


def waste_code(text: str) -> str | None:
    """Six digits of the European list ("16 06 07*" → "160607", canonical); another country's code as written.

    Whether it is valid for a place and a date is judged where those are known."""
    european = re.fullmatch(r"([0-9]{2})[ .]?([0-9]{2})[ .]?([0-9]{2}) ?\*?", text)
    if european:
        return "".join(european.groups())
    if text and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ./*-]{0,19}", text):
        raise CellIsWrong("waste_code_malformed", f"{text[:60]!r} is no waste code")
    return text or None


def un_number(text: str) -> str | None:
    """ "UN 3480", "un3480" and "3480" → "UN3480"."""
    found = re.fullmatch(r"(?:UN)?[ -]?([0-9]{4})", text, re.IGNORECASE)
    if text and not found:
        raise CellIsWrong("un_number_malformed", f"{text[:60]!r} is no UN number of four digits")
    return f"UN{found[1]}" if found else None


def mass_g(text: str, unit: str, decimal: str) -> int | None:
    """The mass of the whole row in grams. The unit stands behind the figure or in its own column, never nowhere."""
    if name(text) is None:
        return None
    figure, written = _figure_and_unit(text)
    if written and unit and written != _unit(unit):
        raise CellIsWrong("mass_unit_disagrees", f"{written} in the mass, {unit[:60]} in its unit")
    meant = written or _unit(unit)
    if not meant:
        raise CellIsWrong("mass_unit_missing", f"{text[:60]!r} has no unit; one of {', '.join(GRAMS_PER)}")
    number = _number(figure, decimal)
    if number * GRAMS_PER[meant] > MOST_GRAMS:
        raise CellIsWrong("mass_out_of_range", f"{text[:60]!r} is more than a million tonnes")
    grams = Mass.of(number, meant).grams
    if grams < 1:
        raise CellIsWrong("mass_out_of_range", f"{text[:60]!r} is less than a gram")
    return grams


def _figure_and_unit(text: str) -> tuple[str, str]:
    found = re.fullmatch(r"([^A-Za-z]*)([A-Za-z][A-Za-z _]*)?", text)
    if not found or not found[1].strip():
        raise CellIsWrong("mass_malformed", f"{text[:60]!r} is no mass")
    return found[1].strip(), _unit(found[2] or "")


def _unit(text: str) -> str:
    meant = re.sub(r"[\s_]+", "_", text.strip().casefold())
    if meant and meant not in GRAMS_PER:
        raise CellIsWrong("mass_unit_unknown", f"{text[:60]!r} is none of {', '.join(GRAMS_PER)}")
    return meant


_GROUPS = re.compile(r"(?<=[0-9])[ \xa0\u202f'](?=[0-9]{3}(?![0-9]))")


def _number(text: str, decimal: str) -> Decimal:
    """Thousands may be set apart by spaces or apostrophes; never by the other decimal mark, which could be either."""
    plain = _GROUPS.sub("", text)
    if not re.fullmatch(rf"[0-9]{{1,13}}(?:{re.escape(decimal)}[0-9]{{1,9}})?", plain):
        raise CellIsWrong("number_malformed", f"{text[:60]!r} is no number with the decimal mark {decimal!r}")
    return Decimal(plain.replace(decimal, "."))


def composition(text: str, decimal: str) -> tuple[tuple[str, int], ...] | None:
    """ "steel 60%; copper 38%" → (("steel", 600000), ("copper", 380000), ("unknown", 20000)), in ppm of the mass.

    The shares always sum to the whole: what is not stated is "unknown", and "unknown" alone is an answer."""
    if free_text(text) is None:
        return None
    if text.casefold() == "unknown":
        return (("unknown", WHOLE_PPM),)
    parts = [_share(part.strip(), decimal) for part in re.split(r"[;|\n]|,(?![0-9])", text) if part.strip()]
    shares = dict(parts)
    rest = WHOLE_PPM - sum(shares.values())
    if not parts or len(shares) < len(parts) or rest < 0:
        raise CellIsWrong("composition_malformed", "each material stands once, and together they are at most 100 %")
    if rest:
        shares["unknown"] = shares.get("unknown", 0) + rest
    return tuple(shares.items())


def _share(part: str, decimal: str) -> tuple[str, int]:
    named, figure = _material_last(part) if part[:1].isdigit() else _material_first(part)
    if not named or "%" in named:
        raise CellIsWrong("composition_malformed", f"{part[:60]!r} is not like 'steel 60%'")
    ppm = int((_number(figure, decimal) * 10_000).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    if not 1 <= ppm <= WHOLE_PPM:
        raise CellIsWrong("composition_malformed", f"{part[:60]!r} is not a share above 0 and up to 100 %")
    return material(named) or "unknown", ppm


def _material_last(part: str) -> tuple[str, str]:
    figure, _, named = part.partition("%")
    return named.strip(), figure.rstrip()


def _material_first(part: str) -> tuple[str, str]:
    """("steel", "60") of "steel: 60 %"; no material when the sign, or the gap before the figure, is missing."""
    body = part.removesuffix("%").rstrip()
    before = body.rstrip("0123456789.,")
    named = before.rstrip(" :=\t")
    return (named if part.endswith("%") and named != before else "", body[len(before) :])


def material(text: str) -> str | None:
    found = name(text)
    return " ".join(found.casefold().split()) if found else None


_YES = frozenset({"yes", "y", "true", "1", "ja", "oui", "si", "sí"})
_NO = frozenset({"no", "n", "false", "0", "nein", "non"})
_UNSAID = frozenset({"", "unknown", "?"})


def data_bearing(text: str) -> bool | None:
    said = text.casefold()
    if said in _UNSAID:
        return None
    if said not in _YES | _NO:
        raise CellIsWrong("unknown_value", f"{text[:60]!r} is neither yes nor no")
    return said in _YES


def year(text: str) -> int | None:
    if text and not re.fullmatch(r"(?:18|19|20)[0-9]{2}", text):
        raise CellIsWrong("year_malformed", f"{text[:60]!r} is no year from 1800 to 2099")
    return int(text) if text else None


def gtin(text: str) -> str | None:
    """8, 12, 13 or 14 digits with their check digit, spaces and hyphens left out."""
    digits = re.sub(r"[ -]", "", text)
    if digits and (not re.fullmatch(r"[0-9]{8}|[0-9]{12,14}", digits) or not ean.is_valid(digits)):
        raise CellIsWrong(
            "gtin_malformed", f"{text[:60]!r} is no GTIN of 8, 12, 13 or 14 digits, or its check digit is wrong"
        )
    return digits or None
