"""Names of the document as names of TypeScript."""

import json
import re

from ..names import snake

RESERVED = {
    "arguments",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
}
RESERVED |= {
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
}
RESERVED |= {
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
}
RESERVED |= {"return", "static", "super", "switch", "this", "throw", "true", "try", "typeof", "var", "void", "while"}
RESERVED |= {"with", "yield"}


def camel(text: str) -> str:
    """`book_slot`, `If-Match` → bookSlot, ifMatch."""
    first, *rest = snake(text).split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def free(name: str, taken: set[str]) -> str:
    """The name, with underscores behind it until it is not taken; it is taken afterwards."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def key(name: str) -> str:
    """A field of an object or of an interface, quoted where it must be."""
    return name if re.fullmatch(r"[A-Za-z_$][\w$]*", name, re.ASCII) else literal(name)


def literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
