"""`resources.ts`: a class per resource, the parameters of its methods, and the class the client inherits."""

from itertools import groupby

from ..names import pascal
from .methods import Method
from .names import camel, free
from .schemas import Types

IMPORTS = """import type { Pending } from "../answers.js";
import type { Upload } from "../bodies.js";
import type { NoParams, Options, StreamOptions, WriteOptions } from "../calls.js";
import type { PendingPage } from "../paging.js";
import type { Stream } from "../streams.js";
import { Resource, type Transport } from "../transport.js";
import type * as models from "./models.js";"""

CLIENT_NAMES = {"constructor", "environment", "request", "withAccount"}


def render(types: Types) -> list[str]:
    """The blocks of the module. Fills `types` with every interface the operations need."""
    methods = [Method(operation, types) for operation in types.document.operations()]
    interfaces = ["\n".join(method.interface()) for method in methods]
    groups = [(name, list(group)) for name, group in groupby(methods, key=lambda method: method.operation.resource)]
    classes = [_resource(name, group) for name, group in groups]
    return [*filter(None, interfaces), *classes, _all([name for name, _ in groups])]


def _resource(name: str, methods: list[Method]) -> str:
    taken = {"constructor", "transport"}
    blocks = ["\n".join(method.lines(free(camel(method.operation.name), taken))) for method in methods]
    head = f"/** `client.{camel(name)}`. */\nexport class {pascal(name)}Resource extends Resource {{\n"
    return head + "\n\n".join(blocks) + "\n}"


def _all(names: list[str]) -> str:
    taken = set(CLIENT_NAMES)
    fields = [(free(camel(name), taken), f"{pascal(name)}Resource") for name in names]
    return "\n".join(
        [
            "/** The resources of a client. */",
            "export class Resources {",
            *(f"  readonly {field}: {kind};" for field, kind in fields),
            "",
            "  /** Every resource sends through the same transport. */",
            "  constructor(transport: Transport) {",
            *(f"    this.{field} = new {kind}(transport);" for field, kind in fields),
            "  }",
            "}",
        ]
    )
