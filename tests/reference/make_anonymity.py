"""Write anonymity.json again, the values of pycanon 1.3.6, whose exact pins keep it out of the project's environment:

    python -m venv /tmp/pycanon && /tmp/pycanon/bin/pip install pycanon==1.3.6
    /tmp/pycanon/bin/python -m tests.reference.make_anonymity

pycanon leaves out rows with missing values, so they get a value of their own, as in the store. Its `average_rir` is the
mean over classes; the mean over patients is one over its mean class size.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from tests.reference.anonymity_tables import FORMS, SEEDS, digest_of, make_table, outcomes_of

FILE = Path(__file__).parent / "anonymity.json"


def main() -> None:
    import pandas as pd
    from pycanon import anonymity, metrics

    tables = []
    for seed in SEEDS:
        table = make_table(seed)
        frame = pd.DataFrame({name: ["missing" if value is None else str(value) for value in values]
                              for name, values in table.items()})
        frame["outcome"] = outcomes_of(table)
        values = {}
        for form, columns in FORMS.items():
            by = list(columns)
            sizes = metrics.sizes_ec(frame, by)
            values[form] = {
                "k": int(anonymity.k_anonymity(frame, by)), "l": int(anonymity.l_diversity(frame, by, ["outcome"])),
                "max_rir": float(metrics.max_rir(frame, by)), "average_rir": float(metrics.average_rir(frame, by)),
                "classes": int(sizes["n_ec"]), "mean_class_size": float(sizes["mean_ec"])}
        tables.append({"seed": seed, "patients": len(frame), "digest": digest_of(table), "values": values})
    lines = ",\n".join(json.dumps(table) for table in tables)
    versions = f"pycanon {version('pycanon')}, pandas {version('pandas')}"
    FILE.write_text(f'{{"versions": "{versions}", "tables": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
