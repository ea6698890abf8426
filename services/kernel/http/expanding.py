"""`?expand=listing&expand=bid`: things written out beside the ids that name them, one query for each name however long the list.

A context says in its router how its thing is told, `@tells("listing", ListingSummary, holding="listings:read")`; an answer says
what can be written out, `expandable = ("listing", "bid")`; its operations take `expand: Annotated[Expand, expanding(OrderAnswer)]`.
Nobody reads in this way what he could not read by the thing's own operation: then it is null.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from fastapi import Depends, Query
from pydantic import BaseModel, BeforeValidator, Field

from services.kernel.actors import Actor
from services.kernel.http.schemas import Response
from services.kernel.unit_of_work import UnitOfWork

Tell = Callable[[UnitOfWork, Actor, set[str]], Awaitable[Mapping[str, BaseModel]]]
"""(work, actor, ids) → by id, those that the actor may see."""


@dataclass(frozen=True)
class Teller:
    """`answer` is what the thing's own operation answers, `permission` what it asks for."""

    answer: type[BaseModel]
    permission: str
    tell: Tell


TELLERS: dict[str, Teller] = {}


def tells(name: str, answer: type[BaseModel], *, holding: str) -> Callable[[Tell], Tell]:
    def register(tell: Tell) -> Tell:
        if name in TELLERS:
            raise TypeError(f"two contexts tell what a {name} is")
        TELLERS[name] = Teller(answer, holding, tell)
        return tell

    return register


class Expandable(Response):
    """An answer with ids that can be written out: `expandable` names them without their `_id`."""

    expandable: ClassVar[tuple[str, ...]] = ()

    expanded: dict[str, Any] | None = Field(
        default=None, description="What `expand` asked for, by name; null where you may not see it"
    )


class Expand:
    """What the caller wants written out."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(dict.fromkeys(names))

    async def into(self, work: UnitOfWork, actor: Actor, answers: Sequence[Expandable]) -> None:
        """Writes it out in each of the answers. PermissionMissing where the credential may not read such a thing."""
        if not self.names:
            return
        for answer in answers:
            answer.expanded = {}
        for name in self.names:
            await _expand(name, work, actor, answers)


async def _expand(name: str, work: UnitOfWork, actor: Actor, answers: Sequence[Expandable]) -> None:
    teller = TELLERS[name]
    actor.must_hold(teller.permission)
    ids = [getattr(answer, f"{name}_id") for answer in answers]
    found = await teller.tell(work, actor, {id for id in ids if id is not None})
    for answer, id in zip(answers, ids, strict=True):
        assert answer.expanded is not None
        answer.expanded[name] = found.get(id)


def expanding(answer: type[Expandable]) -> Any:
    """Declares `?expand=` for what the answer can write out; any other name is refused with those there are."""
    named: Any = Literal[answer.expandable]
    told = "Written out beside their ids: " + ", ".join(answer.expandable)

    def asked(
        expand: Annotated[list[named], BeforeValidator(_split), Query(description=told, max_length=10)] = [],  # noqa: B006
    ) -> Expand:
        return Expand(expand)

    return Depends(asked)


def _split(given: Any) -> Any:
    """`a,b` is the same as asking twice."""
    return [name for part in given for name in part.split(",")] if isinstance(given, list) else given


def describe(document: dict[str, Any]) -> None:
    """Says in the document what `expanded` holds: by name, what the thing's own operation answers."""
    schemas = document["components"]["schemas"]
    for answer in _expandables(Expandable):
        if answer.__name__ in schemas and answer.expandable:
            name = f"{answer.__name__}Expanded"
            field = schemas[answer.__name__]["properties"]["expanded"]
            schemas[name] = {
                "type": "object",
                "title": name,
                "description": "Only what was asked for is there.",
                "properties": {each: _nullable(TELLERS[each].answer.__name__) for each in answer.expandable},
            }
            schemas[answer.__name__]["properties"]["expanded"] = field | {**_nullable(name)}


def _nullable(name: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/components/schemas/{name}"}, {"type": "null"}]}


def _expandables(parent: type[Expandable]) -> list[type[Expandable]]:
    return [each for child in parent.__subclasses__() for each in (child, *_expandables(child))]
