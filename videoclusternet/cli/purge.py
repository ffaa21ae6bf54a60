"""The command that erases: purge."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoclusternet.cli.app import AsJson, RunFolder, app, err, out
from videoclusternet.errors import UsageError
from videoclusternet.terminal import one_line

if TYPE_CHECKING:
    from videoclusternet.purge.proof import Proof


@app.command()
def purge(
    folder: RunFolder,
    who: Annotated[
        str | None,
        typer.Option("--person", metavar="WHO", help="Only one person: a name or number."),
    ] = None,
    days: Annotated[
        float | None,
        typer.Option(
            "--older-than",
            metavar="DAYS",
            help="All runs below DIR that were left so many days ago.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase what was found out about the people of a film, or about one of them, with proof."""
    from videoclusternet.purge.erase import erase_old, erase_run
    from videoclusternet.purge.person import erase_person

    if who is not None and days is not None:
        raise UsageError("Name a person or an age, not both.")
    if not yes:
        what = f"all about '{who}'" if who else f"runs older than {days:g} days" if days else "all"
        ask_first(what, folder)
    if days is not None:
        proofs = dict(erase_old(folder, days))
    else:
        proofs = {folder: erase_person(folder, who) if who else erase_run(folder)}
    print_proofs(proofs, as_json)


def ask_first(what: str, folder: Path) -> None:
    """Ask whether to erase this, and end where the answer is no."""
    typer.confirm(f"Erase {one_line(what)} in {one_line(folder)} for good?", abort=True, err=True)


def print_proofs(proofs: dict[Path, Proof], as_json: bool) -> None:
    """Print what was removed and what a search found, and end with 6 where it found anything."""
    if as_json:
        print(json.dumps({str(path): asdict(proof) for path, proof in proofs.items()}, indent=1))
    else:
        for path, proof in proofs.items():
            _print(path, proof)
    if any(proof.found for proof in proofs.values()):
        raise typer.Exit(6)


def _print(folder: Path, proof: Proof) -> None:
    out.print(f"Erased in {one_line(folder)}:")
    for one in proof.files:
        out.print(f"  {one.name:<20}{one.bytes:>14,} bytes  sha256 {one.sha256[:16]}")
    for name, count in proof.counts.items():
        out.print(f"  {count:,} {name}")
    out.print(
        f"Searched for {proof.traces} traces in {proof.searched} files: {len(proof.found)} found."
    )
    for path in proof.found:
        err.print(f"Warning: {one_line(path)} still holds something of it: remove it yourself.")
    for name in proof.foreign:
        err.print(f"Warning: {one_line(name)} was not made by the program: it was left.")
    out.print("Exports, overlays and copies elsewhere are yours to remove.")
