"""The manual page is what the program says of itself now, and roff that is read as it is meant."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from tests.command import Vcn
from videoclusternet.errors import BusyError, InputError, ResourceError, UsageError

DOCS = Path(__file__).parents[1] / "docs"
MACROS = {".TH", ".SH", ".SS", ".TP"}


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "write_man.py"))


@pytest.fixture(scope="module")
def page() -> str:
    return (DOCS / "vcn.1").read_text(encoding="utf-8")


def test_the_page_is_written_anew_when_the_program_changes(
    script: dict[str, Any], page: str
) -> None:
    assert page == script["page"](), "run `make man`"


def test_every_command_that_help_lists_has_a_section(vcn: Vcn, page: str) -> None:
    for group in ([], ["library"], ["models"]):
        listed = re.findall(r"^│ ([a-z]+)  ", vcn(*group, "--help").out, re.MULTILINE)
        assert len(listed) >= 2
        for name in set(listed) - {"library"}:
            assert f"\n.SS {' '.join(['vcn', *group, name])}" in page


def test_options_are_told_with_their_values(page: str) -> None:
    assert (
        "\n.TP\n\\fB\\-\\-set\\fR \\fIKEY=VALUE\\fR\nChange a setting; may be repeated.\n" in page
    )
    assert "\n\\fB\\-o,\\fR \\fB\\-\\-out\\fR \\fIFILE\\fR\n" in page
    assert "\\fB\\-\\-device\\fR \\fIauto|cpu|cuda\\fR\nWhere to compute; cuda is a GPU." in page


def test_every_exit_code_is_told(script: dict[str, Any]) -> None:
    codes = script["exit_codes"]()
    assert list(codes) == ["0", "1", "2", "3", "4", "5", "6", "130, 143"]
    for error in (UsageError, InputError, ResourceError, BusyError):
        assert str(error.__doc__) in codes[str(error.exit_code)]


def test_no_line_is_taken_for_another_request(page: str) -> None:
    assert page.isascii()
    for line in page.splitlines()[1:]:
        assert line
        assert not line.startswith("'")
        assert not line.startswith(".") or line.split()[0] in MACROS
        assert not re.search(r"(?<!\\)-", line.removeprefix(".TH"))
        assert set(re.findall(r"\\(.)", line)) <= set("fe-&")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".hidden", r"\&.hidden"), ("'' takes it", r"\&'' takes it"), ("--set", r"\-\-set"),
        (r"a\b", r"a\eb"), ("two\n  lines", "two lines"),
    ],
)  # fmt: skip
def test_text_is_only_text(script: dict[str, Any], text: str, expected: str) -> None:
    assert script["roff"](text) == expected
