"""Makes the pictures in `docs/` from the real thing (`make pictures`); `make bench` makes the one of the figures.

It needs Chromium, Graphviz and a free port 8888. A test tells when a picture is out of date.
"""

import functools
import hashlib
import io
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from .baked import TEMPLATE, Project
from .checking import BIN
from .terminal import COLUMNS, Shell

TERMINAL, PAGE, HOUSE = (TEMPLATE / "docs" / name for name in ("terminal.svg", "page.png", "house.svg"))

ADDRESS = "http://127.0.0.1:8888"
FIRST_REQUEST = f"curl '{ADDRESS}/?id=1'"

HOUSE_STYLE = """<style>
text { fill: #1f2328; font-family: sans-serif }
.node path { fill: #ffffff; stroke: #656d76 }
.cluster path { fill: #eaeef2; stroke: none }
.edge path { stroke: #656d76 }
.edge polygon { fill: #656d76; stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .node path { fill: #0d1117; stroke: #8d96a0 }
  .cluster path { fill: #262c36 }
  .edge path { stroke: #8d96a0 }
  .edge polygon { fill: #8d96a0 }
}
</style>
"""


def main() -> None:
    # Not in /tmp where it is the user's alone: as root, the embedded server would keep its data elsewhere.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        with serving(folder) as shown:
            project = Project(folder / "name_service")
            PAGE.write_bytes(page(f"{ADDRESS}/docs", page_digest(project)))
        TERMINAL.write_text(terminal(shown), "utf-8")
        HOUSE.write_text(house(imports(project)), "utf-8")


def commands() -> tuple[str, str]:
    """Return the README's first commands: the one that bakes, and the one that serves."""
    readme = (TEMPLATE / "README.md").read_text("utf-8")
    found = re.search(r"^(uvx cookiecutter .*?) +#.*\n(cd .*?) +#", readme, re.MULTILINE)
    assert found is not None
    return found[1], found[2]


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Type the README's commands, and serve until the end of the block.

    Yields what the terminals showed, from the first command to the answer to a request.
    """
    bake, serve = commands()
    config = folder / "config.yaml"
    config.write_text(f"replay_dir: {folder / 'replays'}\n", "utf-8")
    shell = Shell(folder, COOKIECUTTER_CONFIG=str(config), TEMPLATE=str(TEMPLATE), UV_NO_PROGRESS="1")
    shell.type(bake)
    shell.take_the_defaults()
    shell.type(serve)
    shell.expect(r"Press \^C to stop\.\r\n")
    other = Shell(folder)
    other.type("# in another terminal")
    other.wait_for_prompt()
    other.type(FIRST_REQUEST)
    other.expect(r"\{.*\}")
    yield f"{shell.printed}\n{other.printed}"
    shell.stop()
    shell.close()
    other.close()


def terminal(shown: str) -> str:
    """Draw what a terminal showed."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(shown.replace("\r\n", "\n")))
    without_fonts = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(title="", code_format=without_fonts, unique_id="terminal")


def page(address: str, digest: str) -> bytes:
    """Take a picture of `/docs` after a row was asked for there, and keep the digest in it."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "Chromium is not installed: on Debian, apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 900, "height": 700})
        shown.goto(address)
        get = shown.locator(".opblock-get").first
        get.click()
        get.get_by_role("textbox").fill("1")
        get.get_by_role("button", name="Execute").click()
        answer = get.locator(".live-responses-table")
        answer.wait_for()
        bottom = answer.evaluate("answer => answer.getBoundingClientRect().bottom + scrollY")
        png = shown.screenshot(
            animations="disabled", full_page=True, clip={"x": 0, "y": 0, "width": 900, "height": bottom}
        )
        browser.close()
    return with_comment(png, digest)


def with_comment(png: bytes, text: str) -> bytes:
    """Add a text chunk before the last one, which is empty: a PNG's chunk is length, type, data and checksum."""
    chunk = b"tEXtComment\0" + text.encode()
    end = len(png) - 12
    return png[:end] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[end:]


def page_digest(project: Project) -> str:
    """Return the digest of what `/docs` shows: its files and the description of the service."""
    files = sorted(file for file in project.path.glob("src/*/foundation/web/openapi/docs/**/*") if file.is_file())
    described = project.run(sys.executable, "-m", project.path.name, "openapi", PYTHONPATH=str(project.path / "src"))
    return hashlib.sha256(b"".join([*(file.read_bytes() for file in files), described.encode()])).hexdigest()


def imports(project: Project) -> set[tuple[str, str]]:
    """Return which part of the service imports which, without the imports that follow from others.

    A part is a module of the user's, or a module or package directly in the foundation.
    """
    files = json.loads(project.run(BIN / "ruff", "analyze", "graph", "--quiet", "src"))
    pairs = {(part(file), part(imported)) for file, others in files.items() for imported in others}
    arrows = {(importer, imported) for importer, imported in pairs if importer != imported}

    @functools.cache
    def below(part: str) -> set[str]:
        return {lower for importer, imported in arrows if importer == part for lower in (imported, *below(imported))}

    return {
        (importer, imported)
        for importer, imported in arrows
        if not any(imported in below(other) for above, other in arrows if above == importer)
    }


def part(file: str) -> str:
    """Return `handlers` for `src/name_service/handlers.py`, `foundation/web` for a file of that package."""
    _, _, *parts = Path(file).with_suffix("").parts
    return "/".join(parts[:2]).removesuffix("/__init__")


def house(arrows: set[tuple[str, str]]) -> str:
    """Draw who imports whom. Graphviz keeps the names of parts and arrows in the titles."""
    parts = sorted({part for arrow in arrows for part in arrow})
    yours = [f'"{name}"' for name in parts if "/" not in name]
    foundation = [f'"{name}" [label="{name.removeprefix("foundation/")}"]' for name in parts if "/" in name]
    source = f"""digraph {{
        bgcolor="transparent" fontname="sans-serif" fontsize=16 nodesep=0.15 ranksep=0.35
        node [shape=box style=rounded fontname="sans-serif" fontsize=14 height=0.35] edge [arrowsize=0.6]
        subgraph cluster_yours {{ label="yours" labeljust=l style=rounded {" ".join(yours)} }}
        subgraph cluster_foundation {{ label="foundation" labeljust=l style=rounded {" ".join(foundation)} }}
        {" ".join(f'"{importer}" -> "{imported}"' for importer, imported in sorted(arrows))}
    }}"""
    svg = subprocess.run(["dot", "-Tsvg"], input=source, check=True, stdout=subprocess.PIPE, text=True).stdout
    return svg[svg.index("<svg") :].replace("<g ", HOUSE_STYLE + "<g ", 1)


if __name__ == "__main__":
    main()
