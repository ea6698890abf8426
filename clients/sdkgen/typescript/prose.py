"""Descriptions of the document as JSDoc comments, and fields of interfaces, wrapped to the line length."""

import textwrap

WIDTH = 120


def jsdoc(text: str, indent: str = "") -> list[str]:
    """The lines of a comment; none where there is nothing to say."""
    safe = text.strip().replace("*/", "*\\/")
    if not safe:
        return []
    width = WIDTH - len(indent) - 3
    blocks = [_wrapped(paragraph, width) for paragraph in safe.split("\n\n")]
    lines = [line for number, block in enumerate(blocks) for line in ([""] if number else []) + block]
    if len(lines) == 1 and len(lines[0]) <= width - 4:
        return [f"{indent}/** {lines[0]} */"]
    return [f"{indent}/**", *(f"{indent} * {line}".rstrip() for line in lines), f"{indent} */"]


def field(name: str, annotation: list[str], indent: str = "  ") -> list[str]:
    """`name: A | B;`, an arm a line where one line is too long."""
    line = f"{indent}{name}: {' | '.join(annotation)};"
    if len(line) <= WIDTH:
        return [line]
    arms = [part for arm in annotation for part in _arm(arm, f"{indent}  ")]
    return [f"{indent}{name}:", *arms[:-1], f"{arms[-1]};"]


def _arm(text: str, indent: str) -> list[str]:
    """One arm of a union; a list of many values has a line for each of them."""
    line = f"{indent}| {text}"
    outer, opened, inner = text.partition("<")
    if len(line) <= WIDTH or not opened:
        return [line]
    values = [f"{indent}    | {value}" for value in inner.removesuffix(">").split(" | ")]
    return [f"{indent}| {outer}<", *values, f"{indent}  >"]


def _wrapped(paragraph: str, width: int) -> list[str]:
    """Lists keep their lines, running text is filled."""
    lines = paragraph.splitlines()
    if any(line.lstrip().startswith(("-", "*", "|")) for line in lines):
        return [part for line in lines for part in textwrap.wrap(line, width) or [""]]
    return textwrap.wrap(" ".join(lines), width) or [""]
