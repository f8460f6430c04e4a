"""What one running process serves: its settings, its store, its access database, its clock.

Built once, on the first call, and shared by the web server and every session.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from harmony_dash.access.demo import DemoAccount, ensure_demo_accounts, has_open_demo_accounts
from harmony_dash.errors import StoreError
from harmony_dash.services.demo_grant import ensure_demo_grant
from harmony_dash.services.deployment import Deployment as ServiceDeployment
from harmony_dash.services.deployment import open_deployment
from harmony_dash.settings import read_settings
from harmony_dash.store.layout import read_pointer, remove_abandoned

PROJECT_ROOT = Path(__file__).resolve().parents[2]
_lock = threading.Lock()
_deployment: Deployment | None = None


@dataclass(frozen=True)
class Deployment(ServiceDeployment):
    """What services work on, and what the interface needs beside it.

    Attributes
    ----------
    address : what the server is bound to.
    hosts : the host names it answers to; none means its own machine's only.
    """

    address: str = ""
    hosts: tuple[str, ...] = ()
    _demo_accounts: list[DemoAccount] = field(default_factory=list, repr=False, compare=False)

    @property
    def all_synthetic(self) -> bool:
        """Whether every source in the store is marked synthetic; asked anew, because a snapshot may be published.

        An empty store holds no patient at all. A damaged one is not known to be synthetic.
        """
        try:
            record = read_pointer(self.settings.store)
        except StoreError:
            return False
        return record is None or record.synthetic

    @property
    def demo_accounts(self) -> tuple[DemoAccount, ...]:
        """Demonstration accounts that may be used now, for the sign-in page."""
        self.shut_unsafe_demo_accounts()
        return tuple(self._demo_accounts)

    def shut_unsafe_demo_accounts(self) -> None:
        """Shut them as soon as a snapshot with other than synthetic data is served."""
        # asked of the database: somebody may have opened one by other ways
        if not self.all_synthetic and has_open_demo_accounts(self.access):
            self.ensure_demo_accounts()

    def ensure_demo_accounts(self) -> None:
        """Make, keep or shut the demonstration accounts, and their grant, as address and data allow."""
        self._demo_accounts[:] = ensure_demo_accounts(self.access, address=self.address, hosts=self.hosts,
                                                      all_synthetic=self.all_synthetic, now=self.now())
        ensure_demo_grant(self, self._demo_accounts)


def get_deployment() -> Deployment:
    """The deployment of this process.

    Raises
    ------
    SettingsError or StoreError if it may not start as it stands.
    """
    global _deployment
    with _lock:
        if _deployment is None:
            _deployment = _build()
        return _deployment


def _build() -> Deployment:
    opened = open_deployment(read_settings(os.environ, PROJECT_ROOT), now=lambda: datetime.now(UTC))
    remove_abandoned(opened.settings.store)  # rows of patients in files that nobody will finish
    deployment = Deployment(opened.settings, opened.store, opened.access, opened.now,
                            address=str(st.get_option("server.address") or ""),
                            hosts=tuple(st.get_option("server.allowedHosts") or ()))
    if deployment.settings.protection == "off" and not deployment.store.is_empty:
        from harmony_dash.services.admission import scope_for_all

        scope_for_all(deployment, deployment.store.current())  # never over real patients
    deployment.ensure_demo_accounts()
    return deployment
