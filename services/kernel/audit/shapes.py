"""What the trail needs to know of a table, found out once.

A table says by class attributes what stays out: `__audited__ = False` all of it, `__audit_hidden__` the values of some columns,
of which an entry says only that they were set. Names that smell of secrets are hidden even where nobody said so.
"""

import re
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import inspect
from sqlalchemy.orm import Mapper

from services.kernel.ids import OrgId

SMELLS_OF_SECRETS = re.compile("secret|password|token|sealed|salt|iban|private")


@dataclass(frozen=True)
class Shape:
    """Columns by their attribute names. `org_columns` are those whose type is OrgId; `parents` are (column, class) of every
    reference to another table's whole primary key."""

    table: str
    is_audited: bool
    columns: tuple[str, ...]
    key: tuple[str, ...]
    hidden: frozenset[str]
    org_columns: tuple[str, ...]
    parents: tuple[tuple[str, type[Any]], ...]


_known: dict[type[Any], Shape] = {}


def shape_of(row: Any) -> Shape:
    kind = type(row)
    if kind not in _known:
        _known[kind] = _shape(kind)
    return _known[kind]


def _shape(kind: type[Any]) -> Shape:
    mapper: Mapper[Any] = inspect(kind)
    columns = tuple(attribute.key for attribute in mapper.column_attrs)
    declared: frozenset[str] = getattr(kind, "__audit_hidden__", frozenset())
    return Shape(
        table=str(kind.__tablename__),
        is_audited=getattr(kind, "__audited__", True),
        columns=columns,
        key=tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key),
        hidden=declared | {name for name in columns if SMELLS_OF_SECRETS.search(name)},
        org_columns=tuple(name for name in columns if _is_of_org(kind.model_fields[name].annotation)),
        parents=tuple(_parents(mapper)),
    )


def _is_of_org(annotation: Any) -> bool:
    return annotation is OrgId or OrgId in get_args(annotation)


def _parents(mapper: Mapper[Any]) -> list[tuple[str, type[Any]]]:
    kinds = {tuple(other.primary_key): other.class_ for other in mapper.registry.mappers}
    keys = sorted(mapper.local_table.foreign_keys, key=lambda key: key.target_fullname)
    found = ((key.parent, kinds.get((key.column,))) for key in keys)
    return [(mapper.get_property_by_column(column).key, kind) for column, kind in found if kind is not None]
