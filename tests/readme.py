"""The tables of README.md and EVENTS.md, made from the code; `python -m tests.readme` writes them.

A table stands between `<!-- name -->` and `<!-- /name -->`. `test_docs` compares.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable
from enum import Enum
from functools import partial
from pathlib import Path

import flows
from flows import FLOWS, Question
from launcher.bridge.catalogue import Event, incoming_events, outgoing_events
from launcher.demo.expected import DOCUMENTED
from launcher.exporter.metrics import METRICS
from launcher.metapro import settings as metapro
from launcher.mini_app import CloseReason
from launcher.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
EVENTS = ROOT / "EVENTS.md"


def table(*rows: Iterable[str]) -> str:
    """A Markdown table; the first row is its head."""
    head, *body = [list(row) for row in rows]
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def flows_table() -> str:
    rows = [["flow (`via=`)", "what is opened", "request", "query id", "identity"]]
    for name, app in FLOWS.items():
        documented = DOCUMENTED[name]
        module = inspect.getmodule(app)
        assert module is not None
        assert module.__doc__ is not None
        what = module.__doc__.splitlines()[0].partition(": ")[2].removesuffix(".")
        rows.append(
            [
                f"[`{name}`](flows/{name}.py)",
                what,
                f"`{app.method}`",
                "yes" if "query_id" in documented.identity else "no",
                "yes" if "user" in documented.identity else "no",
            ]
        )
    return table(*rows)


def reasons_table() -> str:
    return table(
        ["reason", "meaning"], *([f"`{name}`", text] for name, text in documented_members(CloseReason))
    )


def questions_table() -> str:
    rows = [["question", "what is asked", "unless you say otherwise"]]
    policy = flows.Consent()
    for name, text in documented_members(Question):
        first = re.split(r"(?<=\.) ", text)[0]
        rows.append(
            [
                f"`{name}`",
                first,
                {"allow": "allowed", "decline": "declined"}[str(policy.answer(Question(name)))],
            ]
        )
    return table(*rows)


def metrics_table() -> str:
    return table(
        ["metric", "labels", "meaning"],
        *([f"`{metric.name}`", ", ".join(metric.labels), metric.help] for metric in METRICS),
    )


def settings_table(prefix: str = PREFIX) -> str:
    """From `.env.example`, whose comments say what each setting is."""
    rows, comment = [["setting", "meaning"]], ""
    for line in (ROOT / ".env.example").read_text().splitlines():
        if line.startswith("# "):
            comment = f"{comment} {line[2:]}".strip()
        elif line.startswith(prefix):
            rows.append([f"`{line.partition('=')[0]}`", comment.replace("|", "\\|")])
        elif not line:
            comment = ""
    return table(*rows)


def outgoing_table() -> str:
    head = ["event", "since", "meaning", "parameters", "replies"]
    return table(head, *([*_event(row), code(*row.replies)] for row in outgoing_events()))


def incoming_table() -> str:
    return table(["event", "since", "meaning", "parameters"], *(_event(row) for row in incoming_events()))


def _event(row: Event) -> list[str]:
    parameters = [
        f"{each.name}{'' if each.required else '?'}: {each.type}"
        + (f" (since {each.since})" if each.since else "")
        for each in row.parameters
    ]
    return [code(row.name), row.since or "", row.meaning, code(*parameters)]


def code(*texts: str) -> str:
    return "<br>".join(f"`{text}`".replace("|", "\\|") for text in texts)


def documented_members(enum: type[Enum]) -> list[tuple[str, str]]:
    """The members of an enum with the texts that stand below them in the source."""
    body = ast.parse(inspect.getsource(enum)).body[0]
    assert isinstance(body, ast.ClassDef)
    found = []
    for node, below in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(node, ast.Assign)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            assert isinstance(node.value, ast.Constant)
            found.append((str(node.value.value), " ".join(str(below.value.value).split())))
    assert [name for name, _ in found] == [member.value for member in enum]
    return found


TABLES: dict[str, Callable[[], str]] = {
    "flows": flows_table,
    "reasons": reasons_table,
    "questions": questions_table,
    "metrics": metrics_table,
    "settings": settings_table,
    "metapro-settings": partial(settings_table, metapro.PREFIX),
}
DOCUMENTS = {README: TABLES, EVENTS: {"outgoing": outgoing_table, "incoming": incoming_table}}


def block(text: str, name: str) -> str:
    """What stands between the marks of that name."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert found, f"there is no block {name}"
    return found[1].strip()


def with_block(text: str, name: str, content: str) -> str:
    marks = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
    return re.sub(marks, lambda found: f"{found[1]}{content}\n{found[2]}", text, flags=re.DOTALL)


def settings_in_code() -> set[str]:
    told = {PREFIX: Settings, metapro.PREFIX: metapro.MetaproSettings}
    return {f"{prefix}{name}".upper() for prefix, kind in told.items() for name in kind.model_fields}


def main() -> None:
    for document, tables in DOCUMENTS.items():
        text = document.read_text()
        for name, make in tables.items():
            text = with_block(text, name, make())
        document.write_text(text)


if __name__ == "__main__":
    main()
