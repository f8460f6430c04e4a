"""The words of the access page: people, levels, days and lists as a committee member reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

from harmony_dash.dictionary.model import Dictionary
from harmony_dash.disclosure import Level

LEVELS: Mapping[Level, str] = {Level.PROTECTED: "Protected results", Level.EXACT: "Exact numbers on screen"}
SHORT_LEVELS: Mapping[Level, str] = {Level.PROTECTED: "Protected", Level.EXACT: "Exact"}
LEVEL_EXPLANATIONS: Mapping[Level, str] = {
    Level.PROTECTED: "Small groups and counts stay hidden, as they are for clinicians.",
    Level.EXACT: "No count is hidden or rounded on screen. Exports stay protected, and nobody sees a patient's row."}
NOTHING = "–"
# Whoever the trail names without an account: the command line, and what nobody had signed in for.
_NOT_ACCOUNTS = {"operator": "Command line", "": "Nobody signed in"}


def person_words(username: str, names: Mapping[str, str]) -> str:
    """A person's name with the account behind it, "Ana Lyst (ana)"; the account alone where there is no name.

    Parameters
    ----------
    names : account name to display name.
    """
    if username in _NOT_ACCOUNTS:
        return _NOT_ACCOUNTS[username]
    name = names.get(username, "")
    return f"{name} ({username})" if name and name != username else username


def people_words(usernames: Iterable[str], names: Mapping[str, str]) -> str:
    """Several people, separated by commas."""
    return ", ".join(person_words(username, names) for username in usernames)


def name_of(username: str, names: Mapping[str, str]) -> str:
    """A person's name alone, where the account is told elsewhere."""
    return _NOT_ACCOUNTS.get(username) or names.get(username) or username


def list_words(items: Sequence[str]) -> str:
    """ "A", "A and B", "A, B and C"."""
    return " and ".join(part for part in (", ".join(items[:-1]), *items[-1:]) if part)


def day_words(day: date) -> str:
    """ "1 December 2026"."""
    return f"{day.day} {day:%B %Y}"


def short_day(day: date) -> str:
    """ "1 Dec 2026", for tables."""
    return f"{day.day} {day:%b %Y}"


def moment_words(moment: datetime | None) -> str:
    """ "21 Nov 2026, 12:05" in UTC; a dash for never."""
    if moment is None:
        return NOTHING
    moment = moment.astimezone(UTC)
    return f"{short_day(moment.date())}, {moment:%H:%M}"


def count_words(n: int, one: str, many: str = "") -> str:
    """ "1 day", "2 days"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def country_words(codes: Iterable[str], dictionary: Dictionary) -> str:
    """Countries by name, in the order of their names."""
    return ", ".join(sorted(country_name(code, dictionary) for code in codes))


def country_name(code: str, dictionary: Dictionary) -> str:
    """The name of a country; its code where the dictionary has none."""
    return dictionary["country"].label_of(code) if "country" in dictionary else code


def disease_words(codes: Iterable[str], dictionary: Dictionary) -> str:
    """Diseases by name."""
    return ", ".join(dictionary.diseases[code].label if code in dictionary.diseases else code for code in codes)


def variable_label(name: str, dictionary: Dictionary) -> str:
    """The label of a variable; its name where the dictionary has dropped it since."""
    return dictionary[name].label if name in dictionary else name


def labels_by_section(names: Iterable[str], dictionary: Dictionary) -> dict[str, list[str]]:
    """Variables by the heading they stand under, both in the order of the dictionary."""
    wanted = set(names)
    found: dict[str, list[str]] = {}
    for variable in dictionary.variables.values():
        if variable.name in wanted:
            found.setdefault(variable.section, []).append(variable.label)
    unknown = sorted(wanted - set(dictionary.variables))
    return {**found, **({"No longer in the dictionary": unknown} if unknown else {})}


def sensitive_labels(names: Iterable[str], dictionary: Dictionary) -> list[str]:
    """Labels of the variables among them that weigh most if they leak."""
    return [dictionary[name].label for name in names if name in dictionary and dictionary[name].sensitive == "high"]
