"""Ask a store many questions in a process of its own and print what was answered; for the test that bytes are equal."""

from __future__ import annotations

import hashlib
import json
import random
import sys
from pathlib import Path

from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.services.survival import DEFAULT_DAYS, prepare_question
from harmony_dash.services.survival_answer import compute_survival
from harmony_dash.services.survival_json import survival_as_json
from harmony_dash.store.reader import Store

_FILTERS = {
    "immunophenotype": ["immunophenotype=B", "immunophenotype!=T"], "sex": ["sex=F,M", "sex=M,F"],
    "age_group": ["age_group=10-17,1-9", "age_group=1-9,10-17"], "country": ["country=NL,DE", "country=DE,NL"]}
_ENDPOINTS = ("os", "efs", "relapse", "relapse_1km", "efs_tf0", "trm")
_GROUPINGS = (None, "sex", "cyto_group", "trial", "country")


def make_question(number: int, shuffle: random.Random) -> Question:
    """Question `number`, its filters in the order and spelling that `shuffle` likes."""
    chosen = random.Random(number)
    names = chosen.sample(sorted(_FILTERS), chosen.randint(0, 3))
    endpoint, by = chosen.choice(_ENDPOINTS), chosen.choice(_GROUPINGS)
    landmark = 0 if endpoint == "efs_tf0" else chosen.choice((0, 0, 42, 183))
    horizon = chosen.choice((None, None, 1826, 1004))
    # "!=" keeps the unknown out like "=" does, but it is another question in words; so one spelling a filter here.
    texts = [shuffle.choice(_FILTERS[name]) if name != "immunophenotype" else _FILTERS[name][0] for name in names]
    shuffle.shuffle(texts)
    return Question("ALL", endpoint, tuple(parse_filter(text) for text in texts), by, None, landmark, horizon)


def main(folder: Path, questions: int, seed: int) -> None:
    """One line a question: the hash of its released answer."""
    snapshot, shuffle = Store(folder).current(), random.Random(seed)
    numbers = list(range(questions))
    shuffle.shuffle(numbers)
    lines = {}
    for number in numbers:
        asked = make_question(number, shuffle)
        prepared = prepare_question(asked, snapshot)
        scope = Scope(Level.PUBLIC if number % 5 == 0 else Level.PROTECTED)
        released = release(compute_survival(snapshot, prepared, asked, interval=IntervalType.LOG_LOG, days=DEFAULT_DAYS,
                                            scope=scope), scope)
        curves = [[column.tolist() for column in (group.curve.days, group.curve.estimate, group.curve.lower,
                                                  group.curve.upper)] for group in released.value.groups]
        text = json.dumps([survival_as_json(released), curves], sort_keys=True, allow_nan=False)
        lines[number] = hashlib.sha256(text.encode()).hexdigest()
    for number in sorted(lines):
        print(number, lines[number])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
