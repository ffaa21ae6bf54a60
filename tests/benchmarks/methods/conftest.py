"""Settings of the trained rivals for tests."""

from __future__ import annotations

import pytest

from benchmarks.methods import learning


@pytest.fixture
def few_steps(monkeypatch):
    """Train in few batches, as drawn people are far from each other."""
    monkeypatch.setattr(learning, "STEPS", 60)
