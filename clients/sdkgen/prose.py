"""Descriptions of the document as docstrings and comments, wrapped to the line length."""

import textwrap

WIDTH = 112


def docstring(text: str, *, fallback: str, indent: str = "    ") -> list[str]:
    """The lines of a docstring, quotes included."""
    safe = (text.strip() or fallback).replace("\\", "\\\\").replace('"""', "'''")
    if safe.endswith('"'):
        safe = safe[:-1] + '\\"'
    paragraphs = [_wrapped(paragraph, WIDTH - len(indent)) for paragraph in safe.split("\n\n")]
    lines = [line for number, block in enumerate(paragraphs) for line in ([""] if number else []) + block]
    if len(lines) == 1:
        return [f'{indent}"""{lines[0]}"""']
    return [f'{indent}"""{lines[0]}', *(f"{indent}{line}" if line else "" for line in lines[1:]), f'{indent}"""']


def comment(text: str) -> list[str]:
    """An attribute docstring, or nothing where there is nothing to say."""
    return [line.removeprefix("    ") for line in docstring(text, fallback="")] if text.strip() else []


def _wrapped(paragraph: str, width: int) -> list[str]:
    """Lists keep their lines, running text is filled."""
    lines = paragraph.splitlines()
    if any(line.lstrip().startswith(("-", "*", "|")) for line in lines):
        return [part for line in lines for part in textwrap.wrap(line, width) or [""]]
    return textwrap.wrap(" ".join(lines), width) or [""]
