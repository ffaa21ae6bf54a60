"""Environments of their own, for packages that cannot share ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.runs import ProgramFailedError


class Environment:
    """A virtual environment below a folder, made with its packages when it is first run."""

    def __init__(self, work: Path, name: str, *packages: str) -> None:
        self._name, self._packages = name, packages
        self._folder = work.absolute() / "-".join((name, *packages)).replace("==", "-")

    def run(self, *arguments: str) -> str:
        """Run its Python and return what it prints. Raises ProgramFailedError."""
        self._install()
        return self._call(str(self._python), *arguments)

    @property
    def _python(self) -> Path:
        return self._folder / "bin" / "python"

    def _install(self) -> None:
        done = self._folder / "done"
        if not done.exists():
            self._call(sys.executable, "-m", "venv", "--clear", str(self._folder))
            self._call(str(self._python), "-m", "pip", "install", "--quiet", *self._packages)
            done.touch()

    def _call(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it did not say why"])[-1]
            raise ProgramFailedError(f"{self._name} could not be made ready or run: {last}")
        return done.stdout
