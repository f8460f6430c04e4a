"""What the harmonised variables mean."""

from harmony_dash.dictionary.load import load_dictionary, restore_dictionary
from harmony_dash.dictionary.model import Dictionary, Disease, TimePoint, Variable, VariableType

__all__ = ["Dictionary", "Disease", "TimePoint", "Variable", "VariableType", "load_dictionary", "restore_dictionary"]
