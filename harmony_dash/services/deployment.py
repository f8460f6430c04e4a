"""What every service works on: settings, store, access database and clock, handed in as one value."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING

from harmony_dash.access.database import AccessDatabase
from harmony_dash.dictionary import Dictionary, load_dictionary
from harmony_dash.disclosure.released import Released
from harmony_dash.services.remembered import Remembered
from harmony_dash.settings import Settings
from harmony_dash.store.reader import Store

if TYPE_CHECKING:
    from harmony_dash.disclosure.coverage_results import CoverageResult
    from harmony_dash.disclosure.quality_results import QualityResult
    from harmony_dash.disclosure.release_info import CohortChoices, ReleaseInfo
    from harmony_dash.disclosure.results import SurvivalResult
    from harmony_dash.disclosure.subgroup_results import SubgroupsResult
    from harmony_dash.store.extracts import Extracts


@dataclass(frozen=True)
class Deployment:
    """One running installation."""

    settings: Settings = field(repr=False)  # holds secrets
    store: Store
    access: AccessDatabase
    now: Callable[[], datetime]
    coverage: Remembered[Released[CoverageResult]] = field(init=False, repr=False, compare=False,
                                                           default_factory=Remembered)
    releases: Remembered[Released[ReleaseInfo]] = field(init=False, repr=False, compare=False,
                                                        default_factory=Remembered)
    choices: Remembered[Released[CohortChoices]] = field(init=False, repr=False, compare=False,
                                                         default_factory=partial(Remembered, 128))
    quality: Remembered[Released[QualityResult]] = field(init=False, repr=False, compare=False,
                                                         default_factory=partial(Remembered, 32))
    survival: Remembered[Released[SurvivalResult]] = field(init=False, repr=False, compare=False,
                                                           default_factory=partial(Remembered, 128))
    subgroups: Remembered[Released[SubgroupsResult]] = field(init=False, repr=False, compare=False,
                                                             default_factory=partial(Remembered, 32))
    _making: threading.Lock = field(init=False, repr=False, compare=False, default_factory=threading.Lock)

    @property
    def extracts(self) -> Extracts:
        """The extracts of grants; what makes them is imported with the first, because most commands need none."""
        with self._making:  # two of them would write the same files; from Python 3.12 a cached property has no lock
            return self._made_extracts

    @cached_property
    def _made_extracts(self) -> Extracts:
        from harmony_dash.store.extracts import Extracts

        return Extracts(self.store)

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
