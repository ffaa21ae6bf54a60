"""A film to try the program on, with known truth: real faces, cut together anew on your machine."""

from __future__ import annotations

from videoclusternet.demo.film import build_demo_film
from videoclusternet.demo.pictures import DEMO_ASSETS

__all__ = ["DEMO_ASSETS", "build_demo_film"]
