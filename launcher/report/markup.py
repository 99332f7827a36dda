"""HTML from values, so that a stranger's text cannot become markup.

`tag` escapes every child and attribute that is a plain text; only what `tag` itself has made (`Html`) goes in
as it is. Characters that do not print, among them those that turn the direction of text, are made visible.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any, TypeAlias

from launcher.plain_text import plain

__all__ = ["Child", "Html", "join", "tag"]


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Child: TypeAlias = "str | int | float | Iterable[Child] | None"


def tag(element: str, /, *children: Child, **attributes: Any) -> Html:
    """An element. None is no child; an attribute that is None or False is left out, True has no value.

    `class_` and `for_` stand for the names Python keeps for itself, `_` within a name for a dash.
    """
    opening = "".join(f" {key}" for key in map(_attribute, attributes.items()) if key)
    content = join(children)
    start = f"<{element}{opening}>"
    return Html(start if element in _VOID else f"{start}{content}</{element}>")


def join(children: Iterable[Child]) -> Html:
    """Several children, one after the other."""
    return Html("".join(_child(child) for child in children))


_VOID = frozenset({"br", "img", "input", "link", "meta"})


def _child(child: Child) -> str:
    match child:
        case None:
            return ""
        case Html():
            return child
        case str():
            return escape("\n".join(map(plain, child.split("\n"))))
        case int() | float():
            return str(child)
    return join(child)


def _attribute(item: tuple[str, Any]) -> str:
    name, value = item
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return name if value is True else f'{name}="{escape(plain(value))}"'
