"""Attack C at full size: see `attacks.curves`, which says what is promised and what is not."""

from __future__ import annotations

import pytest

from tests.disclosure.attacks import curves


@pytest.mark.parametrize("n", curves.SIZES)
def test_how_often_the_day_of_death_of_one_more_patient_is_found(n: int) -> None:
    shares = curves.attack(n)
    for guess, ceiling in curves.CEILINGS.items():
        assert shares[guess.__name__] <= ceiling, shares
