"""From a provider's file to a table of trimmed text."""
