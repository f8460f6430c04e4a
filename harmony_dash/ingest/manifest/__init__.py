"""What a provider declares about its files: `source.yaml` as a checked, frozen value."""
