from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def pocket(monkeypatch):
    """The row of a small backbone, while it stands in the table and its file is at hand."""
    from tests.pocket import POCKET
    from videoclusternet.models import face_model
    from videoclusternet.models.registry import BACKBONES

    monkeypatch.setitem(BACKBONES, POCKET.name, POCKET)
    monkeypatch.setattr(face_model, "asset_path", lambda name: Path(name))
    return POCKET
