"""What somebody types who installs the package, with a small wheel in the place of ours."""

from __future__ import annotations

import json
import os
import shlex
import sys
import zipfile
from pathlib import Path

import pytest

from benchmarks import install
from benchmarks.__main__ import main
from benchmarks.install import Ended, commands_of, of_wheel, size_of
from benchmarks.runs import ProgramFailedError

PAGE = """
# Begin
```sh
pip install videoclusternet   # into an empty environment
vcn setup
# a remark
WHO=Ada
vcn demo \\
    --out runs/demo
test "$WHO" = Ada
```
```python
import videoclusternet
```
```sh
test -s film.mp4
vcn nothing
```
"""
PROGRAM = """
import json, os, pathlib, sys
cache = pathlib.Path(os.environ["VCN_CACHE"])
def main():
    match sys.argv[1:]:
        case ["setup"]:
            cache.mkdir(exist_ok=True)
            (cache / "net.dat").write_bytes(bytes(2_000_000))
        case ["doctor", *_] if not cache.exists():
            sys.exit("net.dat is missing.")
        case ["doctor", "--json"]:
            print(json.dumps({"versions": {"torch": "2.0"}, "place": {"why": "no GPU"}}))
        case ["demo", "--out", folder]:
            assert not any(name.startswith("PYTHON") for name in os.environ)
            pathlib.Path(folder).mkdir(parents=True)
            pathlib.Path(folder, "people.json").write_text("{}")
            pathlib.Path(folder, "demo.mp4").write_text("a film")
        case ["nothing"]:
            print(f"There is nothing in {cache}.", file=sys.stderr)
            return 2
"""


def test_commands_are_those_of_the_blocks_for_the_shell() -> None:
    assert commands_of(PAGE) == [
        "pip install videoclusternet   # into an empty environment", "vcn setup", "WHO=Ada",
        "vcn demo     --out runs/demo", 'test "$WHO" = Ada', "test -s film.mp4",
        "vcn nothing",
    ]  # fmt: skip
    assert commands_of("no blocks, `vcn run` in a line\n```\nvcn run\n```\n") == []


@pytest.mark.parametrize(
    ("line", "packages"),
    [
        ("pip install videoclusternet", ["/a b/v.whl"]),
        ("python -m pip install 'videoclusternet[ray]' wheel", ["/a b/v.whl[ray]", "wheel"]),
        ('pip install "videoclusternet[parquet,ray]"', ["/a b/v.whl[parquet,ray]"]),
    ],
)
def test_what_pip_would_fetch_is_the_wheel(line: str, packages: list[str]) -> None:
    words = shlex.split(of_wheel(line, Path("/a b/v.whl")))
    place = words.index("install") + 1
    assert words[place:] == ["--constraint", str(install.CONSTRAINTS), *packages]


@pytest.mark.parametrize("line", ["vcn run videoclusternet.mp4", "cd videoclusternet"])
def test_other_lines_are_typed_as_they_are(line: str) -> None:
    assert of_wheel(line, Path("v.whl")) == line


def test_a_size_counts_files_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").write_bytes(bytes(1000))
    (tmp_path / "link").symlink_to("in/file")
    assert size_of(tmp_path) == 1000 + len("in/file")


def toy_wheel(folder: Path) -> Path:
    info = "videoclusternet-0.dist-info"
    files = {
        "toy.py": PROGRAM,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: videoclusternet\nVersion: 0\n"
        "Provides-Extra: tables\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nvcn = toy:main\n",
        f"{info}/RECORD": "",
    }
    path = folder / "videoclusternet-0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return path


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toy in the place of the package; a folder to work in."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # of the checkout, which nobody may see
    (tmp_path / "constraints.txt").touch()
    monkeypatch.setattr(install, "CONSTRAINTS", tmp_path / "constraints.txt")
    monkeypatch.setattr(install, "FILM", "cp -n runs/demo/demo.mp4 film.mp4 2>/dev/null")
    monkeypatch.setattr(install, "build_wheel", lambda folder: toy_wheel(tmp_path))
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def test_everything_is_tried_and_no_path_is_told(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def try_tables(base: install.Empty, empty: install.Empty) -> Ended:
        (run,) = base.work.rglob("people.json")
        return empty.run(f"vcn doctor && test -f {run} && test ! -e env")

    monkeypatch.setattr(install, "EXTRAS", {"tables": try_tables})
    out = tmp_path / "install.json"
    page = tmp_path / "quickstart.md"
    page.write_text(PAGE)
    call = ["install", str(page), "--python", sys.executable, "--work", str(toy), "--out", str(out)]
    assert main(call) == 0
    results = json.loads(out.read_text())
    rows = {row["name"]: row for row in results["rows"]}
    name = f"install.{sys.version_info.major}.{sys.version_info.minor}"
    found = {key.removeprefix(f"{name}."): row["value"] for key, row in rows.items()}
    expected = {
        "pip_check": 0, "distributions": 1, "doctor.before": 1, "networks": 2.0, "doctor": 0,
        "quickstart": 7, "quickstart.failed": 1, "install.tables.distributions": 0,
        "install.tables.tried": 0,
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected
    assert found["installed"] > 1  # pip itself
    said = results["said"]
    assert said[f"{name}.doctor"] == "torch 2.0; no GPU"
    inside = f"…/{name.removeprefix('install.')}/cache"
    assert said[f"{name}.quickstart.failed"] == f"vcn nothing: There is nothing in {inside}."
    assert not rows[f"{name}.quickstart.failed"]["holds"]
    assert str(tmp_path) not in out.read_text()
    assert "quickstart.failed" in capsys.readouterr().out
    assert list(toy.iterdir()) == []


def test_a_page_without_commands_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.md").write_text("Nothing to type.\n")
    call = ["--python", sys.executable, "--out", str(tmp_path / "install.json")]
    assert main(["install", str(tmp_path / "none.md"), *call]) == 3
    assert "none.md" in capsys.readouterr().err
    assert main(["install", str(tmp_path / "empty.md"), *call]) == 3
    assert "has no command" in capsys.readouterr().err


def test_what_fails_is_told_by_its_last_complaint() -> None:
    assert Ended(0, "fine\n", "remark\n").or_fail("pip") == "fine\n"
    with pytest.raises(ProgramFailedError, match=r"^pip ended with code 1: ERROR: no$"):
        Ended(1, "", "first\nERROR: no\n").or_fail("pip")
