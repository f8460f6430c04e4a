"""A real server in a process of its own, on a free loopback port, with a store and accounts of its own.

`start_server` is a context manager; `copy_project` makes a copy of the application whose pages can be replaced. The
pages of a copy are marked: right after its guard each page shows `marker_of(page)`, so that whoever sees the marker
got past the guard.
"""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from harmony_dash.access.accounts import ACCOUNT_ROLES, create_account
from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.sessions import open_session
from harmony_dash.settings import read_secret

PROJECT_ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "violet kettle under seven stairs"
_CHEAP_ROUNDS = 4
_LONGEST_START = 120.0


def marker_of(page: str) -> str:
    """What a marked page shows to whoever passes its guard."""
    return f"MARKER-OF-{page.upper()}"


def username_of(role: Role) -> str:
    """The account that every test server has for this role."""
    return f"{role.value}.test"


@dataclass(frozen=True)
class Server:
    """A running server."""

    url: str
    access: AccessDatabase
    log: Path
    process: int

    @property
    def stream(self) -> str:
        """The address of its websocket."""
        return self.url.replace("http", "ws", 1) + "/_stcore/stream"

    @property
    def own_page(self) -> dict[str, str]:
        """The header with which a browser says that a page of this server makes the request."""
        return {"Sec-Fetch-Site": "same-origin"}

    def open_session(self, role: Role) -> str:
        """The token of a new session of the role's account."""
        with self.access.write() as connection:
            return open_session(connection, username_of(role), now=datetime.now(UTC))


def copy_project(target: Path, pages: Mapping[str, str] | None = None) -> Path:
    """Copy the application, mark its pages, and replace those that `pages` names by other source text."""
    (target / "pages").mkdir(parents=True)
    for name in ("app.py", ".streamlit", "harmony_dash"):
        source = PROJECT_ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name)
        else:
            shutil.copy(source, target / name)
    for page in sorted((PROJECT_ROOT / "pages").glob("*.py")):
        (target / "pages" / page.name).write_text(_mark(page.read_text(encoding="utf-8"), page.stem), encoding="utf-8")
    for name, text in (pages or {}).items():
        (target / "pages" / f"{name}.py").write_text(text, encoding="utf-8")
    return target


def _mark(text: str, page: str) -> str:
    """The page's text with its marker shown right after the guard."""
    tree = ast.parse(text)
    guard = next(node for node in tree.body if is_guard(node))
    lines = text.splitlines()
    lines.insert(guard.end_lineno or guard.lineno, f"import streamlit; streamlit.write({marker_of(page)!r})")
    return "\n".join(lines) + "\n"


def is_guard(node: ast.stmt) -> bool:
    """Whether a statement is `require(...)` or `name = require(...)`."""
    if not isinstance(node, ast.Expr | ast.Assign):
        return False
    call = node.value
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "require"


@contextmanager
def start_server(folder: Path, *, root: Path = PROJECT_ROOT, environment: Mapping[str, str] | None = None,
                 options: tuple[str, ...] = (), with_accounts: bool = True) -> Iterator[Server]:
    """Run the application of `root`; every role has an account, and the store is empty unless `environment` says.

    Parameters
    ----------
    folder : an empty folder for the store and the access database.
    environment : further environment variables.
    options : further options of `streamlit run`.
    with_accounts : False for a server that nobody has made an account on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The server finds the key beside its database, made here; both processes append to one chained trail.
    key = read_secret("HARMONY_ACCESS_KEY", environment or {}, folder / "access.key")
    access = AccessDatabase(folder / "access.sqlite", key, head=folder / "audit.head")
    for role in ACCOUNT_ROLES if with_accounts else ():
        create_account(access, username=username_of(role), name=f"Test {role.value.replace('_', ' ')}", role=role,
                       password=PASSWORD, by=OPERATOR, now=datetime.now(UTC), rounds=_CHEAP_ROUNDS)
    port = _free_port()
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(root / "app.py"), "--server.port", str(port), *options],
            stdout=output, stderr=subprocess.STDOUT, cwd=folder,
            env={**os.environ, "HARMONY_STORE": str(folder / "store"), "HARMONY_ACCESS": str(access.path),
                 "HARMONY_SAMPLES": "", "PYTHONPATH": str(root), **(environment or {})})
        try:
            server = Server(f"http://127.0.0.1:{port}", access, log, process.pid)
            _wait(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            access.close()


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _LONGEST_START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server stopped: {server.log.read_text()}")
        try:
            if httpx.get(f"{server.url}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"the server did not answer: {server.log.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
