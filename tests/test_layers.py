"""The direction of the imports: launcher → flows → telethon, and never back.

The imports are read from the source, so one inside a function or under `TYPE_CHECKING` counts.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def modules(within: str) -> Iterator[tuple[str, Path]]:
    """A package or module and everything in it: the dotted names and the files."""
    for file in sorted((ROOT / within.partition(".")[0]).rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if inside(name, within):
            yield name, file


def imports(module: str, file: Path) -> set[str]:
    """The dotted names a module imports, relative ones made absolute."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, file, node)
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def _absolute(module: str, file: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    drop = node.level - (file.name == "__init__.py")
    package = module.split(".")[: len(module.split(".")) - drop]
    return ".".join([*package, *([node.module] if node.module else [])])


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def offenders(within: str, forbidden: tuple[str, ...], allowed: str = "") -> list[tuple[str, str]]:
    """Which module of a package imports what it must not."""
    return [
        (module, name)
        for module, file in modules(within)
        for name in sorted(imports(module, file))
        if any(inside(name, package) for package in forbidden) and not (allowed and inside(name, allowed))
    ]


def test_flows_know_telethon_and_nothing_of_the_launcher() -> None:
    assert offenders("flows", ("launcher", "tests")) == []


def test_reading_links_needs_no_client() -> None:
    """Links are pure: no Telethon, no files, no network."""
    assert offenders("flows.links", ("telethon", "asyncio", "socket", "pathlib", "os")) == []


def test_the_sandbox_is_an_independent_witness() -> None:
    found = offenders("launcher.sandbox", ("flows", "launcher"), allowed="launcher.sandbox")
    # `from launcher import sandbox` names the parent package as well
    assert [(module, name) for module, name in found if name != "launcher"] == []


def test_nobody_imports_the_command_line_but_its_entry() -> None:
    found = offenders("flows", ("launcher.cli",)) + offenders("launcher", ("launcher.cli",))
    outside = {module for module, _ in found if not inside(module, "launcher.cli")}
    assert outside <= {"launcher.__main__"}


def test_nobody_imports_the_pytest_plugin() -> None:
    found = offenders("flows", ("launcher.pytest_plugin", "pytest"))
    found += offenders("launcher", ("launcher.pytest_plugin", "pytest"))
    assert {module for module, _ in found if not inside(module, "launcher.pytest_plugin")} == set()


DOORS = {
    "launcher.exporter": {
        "launcher.cli.exporter",
        "launcher.demo.doors",
        "launcher.scale.shared_results",
    },
    "launcher.record": {"launcher.cli.record"},
    "launcher.scale": {"launcher.cli.exporter", "launcher.cli.worker"},
    "launcher.verify": {"launcher.cli.verify"},
}
"""What sits on top, and who may open it."""


@pytest.mark.parametrize("door", DOORS)
def test_nobody_imports_a_door_but_its_command(door: str) -> None:
    found = offenders("flows", (door,)) + offenders("launcher", (door,))
    assert {module for module, _ in found if not inside(module, door)} == DOORS[door]


def test_the_bridge_does_no_io() -> None:
    forbidden = ("asyncio", "telethon", "playwright", "httpx")
    assert offenders("launcher.bridge", forbidden) == []


def test_hosts_know_the_wire_form_only() -> None:
    assert offenders("launcher.hosts", ("flows", "telethon")) == []
    found = offenders("launcher.hosts", ("launcher",), allowed="launcher.hosts")
    assert [name for _, name in found if name != "launcher"] == []


@pytest.mark.parametrize(
    ("module", "file", "source", "expected"),
    [
        ("a.b.c", "a/b/c.py", "import x.y as z", {"x.y"}),
        ("a.b.c", "a/b/c.py", "from x import y, z", {"x", "x.y", "x.z"}),
        ("a.b.c", "a/b/c.py", "from . import d", {"a.b", "a.b.d"}),
        ("a.b.c", "a/b/c.py", "from ..d import e", {"a.d", "a.d.e"}),
        ("a.b", "a/b/__init__.py", "from .d import e", {"a.b.d", "a.b.d.e"}),
        ("a", "a.py", "def f():\n    import x\n", {"x"}),
    ],
)
def test_imports_are_read(tmp_path: Path, module: str, file: str, source: str, expected: set[str]) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    assert imports(module, path) == expected
