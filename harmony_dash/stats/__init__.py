"""Survival statistics from event tables: one method, one module, one frozen result."""
