"""The pages, and the permission each one needs.

A new page is one file in `pages/`, whose first statement is `require(...)` with the same permission, and one line
here. A test walks both.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harmony_dash.access.permissions import Permission
from harmony_dash.ui.startup import PROJECT_ROOT


@dataclass(frozen=True)
class PageEntry:
    """One page.

    Attributes
    ----------
    title, icon : how the navigation shows it; the icon is the name of a Material symbol.
    url_path : its address; unique, because two pages of one address are one page to Streamlit.
    file : its script.
    permission : what a role must hold to see it.
    """

    title: str
    icon: str
    url_path: str
    file: Path
    permission: Permission

    @property
    def is_start(self) -> bool:
        """Whether this is the page at `/`."""
        return self is PAGES[0]


def _entry(title: str, icon: str, name: str, permission: Permission) -> PageEntry:
    return PageEntry(title, f":material/{icon}:", name, PROJECT_ROOT / "pages" / f"{name}.py", permission)


PAGES: tuple[PageEntry, ...] = (
    _entry("Home", "home", "home", Permission.VIEW_HOME),
    _entry("Coverage", "public", "coverage", Permission.VIEW_COVERAGE),
    _entry("Survival", "stairs", "survival", Permission.VIEW_SURVIVAL),
    _entry("Subgroups", "account_tree", "subgroups", Permission.VIEW_SURVIVAL),
    _entry("What if", "alt_route", "what_if", Permission.VIEW_SURVIVAL),
    _entry("Data quality", "fact_check", "data_quality", Permission.VIEW_QUALITY),
    _entry("Export", "download", "export", Permission.EXPORT),
    _entry("Access", "shield_person", "access", Permission.VIEW_ACCESS),
    _entry("Account", "manage_accounts", "account", Permission.MANAGE_OWN_ACCOUNT),
)


def page_named(url_path: str) -> PageEntry:
    """The page at an address."""
    return next(entry for entry in PAGES if entry.url_path == url_path)
