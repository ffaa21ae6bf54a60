from __future__ import annotations

import pytest

from tests.faces.films import photograph
from videoclusternet.faces.detectors import choose_detector, load_detector


@pytest.fixture(scope="session")
def centerface():
    return load_detector(*choose_detector("centerface"))


@pytest.fixture(scope="session")
def cards():
    """Six people at a card table."""
    return photograph("demo_cards")


@pytest.fixture(scope="session")
def seaside():
    """Five people at the sea."""
    return photograph("demo_seaside")
