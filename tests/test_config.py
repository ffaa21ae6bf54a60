"""Settings: one default each, differences on top, and what was meant for a slip."""

from __future__ import annotations

import contextlib
import inspect
import math
import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoclusternet import config as module
from videoclusternet.config import PRESETS, Config, by_name, load_config, setting_names
from videoclusternet.errors import UsageError

NAMES = setting_names()


def value_of(config: Config, name: str) -> object:
    return by_name(config)[name]


def test_there_are_at_most_forty_settings() -> None:
    assert len(NAMES) == len(set(NAMES)) <= 40


def test_every_setting_is_explained_where_it_stands() -> None:
    for line in inspect.getsource(module).splitlines():
        if re.match(r"    \w+: (int|float|bool|str|Literal\[.*\]?) = ", line):
            assert "#" in line, line


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_hold_differences_only(preset: str) -> None:
    text = resources.files("videoclusternet").joinpath(f"presets/{preset}.toml").read_text()
    for section, values in tomllib.loads(text).items():
        for key, value in values.items():
            assert value != value_of(Config(), f"{section}.{key}")
            assert value == value_of(load_config(preset), f"{section}.{key}")


def test_the_standard_preset_is_the_defaults() -> None:
    assert load_config() == load_config("standard") == Config()


def test_the_preset_of_the_paper_is_as_published_where_the_defaults_are_not() -> None:
    paper, config = load_config("paper"), Config()
    assert (paper.finetune.matching, config.finetune.matching) == ("tsne", "linkage")
    assert (paper.cluster.rule, config.cluster.rule) == ("loss", "cosine-average")
    assert (paper.finetune.when, config.finetune.when) == ("always", "never")
    assert (paper.crops.every, config.crops.every) == (12, 3)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_can_be_set_to_what_it_is(name: str) -> None:
    value = value_of(Config(), name)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    assert load_config(changes=[f"{name}={text}"]) == Config()


@given(st.floats(min_value=1.0, exclude_min=True, allow_infinity=False))
def test_numbers_arrive_exactly(ratio: float) -> None:
    assert load_config(changes=[f"shots.ratio={ratio!r}"]).shots.ratio == ratio


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_the_last_change_wins(first: int, second: int) -> None:
    assert load_config(changes=[f"seed={first}", f" seed = {second} "]).seed == second


@given(st.sampled_from(NAMES), st.data())
def test_a_slip_is_answered_with_what_was_meant(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(name.rfind(".") + 1, len(name) - 1))
    slip = name[:place] + "x" + name[place + 1 :]
    if slip in NAMES or len(name) < 8:
        return
    with pytest.raises(UsageError, match=re.escape(slip)) as caught:
        load_config(changes=[f"{slip}=1"])
    assert any(f"'{near}'" in str(caught.value) for near in NAMES)


@given(st.text())
def test_any_text_is_a_change_or_a_sentence(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert isinstance(load_config(changes=[text]), Config)


@pytest.mark.parametrize(
    "change",
    ["seed", "seed=-1", "seed=2.5", "seed=many", "shots.ratio=nan", "shots.ratio=0", "shots=3",
     "tracks.gap=inf",
     "seed.x=1", "shots.ratio.x=1", "=1", "detect.every=0", "finetune.matching=7",
     "finetune.matching=true", "finetune.matching=TSNE", "cluster.rule=nearest"],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(change: str) -> None:
    with pytest.raises(UsageError):
        load_config(changes=[change])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("fineture.rounds=3", "no setting 'fineture.rounds': did you mean 'finetune.rounds'?"),
        ("track={gap = 2}", "no setting 'track.gap': did you mean 'tracks.gap'?"),
        (
            "shots=3",
            "'shots' is a section, not a setting: use one of shots.detector, shots.ratio, ",
        ),
        ("seed.x=1", "'seed' has to be a whole number, and not {'x': 1}."),
        ("seed=-1", "The setting 'seed' has to be at least 0, and not -1."),
        ("seed=2.5", "'seed' has to be a whole number, and not 2.5."),
        ("seed=3000000000", "'seed' has to be less than 2147483648, and not 3000000000."),
        ("detect.score=2", "'detect.score' has to be at most 1.0, and not 2."),
        ("shots.ratio=1", "'shots.ratio' has to be more than 1.0, and not 1."),
        ("shots.ratio=nan", "'shots.ratio' has to be a number, and not nan."),
        ("shots.ratio=wide", "'shots.ratio' has to be a number, and not 'wide'."),
        ("pictures=perhaps", "'pictures' has to be true or false, and not 'perhaps'."),
        ("backbone=3", "'backbone' has to be a text, and not 3."),
        ("finetune.matching=7", "has to be 'linkage', 'principal', 'tsne' or 'none', and not 7."),
    ],
)
def test_what_was_meant_is_told(change: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=re.escape(sentence)):
        load_config(changes=[change])


def test_a_file_of_ones_own_is_a_preset(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("seed = 7\n[tracks]\ngap = 1.5\n")
    config = load_config(str(path), ["tracks.shortest=3"])
    assert (config.seed, config.tracks.gap, config.tracks.shortest) == (7, 1.5, 3)
    assert config.shots == Config().shots


@pytest.mark.parametrize("content", [b"seed = ", b"\xff\xfe\x00", b"sed = 1", b"seed = [1]"])
def test_a_bad_file_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        load_config(str(path))


@pytest.mark.parametrize(
    "preset",
    ["fastt", "", "/", "a\0b", "x" * 5000],
    ids=["slip", "nothing", "folder", "null", "long"],
)
def test_an_unknown_preset_is_told(preset: str) -> None:
    with pytest.raises(UsageError, match="no preset"):
        load_config(preset)


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().shots.ratio = math.e
