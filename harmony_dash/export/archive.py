"""Several files in one ZIP, with the same bytes for the same files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Final

# The first moment that a ZIP can name: when the files were made stands in their provenance.
EARLIEST: Final = (1980, 1, 1, 0, 0, 0)


def write_archive(files: Mapping[str, bytes], folder: str) -> bytes:
    """A ZIP of the files, in a folder of that name."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, part in files.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}", EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, part)
    return content.getvalue()
