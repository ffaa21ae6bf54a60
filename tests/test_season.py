"""A season is one film of its episodes: joined, told apart together, and handed back to each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import videoclusternet
from tests.command import Vcn
from tests.faces.films import photograph
from tests.synthetic import DrawnFace, DrawnShot, draw_film
from tests.test_pipeline import POCKET, UNPROMISED, done_anew, process, promised
from videoclusternet.errors import InputError, UsageError
from videoclusternet.manifest import EpisodeNote, Manifest
from videoclusternet.records import Crops, Faces, Shots, Tracks
from videoclusternet.results.remaining import clusters_among
from videoclusternet.run_view import RunView, load_run
from videoclusternet.season.join import join_shots
from videoclusternet.season.process import process_season
from videoclusternet.season.share import FRONT, verdict_for
from videoclusternet.stages import STAGES

BIDEN, OBAMA = "demo_biden", "demo_obama_smiling"
Told = list[tuple[str, int, int]]


def shot(name: str, seed: int) -> DrawnShot:
    face = DrawnFace(photograph(name), (60 + 10 * seed, 10), (0.5, 0), 200, name)
    return DrawnShot(16, seed, faces=[face])


SHOTS = {
    "e1": [shot(BIDEN, 0), shot(OBAMA, 1)],
    "e2": [shot(OBAMA, 2), shot(BIDEN, 3)],
    "e3": [shot(OBAMA, 4)],
    "empty": [DrawnShot(12, 5)],
}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("films")
    for name, shots in SHOTS.items():
        draw_film(home / f"{name}.mp4", shots)
    draw_film(home / "both.mp4", SHOTS["e1"] + SHOTS["e2"])
    return {path.stem: path for path in home.iterdir()}


def together(films: list[Path], out: Path, *changes: str, **how: Any) -> RunView:
    return process_season(films, out, "standard", [*POCKET, *changes], **{"device": "cpu", **how})


@pytest.fixture(scope="module")
def season(films: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> RunView:
    return together([films["e1"], films["e2"]], tmp_path_factory.mktemp("runs") / "season")


@pytest.fixture
def folder(season: RunView, tmp_path: Path) -> Path:
    """A season's folder to say things of."""
    return Path(shutil.copytree(season.folder, tmp_path / "season"))


def episodes(view: RunView | Path) -> list[RunView]:
    view = load_run(view) if isinstance(view, Path) else view
    return [load_run(view.folder / note.folder) for note in view.manifest.episodes]


def everything(folder: Path) -> dict[str, bytes]:
    """Return all promised bytes of a season, its episodes' too."""
    found = {f"/{name}": data for name, data in promised(folder).items()}
    names = [
        name
        for stage in (*FRONT, "clusters", "people")
        for name in STAGES[stage].files
        if name not in UNPROMISED
    ]
    for episode in episodes(folder):
        found |= {
            f"{episode.folder.name}/{name}": (episode.folder / name).read_bytes() for name in names
        }
    return found


def made(told: Told) -> list[str]:
    """Return all stages, of episodes too, that were not taken over from an earlier run."""
    first = {stage: (done, total) for stage, done, total in reversed(told)}
    return [stage for stage in first if first[stage][0] < first[stage][1]]


def test_a_season_is_the_film_of_its_episodes(
    films: dict[str, Path], season: RunView, tmp_path: Path
) -> None:
    whole = process(films["both"], tmp_path / "whole")
    assert np.array_equal(season.shots.first, whole.shots.first)
    assert season.shots.times == pytest.approx(whole.shots.times)
    assert season.tracks.count == whole.tracks.count == 4
    for name in ("track", "frame", "filled", "usable"):
        assert np.array_equal(getattr(season.tracks, name), getattr(whole.tracks, name)), name
    assert season.tracks.box == pytest.approx(whole.tracks.box, abs=6)  # encoded anew
    assert np.array_equal(season.faces.looked, whole.faces.looked)
    for name in ("track", "frame", "counts"):
        assert np.array_equal(getattr(season.crops, name), getattr(whole.crops, name)), name
    assert abs(season.crops.images.astype(int) - whole.crops.images).mean() < 8
    assert np.array_equal(season.clusters.label, whole.clusters.label)
    assert [one.tracks for one in season.people] == [one.tracks for one in whole.people]
    assert season.people.duration == pytest.approx(whole.people.duration)
    assert season.manifest.film.name == "2 episodes: e1.mp4, e2.mp4"
    assert "2 episodes: e1.mp4, e2.mp4" in season.report.read_text()


