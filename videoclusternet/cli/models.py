"""The commands about networks: setup, and models with its list, check and fetch."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from videoclusternet.cli import completion
from videoclusternet.cli.app import AsJson, app, err, out
from videoclusternet.terminal import models_lines, one_line, watch

models = typer.Typer(help="The networks that can be used, and files of your own.")
app.add_typer(models, name="models")


@app.command()
def setup(
    with_demo: Annotated[
        bool, typer.Option("--demo", help="Fetch the pictures of the demonstration, too.")
    ] = False,
    with_all: Annotated[
        bool, typer.Option("--all", help="Fetch the networks that only a setting asks for, too.")
    ] = False,
) -> None:
    """Fetch the networks; only this, 'vcn demo' and 'vcn models fetch' go online."""
    from videoclusternet.demo import DEMO_ASSETS
    from videoclusternet.weights.assets import ASSETS, OPTIONAL, locate
    from videoclusternet.weights.fetch import fetch_assets

    assets = [*ASSETS.values(), *(OPTIONAL.values() if with_all else ())]
    assets += DEMO_ASSETS.values() if with_demo else ()
    with watch(err) as progress:
        fetch_assets(assets, partial(progress, "files"))
    for asset in assets:
        where = one_line(locate(asset))
        out.print(f"{asset.name}: {where} ({asset.licence}; {asset.source})")


@models.callback(invoke_without_command=True)
def list_models(context: typer.Context, as_json: AsJson = False) -> None:
    """List every face network (backbone) and detector, with its terms and its source."""
    if context.invoked_subcommand is not None:
        return
    from videoclusternet.catalogue import catalogue

    entries = catalogue()
    if as_json:
        print(json.dumps([asdict(entry) for entry in entries], indent=1))
    else:
        for line in models_lines(entries):
            out.print(one_line(line))


@models.command()
def check(
    path: Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="The file.")],
    as_json: AsJson = False,
) -> None:
    """Read the file of a network safely, say what it is and how to use it, and try it on faces."""
    from videoclusternet.check import check_model

    verdict = check_model(path)
    if as_json:
        print(json.dumps(verdict.to_json(), indent=1))
        return
    for line in verdict.lines():
        out.print(one_line(line))


@models.command()
def fetch(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A network of 'vcn models' that is brought by you.",
            autocompletion=completion.fetchable,
        ),
    ],
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="Where its file is, an https address.")
    ],
    sha256: Annotated[
        str | None, typer.Option(metavar="HEX", help="What its SHA-256 must be.")
    ] = None,
) -> None:
    """Fetch the file of a network from an address that you name, and nothing else."""
    from videoclusternet.check import fetch_model

    with watch(err) as progress:
        verdict = fetch_model(name, address, sha256, partial(progress, "file"))
    for line in verdict.lines():
        out.print(one_line(line))
