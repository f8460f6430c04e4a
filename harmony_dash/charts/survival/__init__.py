"""The figure of a survival result."""
