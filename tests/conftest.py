from __future__ import annotations

import pytest


@pytest.fixture
def pocket(monkeypatch):
    """The row of a small backbone, while it stands in the table."""
    from tests.pocket import POCKET

    return stand_in(POCKET, monkeypatch)


@pytest.fixture
def pocket_vit(monkeypatch):
    """The row of a small transformer, likewise."""
    from tests.pocket_vit import POCKET_VIT

    return stand_in(POCKET_VIT, monkeypatch)


def stand_in(spec, monkeypatch):
    from videoclusternet.models.registry import BACKBONES

    monkeypatch.setitem(BACKBONES, spec.name, spec)
    return spec
