"""A folder in which the commands of the pages work as they stand."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import pytest
import torch

from tests.faces import networks
from tests.faces.films import draw_in_turns, photograph
from tests.faces.networks import Pixels, saved, scrfd
from tests.graphs import draw_graph
from videoclusternet import config
from videoclusternet.demo.pictures import MARKS
from videoclusternet.library.engines import LocalEngine
from videoclusternet.library.shelf import Library
from videoclusternet.models import edgeface, iresnet
from videoclusternet.pipeline import process_film

ROOT = Path(__file__).parents[2]
WHO = {
    "Ada": ("demo_biden", "biden"),
    "Bo": ("demo_obama_smiling", "obama"),
    "Cy": ("demo_cards", "player 5"),
}
"""Who is drawn under these names: the picture, and whose face of it."""


def portrait(name: str) -> np.ndarray:
    """Return somebody's face and what is around it, RGB."""
    picture, person = WHO[name]
    x1, y1, x2, y2 = MARKS[picture][person][0]
    margin = (y2 - y1) // 3
    return photograph(picture)[max(0, y1 - margin) : y2 + margin, max(0, x1 - margin) : x2 + margin]


def draw(path: Path, names: list[str], seed: int) -> None:
    """Draw a film in which these are seen one after the other, twice, and its truth beside it."""
    truth = draw_in_turns(path, [(name, portrait(name)) for name in names], seed)
    rows = zip(truth.frame, truth.box, truth.name, strict=True)
    lines = [f"{frame},{','.join(map(str, box))},{name}" for frame, box, name in rows]
    path.with_suffix(".csv").write_text("\n".join(["frame,x1,y1,x2,y2,name", *lines, ""]))


HURRY = {"rounds": 1, "passes": 1, "views": 4}


@contextmanager
def brisk() -> Iterator[None]:
    """Have every run tune its network for a moment only: other tests see what it learns."""
    read, init = config._read_preset, Library.init

    def hurried(preset: str) -> dict[str, Any]:
        values = read(preset)
        values["finetune"] = values.get("finetune", {}) | HURRY
        return values

    def hurried_init(folder: Path, preset: str = "standard", settings: Sequence[str] = ()) -> Any:
        hurry = [f"finetune.{name}={value}" for name, value in HURRY.items()]
        return init(folder, preset, [*settings, *hurry])  # its films have processes of their own

    with (
        patch.object(config, "_read_preset", hurried),
        patch.object(Library, "init", hurried_init),
    ):
        yield


@pytest.fixture(autouse=True)
def hurry() -> Iterator[None]:
    with brisk():
        yield


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that the pages speak of: films, truths, photographs, networks, a finished run."""
    folder = tmp_path_factory.mktemp("docs")
    draw(folder / "film.mp4", ["Ada", "Bo", "Cy"], 1)
    for n, names in enumerate([["Ada", "Bo"], ["Bo", "Ada"], ["Bo"]], start=1):
        draw(folder / f"e{n}.mp4", names, 10 * n)
    photos = folder / "photos"
    photos.mkdir()
    for name in WHO:
        cv2.imwrite(str(photos / f"{name}.jpg"), portrait(name)[:, :, ::-1])
    (folder / "cast.csv").write_text("name,photo\nAda,photos/Ada.jpg\nBo,\n")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save(iresnet.build("r18").state_dict(), folder / "backbone.pth")
        torch.save(edgeface.build("xxs").state_dict(), folder / "edgeface_xxs.pt")
    with patch.dict(networks.SCRFD, score=Pixels(0, 2, 0.0, 0.0)):  # it finds nobody
        saved(scrfd(), folder, "det.onnx")
    draw_graph(
        folder / "net.onnx",
        "a = Conv <strides: ints = [8, 8]> (x, w) b = Relu(a) c = GlobalAveragePool(b)"
        " d = Flatten(c) y = MatMul(d, m)",
        {"w": (32, 3, 8, 8), "m": (32, 64)},
        shape="1,3,112,112",
    )  # fmt: skip
    for example in (ROOT / "examples").glob("*.py"):
        shutil.copy(example, folder)
    with brisk():
        process_film(folder / "film.mp4", folder / "runs" / "film", device="cpu")
    shutil.copytree(folder / "runs" / "film", folder / "runs" / "again")
    return folder


@pytest.fixture(scope="session")
def library(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a library of two films, in which Ada has her name."""
    folder = tmp_path_factory.mktemp("shelf") / "docs"
    shutil.copytree(prepared, folder)
    with brisk():
        made = Library.init(folder / "archive", "fast")
        made.add([folder / "e1.mp4", folder / "e2.mp4"])
        assert all(outcome.code == 0 for _, outcome in made.run(LocalEngine(1), device="cpu"))
    made.name("Person 1", "Ada")
    return folder
