"""Stands in for the service on a test server: refusals that no question of the page leads to, one a code.

The horizon of the question says which: day 1001 is the first code of `CODES`.
"""

from __future__ import annotations

from typing import Any

from harmony_dash.access.actor import Actor
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.what_if_results import WhatIfResult
from harmony_dash.services.deployment import Deployment
from harmony_dash.stats.refusal import CODES
from tests.unit.charts.what_if_factories import make_refused, release

FIRST_DAY = 1001


def ask_what_if(deployment: Deployment, actor: Actor, question: WhatIfQuestion, **options: Any,
                ) -> Released[WhatIfResult]:
    """The refusal that the horizon names."""
    return release(make_refused(CODES[question.horizon_days - FIRST_DAY]))
