"""Write `data_samples/`: the twelve folders and the README that describes them.

`python -m harmony_dash.synthetic.samples [FOLDER]`
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from harmony_dash.synthetic.calibration import PATIENTS as CALIBRATION_PATIENTS
from harmony_dash.synthetic.calibration import SEED as CALIBRATION_SEED
from harmony_dash.synthetic.calibration import Comparison, calibrate, write_table
from harmony_dash.synthetic.gaps import CNA_MISSING
from harmony_dash.synthetic.protocols import CUT_OFF, PROTOCOLS
from harmony_dash.synthetic.sources import Delivery, write_sources

PATIENTS = 5_000
SEED = 20240501
START, END = "<!-- calibration: begin, made by the command above -->", "<!-- calibration: end -->"

_INTRODUCTION = f"""# Synthetic samples

Every patient in these folders is **invented**. The files were made by a random generator that was tuned until groups of
patients show outcomes like those published for childhood and adult acute lymphoblastic leukaemia. They exist to try,
demonstrate and test the software. **They must not be used for any clinical or scientific conclusion**: whatever they
show was put into them, differences between countries, trials and treatments included. Names of trials say which
publication a group imitates; no trial group supplied data, reviewed this or is responsible for it. There are no
patients from the United Kingdom.

Licence of the data: CC0-1.0.

## How they were made

    # data_samples/: {PATIENTS:,} patients, seed {SEED}, and this page
    python -m harmony_dash.synthetic.samples
    # the folders alone, of any size
    python -m harmony_dash synthesise --patients {PATIENTS} --seed {SEED} --out DIR

Equal numbers and seeds give equal bytes. `patients` counts the sound ones; about one bad row in a hundred comes on top.
"""

_MODEL = """## What the generator does

1. Age, sex, lineage, genetic subtype by age, white cells, Down syndrome, copy numbers and mutations are drawn.
2. The logarithm of MRD is normal by subtype; what the laboratory reports depends on its limits of detection.
3. Each protocol stratifies by its own rules. Treatment intensity follows the risk group and, outside randomised
   comparisons, the patient's own MRD, white cells and genetics. So intensity is **confounded by indication** on
   purpose: intensified patients do worse, although intensification helps them.
4. Death in induction, treatment failure, relapse, death in remission and second malignancy compete; death after an
   event follows; observation ends at each source's cut-off or by loss to follow-up, which differs between countries.

The true hazard ratios of relapse that a what-if analysis should find, against standard intensity:

| Intensity | Patients | Hazard ratio of relapse |
|---|---|---:|
| reduced | ETV6::RUNX1 | 1.0 |
| reduced | others aged 1-6 years | 1.8 |
| reduced | all others | 3.1 |
| intensified | all but the next rows | 0.75 |
| intensified | high-risk genetics (BCR::ABL1, KMT2A-r, near-haploid, low hypodiploid, TCF3::HLF) | 0.45 |
| intensified | iAMP21 | 0.09 |
| intensified, long asparaginase (randomised, EORTC 58951) | all | 0.84 |
| intensified, hyper-C (randomised, GRAALL-2005) | all | 1.0 |

