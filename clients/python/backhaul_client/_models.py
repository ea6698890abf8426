"""What answers are made of: light objects over the JSON the server sent.

Attributes are typed by annotations and read from the data on access. Fields and enum values this release does not know
survive: they are in `to_dict()`, in `model["field"]` and, untyped, as attributes.
"""

import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Union, get_args, get_origin, get_type_hints


class NotGiven:
    """The type of NOT_GIVEN, which leaves a field out. None is sent as null."""

    _only: ClassVar["NotGiven | None"] = None

    def __new__(cls) -> "NotGiven":
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN = NotGiven()


class Model:
    """An object of the API. A name that is a Python keyword carries a trailing underscore: `model.from_`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = dict(data)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            kinds = field_kinds(type(self))
            wire = name if name in self._data else name.removesuffix("_")
            if wire not in self._data:
                if name in kinds:
                    return None
                raise AttributeError(f"{type(self).__name__} has no field {name!r}")
            return read(kinds.get(name, Any), self._data[wire])

    def __getitem__(self, field: str) -> Any:
        """The field as it was sent, under the name it was sent with."""
        return self._data[field]

    def __contains__(self, field: object) -> bool:
        return field in self._data

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Model) and other._data == self._data

    def __dir__(self) -> list[str]:
        model: Any = type(self)
        return sorted({*super().__dir__(), *field_kinds(model), *self._data})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._data.items())})"

    def get(self, field: str, default: Any = None) -> Any:
        """The field as it was sent, or the default."""
        return self._data.get(field, default)

    def to_dict(self) -> dict[str, Any]:
        """A deep copy of everything the server sent, unknown fields included."""
        copied: dict[str, Any] = _copied(self._data)
        return copied


class EventSubject(Model):
    """The thing an event is about; `sequence` counts the events of this thing from 1."""

    id: str
    sequence: int


class EventTransition(Model):
    """The move of the thing's status, if it moved."""

    name: str | None
    from_: str | None
    to: str | None


class Event(Model):
    """The envelope of a partner event; a type this release does not know arrives as UnknownEvent.

    `timestamp` is when it happened, `recorded_at` when the market learned of it, `seq` its place in the feed.
    """

    id: str
    type: str
    schema_version: int
    timestamp: str
    recorded_at: str
    livemode: bool
    seq: int
    subject: EventSubject
    transition: EventTransition | None
    data: Any


class UnknownEvent(Event):
    """An event of a type newer than this release; `data` is the plain JSON."""


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value


@cache
def field_kinds(model: type[Model]) -> dict[str, Any]:
    """The annotated fields of a model and what they are read as."""
    hints = get_type_hints(model)
    return {name: kind for name, kind in hints.items() if not name.startswith("_")}


def read(kind: Any, value: Any) -> Any:
    """JSON as the annotated kind, never refusing: what does not fit is handed on as it came."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _read_union(get_args(kind), value)
    if origin is list and isinstance(value, list):
        return [read(get_args(kind)[0], item) for item in value]
    if origin is dict and isinstance(value, dict):
        return {key: read(get_args(kind)[1], item) for key, item in value.items()}
    if _is_model(kind) and isinstance(value, dict):
        return kind(value)
    return value


def _read_union(arms: tuple[Any, ...], value: Any) -> Any:
    models = [arm for arm in arms if _is_model(arm)]
    if isinstance(value, dict) and models:
        return _best_fit(models, value)(value)
    for arm in arms:
        if get_origin(arm) is type(value):
            return read(arm, value)
    return value


def _best_fit(models: list[Any], value: dict[str, Any]) -> Callable[[dict[str, Any]], Model]:
    def fit(model: Any) -> tuple[bool, int]:
        constants = getattr(model, "_constants", {})
        return (
            all(value.get(name) == constant for name, constant in constants.items()),
            len(field_kinds(model).keys() & value.keys()),
        )

    best: Callable[[dict[str, Any]], Model] = max(models, key=fit)
    return best


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Model)
