"""Versioned DuckDB snapshots, and every line of SQL."""