def by_hand(views: list[RunView], kind: type[Any], stage: str) -> Any:
    """Join a record of the episodes row by row: slow, and plain enough to be believed."""
    rows: dict[str, list[Any]] = {name: [] for name in kind.empty().columns()}
    frames = tracks = 0
    for view in views:
        for name, values in getattr(view, stage).columns().items():
            for value in values:
                if name in ("frame", "looked", "setup_left", "setup_right"):
                    value = value + frames
                if name == "track":
                    value = value + tracks
                rows[name].append(value)
        frames += view.shots.frames
        tracks += view.tracks.count
    return rows


@pytest.mark.parametrize(
    ("kind", "stage"),
    [(Faces, "faces"), (Faces, "kept"), (Tracks, "tracks"), (Crops, "crops")],
)
def test_records_are_joined_row_by_row(season: RunView, kind: type[Any], stage: str) -> None:
    joined = getattr(season, stage)
    for name, rows in by_hand(episodes(season), kind, stage).items():
        values = getattr(joined, name)
        assert np.array_equal(values, np.array(rows).reshape(values.shape)), name


def test_clocks_go_on_where_the_last_one_ended() -> None:
    first = Shots(np.array([0, 2]), np.array([2, 3]), np.array([7.0, 7.5, 8.5, 9.0]))
    nothing = Shots.empty()
    second = Shots(np.array([0]), np.array([2]), np.array([1.0, 1.25, 2.0]))
    joined = join_shots([nothing, first, nothing, second])
    assert joined.times.tolist() == [7.0, 7.5, 8.5, 9.0, 9.25, 10.0]
    assert joined.first.tolist() == [0, 2, 3]
    assert joined.stop.tolist() == [2, 3, 5]
    assert len(join_shots([nothing])) == 0


def test_people_are_called_alike_in_every_episode(season: RunView) -> None:
    numbers = {track: one.number for one in season.people for track in one.tracks}
    assert len(season.people) == 2
    for note, episode in zip(season.manifest.episodes, episodes(season), strict=True):
        mine = {track: one.number for one in episode.people for track in one.tracks}
        assert mine == {track: numbers[track + note.first_track] for track in range(note.tracks)}
        assert all(one.name == f"Person {one.number}" for one in episode.people)
        assert "model" not in episode.manifest.stages
        assert note.name in episode.report.read_text()
        assert episode.facts.film == note.name
        labels = {track: one.label for one in episode.people for track in one.tracks}
        assert [labels[track] for track in range(note.tracks)] == episode.last_word.label.tolist()
        times = [one.start for person in episode.people for one in person.appearances]
        assert max(times) < episode.people.duration == pytest.approx(32 / 25)


def test_who_is_not_in_an_episode_is_not_told_of(films: dict[str, Path], tmp_path: Path) -> None:
    view = together([films["e1"], films["e3"], films["empty"]], tmp_path / "season")
    first, third, empty = episodes(view)
    assert len(first.people) == 2
    assert len(third.people) == 1
    obama = next(one for one in view.people if 1 in one.tracks)
    assert third.people[0].number == obama.number
    assert 2 in obama.tracks
    assert len(empty.people) == 0
    assert "No faces were found" in empty.report.read_text()
    assert view.people.duration == pytest.approx((32 + 16 + 12) / 25)


def test_a_season_without_faces_is_a_valid_result(films: dict[str, Path], tmp_path: Path) -> None:
    view = together([films["empty"]], tmp_path / "season")
    assert len(view.people) == 0
    assert view.manifest.film.name == "1 episode: empty.mp4"
    assert len(episodes(view)[0].people) == 0


def test_the_same_seed_makes_the_same_bytes(
    films: dict[str, Path], season: RunView, tmp_path: Path
) -> None:
    told: Told = []
    together([films["e1"], films["e2"]], season.folder, progress=lambda *now: told.append(now))
    assert made(told) == []
    together([films["e1"], films["e2"]], tmp_path / "again")
    assert everything(tmp_path / "again") == everything(season.folder)


