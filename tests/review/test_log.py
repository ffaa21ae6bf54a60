"""The log: appended to, never torn, never overwritten by who has not seen it."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from videoclusternet.errors import BusyError, InputError, UsageError
from videoclusternet.review.log import FILE, FIXED, ConflictError, Log, stacks

CHANGES = st.dictionaries(
    st.sampled_from(["track/0", "track/1", "name/1", "sure/0"]),
    st.none() | st.integers(-1, 3) | st.text(max_size=3),
    max_size=3,
)


def test_nobody_said_anything(tmp_path: Path) -> None:
    log = Log(tmp_path)
    assert not log.exists
    assert log.current() == (0, {})
    assert log.entries() == []
    assert log.note("places") is None
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="nothing to take back"):
        log.undo()
    with pytest.raises(UsageError, match="nothing to do again"):
        log.redo()


def test_entries_add_up_and_are_numbered(tmp_path: Path) -> None:
    log = Log(tmp_path)
    assert log.write("name", "Person 1 is Ada", {"name/1": "Ada", "sure/0": True}) == 1
    assert log.write("name", "Ada has no name", {"name/1": None}, notes=["Why."]) == 2
    assert log.current() == (2, {"sure/0": True})
    assert Log(tmp_path).current() == log.current()
    first, second = log.entries()
    assert first.delta == {"name/1": [None, "Ada"], "sure/0": [None, True]}
    assert (second.notes, second.undoes) == (("Why.",), None)
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_who_has_not_seen_the_last_entry_is_refused(tmp_path: Path) -> None:
    one, other = Log(tmp_path), Log(tmp_path)
    one.write("a", "a", {"name/1": "Ada"}, seen=0)
    with pytest.raises(ConflictError, match="nothing was lost"):
        other.write("b", "b", {"name/1": "Bea"}, seen=0)
    with pytest.raises(ConflictError):
        other.undo(seen=0)
    assert other.write("b", "b", {"name/1": "Bea"}, seen=1) == 2
    assert one.current() == (2, {"name/1": "Bea"})


def test_of_many_at_once_one_is_heard(tmp_path: Path) -> None:
    def say(n: int) -> bool:
        try:
            Log(tmp_path).write("a", str(n), {"name/1": str(n)}, seen=0)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(say, range(16)))
    assert sum(heard) == 1
    assert Log(tmp_path).current() == (1, {"name/1": str(heard.index(True))})


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CHANGES, min_size=1, max_size=6), st.data())
def test_everything_can_be_taken_back_and_done_again(tmp_path_factory, said, data) -> None:
    """Any mixture of acts, undos and redos is as if only what holds had ever been said."""
    log = Log(tmp_path_factory.mktemp("log"))
    states = [{}]  # after what holds
    ahead: list[dict] = []  # what redo would bring
    for changes in said:
        log.write("act", "act", changes)
        states.append(log.current()[1])
        ahead = []
        for _ in range(data.draw(st.integers(0, 2))):
            if len(states) > 1:
                log.undo()
                ahead.append(states.pop())
        for _ in range(data.draw(st.integers(0, 2))):
            if ahead:
                log.redo()
                states.append(ahead.pop())
        assert log.current()[1] == states[-1]
        assert Log(log.path.parent).current() == log.current()
    done, undone = stacks(log.entries())
    assert (len(done), len(undone)) == (len(states) - 1, len(ahead))


def test_nothing_is_taken_back_across_a_run_with_other_tracks(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.write("name", "Person 1 is Ada", {"name/1": "Ada"})
    log.write(FIXED, "The film was followed anew", {"track/7": 1})
    with pytest.raises(UsageError, match="nothing to take back"):
        log.undo()


def test_a_writer_that_is_killed_leaves_whole_entries(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from videoclusternet.review.log import Log\n"
        "log = Log(Path(sys.argv[1]))\n"
        "for n in range(100000):\n"
        "    log.write('a', str(n), {f'name/{k}': n for k in range(50)})\n"
        "    print(n, flush=True)\n"
    )
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout
            heard = [int(child.stdout.readline()) for _ in range(5)][-1]
            child.send_signal(signal.SIGKILL)
        log = Log(tmp_path)
        revision, state = log.current()
        assert len(set(state.values())) == 1  # all of an entry, or nothing of it
        assert revision == len(log.entries())
        assert int(log.entries()[-1].sentence) >= heard


def test_another_writer_is_waited_for_and_then_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(tmp_path)
    log.write("a", "a", {})
    monkeypatch.setattr("videoclusternet.database.PATIENCE", 0.1)
    other = sqlite3.connect(log.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(BusyError, match="being written to"):
        log.write("b", "b", {})
    other.close()
    assert log.write("b", "b", {}) == 2


@pytest.mark.parametrize("data", [b"no database" * 100, b"SQLite format 3\x00" + b"\x07" * 4000])
def test_a_damaged_log_is_a_sentence_and_stays_as_it_is(tmp_path: Path, data: bytes) -> None:
    (tmp_path / FILE).write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        Log(tmp_path).current()
    assert (tmp_path / FILE).read_bytes() == data


def test_a_log_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.write("a", "a", {})
    with sqlite3.connect(log.path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(InputError, match="newer version"):
        Log(tmp_path).current()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    os.symlink(tmp_path / "elsewhere", tmp_path / FILE)
    with pytest.raises(Exception, match=FILE):
        Log(tmp_path).write("a", "a", {})
    assert (tmp_path / "elsewhere").read_bytes() == b""
