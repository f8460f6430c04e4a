"""What every service works on: settings, store, access database and clock, handed in as one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from harmony_dash.access.database import AccessDatabase
from harmony_dash.dictionary import Dictionary, load_dictionary
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import CoverageResult
from harmony_dash.services.remembered import Remembered
from harmony_dash.settings import Settings
from harmony_dash.store.extracts import Extracts
from harmony_dash.store.reader import Store


@dataclass(frozen=True)
class Deployment:
    """One running installation."""

    settings: Settings = field(repr=False)  # holds secrets
    store: Store
    access: AccessDatabase
    now: Callable[[], datetime]
    extracts: Extracts = field(init=False, repr=False, compare=False)
    coverage: Remembered[Released[CoverageResult]] = field(init=False, repr=False, compare=False,
                                                           default_factory=Remembered)

    def __post_init__(self) -> None:
        object.__setattr__(self, "extracts", Extracts(self.store))

    @cached_property
    def dictionary(self) -> Dictionary:
        """The dictionary new snapshots are made with, read once; a page uses the one its snapshot carries."""
        return load_dictionary(self.settings.dictionary_files)


def open_deployment(settings: Settings, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Deployment:
    """Open the store and the access database that the settings name.

    Raises
    ------
    StoreError or SettingsError if the access database is damaged, or its audit trail was cut short or changed: the
    application must not start open.
    """
    store = Store(settings.store, threads=settings.query_threads, memory_limit=settings.memory_limit)
    access = AccessDatabase(settings.access_database, settings.access_key, head=settings.audit_head, now=now)
    return Deployment(settings, store, access, now)
