"""Invented ALL patients of any number, calibrated to published outcomes, in the shapes providers send.

Nothing here is a real patient and nothing here supports a clinical conclusion.
"""

from harmony_dash.synthetic.cohort import generate_cohort
from harmony_dash.synthetic.sources import synthesise

__all__ = ["generate_cohort", "synthesise"]
