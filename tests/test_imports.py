"""The house holds: imports go one way, libraries stay behind fences, imports do nothing."""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import videoclusternet
from videoclusternet.weights.assets import cache_folder

PACKAGE = Path(videoclusternet.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# A room may import the rooms of the lines below its own, and itself.
FLOORS = (
    {"cli", "__main__", "check", "demo", "terminal"},
    {"web"},
    {"library"},
    {"purge"},
    {"season"},
    {"pipeline", "catalogue", "doctor"},
    {"facts", "resources", "task"},
    {"run_view"},
    {"workspace"},
    {"manifest"},
    {"stages"},
    {"review"},
    {"results", "finetune"},
    {"clustering"},
    {"faces"},
    {"scenes"},
    {"tracks"},
    {"models", "video"},
    {"weights"},
    {"said"},
    {"records", "config"},
    {"record"},
    {"database"},
    {"durable", "processors"},
    {"errors"},
    {"__init__"},
)
ROOFLESS = (
    "check",
    "cli",
    "demo",
    "__main__",
)  # on the top floor, these may use each other and `terminal`

FENCES = {
    "torch": (
        "models/",
        "finetune/",
        "clustering/signature.py",
        "clustering/quality.py",
        "video/transnet.py",
    ),
    "kornia": ("models/", "finetune/", "clustering/"),
    "safetensors": ("models/",),
    "av": ("video/",),
    "onnx": ("weights/onnx_file.py", "models/graph.py", "faces/session.py"),
    "onnxruntime": ("faces/session.py",),
    "scenedetect": ("video/cuts.py",),
    "sklearn": ("finetune/matching.py",),
    "fastapi": ("web/",),
    "starlette": ("web/",),
    "uvicorn": ("web/",),
    "opentimelineio": ("results/exports/editing.py",),
    "pympi": ("results/exports/text.py",),
    "pyarrow": ("results/exports/tables.py",),
    "sqlite3": ("database.py", "review/log.py", "library/tables.py"),
    "ray": ("library/engines.py",),
    "rich": ("cli/", "terminal.py"),
    "typer": ("cli/",),
    "pickle": (),
    "random": (),
}


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of every module that is imported anywhere in this file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} has a relative import"
            assert node.module
            yield node.module


def floor_of(room: str) -> int:
    return next(n for n, rooms in enumerate(FLOORS) if room in rooms)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    room = name_of(path).removesuffix(".py").split("/")[0]
    if room == "__init__":
        return  # the front door shows names of many rooms; the next test holds it lazy
    for module in imports(path):
        if module.split(".")[0] == "videoclusternet":
            there = room_of(module)
            top = room in ROOFLESS and there in FLOORS[0]
            assert there == room or top or floor_of(there) > floor_of(room), (
                f"{name_of(path)} imports {module}"
            )


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_libraries_stay_behind_their_fences(path: Path) -> None:
    for module in imports(path):
        allowed = FENCES.get(module.split(".")[0])
        assert allowed is None or name_of(path).startswith(allowed), (
            f"{name_of(path)} imports {module}"
        )


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_command_line_prints(path: Path) -> None:
    if name_of(path).startswith("cli/"):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        printed = isinstance(node, ast.Name) and node.id == "print"
        written = ast.unparse(node) in ("sys.stdout", "sys.stderr")
        assert not printed, f"{name_of(path)}:{getattr(node, 'lineno', 0)}"
        assert not written, f"{name_of(path)}:{getattr(node, 'lineno', 0)}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_stay_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 75, node.name


def run_python(code: str, folder: Path) -> str:
    """Run code in a fresh interpreter, with an empty home, and return what it prints."""
    environment = os.environ | {"HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
    environment["PYTHONPATH"] = str(PACKAGE.parent)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, text=True, check=False,
        capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


HEAVY = {
    "torch", "kornia", "av", "cv2", "numpy", "scipy", "onnx", "onnxruntime", "scenedetect",
    "fastapi", "uvicorn", "opentimelineio",
}  # fmt: skip


@pytest.mark.parametrize(
    "code",
    [
        "import videoclusternet",
        "import videoclusternet.cli",
        "sys.argv[1:] = ['--help']; from videoclusternet.cli import main; main()",
        "sys.argv[1:] = ['run', '--help']; from videoclusternet.cli import main; main()",
    ],
)
def test_the_front_door_is_light(code: str, tmp_path: Path) -> None:
    report = "import atexit, json, sys; atexit.register(lambda: print(json.dumps([*sys.modules])));"
    loaded = json.loads(run_python(report + code, tmp_path).splitlines()[-1])
    assert not HEAVY & set(loaded)


def test_what_can_be_read_without_torch_is(tmp_path: Path) -> None:
    code = (
        "import json, sys, videoclusternet as vcn;"
        "vcn.load_run; vcn.cluster_video; vcn.load_config();"
        "print(json.dumps([*sys.modules]))"
    )
    assert not {"torch", "kornia", "onnxruntime"} & set(json.loads(run_python(code, tmp_path)))


def test_every_public_name_is_there() -> None:
    for name in videoclusternet.__all__:
        assert getattr(videoclusternet, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'cluster_vido'"):
        videoclusternet.cluster_vido  # noqa: B018


STATE = """
import importlib, json, locale, logging, os, random, signal, sys, threading, warnings
import numpy, torch

def state():
    return [
        hash(random.getstate()), numpy.random.get_state()[1].tobytes().hex(),
        torch.random.get_rng_state().numpy().tobytes().hex(), torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(), torch.is_grad_enabled(),
        str(torch.get_default_dtype()), sorted(os.environ), os.getcwd(), len(logging.root.handlers),
        locale.setlocale(locale.LC_ALL), str(signal.getsignal(signal.SIGINT)), os.umask(0o22),
        threading.active_count(), sys.getrecursionlimit(),
    ]

# What these do at import is theirs.
import av, cv2, kornia.augmentation, rich.progress, rich.table, scipy, typer
os.umask(0o22)
before = state()
for module in json.loads(sys.argv[1]):
    importlib.import_module(module)
after = state()
assert before == after, [pair for pair in zip(before, after) if pair[0] != pair[1]]
"""


def test_nothing_happens_at_import(tmp_path: Path) -> None:
    names = [
        "videoclusternet." + name_of(path).removesuffix(".py").replace("/", ".")
        for path in MODULES
        if path.stem not in ("__init__", "__main__")
    ]
    code = f"import sys; sys.argv.append({json.dumps(names)!r})\n{STATE}"
    run_python(code, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_detector_reports_to_nobody(tmp_path: Path) -> None:
    """Its runtime keeps a device number and a queue of reports in the home, unless told not to."""
    run_python(
        "import os; os.environ.pop('CI', None); "
        f"os.environ['VCN_CACHE'] = {str(cache_folder())!r}; "
        "from videoclusternet.faces.detectors import choose_detector, load_detector; "
        "load_detector(*choose_detector('centerface'))",
        tmp_path,
    )
    assert list(tmp_path.iterdir()) == []


def test_every_module_says_what_it_is() -> None:
    for path in MODULES:
        if path.read_text():
            assert ast.get_docstring(ast.parse(path.read_text())), name_of(path)


def test_the_version_is_one() -> None:
    tomllib = importlib.import_module("tomllib")
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    assert (
        "version" in project.get("dynamic", ()) or project["version"] == videoclusternet.__version__
    )
