"""One operation as one method: its arguments, its descriptor, and its documentation."""

import textwrap
from dataclasses import dataclass, field
from functools import cached_property

from ..document import EVENT_STREAM, FORM, MULTIPART, DocumentError, Operation, Schema
from ..names import pascal
from .names import RESERVED, camel, free, literal
from .prose import jsdoc
from .schemas import Arms, Types, entry

RETURNS = {"page": "PendingPage", "stream": "Stream"}
SENDS = {"page": "list", "stream": "stream"}
WIDEST = 104
"""What fits into a line of a descriptor behind its name."""


@dataclass
class Method:
    """Ask for `lines` and `interface`; the types of the answer are asked for first."""

    operation: Operation
    types: Types
    _path_arguments: list[str] = field(default_factory=list)
    _fields: dict[str, list[str]] = field(default_factory=dict)
    _required: set[str] = field(default_factory=set)
    _options: list[tuple[str, str, bool, str]] = field(default_factory=list)

    @property
    def hint(self) -> str:
        return pascal(self.operation.resource) + pascal(self.operation.name)

    @cached_property
    def answered(self) -> tuple[str, str]:
        """(shape, type): shape is page, stream, text, bytes, nothing or json."""
        if self.operation.answer is None:
            return "nothing", "void"
        media_type, schema = self.operation.answer
        if media_type == EVENT_STREAM:
            return "stream", self._streamed(schema)
        if not (media_type == "application/json" or media_type.endswith("+json")):
            return ("text", "string") if self._is_text(media_type, schema) else ("bytes", "Uint8Array")
        item = self.types.reading.item_of_page(schema)
        if item is not None:
            return "page", _union(self.types.answered(item, f"{self.hint}Item"))
        arms = self.types.answered(schema, f"{self.hint}Answer")
        return "json", _union([*arms, "undefined"] if self.operation.may_be_empty and arms != ["unknown"] else arms)

    def _streamed(self, schema: Schema) -> str:
        data = self.types.reading.flat(schema).get("properties", {}).get("data", {})
        return _union(self.types.answered(data.get("contentSchema", data or schema), f"{self.hint}Event"))

    def _is_text(self, media_type: str, schema: Schema) -> bool:
        node = self.types.reading.flat(schema)
        is_binary = node.get("format") == "binary" or "contentMediaType" in node
        return not is_binary and (media_type.startswith("text/") or "jwt" in media_type or node.get("type") == "string")

    @cached_property
    def descriptor(self) -> dict[str, str]:
        """The fields of the Operation that is handed to the transport, as source. Collects the arguments on its way."""
        operation, (shape, _) = self.operation, self.answered
        self._take_path()
        found = {
            "id": literal(f"{operation.resource}.{operation.name}"),
            "method": literal(operation.method),
            "path": literal(operation.path),
            "query": self._query(),
            "headers": self._headers(),
            "body": self._body(),
            "accept": literal(operation.answer[0]) if operation.answer and shape not in ("json", "page") else "",
            "answers": literal(shape) if shape in ("text", "bytes", "nothing") else "",
            "mayBeEmpty": "true" if shape == "json" and operation.may_be_empty else "",
            "isPublic": "true" if operation.is_public else "",
            "isKeyed": "true" if operation.is_keyed else "",
        }
        return {name: source for name, source in found.items() if source}

    def _take_path(self) -> None:
        taken = {*RESERVED, "params", "options"}
        pieces = self.operation.path.split("{")[1:]
        self._path_arguments = [free(camel(piece.partition("}")[0]), taken) for piece in pieces]

    def _query(self) -> str:
        names = []
        for one in sorted(self.operation.parameters, key=lambda parameter: parameter.name):
            if one.where == "query":
                arms = self.types.sent(one.schema, f"{self.hint}{pascal(one.name)}")
                self._take(one.name, arms, must=one.required, told=one.description or self.types.told(one.schema))
                names.append(one.name)
        return literal(names) if names else ""

    def _headers(self) -> str:
        pairs = []
        for one in sorted(self.operation.parameters, key=lambda parameter: parameter.name):
            if one.where == "header":
                is_match = one.name.lower() == "if-match"
                kind = "string | number" if is_match else _union(self.types.sent(one.schema, self.hint))
                self._options.append((camel(one.name), kind, one.required, one.description))
                pairs.append(f"{camel(one.name)}: {literal('If-Match' if is_match else one.name)}")
        return f"{{ {', '.join(pairs)} }}" if pairs else ""

    def _body(self) -> str:
        if self.operation.body is None:
            return ""
        media_type, schema, required = self.operation.body
        node, is_nullable = self.types.reading.without_null(schema)
        required = required and not is_nullable
        is_json = media_type == "application/json" or media_type.endswith("+json")
        named = {}
        if node.get("properties") and (is_json or media_type in (MULTIPART, FORM)):
            named = self._body_fields(node, required, has_files=media_type == MULTIPART)
        else:
            arms = self.types.sent(schema, f"{self.hint}Body") if is_json else ["string", "Upload"]
            self._take("body", arms, must=required, told="")
        flags = {"isRequired": "true"} if required else {}
        fields = {"type": literal(media_type), **named, **flags}
        return _object([f"{name}: {source}" for name, source in fields.items()])

    def _body_fields(self, node: Schema, required: bool, *, has_files: bool) -> dict[str, str]:
        plain: list[str] = []
        files: list[str] = []
        for wire, schema in sorted(node["properties"].items()):
            if self.types.reading.flat(schema).get("readOnly"):
                continue
            arms = self.types.sent(schema, f"{self.hint}{pascal(wire)}")
            self._take(wire, arms, must=required and wire in node.get("required", []), told=self.types.told(schema))
            (files if has_files and "Upload" in _union(arms) else plain).append(wire)
        return {"fields": _list(plain), **({"files": _list(files)} if files else {})}

    def _take(self, name: str, arms: Arms, *, must: bool, told: str) -> None:
        if name in self._fields:
            raise DocumentError(f"{self.operation.resource}.{self.operation.name} has two parameters named {name}")
        self._fields[name] = [*jsdoc(" ".join(told.split()), "  "), *entry(name, arms, must=must, is_sent=True)]
        if must:
            self._required.add(name)

    def interface(self) -> list[str]:
        """The interface of the parameters; none where there are none."""
        if not self.descriptor or not self._fields:
            return []
        ordered = sorted(self._fields, key=lambda name: (name not in self._required, name))
        fields = [line for name in ordered for line in self._fields[name]]
        return [f"export interface {self.hint}Params {{", *fields, "}"]

    def lines(self, name: str) -> list[str]:
        """The method in its class."""
        shape, annotation = self.answered
        descriptor = [f"        {field}: {source}," for field, source in self.descriptor.items()]
        return [
            *jsdoc(self._documentation(), "  "),
            f"  {name}(",
            *(f"    {argument}," for argument in self._arguments()),
            f"  ): {RETURNS.get(shape, 'Pending')}<{annotation}> {{",
            f"    return this.transport.{SENDS.get(shape, 'send')}(",
            *("      {", *descriptor, "      },"),
            f"      [{', '.join(self._path_arguments)}],",
            *("      params,", "      options,", "    );", "  }"),
        ]

    def _arguments(self) -> list[str]:
        """A method takes parameters even where there are none today: one more must not move the options."""
        params = f"{self.hint}Params" if self._fields else "NoParams"
        must_be_given = any(required for _, _, required, _ in self._options)
        return [
            *(f"{name}: string" for name in self._path_arguments),
            f"params: {params}" if self._required else f"params: {params} = {{}}",
            f"options: {self._options_type()}" if must_be_given else f"options: {self._options_type()} = {{}}",
        ]

    def _options_type(self) -> str:
        base = "WriteOptions" if self.operation.is_keyed else "Options"
        if self.answered[0] == "stream":
            base = "StreamOptions"
        own = [
            f"{name}: {kind}" if required else f"{name}?: {kind} | undefined"
            for name, kind, required, _ in self._options
        ]
        return f"{base} & {{ {'; '.join(own)} }}" if own else base

    def _documentation(self) -> str:
        told = [f"- `options.{name}`: {' '.join(text.split())}" for name, _, _, text in self._options if text.strip()]
        parts = (self.operation.summary, self.operation.description, "\n".join(told))
        return "\n\n".join(part for part in parts if part) or f"{self.operation.method} {self.operation.path}"


def _union(arms: Arms) -> str:
    return " | ".join(arms)


def _object(entries: list[str]) -> str:
    line = f"{{ {', '.join(entries)} }}"
    if len(line) <= WIDEST and "\n" not in line:
        return line
    indented = [f"          {entry}," for entry in entries]
    return "\n".join(["{", *indented, "        }"])


def _list(names: list[str]) -> str:
    line = literal(names)
    if len(line) <= WIDEST - 10:
        return line
    filled = textwrap.wrap(", ".join(map(literal, names)), WIDEST - 4)
    indented = [f"            {part}" for part in filled]
    return "\n".join(["[", *indented[:-1], f"{indented[-1]},", "          ]"])
