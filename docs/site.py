"""What the site has beside the pages of this folder, and how links reach it (hooks of mkdocs).

Pages of the repository's root (PRIVACY.md, …) become pages of the site, each room of the package
gets a page of reference made from its docstrings, and files that a page links to come along. A link
is written as it works in the repository; here it is turned into what works on the site.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PACKAGE = "videoclusternet"
ROOMS = (
    "video", "faces", "tracks", "scenes", "models", "finetune", "clustering", "results", "review",
    "season", "library", "purge", "web", "cli", "weights", "demo",
)  # fmt: skip
PAGES = {
    "PRIVACY.md": "privacy.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "README.md": "index.md",
}
LOADED = re.compile(r"<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=\"?(https?:[^\" >]+)")
LINK = re.compile(r"(\]\(|<img src=\")(?!\w+:|#)([^)#\"\s]+)(#[^)\"\s]*)?")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of reference into the navigation."""
    reference: list[object] = next(part["Reference"] for part in config.nav if "Reference" in part)
    reference.extend({room: f"reference/{room}.md"} for room in (*ROOMS, "house"))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that do not lie in this folder."""
    for source, target in PAGES.items():
        if target != "index.md":
            files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    for room in ROOMS:
        files.append(File.generated(config, f"reference/{room}.md", content=_reference(room)))
    files.append(File.generated(config, "reference/house.md", content=_house()))
    return files


def _reference(room: str) -> str:
    """Return the page of a room: its modules, in the order of their names."""
    folder = ROOT / PACKAGE / room
    names = (path.relative_to(ROOT).with_suffix("") for path in folder.rglob("*.py"))
    modules = sorted(".".join(name.parts) for name in names if name.name != "__init__")
    about = (folder / "__init__.py").read_text().split('"""')[1].strip()
    return f"# {room}\n{about}\n\n" + "\n\n".join(f"::: {module}" for module in modules) + "\n"


def _house() -> str:
    """Return the page of the modules that belong to no room."""
    names = sorted(path.stem for path in (ROOT / PACKAGE).glob("[a-z]*.py"))
    return (
        "# The house itself\n"
        "What holds the rooms together: the recipe, the run folder, settings, records, errors.\n\n"
        + "\n\n".join(f"::: {PACKAGE}.{name}" for name in names)
        + "\n"
    )


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links that work in the repository into links of the site."""
    origin = Path(page.file.abs_src_path or "").parent
    if not origin.is_relative_to(ROOT):
        return markdown  # a page of reference
    here = posixpath.dirname(page.file.src_uri)

    def turn(match: re.Match[str]) -> str:
        path = (origin / match[2]).resolve()
        if not path.is_file() or not path.is_relative_to(ROOT):
            return match[0]  # mkdocs says that it leads nowhere
        target, anchor = _on_site(path.relative_to(ROOT).as_posix(), config, files)
        return f"{match[1]}{posixpath.relpath(target, here or '.')}{match[3] or anchor}"

    return LINK.sub(turn, markdown)


def _on_site(path: str, config: MkDocsConfig, files: Files) -> tuple[str, str]:
    """Return where a file of the repository is found on the site, and the place on that page."""
    if path in PAGES:
        return PAGES[path], ""
    if path.startswith("docs/"):
        return path.removeprefix("docs/"), ""
    parts = path.split("/")
    if parts[0] == PACKAGE and path.endswith(".py"):
        room = parts[1] if len(parts) > 2 else "house"
        return f"reference/{room}.md", "#" + path.removesuffix(".py").replace("/", ".")
    if files.get_file_from_path(path) is None:
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return path, ""


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
    """Refuse a site on which a page of this folder is missing."""
    listed = {page.file.src_uri for page in nav.pages}
    missing = {file.src_uri for file in files.documentation_pages()} - listed
    if missing:
        raise ValueError(f"Not in the navigation of mkdocs.yml: {', '.join(sorted(missing))}")
    return nav


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuse a page that would load something from elsewhere."""
    elsewhere = LOADED.findall(output)
    if elsewhere:
        raise ValueError(f"{page.file.src_uri} would load {', '.join(elsewhere)}")
    return output
