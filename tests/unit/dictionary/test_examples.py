from __future__ import annotations

from pathlib import Path

import pytest

from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.what_if_question import WhatIfQuestion, check_what_if
from harmony_dash.dictionary import load_dictionary
from harmony_dash.dictionary.examples import load_examples
from harmony_dash.dictionary.examples.load import read_examples
from harmony_dash.dictionary.yaml_reader import read_yaml
from harmony_dash.errors import DictionaryError

ENTRY = """examples:
  - {label: L, about: a, disease: ALL, endpoint: efs, where: {}, strategy: s, reference: r, compared: c,
     modifiers: [], horizon_days: 1826%s}
"""


def test_every_example_is_a_question_that_the_dictionary_can_be_asked() -> None:
    dictionary = load_dictionary()
    examples = load_examples()
    assert 2 <= len(examples) <= 4 and len({one.label for one in examples}) == len(examples)
    for one in examples:
        where = tuple(OneOf(name, values) for name, values in one.where.items())
        assert all(set(item.values) <= set(dictionary[item.variable].values) for item in where)
        check_what_if(WhatIfQuestion(Question(one.disease, one.endpoint, where), one.strategy, one.reference,
                                     one.compared, modifiers=one.modifiers, horizon_days=one.horizon_days), dictionary)
        # the data give the answer, not the example
        assert not any(character.isdigit() for character in f"{one.label} {one.about}".replace("RUNX1", "").replace(
            "ETV6", ""))


@pytest.mark.parametrize("text", [ENTRY % ", more: 1", ENTRY.replace("label: L, ", "") % "",
                                  ENTRY.replace("1826", "five") % "", "examples: 3\n", "examples: [3]\n"])
def test_an_entry_with_too_little_or_too_much_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "examples.yaml"
    path.write_text(text)
    with pytest.raises(DictionaryError):
        read_examples(read_yaml(path, error=DictionaryError))
