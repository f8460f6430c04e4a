"""The gate that keeps direct identifiers out."""
