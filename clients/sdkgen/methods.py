"""One operation as one method: its arguments, what it hands to `Call`, and its documentation."""

import re
from dataclasses import dataclass, field

from .document import EVENT_STREAM, FORM, MULTIPART, Operation, Schema
from .names import free, pascal, snake
from .prose import docstring
from .schemas import Schemas

TAKEN = {
    "self",
    "options",
    "models",
    "timeout",
    "max_retries",
    "account",
    "extra_headers",
    "idempotency_key",
    "builtins",
}
TAKEN |= {"last_event_id", "Call", "segment", "etag", "optional", "Page", "AsyncPage", "NOT_GIVEN"}


@dataclass(frozen=True)
class Argument:
    name: str
    annotation: str
    required: bool
    told: str

    def declared(self) -> str:
        if self.required:
            return f"{self.name}: {self.annotation}"
        annotation = self.annotation if self.annotation == "Any" else f"{self.annotation} | NotGiven"
        return f"{self.name}: {annotation} = NOT_GIVEN"


@dataclass
class Method:
    """The pieces of a method, filled in the order they are written."""

    operation: Operation
    schemas: Schemas
    positional: list[Argument] = field(default_factory=list)
    keywords: list[Argument] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    _taken: set[str] = field(default_factory=lambda: set(TAKEN))

    @property
    def hint(self) -> str:
        return pascal(self.operation.resource) + pascal(self.operation.name)

    def answered(self) -> tuple[str, str]:
        """(shape, annotation): shape is page, stream or plain."""
        if self.operation.answer is None:
            return "plain", "None"
        media_type, schema = self.operation.answer
        if media_type == EVENT_STREAM:
            return "stream", self._streamed(schema)
        if not (media_type == "application/json" or media_type.endswith("+json")):
            return "plain", "str" if _is_text(media_type, self.schemas.flat(schema)) else "bytes"
        item = self.schemas.item_of_page(schema)
        if item is not None:
            return "page", self.schemas.answered(item, f"{self.hint}Item")
        annotation = self.schemas.answered(schema, f"{self.hint}Answer")
        is_optional = self.operation.may_be_empty and annotation != "Any"
        return "plain", f"{annotation} | None" if is_optional else annotation

    def _streamed(self, schema: Schema) -> str:
        data = self.schemas.flat(schema).get("properties", {}).get("data", {})
        return self.schemas.answered(data.get("contentSchema", data or schema), f"{self.hint}Event")

    def collect(self) -> None:
        """Fills arguments and what is passed on; asks for sent annotations, so all answers must have been asked for."""
        self.passed = [f'"{self.operation.method}"', self._path()]
        self._parameters("query", "query")
        self._parameters("header", "headers")
        self._body()
        media_type = self.operation.answer[0] if self.operation.answer else "application/json"
        flags = {
            f'accept="{media_type}"': media_type != "application/json",
            "is_public=True": self.operation.is_public,
            "is_keyed=True": self.operation.is_keyed,
        }
        self.passed += [flag for flag, is_set in flags.items() if is_set]

    def _path(self) -> str:
        schemas = {one.name: one for one in self.operation.parameters if one.where == "path"}
        pieces = re.split(r"\{([^}]+)\}", self.operation.path)
        for number in range(1, len(pieces), 2):
            parameter = schemas.get(pieces[number])
            kind = self.schemas.sent(parameter.schema, pascal(pieces[number])) if parameter else "str"
            name = free(snake(pieces[number]), self._taken)
            self.positional.append(Argument(name, kind, True, parameter.description if parameter else ""))
            pieces[number] = f"{{segment({name})}}"
        quoted = "".join(pieces)
        return f'f"{quoted}"' if self.positional else f'"{quoted}"'

    def _parameters(self, where: str, passed_as: str) -> None:
        pairs = []
        for one in sorted(self.operation.parameters, key=lambda parameter: parameter.name):
            if one.where != where:
                continue
            is_match = one.name.lower() == "if-match"
            kind = "str | int" if is_match else self.schemas.sent(one.schema, f"{self.hint}{pascal(one.name)}")
            told = " ".join(dict.fromkeys(part for part in (one.description, self.schemas.told(one.schema)) if part))
            name = self._keyword(one.name, kind, one.required, told)
            pairs.append(f'"{one.name}": etag({name})' if is_match else f'"{one.name}": {name}')
        if pairs:
            self.passed.append(f"{passed_as}={{{', '.join(pairs)}}}")

    def _keyword(self, wire: str, kind: str, required: bool, told: str) -> str:
        name = free(snake(wire), self._taken)
        self.keywords.append(Argument(name, kind, required, told))
        return name

    def _body(self) -> None:
        if self.operation.body is None:
            return
        media_type, schema, required = self.operation.body
        node, is_nullable = self.schemas.without_null(schema)
        required = required and not is_nullable
        is_json = media_type == "application/json" or media_type.endswith("+json")
        if node.get("properties") and (is_json or media_type in (MULTIPART, FORM)):
            self._fields(media_type, node, required)
        elif is_json:
            self._whole_body("json", self.schemas.sent(schema, f"{self.hint}Body"), required)
        else:
            self._whole_body("content", "bytes | str", required)
        if media_type not in ("application/json", MULTIPART, FORM):
            self.passed.append(f'content_type="{media_type}"')

    def _whole_body(self, passed_as: str, kind: str, required: bool) -> None:
        self.passed.append(f"{passed_as}={self._keyword('body', kind, required, '')}")

    def _fields(self, media_type: str, node: Schema, required: bool) -> None:
        plain: list[str] = []
        files: list[str] = []
        for wire, schema in sorted(node["properties"].items()):
            if self.schemas.flat(schema).get("readOnly"):
                continue
            kind = self.schemas.sent(schema, f"{self.hint}{pascal(wire)}")
            must = required and wire in node.get("required", [])
            pair = f'"{wire}": {self._keyword(wire, kind, must, self.schemas.told(schema))}'
            (files if "File" in re.findall(r"\w+", kind) else plain).append(pair)
        fields = f"{{{', '.join(plain)}}}"
        if media_type == MULTIPART:
            self.passed += [f"form={fields}", f"files={{{', '.join(files)}}}"]
        elif media_type == FORM:
            self.passed.append(f"form={fields}")
        else:
            self.passed.append(f"json={fields}" if required else f"json=optional({fields})")

    def signature(self) -> str:
        """What stands between the brackets of the def."""
        ordered = sorted(self.keywords, key=lambda argument: (not argument.required, argument.name))
        keywords = ["*", *(one.declared() for one in ordered)] if ordered else []
        if self.operation.answer and self.operation.answer[0] == EVENT_STREAM:
            keywords = [*(keywords or ["*"]), "last_event_id: str | None = None"]
        options = "WriteOptions" if self.operation.is_keyed else "Options"
        parts = ["self", *(one.declared() for one in self.positional), *keywords, f"**options: Unpack[{options}]"]
        return ", ".join(parts)

    def documentation(self) -> list[str]:
        arguments = [one for one in (*self.positional, *self.keywords) if one.told.strip()]
        listed = "\n".join(f"- `{one.name}`: {' '.join(one.told.split())}" for one in arguments)
        text = "\n\n".join(part for part in (self.operation.summary, self.operation.description, listed) if part)
        return docstring(text, fallback=f"{self.operation.method} {self.operation.path}", indent=" " * 8)


def _is_text(media_type: str, node: Schema) -> bool:
    is_binary = node.get("format") == "binary" or "contentMediaType" in node
    return not is_binary and (media_type.startswith("text/") or "jwt" in media_type or node.get("type") == "string")
