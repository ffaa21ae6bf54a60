"""What the pages list is all there is, and is there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from tests.docs.conftest import ROOT
from videoclusternet.cli.app import app
from videoclusternet.manifest import EpisodeNote, FileNote, FilmNote, Manifest, StageNote
from videoclusternet.records import Clusters, Crops, Faces, Shots, Signatures, Tracks
from videoclusternet.results.people import Person, to_json
from videoclusternet.results.report import RunFacts
from videoclusternet.run_view import load_run
from videoclusternet.stages import STAGES


def words(page: str) -> set[str]:
    """Return all that stands in backticks on a page."""
    return set(re.findall(r"`([^`\n]+)`", (ROOT / page).read_text()))


@pytest.mark.parametrize("record", [Shots, Faces, Tracks, Crops, Signatures, Clusters, RunFacts])
def test_every_column_of_the_run_folder_is_explained(record: type) -> None:
    assert {field.name for field in fields(record)} <= words("docs/run-folder.md")


@pytest.mark.parametrize("note", [FileNote, FilmNote, StageNote])
def test_every_key_of_the_manifest_is_explained(note) -> None:
    assert set(note.model_fields) <= words("docs/run-folder.md")


def test_every_key_of_run_json_and_people_json_is_explained(prepared: Path) -> None:
    said = words("docs/run-folder.md")
    told = to_json(load_run(prepared / "runs" / "film").people)
    assert {*told, *told["film"], *told["people"][0]} <= said
    keys = {field.alias or name for name, field in Manifest.model_fields.items()}
    assert keys <= said
    assert {"folder", "first_frame", "first_track", "first_second"} <= set(EpisodeNote.model_fields)
    assert {field.name for field in fields(Person)} - {"sure"} <= said


def test_every_file_of_a_stage_is_explained() -> None:
    files = {name for stage in STAGES.values() for name in (*stage.files, *stage.scratch)}
    assert files <= words("docs/run-folder.md")
    readme = words("README.md")
    assert {name for stage in STAGES.values() for name in stage.files} <= readme


def test_every_command_is_shown_on_some_page() -> None:
    pages = "".join(page.read_text() for page in (*ROOT.glob("docs/*.md"), *ROOT.glob("*.md")))
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    for name in names:
        assert f"vcn {name}" in pages, name
