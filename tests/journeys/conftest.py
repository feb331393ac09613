"""The journeys' stage: the whole portal as `make demo` starts it, in a folder of its own, and a real browser."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from portal import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

START_SECONDS = 240


@dataclass(frozen=True)
class Portal:
    """A running portal and how to reach it: by its address, and by its commands as an operator types them."""

    directory: Path
    address: str
    provider: str
    environment: dict[str, str]

    def command(self, *arguments: str, given: str = "") -> Any:
        """Run a command of `manage.py` with `--json` and return its document."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments, "--json"],
            cwd=embedded.CHECKOUT,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def portal() -> Iterator[Portal]:
    own = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "STORAGE_URL", "DJANGO_SETTINGS_MODULE"}
    }
    with tempfile.TemporaryDirectory(
        dir=embedded.VAR / "test", prefix="journey-", ignore_cleanup_errors=True
    ) as folder:
        directory = Path(folder)
        directory.chmod(0o711)
        # Small enough for a bar to move over a few hundred people.
        own["IMPORT_CHUNK_ROWS"] = "250"
        port, provider_port = free_port(), free_port()
        demo = subprocess.Popen(
            [sys.executable, "-m", "portal.demo.run", "--port", str(port), "--provider-port", str(provider_port),
             "--directory", str(directory)],
            cwd=embedded.CHECKOUT,
            env=own,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        try:
            wait_until_welcome(demo)
            chosen = json.loads((directory / "portal.env.json").read_text())
            yield Portal(directory, f"http://localhost:{port}", f"http://127.0.0.1:{provider_port}", own | chosen)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.communicate(timeout=60)


def wait_until_welcome(demo: subprocess.Popen[str]) -> None:
    assert demo.stdout is not None
    said = []
    deadline = time.monotonic() + START_SECONDS
    for line in demo.stdout:
        said.append(line)
        if "The portal answers on" in line:
            return
        if time.monotonic() > deadline:
            break
    pytest.fail("The demo did not start:\n" + "".join(said))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Take the browser that `deploy/browser.sh` found or installed; without one the journeys fail, never skip."""
    program = os.environ.get("PORTAL_BROWSER")
    if not program:
        pytest.fail("PORTAL_BROWSER names no browser: run `make test`, or set it to the path of Chromium.")
    quiet = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    return {**browser_type_launch_args, "executable_path": program, "args": ["--no-sandbox", *quiet]}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "locale": "fr-FR", "viewport": {"width": 1280, "height": 900}}


class Eyes:
    """Looks at pages as a person with assistive technology and a designer would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def look(self, page: Page, name: str) -> None:
        """Take a picture, and find no accessibility fault and no sideways scroll."""
        page.screenshot(path=self.folder / f"{name}.png", full_page=True)
        found = Axe().run(page)
        faults = [
            (fault["id"], [node["html"][:160] for node in fault["nodes"]]) for fault in found.response["violations"]
        ]
        assert faults == [], f"{name}: {faults}"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} scrolls sideways"


@pytest.fixture
def eyes() -> Eyes:
    folder = embedded.VAR / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return Eyes(folder)


@pytest.fixture(autouse=True)
def _no_console_errors(request: pytest.FixtureRequest) -> Iterator[None]:
    """A script or a style that the content security policy stopped is a fault of the page."""
    page: Page = request.getfixturevalue("page")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    yield
    assert [text for text in said if re.search(r"Content Security Policy|Refused", text)] == []
