"""Example questions for the page of treatment comparisons: what to ask, and never what the answer is."""

from harmony_dash.dictionary.examples.load import ExampleQuestion, load_examples

__all__ = ["ExampleQuestion", "load_examples"]
