"""All checks of a dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harmony_dash.dictionary.model import Dictionary
from harmony_dash.quality.completeness import completeness_rules
from harmony_dash.quality.conformance import conformance_rules
from harmony_dash.quality.drafting import describe_meanings, finish_rule
from harmony_dash.quality.expectations import expectation_rules, read_expectations
from harmony_dash.quality.model import Rule
from harmony_dash.quality.plausibility import plausibility_rules


def build_rules(dictionary: Dictionary, expected: Mapping[str, Any] | None = None) -> tuple[Rule, ...]:
    """Every check that can be asked of a source with this dictionary, category by category, each id once.

    Parameters
    ----------
    expected : expectations, those of `expectations.yaml` by default.

    Raises
    ------
    DictionaryError for expectations that cannot be read.
    """
    expected = read_expectations() if expected is None else expected
    meanings = describe_meanings(dictionary)
    found: dict[str, Rule] = {}
    for rule in (*conformance_rules(dictionary), *completeness_rules(dictionary), *plausibility_rules(dictionary),
                 *expectation_rules(dictionary, expected)):
        if rule.check.id in found:
            raise ValueError(f"two checks are called {rule.check.id}")
        found[rule.check.id] = finish_rule(rule, dictionary, meanings)
    return tuple(found.values())
