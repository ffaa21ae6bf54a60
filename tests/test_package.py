"""What is published: a wheel that holds the package and nothing else, and its source with tests."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

import videoclusternet

REPOSITORY = Path(__file__).parents[1]
STEM = f"videoclusternet-{videoclusternet.__version__}"
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def build(source: Path, to: Path, *options: str) -> Path:
    """Build what the options say into a new folder, without a network, and return the folder."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(to), *options],
        cwd=source, check=True, capture_output=True,
    )  # fmt: skip
    return to


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(REPOSITORY, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def wheel(built: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(built / f"{STEM}-py3-none-any.whl") as opened:
        yield opened


@pytest.fixture(scope="module")
def source(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    with tarfile.open(built / f"{STEM}.tar.gz") as packed:
        packed.extractall(folder, filter="data")
    return folder / STEM


def below(folder: Path) -> set[str]:
    """Return the files below a folder by their paths from its parent, without compiled ones."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder.parent).as_posix()
        for path in paths
        if "__pycache__" not in path.parts
    }


def described(wheel: zipfile.ZipFile) -> Message:
    return Parser().parsestr(wheel.read(f"{STEM}.dist-info/METADATA").decode())


def test_the_wheel_holds_the_package_and_its_manual_page_alone(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    about = {name for name in names if name.startswith(f"{STEM}.dist-info/")}
    assert names - about == below(REPOSITORY / "videoclusternet") | {
        f"{STEM}.data/data/share/man/man1/vcn.1"
    }
    assert {name.partition("/")[2] for name in about} == {
        "METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["py.typed", "presets/paper.toml", "web/static/htmx.min.js", "results/templates/report.css"],
)
def test_files_that_are_no_modules_come_along(wheel: zipfile.ZipFile, name: str) -> None:
    file = f"videoclusternet/{name}"
    assert wheel.read(file) == (REPOSITORY / file).read_bytes()


def test_the_wheel_says_what_it_needs(wheel: zipfile.ZipFile) -> None:
    about = described(wheel)
    assert about["Version"] == videoclusternet.__version__
    assert about["Requires-Python"] == ">=3.11"
    assert about["License-Expression"] == "Apache-2.0"
    always = [one for one in about.get_all("Requires-Dist", []) if "extra ==" not in one]
    assert len(always) == len(PROJECT["dependencies"])
    assert about.get_all("Provides-Extra") == sorted(PROJECT["optional-dependencies"])
    entries = wheel.read(f"{STEM}.dist-info/entry_points.txt").decode()
    assert entries == "[console_scripts]\nvcn = videoclusternet.cli:main\n"


def test_the_source_makes_the_same_wheel(built: Path, source: Path, tmp_path: Path) -> None:
    name = f"{STEM}-py3-none-any.whl"
    again = build(source, tmp_path, "-t", "wheel")
    assert (again / name).read_bytes() == (built / name).read_bytes()


def test_the_source_holds_what_its_tests_import(source: Path) -> None:
    for folder in ("videoclusternet", "tests", "benchmarks", "docs"):
        assert below(source / folder) == below(REPOSITORY / folder)
    for test in (source / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(test.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                room, *rest = node.module.split(".")
                if (REPOSITORY / room).is_dir():
                    path = source.joinpath(room, *rest)
                    assert path.is_dir() or path.with_suffix(".py").is_file(), node.module


def test_the_source_holds_nothing_else(source: Path) -> None:
    assert {path.name for path in source.iterdir()} == {
        "videoclusternet", "tests", "benchmarks", "docs", "examples", "pyproject.toml", "PKG-INFO",
        "LICENSE", "Makefile", "constraints.txt", "hashes.txt", "mkdocs.yml", "README.md",
        "CHANGELOG.md", "CONTRIBUTING.md", "PRIVACY.md", "SECURITY.md", "Dockerfile",
        ".dockerignore", ".gitignore",
    }  # fmt: skip


def test_the_image_makes_the_same_wheel_of_what_it_copies(built: Path, tmp_path: Path) -> None:
    """The image itself is not built here: that takes a daemon and a registry."""
    first = (REPOSITORY / "Dockerfile").read_text().split("\nFROM ")[1]
    copied = re.findall(r"^COPY (.+) \S+$", first, re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    let_through = re.findall(r"^!(.+)$", (REPOSITORY / ".dockerignore").read_text(), re.MULTILINE)
    assert names == set(let_through)
    for name in names:
        target = tmp_path / "context" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, target)
    again = build(tmp_path / "context", tmp_path / "dist", "-t", "wheel")
    wheel = f"{STEM}-py3-none-any.whl"
    assert (again / wheel).read_bytes() == (built / wheel).read_bytes()


def test_the_image_names_no_host_and_no_root() -> None:
    text = (REPOSITORY / "Dockerfile").read_text()
    assert not re.search(r"://|\w\.(com|io|org)\b", text)
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == ["1000"]


def test_every_version_is_locked_by_hashes() -> None:
    versions = (REPOSITORY / "constraints.txt").read_text().splitlines()
    locked = (REPOSITORY / "hashes.txt").read_text().replace("\\\n", "").splitlines()
    pinned = {line for line in versions if not line.startswith("#")}
    found = {}
    for line in locked:
        if not line.startswith("#"):
            version, *hashes = line.split()
            found[version] = hashes
    assert set(found) == {line for line in map(normal, pinned) if not line.startswith("torch==")}
    for hashes in found.values():
        assert hashes
        assert all(re.fullmatch("--hash=sha256:[0-9a-f]{64}", one) for one in hashes)


def normal(requirement: str) -> str:
    """Return NAME==VERSION with the name as the registry spells it."""
    name, _, version = requirement.partition("==")
    return f"{re.sub('[-_.]+', '-', name).lower()}=={version}"
