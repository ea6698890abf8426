"""Values with a form of their own on the wire: a JSON object of strings, parsed strictly, written out as one schema."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class WireValue:
    """Base of `Money` and `Mass`. `wire_fields` maps each field of the JSON object to its schema."""

    wire_title: ClassVar[str]
    wire_fields: ClassVar[Mapping[str, dict[str, Any]]]
    wire_example: ClassVar[dict[str, str]]

    @classmethod
    def from_wire(cls, value: dict[str, str]) -> Self:
        """ValueError says what is wrong."""
        raise NotImplementedError

    def to_wire(self) -> dict[str, str]:
        raise NotImplementedError

    @classmethod
    def _parse(cls, value: Any) -> Self:
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict) or set(value) != set(cls.wire_fields):
            raise ValueError(f"this is {cls.wire_example} and nothing else")
        if not all(isinstance(part, str) for part in value.values()):
            raise ValueError("both are strings, never JSON numbers")
        return cls.from_wire(value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        rendered = core_schema.plain_serializer_function_ser_schema(
            lambda value: value.to_wire(), return_schema=core_schema.dict_schema()
        )
        return core_schema.no_info_plain_validator_function(cls._parse, serialization=rendered)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "title": cls.wire_title,
            "type": "object",
            "required": list(cls.wire_fields),
            "additionalProperties": False,
            "properties": dict(cls.wire_fields),
            "examples": [cls.wire_example],
        }