class StopError(Exception):
    """The run is ended here."""


@pytest.mark.parametrize("where", ["e2: faces", "crops", "model", "people", "episodes"])
def test_a_season_that_was_ended_goes_on_to_the_same_bytes(
    films: dict[str, Path], season: RunView, tmp_path: Path, where: str
) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if stage == where:
            raise StopError

    pair = [films["e1"], films["e2"]]
    with pytest.raises(StopError):
        together(pair, tmp_path / "season", progress=stop)
    told: Told = []
    together(pair, tmp_path / "season", progress=lambda *now: told.append(now))
    assert everything(tmp_path / "season") == everything(season.folder)
    order = list(dict.fromkeys(stage for stage, _, _ in told))
    assert not set(made(told)) & set(order[: order.index(where)])


@pytest.mark.parametrize("place", [0, 2])
def test_another_episode_is_looked_at_alone_and_names_stay(
    vcn: Vcn, films: dict[str, Path], folder: Path, place: int
) -> None:
    biden = next(one for one in load_run(folder).people if 0 in one.tracks)
    assert vcn("name", folder, str(biden.number), "Joe").code == 0
    told: Told = []
    grown = [films["e1"], films["e2"]]
    grown.insert(place, films["e3"])
    view = together(grown, folder, progress=lambda *now: told.append(now))
    looked = {stage for stage in made(told) if stage.startswith("e") and ":" in stage}
    assert looked == {f"e{place + 1}: {stage}" for stage in FRONT}
    assert done_anew(told) == list(STAGES)
    moved = 1 if place == 0 else 0
    joe = next(one for one in view.people if one.name == "Joe")
    assert 0 + moved in joe.tracks
    assert joe.number == biden.number
    assert view.tracks.count == 5
    for episode in episodes(view):
        assert ("Joe" in episode.report.read_text()) == (episode.people.duration > 1)
    told.clear()
    together(grown, folder, "cluster.quality_passes=3", progress=lambda *now: told.append(now))
    assert done_anew(told)[0] == "signatures"
    assert not [stage for stage in made(told) if ":" in stage]


