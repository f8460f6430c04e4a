"""The types of checks: what each asks, when it warns and fails, and what a provider does about it.

These texts are on the page, in the provider's report and in docs/data-quality.md, which a test compares with them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from harmony_dash.quality.model import Category, Showing

_NEVER = math.inf


@dataclass(frozen=True)
class CheckType:
    """One type of check.

    Attributes
    ----------
    name, label : in ids and in words.
    category : Kahn category.
    definition : what is counted.
    limits : when it warns and fails, in words.
    remedy : what a provider does about it.
    warn, fail : the limits of most of its checks; what they limit is in `limits`.
    reasons : reason codes of ingest that it counts, for the types that count what ingest reported.
    showing : what leaves of the answers at the protected levels, and less for those that rest on outcomes.
    """

    name: str
    label: str
    category: Category
    definition: str
    limits: str
    remedy: str
    warn: float = 0.0
    fail: float = _NEVER
    reasons: tuple[str, ...] = ()
    showing: Showing = Showing.NUMBERS


_CONFORMANCE, _COMPLETENESS, _PLAUSIBILITY = Category.CONFORMANCE, Category.COMPLETENESS, Category.PLAUSIBILITY
_ANY_ROW = "Warns from the first row on, fails above 1 % of the rows read."
_KEPT = ("Warns from the first refused row on, or if more than 1 % of the rows read were kept with a remark; fails "
         "above 5 %.")
_CORRECT = "Correct the value in the source system, or the value map in source.yaml, and deliver again."

_ALL = (
    CheckType("required", "Required value", _CONFORMANCE,
              "Rows without a value that every patient must have.", _ANY_ROW,
              "Fill in the value. If it stands for unknown on purpose, such a patient cannot be taken in.",
              0.0, 0.01, ("REQUIRED_MISSING",)),
    CheckType("type", "Data type", _CONFORMANCE,
              "Cells that are not a number, date, code or MRD result of the declared form.", _ANY_ROW,
              "Check the decimal sign, the date format and the words for missing values declared in source.yaml.",
              0.0, 0.01, ("TYPE", "NUMBER_INVALID", "DATE_INVALID", "MRD_UNPARSED")),
    CheckType("range", "Range", _CONFORMANCE,
              "Values outside the range that the dictionary permits.", _ANY_ROW, _CORRECT, 0.0, 0.01, ("RANGE",)),
    CheckType("value_list", "Value list", _CONFORMANCE,
              "Values that are neither in the value map nor declared to be missing.", _ANY_ROW,
              "Add the value to the map in source.yaml if it is meant, or correct it.", 0.0, 0.01, ("VALUE_UNKNOWN",)),
    CheckType("unique_id", "Unique identifier", _CONFORMANCE,
              "Rows of one file that share a patient identifier.", _ANY_ROW,
              "Deliver one row a patient; which of several is right cannot be known here.", 0.0, 0.01,
              ("DUPLICATE_ID",)),
    CheckType("reference", "Reference", _CONFORMANCE,
              "Rows of a further file whose patient is not in the file that lists the patients.", _ANY_ROW,
              "Deliver the patient's row as well, or take this one out.", 0.0, 0.01, ("ORPHAN_ROW",)),
    CheckType("safe_text", "Safe text", _CONFORMANCE,
              "Cells that a spreadsheet would run as a formula, or that hold a date, an identifier or a long text "
              "where none may be.", _ANY_ROW, "Store the value itself; take out whatever could identify a person.",
              0.0, 0.01, ("FORMULA", "ABSOLUTE_DATE", "IDENTIFIER", "CELL_TOO_LONG", "COLUMN_UNMAPPED")),
    CheckType("refused", "Refused rows", _CONFORMANCE,
              "Rows that were refused, for whatever reason, among all that were read.",
              "Warns above 2 %, fails above 10 %.", "Look at the reasons, the most frequent first.", 0.02, 0.10),
    CheckType("recomputed", "Derived value", _CONFORMANCE,
              "Patients whose derived group, computed a second time from its inputs, is another one.",
              "Warns from the first patient on, fails above 1 %.",
              "Nothing on your side: report it, for it is a fault of this software.", 0.0, 0.01),
    CheckType("reported_risk", "Reported and derived risk", _CONFORMANCE,
              "Patients whose reported risk group contradicts what their own values say.",
              "Warns above 35 %, fails above 60 % of the patients compared.",
              "Check how risk groups are mapped. Protocols differ, so that some disagreement is expected.", 0.35, 0.60,
              # Its numbers are cells of the table of risk groups, which hides cells for each other's sake.
              showing=Showing.VERDICT),
    CheckType("completeness", "Completeness", _COMPLETENESS,
              "Patients without a value, among those who should have one.",
              "Warns above 5, 30, 50 or 80 % and fails above 20, 60, 90 or 97 %, by how much rests on the variable.",
              "Complete it where the source system knows it; otherwise say in the description why it is not known."),
    CheckType("tested", "Failed tests", _COMPLETENESS,
              "Patients whose test failed, among those who were tested.",
              "Warns above 20 %, fails above 50 %.", "Check that `failed` is not used for tests that were not done.",
              0.20, 0.50),
    CheckType("kept_apart", "Negative and not tested", _COMPLETENESS,
              "Patients without a result (missing, failed or not done). No laboratory has a result for everybody: "
              "where there are none at all, missing tests may have been written as negative. Where there are hardly "
              "any others, the variable tells next to nothing, however completely it is filled in.",
              "Warns if 0.5 % or fewer, or more than 80 %, of at least 100 patients have no result; fails above 97 %.",
              "Map tests that failed or were not done to `failed` and `not_done`, and leave unknown ones empty. If "
              "hardly anybody was tested, say so in the description.",
              0.005),
    CheckType("size", "Size", _COMPLETENESS,
              "Accepted patients of the source.", "Warns below 100, fails below 30: nothing can be drawn then.",
              "Nothing, if these are all your patients; their results will mostly be withheld.", 100, 30),
    CheckType("temporal_order", "Order in time", _PLAUSIBILITY,
              "Days that contradict each other: diagnosis, remission, relapse and death come in this order, and "
              "nothing comes after death or the last contact.", _KEPT,
              "Correct the dates. A later second relapse or a second transplant is not the first one.", 0.01, 0.05,
              ("TEMPORAL_ORDER",), Showing.VERDICT),
    CheckType("event_time", "Event and day", _PLAUSIBILITY,
              "An event without its day, a day without its event, or events that contradict each other.", _KEPT,
              "Give the day of every event, and no day for what did not happen.", 0.01, 0.05, ("EVENT_TIME",),
              Showing.VERDICT),
    CheckType("cross_field", "Across variables", _PLAUSIBILITY,
              "Values that cannot, or hardly can, be true together: a subtype of B-cell precursors in a T-cell "
              "leukaemia, an MRD sample far from its time point, a testis involved in a girl.", _KEPT, _CORRECT,
              0.01, 0.05, ("IMPLAUSIBLE",)),
    CheckType("unit", "Unit", _PLAUSIBILITY,
              "A value written against its declared unit, or a median that only another unit explains: white cells per "
              "µL, haemoglobin in mmol/L, age in months, MRD in per cent.",
              "Warns from the first such row on or if the median is outside its range, fails if it is three times "
              "beyond.",
              "Correct the unit declared in source.yaml. Nothing is converted by guessing.", 0.0, 0.05, ("UNIT",)),
    CheckType("flagged", "Unusual value", _PLAUSIBILITY,
              "Values above the limit from which on the dictionary asks to look again.",
              "Warns from the first row on, fails above 2 % of the rows read.",
              "Look each of them up; if it is right, leave it.", 0.0, 0.02, ("FLAGGED_VALUE",)),
    CheckType("constant", "Constant", _PLAUSIBILITY,
              "A variable that has the same value in all patients, although people differ in it.",
              "Warns if at least 50 patients have a value and all have the same.",
              "Check the export: a filter, a default value or a lost column is the usual cause.",
              showing=Showing.NOTHING),
    CheckType("heaping", "Heaping", _PLAUSIBILITY,
              "Patients who all have the most frequent value of a number: defaults, last contacts all set to one day, "
              "follow-up cut at the same day.",
              "Warns above 10 to 60 % of the patients with a value, by variable; fails above twice that.",
              "Deliver what was measured. An end of follow-up set for everybody belongs in the description.", 0.10),
    CheckType("digit_preference", "Digit preference", _PLAUSIBILITY,
              "Numbers that are round more often than chance allows: ages in whole years move children over the edge "
              "at ten years, days that are whole months were not counted in days.",
              "Warns above 25 to 60 % of the patients with a value, by variable.",
              "Deliver the value as exactly as it is known.", 0.25),
    CheckType("follow_up", "Follow-up", _PLAUSIBILITY,
              "Follow-up that cannot be true: beyond today, nobody ever lost early, or most patients lost in the first "
              "year.",
              "Warns from the first patient followed beyond today on, if none of at least 100 patients without event "
              "ended within two years, or if more than 40 % ended within the first.",
              "Deliver the last contact of everybody, of patients lost early too, and the day it was.", 0.0, 0.05),
    CheckType("trial_age", "Age and trial", _PLAUSIBILITY,
              "Patients whose age the trial did not admit.",
              "Warns above 2 %, fails above 10 % of the trial's patients.",
              "Check the trial's code and the unit of the age.", 0.02, 0.10),
    CheckType("duplicate", "Same patient twice", _PLAUSIBILITY,
              "Patients who seem to have come with another source before.",
              "Warns from the first row on, fails above 5 % of the rows read.",
              "Agree with the other provider who delivers the patient.", 0.0, 0.05,
              ("DUPLICATE_PATIENT", "POSSIBLE_DUPLICATE")),
    CheckType("drift", "Change since the last snapshot", _PLAUSIBILITY,
              "What is missing, a share or a median that moved since the previous snapshot, or patients who are gone. "
              "Of a variable that the source supplied then and supplies no longer, everybody's value is missing. Not "
              "comparable if the dictionary's definition changed in between.",
              "Warns if a share moved by more than 10 points, a median by more than a quarter, or a tenth of the "
              "patients is gone; fails beyond 25 points, half, or a third.",
              "Say what changed in the export; a change without a reason is usually a lost column.", 0.10, 0.25),
    CheckType("published", "Published figures", _PLAUSIBILITY,
              "A share, a median or a five-year survival far from what was published for such patients.",
              "Warns if it is outside the published figure and its tolerance (survival: five points and the sampling "
              "error).", "Patients can differ from those published. Check selection, event definitions and units."),
)

TYPES: Mapping[str, CheckType] = MappingProxyType({kind.name: kind for kind in _ALL})

# Reasons that only follow from another row's, so that no check counts them.
FOLLOWS_FROM_ANOTHER = ("PARENT_QUARANTINED",)
