"""YAML with line numbers: what a file says, and on which line it says each thing.

PyYAML's safe loader builds the values; its node tree knows the lines. Keys that stand twice in one mapping,
which YAML forbids and PyYAML takes silently, are an error.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

from flows import BadInput

__all__ = ["Document", "read_yaml"]


class Document:
    """A YAML file: `value` is what it says, `line_of` where."""

    def __init__(self, name: str, value: Any, root: yaml.Node | None) -> None:
        self.name = name
        self.value = value
        self._root = root

    def line_of(self, path: tuple[Hashable, ...]) -> int:
        """The line (from 1) of the key or item that `path` leads to: as far as the file goes along."""
        node, line = self._root, 1
        for step in path:
            found = _below(node, step)
            if found is None:
                break
            line, node = found
        return line

    def wrong(self, path: tuple[Hashable, ...], what: str, remedy: str) -> BadInput:
        """An error that names the file and the line."""
        return BadInput(f"{self.name}:{self.line_of(path)}: {what}", remedy)


def read_yaml(text: str, name: str) -> Document:
    """Read a file's text. Raises BadInput with `name:line:` for what is no YAML, and for a key that stands
    twice."""
    try:
        value, root = _parsed(text, name)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise BadInput(f"{name}:{line}: not YAML: {error.problem}.", "Mend that line.") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadInput(
            f"{name}:{line}: not YAML: it has a character that YAML does not allow.", "Remove it."
        ) from None
    except (ValueError, RecursionError):  # a date that is none, or a nesting without end
        raise BadInput(f"{name}:1: not YAML that can be read.", "Write dates as text.") from None
    return Document(name, value, root)


def _parsed(text: str, name: str) -> tuple[Any, yaml.Node | None]:
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        _no_key_twice(root, name)
        return (None if root is None else loader.construct_document(root)), root
    finally:
        loader.dispose()


def _below(node: yaml.Node | None, step: Hashable) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    return None


def _no_key_twice(root: yaml.Node | None, name: str) -> None:
    waiting = [root]
    seen: set[int] = set()  # an alias may lead in a circle
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if isinstance(key.value, str) and key.value in keys:
                    line = key.start_mark.line + 1
                    raise BadInput(f"{name}:{line}: {key.value} stands here twice.", "Keep one of the two.")
                keys.add(str(key.value))
                waiting.append(value)
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