def test_an_episode_that_is_left_out_is_told(
    films: dict[str, Path], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    view = together([films["e2"]], folder)
    assert any(said.startswith("e1.mp4 is not in the season any more") for said in caplog.messages)
    assert view.tracks.count == 2
    assert len(list((folder / "episodes").iterdir())) == 2


def test_what_is_said_of_the_season_is_said_of_its_episodes(vcn: Vcn, folder: Path) -> None:
    for who, name in (("1", "Ada"), ("2", "=Bo")):
        assert vcn("name", folder, who, name).code == 0
    for episode in episodes(folder):
        assert {one.name for one in episode.people} == {"Ada", "=Bo"}
        assert "Ada" in episode.report.read_text()
        assert "Ada" in (episode.folder / "people.csv").read_text()
        assert vcn("show", episode.folder, "--why", "0", "1").code == 0
    assert vcn("merge", folder, "1", "2").code == 0
    for episode in episodes(folder):
        assert [one.tracks for one in episode.people] == [(0, 1)]
        assert set(episode.last_word.label.tolist()) == {0}
    assert vcn("undo", folder).code == 0
    assert {len(episode.people) for episode in episodes(folder)} == {2}


def test_an_episode_is_scored_and_exported_like_any_film(
    vcn: Vcn, films: dict[str, Path], folder: Path, tmp_path: Path
) -> None:
    episode = episodes(folder)[1].folder
    truth = tmp_path / "truth.csv"
    lines = ["frame,x1,y1,x2,y2,name"]
    view = load_run(episode)
    for track, frame, box in zip(
        view.tracks.track, view.tracks.frame, view.tracks.box, strict=True
    ):
        lines.append(",".join(map(str, [frame, *box.round(1), "AB"[track]])))
    truth.write_text("\n".join(lines) + "\n")
    code, out, _ = vcn("eval", episode, "--truth", truth, "--json")
    assert (code, json.loads(out)["bcubed_f1"]) == (0, 1.0)
    assert vcn("export", episode, "edl", "-o", tmp_path / "people.edl").code == 0
    code, _, err = vcn("export", folder, "edl", "-o", tmp_path / "season.edl")
    assert (code, err.count("\n")) == (3, 1)
    assert "episodes" in err
    season = load_run(folder)
    assert season.find_film() is None
    assert season.no_film.startswith("A season is not one film")


def test_an_episode_is_no_run_of_its_own(vcn: Vcn, films: dict[str, Path], folder: Path) -> None:
    episode = episodes(folder)[0].folder
    for command in (
        ["review", episode, "--no-open"], ["name", episode, "1", "Ada"], ["undo", episode],
        ["purge", episode, "--yes"], ["purge", episode, "--person", "1", "--yes"],
    ):  # fmt: skip
        code, _, err = vcn(*command)
        assert (code, err.count("\n")) == (2, 1), command
        assert "is an episode of the season in" in err
    with pytest.raises(InputError, match="episode of the season"):
        process(films["e1"], episode)
    with pytest.raises(InputError, match="episode of the season"):
        together([films["e1"]], episode)


def test_a_season_and_a_film_do_not_share_a_folder(
    films: dict[str, Path], folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="belongs to a season"):
        process(films["e1"], folder)
    with pytest.raises(InputError, match="belongs to another season"):
        together([films["e3"]], folder)
    process(films["empty"], tmp_path / "film", until="shots")
    with pytest.raises(InputError, match="belongs to a single film"):
        together([films["empty"]], tmp_path / "film")


def test_what_cannot_be_meant_is_refused_before_work(
    vcn: Vcn, films: dict[str, Path], tmp_path: Path
) -> None:
    e1, e2, out = films["e1"], films["e2"], tmp_path / "season"
    copy = Path(shutil.copy(e1, tmp_path / "copy.mp4"))
    for arguments, code, words in (
        ([e1, e2], 2, "--together"),
        ([e1, copy, "--together"], 2, "same film"),
        ([e1, "--together", "--until", "tracks"], 2, "leave them out"),
        ([e1, "--together", "--redo", "model"], 2, "leave them out"),
        ([e1, tmp_path / "none.mp4", "--together"], 3, "none.mp4"),
        ([e1, "--together", "--set", "seed=x"], 2, "seed"),
    ):
        found, _, err = vcn("run", *arguments, "--out", out)
        assert (found, err.count("\n")) == (code, 1), arguments
        assert words in err
    with pytest.raises(UsageError, match="one film at least"):
        process_season([], out)
    assert not out.exists()


def test_an_unreadable_episode_ends_the_run_and_the_others_stay(
    films: dict[str, Path], folder: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    before = everything(folder)
    with pytest.raises(InputError, match=r"broken\.mp4"):
        together([films["e1"], films["e2"], broken], folder)
    assert everything(folder) == before


def test_the_command(vcn: Vcn, films: dict[str, Path], tmp_path: Path) -> None:
    changes = [word for change in POCKET for word in ("--set", change)]
    out_folder = tmp_path / "season"
    code, out, err = vcn(
        "run", films["e1"], films["e3"], "--together", "--out", out_folder, "--device", "cpu",
        *changes,
    )  # fmt: skip
    assert code == 0, err
    assert "e2: faces: done" in err
    assert "episodes: done" in err
    for name in ("e1", "e3"):
        assert f"{name}.mp4: {out_folder / 'episodes'}/{name}-" in out
    assert vcn("show", out_folder).code == 0


def test_a_season_is_called_after_its_first_episode(
    films: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    view = videoclusternet.process_season([films["empty"]], settings=POCKET, device="cpu", seed=3)
    assert view.folder.name.startswith("season-of-empty-")
    assert Manifest.load(view.folder).settings["seed"] == 3


def test_a_season_is_erased_with_its_episodes(vcn: Vcn, folder: Path) -> None:
    (folder / "episodes" / "mine.txt").write_text("mine")
    code, out, err = vcn("purge", folder, "--yes", "--json")
    proof = json.loads(out)[str(folder)]
    assert code == 0, err
    names = {one["name"] for one in proof["files"]}
    assert "crops.npy" in names
    assert sum(name.endswith("/crops.npy") for name in names) == 2
    assert [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()] == [
        "episodes/mine.txt"
    ]
    assert proof["foreign"] == ["episodes/mine.txt"]


def test_nothing_is_left_of_a_season(vcn: Vcn, folder: Path) -> None:
    assert vcn("purge", folder, "--yes").code == 0
    assert not folder.exists()


def test_an_age_takes_a_season_whole(vcn: Vcn, folder: Path, tmp_path: Path) -> None:
    for path in [*folder.rglob("run.json")]:
        manifest = Manifest.load(path.parent)
        if manifest.of_season:
            for note in manifest.stages.values():
                note.finished = note.finished.replace(year=2000)
            manifest.save(path.parent)
    assert vcn("purge", tmp_path, "--older-than", "30", "--yes").code == 0
    assert len(episodes(folder)) == 2


def test_a_person_is_erased_from_every_episode(
    vcn: Vcn, films: dict[str, Path], folder: Path
) -> None:
    assert vcn("name", folder, "1", "Ada").code == 0
    assert vcn("name", folder, "2", "Zoë Quist").code == 0
    before = load_run(folder)
    ada, zoe = (next(p for p in before.people if p.name == name) for name in ("Ada", "Zoë Quist"))
    pixels = [before.crops.images[row][75].tobytes() for row in zoe.faces]
    code, out, err = vcn("purge", folder, "--person", "Zoë Quist", "--yes", "--json")
    assert (code, err) == (0, "")
    names = {one["name"] for one in json.loads(out)[str(folder)]["files"]}
    assert sum(name.endswith("/crops.npy") for name in names) == 2
    for path in folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert b"Quist" not in data, path
        assert not any(row in data for row in pixels), path
    after = load_run(folder)
    assert [(one.name, one.number) for one in after.people] == [("Ada", ada.number)]
    assert after.tracks.count == 2
    for episode in episodes(folder):
        assert [(one.name, one.number) for one in episode.people] == [("Ada", ada.number)]
        assert episode.tracks.count == 1
    again = together([films["e1"], films["e2"]], folder)
    assert [one.name for one in again.people] == ["Ada"]  # nobody looked for the other again
    assert again.tracks.count == 2


def test_who_was_left_out_is_not_forgotten_when_a_person_is_erased(
    vcn: Vcn, films: dict[str, Path], folder: Path
) -> None:
    together([films["e2"]], folder)
    code, _, err = vcn("purge", folder, "--person", "1", "--yes")
    assert (code, err.count("\n")) == (3, 1)
    assert "e1-" in err
    assert vcn("purge", folder, "--yes").code == 0
    assert not folder.exists()


def test_an_episode_that_changed_gets_no_foreign_people(
    vcn: Vcn, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = episodes(folder)
    shutil.rmtree(first.folder)
    assert vcn("name", folder, "1", "Ada").code == 0
    assert any("run the season again" in said for said in caplog.messages)
    assert "Ada" in (second.folder / "people.csv").read_text()


def test_history_is_told_of_the_tracks_that_stay() -> None:
    from tests.results.small_film import clusters_of

    merges = [(1, 0, 2, 1.0, 2.0, 2.0), (2, 0, 1, 1.5, 2.0, 2.0)]  # 2, then 1 and 3 join 0
    merges.insert(1, (1, 1, 3, 1.2, 2.0, 2.0))
    clusters = clusters_of(np.array([0, 0, 0, 0, 1]), merges, doubts=[])
    part = clusters_among(clusters, np.array([False, False, True, True, True]))
    assert part.label.tolist() == [0, 0, 1]
    assert list(zip(part.left.tolist(), part.right.tolist(), strict=True)) == [(0, 1)]
    assert part.round.tolist() == [2]
    alone = clusters_among(clusters, np.array([False, True, False, False, False]))
    assert alone.label.tolist() == [0]
    assert len(alone.left) == 0


def test_an_episode_without_tracks_has_no_verdict(season: RunView) -> None:
    note = EpisodeNote(name="x", fingerprint="0" * 64, folder="episodes/x")
    assert verdict_for(note, season.people) is None
