"""A shell completes what is typed, as it asks for it: by an environment, and without torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import Vcn
from videoclusternet.config import PRESETS, setting_names
from videoclusternet.faces.detectors import DETECTORS
from videoclusternet.models.registry import BACKBONES
from videoclusternet.results.exports.formats import ALL
from videoclusternet.stages import STAGES

REPOSITORY = Path(__file__).parents[1]
BROUGHT = [
    row.name for row in (*BACKBONES.values(), *DETECTORS.values()) if row.asset is None
]  # fmt: skip


@pytest.fixture
def complete(vcn: Vcn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """What a shell is offered for the last of some words; no networks are here but the fetched."""
    monkeypatch.setenv("VCN_CACHE", str(tmp_path))

    def offered(shell: str, *words: str) -> list[str]:
        line = " ".join(["vcn", *words])
        monkeypatch.setenv("_VCN_COMPLETE", f"complete_{shell}")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        code, out, err = vcn()
        assert (code, err) == (0, "")
        return [line for line in out.splitlines() if line]

    return offered


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run", "--until", ""], list(STAGES)),
        (["run", "f.mp4", "--redo", "c"], ["crops", "clusters"]),
        (["run", "--preset", ""], list(PRESETS)),
        (["run", "--set", ""], [f"{name}=" for name in setting_names()]),
        (["library", "init", "L", "--set", "cluster.r"], ["cluster.rule="]),
        (["export", "DIR", ""], list(ALL)),
        (["export", "DIR", "stringout"], ["stringout", "stringout-edl"]),
        (["run", "--backbone", "d"], ["dlib_resnet"]),
        (["run", "--backbone", "arcface_r1"], ["arcface_r18=", "arcface_r100="]),
        (["run", "--detector", ""], ["centerface", "yunet", "scrfd=", "retinaface="]),
        (["models", "fetch", ""], BROUGHT),
        (["run", "--device", "c"], ["cpu", "cuda"]),
        (["doc"], ["doctor"]),
        (["library", "pe"], ["people"]),
        (["run", "--until", "nothing"], []),
    ],
)
def test_values_are_completed(complete, words: list[str], expected: list[str]) -> None:
    assert complete("bash", *words) == expected


def test_a_network_that_was_fetched_needs_no_file(complete, tmp_path: Path) -> None:
    (tmp_path / "fetched").mkdir()
    (tmp_path / "fetched" / "scrfd").touch()
    assert complete("bash", "run", "--detector", "s") == ["scrfd"]


def test_shells_that_can_show_it_get_a_remark(complete) -> None:
    assert complete("fish", "export", "DIR", "ott") == []
    assert complete("fish", "export", "DIR", "otio") == [f"otio\t{ALL['otio'].about}"]
    (answer,) = complete("zsh", "run", "--detector", "yu")
    assert '"yunet":"opencv/opencv_zoo' in answer


def test_bash_completes_with_the_script_that_it_is_given(tmp_path: Path) -> None:
    program = tmp_path / "vcn"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m videoclusternet "$@"\n')
    program.chmod(0o700)
    script = (
        'eval "$(vcn --show-completion)"; COMP_WORDS=(vcn run --until cl); COMP_CWORD=3;'
        "$(complete -p vcn | sed 's/.*-F \\([^ ]*\\).*/\\1/') vcn; echo \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True,
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": REPOSITORY},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("clusters\n", "")


def test_no_completion_loads_torch() -> None:
    code = (
        "import inspect, json, sys; from videoclusternet.cli import completion;"
        "asked = inspect.getmembers(completion, inspect.isfunction);"
        "made = [ask() for name, ask in asked if not name.startswith('_')];"
        "print(json.dumps([all(made), *sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    offered, *loaded = json.loads(done.stdout)
    assert offered
    assert not {"torch", "kornia", "onnxruntime"} & set(loaded)
