"""What the program says to people is one text: how its sentences are made, and what explains them.

The sentences are read out of the source: whatever an error, a warning or a print is given, and
every other text that reads like one. What is put into them is `…`, as on the page that explains
them.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

import videoclusternet
from videoclusternet import errors
from videoclusternet.cli import app
from videoclusternet.review.log import ConflictError

PACKAGE = Path(videoclusternet.__file__).parent
PAGE = PACKAGE.parent / "docs" / "troubleshooting.md"
NO_ERRORS = "## What is no error"  # the part of the page whose headings are questions

LONGEST = 150  # characters of a sentence beside what is put in
CODES = {
    name: kind.exit_code
    for name, kind in [
        *inspect.getmembers(errors, inspect.isclass),
        ("ConflictError", ConflictError),
    ]
    if issubclass(kind, errors.VideoClusterNetError)
}
WARNINGS = ("log.warning", "warnings.append")
PRINTS = ("err.print", "out.print")

FORBIDDEN = re.compile(
    r"(?i)\b(please|sorry|oops|invalid|illegal|fatal|failed to|failure|unable to|could not)\b|!"
)
CLASS = re.compile(r"\b[A-Z]\w*(Error|Exception|Warning)\b")
QUOTED = re.compile(r"(?<!\w)'[^']*'(?!\w)")
COMMAND = re.compile(r"\bvcn [a-z]+|\bpip (install|download)\b")
SQL = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|REPLACE) ")
FILE = r"[a-z]+\.[a-z]+ "  # a sentence may begin with the name of a file of ours


@dataclass(frozen=True)
class Said:
    """A text of the source, and what it is given to."""

    place: str  # module and line
    to: str  # the name of an error, a warning or a print; "" where it stands alone
    text: str

    def __str__(self) -> str:
        return f"{self.place} {self.to}: {self.text}"


def text_of(node: ast.expr) -> str:
    """Return what a literal says, with … for what is put in; "" where it is no literal."""
    match node:
        case ast.Constant(value=str(text)):
            return re.sub(r"%[sd]", "…", text)
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part) or "…" for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return (text_of(left) or "…") + (text_of(right) or "…")
    return ""


def said_in(source: str, place: str) -> Iterator[Said]:
    """Yield all texts of a module but those that are for its readers."""
    tree = ast.parse(source)
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if node in skipped:
            skipped.update(ast.iter_child_nodes(node))
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(node.value)  # a docstring
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if (
                node.args
                and name in (*CODES, *WARNINGS, *PRINTS)
                and re.search(r"\w", text_of(node.args[0]))
            ):
                yield Said(f"{place}:{node.lineno}", name, text_of(node.args[0]))
                skipped.add(node.args[0])
        elif isinstance(node, ast.expr) and (text := text_of(node)):
            skipped.update(ast.iter_child_nodes(node))
            if re.fullmatch(r"[A-Z'…].* .*[.?]", text) and not SQL.match(text):
                yield Said(f"{place}:{node.lineno}", "", text)


def faults(said: Said) -> list[str]:
    """Return what is against the rules of CONTRIBUTING.md in a text."""
    text = said.text
    found = [f"says '{one[0]}'" for one in FORBIDDEN.finditer(text)]
    found += [f"names the class {one[0]}" for one in CLASS.finditer(text)]
    if "`" in text:
        found.append("quotes by `")
    if said.to in PRINTS and not re.match(r"Warning: .*\w", text):
        return found  # a line may be a table's, or end in a command to paste
    found += [f"has {one[0]} without quotes" for one in COMMAND.finditer(QUOTED.sub("", text))]
    if not re.match(rf"[A-Z'…]|--[a-z]|{FILE}", text):
        found.append("begins small")
    if text[-1] not in ".?":
        found.append("has no full stop")
    if re.search(r"[.?] [A-Z…]", text):
        found.append("is more than one sentence")
    if len(text) > LONGEST:
        found.append(f"has {len(text)} characters")
    return found


ALL = [
    said
    for path in sorted(PACKAGE.rglob("*.py"))
    for said in said_in(path.read_text(), path.relative_to(PACKAGE).as_posix())
]


@pytest.mark.parametrize("said", ALL, ids=str)
def test_every_sentence_is_made_by_the_rules(said: Said) -> None:
    assert faults(said) == []


def test_the_sentences_of_all_kinds_are_found() -> None:
    given = {said.to for said in ALL}
    assert {*CODES} - {"VideoClusterNetError", "ConflictError"} < {*given}
    assert {*WARNINGS, *PRINTS} < {*given, "ConflictError"} | {*WARNINGS}


def commands_in(group: Any, name: str = "vcn") -> Iterator[tuple[str, Any]]:
    """Yield every command with what is typed for it."""
    yield name, group
    for word, command in getattr(group, "commands", {}).items():
        yield from commands_in(command, f"{name} {word}")


COMMANDS = dict(commands_in(typer.main.get_command(app)))
VALUES = {
    "FILM", "DIR", "LIB", "FILE", "NAME", "NAME[=FILE]", "KEY=VALUE", "WHO", "TRACK", "STAGE",
    "A", "B", "N", "FORMAT", "RATE", "SECONDS", "DAYS", "ADDRESS", "HOST:PORT", "CSV", "PHOTOS",
    "HEX", "TRACK TRACK",
}  # fmt: skip
"""What stands for values in the help, each for one thing."""


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_is_of_one_piece(name: str) -> None:
    command = COMMANDS[name]
    assert faults(Said(name, "", " ".join(command.help.split()))) == []
    for param in command.params:
        if param.name == "help":
            continue
        assert param.help, f"{name} {param.name}"
        assert faults(Said(f"{name} {param.name}", "", param.help)) == []
        assert param.metavar in (None, *VALUES), f"{name} {param.name}"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Please name a folder.", "says 'Please'"),
        ("The value is invalid.", "says 'invalid'"),
        ("It failed to open.", "says 'failed to'"),
        ("There is no film!", "says '!'"),
        ("… is no film (InvalidDataError).", "names the class InvalidDataError"),
        ("… is missing: run `vcn setup` once.", "quotes by `"),
        ("… is missing: run vcn setup once.", "has vcn setup without quotes"),
        ("… is not installed: pip install it.", "has pip install without quotes"),
        ("the film is empty.", "begins small"),
        ("The film is empty", "has no full stop"),
        ("The film is empty. Copy it again.", "is more than one sentence"),
        (f"The film is {'very ' * 40}long.", "has 217 characters"),
    ],
)
def test_a_sentence_against_the_rules_is_seen(text: str, fault: str) -> None:
    source = f"def f(x):\n    '''Please!'''\n    raise InputError({text!r})\n"
    (said,) = said_in(source, "a.py")
    assert (said.to, faults(said)[0]) == ("InputError", fault)


def test_what_is_put_into_a_sentence_is_three_dots() -> None:
    source = (
        'raise UsageError(f"{a} has {b:.1f} s: " f"name {c!r}.")\n'
        'log.warning("%s is damaged: the %s begins anew.", path, what)\n'
        'err.print(f"Report: {path}")\nwhy = "Nobody" if x else "It is there already."\n'
    )
    assert [said.text for said in said_in(source, "a.py")] == [
        "… has … s: name ….",
        "… is damaged: the … begins anew.",
        "Report: …",
        "It is there already.",
    ]


def entries_of(page: str) -> Iterator[tuple[str, str]]:
    """Yield each sentence that the page explains, and what it says of it."""
    explained, _, _ = page.partition(f"\n{NO_ERRORS}\n")
    for part in re.split(r"\n### ", explained)[1:]:
        sentence, _, rest = part.partition("\n")
        yield sentence, rest


ENTRIES = list(entries_of(PAGE.read_text(encoding="utf-8")))
BY_TEXT: dict[str, set[str]] = {}
for one in ALL:
    BY_TEXT.setdefault(one.text.removeprefix("Warning: "), set()).add(one.to)


@pytest.mark.parametrize(("sentence", "rest"), ENTRIES, ids=[sentence for sentence, _ in ENTRIES])
def test_the_page_explains_what_the_program_says(sentence: str, rest: str) -> None:
    assert sentence in BY_TEXT
    codes = {CODES[to] for to in BY_TEXT[sentence] if to in CODES}
    if codes:
        assert rest.startswith(tuple(f"Exit code {code}" for code in codes))
    elif BY_TEXT[sentence] & {*WARNINGS}:
        assert rest.startswith("A warning.")


def test_a_sentence_that_was_changed_is_noticed() -> None:
    assert "There is no file …: name one that is there." in BY_TEXT
    assert "There is no film …: name one that is there." not in BY_TEXT


def test_the_page_ends_with_every_exit_code() -> None:
    _, _, table = PAGE.read_text(encoding="utf-8").partition("\n## Exit codes\n")
    told = {int(code) for cell in re.findall(r"^\| (\d[\d, ]*) \|", table, re.MULTILINE)
            for code in cell.split(",")}  # fmt: skip
    assert {*CODES.values()} < told
    assert len(ENTRIES) == len(dict(ENTRIES))
