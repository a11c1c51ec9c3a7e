"""Who may import whom, read from the imports themselves."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {"pages": 2, "api": 2, "cli": 2, "core": 1, "storage": 0}
ALLOWED = {
    "streamlit": ("pages", "app"),
    "streamlit_drawable_canvas": ("pages",),
    "starlette": ("api",),
    "uvicorn": ("api",),
    "sqlmodel": ("storage",),
    "sqlalchemy": ("storage",),
    "alembic": ("storage",),
    "fsspec": ("storage",),
    "torch": ("core.segmentation", "core.training"),
    "torchvision": ("core.segmentation", "core.training"),
    "segment_anything": ("core.segmentation", "core.training"),
    "typer": ("cli",),
    "ray": ("core.crew.on_ray",),
}
PURE = (
    "core.segmentation",
    "core.quality",
    "core.formats",
    "core.training",
    "core.masks",
    "core.outline",
    "core.pictures",
    "core.privacy",
    "core.crew",
)
PURE_MAY = ("storage.errors", "storage.files")


def modules() -> dict[str, Path]:
    """Return every module of the app by its dotted name."""
    found = {"app": ROOT / "app.py"}
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(name: str) -> Iterator[str]:
    """Yield the dotted names that a module imports, those inside functions too."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else str(node.module)


def within(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_each_module_imports_only_what_its_floor_may(name: str) -> None:
    floor = name.split(".")[0]
    for imported in imports(name):
        top = imported.split(".")[0]
        if top in ALLOWED:
            assert within(name, ALLOWED[top]), f"{name} imports {imported}"
        if top in FLOORS and floor in FLOORS and top != floor:
            assert FLOORS[top] < FLOORS[floor], f"{name} imports {imported}, which lies no lower"
        if within(name, PURE) and top == "storage":
            assert imported in PURE_MAY, f"{name} is pure, yet imports {imported}"


def test_no_page_imports_another_page() -> None:
    pages = {name for name in MODULES if name.startswith("pages.") and name.count(".") == 1}
    for name in pages:
        others = {imported for imported in imports(name) if imported in pages and MODULES[imported].is_file()}
        assert not {other for other in others - {name} if MODULES[other].name != "__init__.py"}


def test_there_is_no_import_circle() -> None:
    graph = {name: {other for other in imports(name) if other in MODULES and other != name} for name in MODULES}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name in done:
            return
        for other in graph[name]:
            visit(other, (*path, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def test_the_rules_see_an_offence() -> None:
    """The test above can fail: a module that imports upwards is caught by the same comparison."""
    assert FLOORS["storage"] < FLOORS["core"] < FLOORS["pages"]
    assert not within("storage.images", ALLOWED["streamlit"])
    assert "core.workshop" in set(imports("api.common"))
