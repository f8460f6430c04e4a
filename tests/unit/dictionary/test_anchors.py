from __future__ import annotations

from pathlib import Path

import pytest

from harmony_dash.dictionary import load_dictionary
from harmony_dash.dictionary.anchors import load_anchors
from harmony_dash.dictionary.anchors.load import read_anchors
from harmony_dash.dictionary.yaml_reader import read_yaml
from harmony_dash.errors import DictionaryError

ENTRY = """anchors:
  - {trial: T, disease: ALL, strategy: [intensity_assigned], strategies: [reduced, standard], contrast: c,
     population: p, randomised: true, where: {}, never: {}, results: [r], citation: c%s}
"""


def test_every_anchor_has_a_citation_and_speaks_the_dictionary() -> None:
    dictionary = load_dictionary()
    anchors = load_anchors()
    assert len(anchors) >= 5
    for anchor in anchors:
        assert anchor.citation and anchor.results
        assert anchor.disease in dictionary.diseases
        for name, values in (*anchor.where.items(), *anchor.never.items()):
            assert set(values) <= set(dictionary[name].values)
        assert anchor.strategy
        for name in anchor.strategy:
            assert anchor.strategies <= set(dictionary[name].values)


@pytest.mark.parametrize("text", [ENTRY % ", more: 1", ENTRY.replace("trial: T, ", "") % "",
                                  ENTRY.replace("[reduced, standard]", "[reduced]") % "", "anchors: 3\n"])
def test_an_entry_with_too_little_or_too_much_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "anchors.yaml"
    path.write_text(text)
    with pytest.raises(DictionaryError):
        read_anchors(read_yaml(path, error=DictionaryError))
