"""Progress: bars where there is a terminal, few lines where there is none."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from videoclusternet import terminal as module
from videoclusternet.terminal import to_paste, watch

TOLD = [("shots", 1, 1), ("faces", 0, 1), ("faces", 25, 100), ("faces", 100, 100), ("faces", 1, 1)]


def show(told: list[tuple[str, int, int]], terminal: bool) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None)
    with watch(console) as progress:
        for now in told:
            progress(*now)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_lines_tell_beginning_and_end() -> None:
    assert show(TOLD, terminal=False) == "shots: as before\nfaces ...\nfaces: done\n"


def test_lines_tell_now_and_then_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", -1.0)
    assert show(TOLD, terminal=False).splitlines() == [
        "shots: as before", "faces ...", "faces: 25%", "faces: done",
    ]  # fmt: skip


def test_bars_show_every_stage_once() -> None:
    last = show(TOLD, terminal=True).rsplit("\x1b[2K", 2)
    text = "".join(last)
    assert "shots (as before)" in text
    assert "100%" in text


def test_bars_give_the_cursor_back_whatever_happens() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None)

    def fail() -> None:
        with watch(console) as progress:
            progress("faces", 0, 3)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l") >= 0


def test_nothing_to_do_is_no_division_by_nothing() -> None:
    for terminal in (True, False):
        show([("faces", 0, 1), ("faces", 0, 0), ("faces", 1, 1)], terminal)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\0"))))
@example(
    ["vcn", "a b", "it's", "-x", "$HOME", "new\nline", "\x1b[31m'\\n", "\udcff\xe9", "\u202eb", ""]
)
def test_a_command_can_be_pasted(words: list[str]) -> None:
    with contextlib.suppress(UnicodeEncodeError):  # halves of characters are in no file name
        expected = [os.fsencode(word) for word in words]
        command = to_paste(words)
        assert command.isprintable()
        script = f"printf '%s\\0' {command}" if words else "true"
        shell = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
        assert shell.stdout.split(b"\0")[:-1] == expected
