"""harmony_dash: survival of leukaemia patients over harmonised cohorts."""

__version__ = "0.1.0"
