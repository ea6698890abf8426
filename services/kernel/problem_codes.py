"""The register of problem codes: what each means, said once, for the reference.

The class of a problem says it in the first paragraph of its docstring. What has a code but no class of its own (a guard's reason, a
detail with a pointer) is explained beside the classes, in the context's `errors.py`:

    explain(409, bid_is_leading="The leading bid of a timed listing stands.")
"""

from collections.abc import Iterator
from dataclasses import dataclass

from services.kernel.errors import Blocked, Invalid, Problem

_PRODUCT = __name__.partition(".")[0] + "."
_EXPLAINED: dict[tuple[str, int], "ProblemCode"] = {}


@dataclass(frozen=True)
class ProblemCode:
    """`is_detail`: it stands in `errors` under the code `invalid`, with a pointer."""

    code: str
    status: int
    title: str
    meaning: str
    is_detail: bool = False


def explain(status: int, /, **meanings: str) -> None:
    """Registers codes with the status they come with. Under 409 they are reasons of guards, under 422 details of `invalid`."""
    title = {Blocked.status: Blocked.title, Invalid.status: Invalid.title}.get(status, Problem.title)
    for code, meaning in meanings.items():
        _add(ProblemCode(code, status, title, meaning, is_detail=status == Invalid.status))


def explain_framework(status: int, code: str, title: str, meaning: str) -> None:
    """Registers a code that is answered where no class of ours is raised."""
    _add(ProblemCode(code, status, title, meaning))


def _add(one: ProblemCode) -> None:
    if (one.code, one.status) in _EXPLAINED:
        raise TypeError(f"{one.code} is explained twice for {one.status}")
    _EXPLAINED[one.code, one.status] = one


def register() -> dict[str, list[ProblemCode]]:
    """Every code that the imported contexts know; one code may come with several statuses. What a class says goes before."""
    named = sorted(set(_narrower(Problem)), key=lambda problem: (problem.__module__, problem.__qualname__))
    known = {**_EXPLAINED, **{(one.code, one.status): one for one in map(_of_class, named)}}
    found: dict[str, list[ProblemCode]] = {}
    for (code, _), one in sorted(known.items()):
        found.setdefault(code, []).append(one)
    return found


def _narrower(problem: type[Problem]) -> Iterator[type[Problem]]:
    """Our classes with a code of their own."""
    for narrower in problem.__subclasses__():
        if "code" in vars(narrower) and narrower.__module__.startswith(_PRODUCT):
            yield narrower
        yield from _narrower(narrower)


def _of_class(problem: type[Problem]) -> ProblemCode:
    return ProblemCode(problem.code, problem.status, problem.title, _meaning(problem))


def _meaning(problem: type[Problem]) -> str:
    said = (vars(problem).get("__doc__") or "").strip().partition("\n\n")[0]
    return " ".join(said.split())