Disease-free and event-free survival also count deaths in remission, which reduced treatment makes rarer (0.75) and
intensified treatment more frequent (1.5) outside the randomised comparisons, so their ratios are closer to 1.
"""


def write_samples(folder: Path) -> list[Delivery]:
    """Write the folders and the README into `folder`."""
    deliveries = write_sources(PATIENTS, SEED, folder)
    (folder / "README.md").write_text(write_readme(deliveries, calibrate()), encoding="utf-8", newline="\n")
    return deliveries


def write_readme(deliveries: Sequence[Delivery], comparisons: Sequence[Comparison]) -> str:
    """The README of the samples."""
    parts = [_INTRODUCTION, _describe_sources(deliveries), _describe_mistakes(deliveries), _describe_gaps(), _MODEL,
             _describe_calibration(comparisons)]
    return "\n".join(parts)


def _describe_sources(deliveries: Sequence[Delivery]) -> str:
    lines = ["## The sources", "", "| Folder | Patients | Countries | Trials | Observed until | What it looks like |",
             "|---|---:|---|---|---|---|"]
    for delivery in deliveries:
        name = delivery.layout.source
        protocols = [entry for entry in PROTOCOLS if entry.source == name]
        countries = ", ".join(dict.fromkeys(country for entry in protocols for country in entry.countries))
        trials = ", ".join(f"{entry.trial} ({entry.years[0]}-{entry.years[1]})" for entry in protocols)
        lines.append(f"| `{name}` | {delivery.patients:,} | {countries} | {trials} | {CUT_OFF[name].isoformat()} "
                     f"| {delivery.layout.look} |")
    return "\n".join([*lines, ""])


def _describe_mistakes(deliveries: Sequence[Delivery]) -> str:
    total = sum(len(delivery.planted) for delivery in deliveries)
    lines = ["## Bad rows", "", f"{total} rows are wrong on purpose, so that there is something to quarantine. Loading "
             f"must accept {PATIENTS:,} patients and refuse these rows, no others.", "",
             "| Folder | Bad rows | What is wrong |", "|---|---:|---|"]
    for delivery in deliveries:
        found: dict[str, list[str]] = {}
        for planted in delivery.planted:
            found.setdefault(planted.mistake.value, []).append(planted.patient)
        words = "; ".join(f"{what} ({_list_patients(patients)})" for what, patients in found.items())
        lines.append(f"| `{delivery.layout.source}` | {len(delivery.planted)} | {words} |")
    return "\n".join([*lines, ""])


def _list_patients(patients: Sequence[str]) -> str:
    return ", ".join(f"{patient} twice" if times == 2 else patient
                     for patient, times in sorted(Counter(patients).items()))


def _describe_gaps() -> str:
    shares = ", ".join(f"{country} {100 * share:.0f} %" for country, share in CNA_MISSING.items())
    return "\n".join([
        "## Gaps", "",
        "MRD is missing in 10-15 % of patients (more where the assay is not sensitive enough for the provider to "
        "report it), cytogenetics failed in 7-10 %, RNA sequencing was done in 10-50 % (the others with a subtype that "
        'only sequencing shows are "B-other"), a tenth of transplants have no date, and prednisone response is not '
        f"measured in the Nordic countries. Copy numbers are missing by country: {shares}.", ""])


def _describe_calibration(comparisons: Sequence[Comparison]) -> str:
    within = sum(item.is_within for item in comparisons)
    far = [item for item in comparisons if item.figure.unit == "%" and abs(item.difference) > 2]
    worst = sorted(far, key=lambda item: -abs(item.difference))
    listed = "; ".join(f"{item.figure.name} {item.difference:+.1f}" for item in worst)
    return "\n".join([
        "## Calibration", "",
        f"{len(comparisons)} published figures beside a generated cohort of {CALIBRATION_PATIENTS:,} patients (seed "
        f"{CALIBRATION_SEED}), by Kaplan-Meier, Aalen-Johansen and Cox; {within} are within their tolerance.", "",
        "    python -m harmony_dash.synthetic.calibration", "",
        "This is a fit, not a validation: the parameters were chosen to reproduce these figures. Tolerances were set "
        "afterwards and are wide where a figure is knowingly off, so look at the differences.", "",
        f"Further than 2 points off: {listed}. Some of these figures cannot all hold at once: they come from different "
        "years and therapies than the pool imitates; the notes say where. Sources marked 'unverified' await a check "
        "against their paper.", "",
        START, write_table(comparisons), END, ""])


def main(arguments: Sequence[str]) -> int:
    """Write the samples into the folder given, `data_samples` by default."""
    folder = Path(arguments[0]) if arguments else Path("data_samples")
    for delivery in write_samples(folder):
        print(f"{delivery.layout.source}: {delivery.patients:,} patients, {len(delivery.planted)} bad rows",
              file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
