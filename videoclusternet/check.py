"""What a file of parameters is, whether it works on faces, and how it is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from videoclusternet.demo.portraits import Trial, at_hand, try_backbone, try_detector
from videoclusternet.durable import aside, make_private, settle
from videoclusternet.errors import UsageError
from videoclusternet.faces.detectors import DETECTORS, DetectorSpec, identify, load_detector
from videoclusternet.models.registry import BACKBONES, BackboneSpec
from videoclusternet.records import Progress, silent
from videoclusternet.terminal import to_paste
from videoclusternet.weights.choice import WeightsFile, fetched_file
from videoclusternet.weights.fetch import download

CLEARLY = 1.1  # times the margin: from here on the other order of colours is likely the right one


@dataclass(frozen=True)
class Verdict:
    """What a file is, and how it did."""

    kind: Literal["backbone", "detector"]
    spec: BackboneSpec | DetectorSpec  # the row that it fits, as the file is fed
    path: Path  # as it was named
    weights: WeightsFile
    parameters: int | None  # how many numbers are learned; a backbone's
    trial: Trial | None  # None where the photographs are not at hand

    @property
    def setting(self) -> str:
        """How a run is told to use the file."""
        named = fetched_file(self.spec.name) == self.path
        return self.spec.name if named else f"{self.spec.name}={self.path}"

    def to_json(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        values = asdict(self.spec) | {
            "kind": self.kind,
            "path": str(self.path),
            "bytes": self.weights.path.stat().st_size,
            "sha256": self.weights.sha256,
            "parameters": self.parameters,
            "trial": self.trial and asdict(self.trial) | {"passed": self.trial.passed},
            "setting": self.setting,
        }
        del values["module"]
        return values

    def lines(self) -> Iterator[str]:
        """Yield the same for a reader."""
        yield f"{self.path} fits the {self.kind} '{self.spec.name}' ({self.spec.source})."
        yield f"SHA-256 {self.weights.sha256}, {self.weights.path.stat().st_size:,} bytes"
        yield f"Licence of the code: {self.spec.code_licence}; of the network: " + (
            self.spec.weights_licence
        )
        if isinstance(self.spec, BackboneSpec):
            feed = self.spec.feed
            yield (
                f"{self.parameters:,} parameters; takes {feed.colours.upper()} pictures of "
                f"{feed.size} x {feed.size} pixels, makes embeddings of {self.spec.dimension}"
            )
        yield from self._tried()
        yield f"To use it: {to_paste(['vcn', 'run', 'FILM', f'--{self.kind}', self.setting])}"

    def _tried(self) -> Iterator[str]:
        trial = self.trial
        if trial is None:
            yield "Not tried on faces: 'vcn setup --demo' brings photographs for that."
            return
        if trial.people is None:
            yield f"Tried on photographs: {trial.found} of {trial.there} faces were found."
        else:
            yield (
                f"Tried on photographs: views of one face are the nearer ones in {trial.views:.1%} "
                f"of comparisons, photographs of one person in {trial.people:.1%}."
            )
            if trial.margin and trial.exchanged and trial.exchanged > CLEARLY * trial.margin:
                yield (
                    "With red and blue exchanged it tells people apart better (by "
                    f"{trial.exchanged:.1f} deviations instead of {trial.margin:.1f}): if it was "
                    "trained so, say it in a TOML file."
                )
        if not trial.passed:
            yield "That is too little: is this a trained network, and is it fed as it should be?"


def check_model(path: Path) -> Verdict:
    """Read a file safely, and tell what it is. Raises WeightsError where it is nothing of use."""
    from videoclusternet.models.checkpoint import kind_of  # torch, which takes seconds
    from videoclusternet.models.loading import row_for

    if path.suffix != ".toml" and kind_of(path) == "onnx" and (name := identify(path)):
        return _check_detector(DETECTORS[name], path, WeightsFile.brought(path))
    return _check_backbone(path, *row_for(path))


def fetch_model(
    name: str, address: str, sha256: str | None = None, progress: Progress = silent
) -> Verdict:
    """Bring the file of a row from an address, and keep it only if it is what the row needs.

    Raises UsageError where there is no such row, or `vcn setup` brings its file; WeightsError where
    the address gives none or another, ResourceError where it cannot be written.
    """
    table: dict[str, BackboneSpec | DetectorSpec] = {**BACKBONES, **DETECTORS}
    brought = [row.name for row in table.values() if row.asset is None]
    if name not in brought:
        raise UsageError(f"There is no network '{name}' to fetch: use one of {', '.join(brought)}.")
    target = fetched_file(name)
    make_private(target.parent)
    part = aside(target)
    try:
        download(address, part, sha256, progress)
        spec, weights = table[name], WeightsFile.brought(part)
        if isinstance(spec, DetectorSpec):
            verdict = _check_detector(spec, target, weights)
        else:
            verdict = _check_backbone(target, spec, weights)
        settle([part])
    finally:
        part.unlink(missing_ok=True)
    return replace(verdict, weights=replace(weights, path=target))


def _check_detector(spec: DetectorSpec, path: Path, weights: WeightsFile) -> Verdict:
    detector = load_detector(spec, weights)
    trial = try_detector(detector) if at_hand() else None
    return Verdict("detector", spec, path, weights, None, trial)


def _check_backbone(path: Path, spec: BackboneSpec, weights: WeightsFile) -> Verdict:
    from videoclusternet.models.loading import load_backbone

    spec, net = load_backbone(spec, weights.path)
    count = sum(value.numel() for value in net.parameters())
    trial = try_backbone(spec, net) if at_hand() else None
    return Verdict("backbone", spec, path, weights, count, trial)
