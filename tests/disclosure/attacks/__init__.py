"""Attacks on protected results by people who may ask what a clinician may. `python -m tests.disclosure.attacks`."""
