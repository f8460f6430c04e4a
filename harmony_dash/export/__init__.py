"""Files of released results, each with its provenance."""
