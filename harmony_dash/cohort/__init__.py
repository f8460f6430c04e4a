"""Questions as values: whom to follow, for what, compared by what."""

from harmony_dash.cohort.endpoints import ENDPOINTS, EXCLUSIONS, Endpoint, TimeZero, endpoint_named
from harmony_dash.cohort.filters import AnyOf, Between, Filter, Missing, Not, OneOf
from harmony_dash.cohort.question import Question, check_question, question_from_json, with_landmark

__all__ = ["ENDPOINTS", "EXCLUSIONS", "AnyOf", "Between", "Endpoint", "Filter", "Missing", "Not", "OneOf", "Question",
           "TimeZero", "check_question", "endpoint_named", "question_from_json", "with_landmark"]
