"""The manual of the numbers is complete and true of the code: every head of a column, every function, every witness.

Labels are read from the source text: heads of tables and tiles in `ui/components`, `charts` and `export`, and the
columns of exported tables. What a text leaves open (a time, a unit, a name) stands as "…" here and in the manual.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.stats.refusal import CODES, Limit, Thresholds

ROOT = Path(__file__).parents[2]
DOCS, PACKAGE = ROOT / "docs", ROOT / "harmony_dash"
STATISTICS = (DOCS / "statistics.md").read_text(encoding="utf-8")
# Pages about people, files and rights have manuals of their own.
MANUALS = ("statistics.md", "access.md", "export.md", "data-quality.md")
FOLDERS = ("ui/components", "charts", "export")
OPEN = "…"
# Functions that name a head, and names under which heads are put together.
NAMING = re.compile(r"^_?(name_ratio|name_means|head_\w+|level_columns)$")
TILES = re.compile(r"^build_(headline|disease_numbers)$")
HEADS = re.compile(r"^(header|columns|times|ratio)$")
# What holds nothing of ours, and the counts of both arms, which are put together from two lists.
NOT_HEADS = frozenset({OPEN, "", f"{OPEN}_{OPEN}"})


def words_of(node: ast.AST | None) -> str | None:
    """A text in the source, its open parts as "…"; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(words_of(part) or OPEN for part in node.values)
    return None


def texts_in(node: ast.AST | None) -> Iterator[str]:
    """The texts that a header is made of, through tuples, conditions and calls of `capital`."""
    words = words_of(node)
    if words is not None:
        yield words
    elif isinstance(node, ast.Tuple | ast.List):
        for part in node.elts:
            yield from texts_in(part)
    elif isinstance(node, ast.Starred):
        yield from texts_in(node.value)
    elif isinstance(node, ast.IfExp):
        yield from texts_in(node.body)
        yield from texts_in(node.orelse)
    elif isinstance(node, ast.GeneratorExp):
        yield from texts_in(node.elt)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("capital", "TextTable"):
        yield from (text for argument in node.args[:1] for text in texts_in(argument))


def pairs_in(node: ast.AST) -> Iterator[str]:
    """The names in (name, value) pairs, as those of tiles."""
    for part in ast.walk(node):
        if isinstance(part, ast.Tuple) and len(part.elts) == 2 and (words := words_of(part.elts[0])):
            yield words


class _Labels(ast.NodeVisitor):
    """Collects what one module prints as head of a column or tile, and names in exported tables."""

    def __init__(self, constants: dict[str, str], *, is_component: bool) -> None:
        self.screen: set[str] = set()
        self.files: set[str] = set()
        self._constants, self._is_component, self._function = constants, is_component, ""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outer, self._function = self._function, node.name
        if NAMING.match(node.name):
            returned = [part.value for part in ast.walk(node) if isinstance(part, ast.Return) and part.value]
            used = {part.id for value in returned for part in ast.walk(value) if isinstance(part, ast.Name)}
            returned += [part.value for part in ast.walk(node) if isinstance(part, ast.Assign)
                         and isinstance(part.targets[0], ast.Name) and part.targets[0].id in used]
            self.screen |= {text for value in returned for text in texts_in(value)}
        if TILES.match(node.name) or any(isinstance(part, ast.Call) and _called(part) == "metric"
                                         for part in ast.walk(node)):
            self.screen |= set(pairs_in(node))
        self.generic_visit(node)
        self._function = outer

    def visit_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if isinstance(target, ast.Name) and HEADS.match(target.id) and not _is_file_columns(node.value):
            self.screen |= set(texts_in(node.value))
        if isinstance(target, ast.Subscript) and self._is_row():
            self.screen |= set(texts_in(target.slice))
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        if self._is_row():
            self.screen |= {words for key in node.keys if (words := words_of(key) or self._constant(key))}
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = _called(node)
        if called == "DataFrame":
            for given in (keyword.value for keyword in node.keywords if keyword.arg == "columns"):
                self.screen |= set(texts_in(given))
                self.screen |= {name for part in ast.walk(given) if (name := self._constant(part))}
        elif called in ("Display", "TextTable"):
            self.screen |= set(texts_in(node.args[1 if called == "Display" else 0]))
        elif called == "Column" and ast.unparse(node.args[1]) != "Kind.TEXT":
            self.files |= {words_of(node.args[0]) or OPEN}
        elif (called == "metric" and words_of(node.args[0])) or called == "slider":
            self.screen.add(str(words_of(node.args[0])))
        self.generic_visit(node)

    def _is_row(self) -> bool:
        return self._is_component and self._function.lstrip("_").startswith(("build_", "row"))

    def _constant(self, node: ast.AST | None) -> str:
        return self._constants.get(node.id, "") if isinstance(node, ast.Name) else ""


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_file_columns(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Call) and _called(part) == "Column" for part in ast.walk(node))


def collect_labels() -> tuple[dict[str, str], dict[str, str]]:
    """Label to the module that prints it: on the screen and in people's tables, and in files for programs."""
    screen: dict[str, str] = {}
    files: dict[str, str] = {}
    for path in sorted(path for folder in FOLDERS for path in (PACKAGE / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {target.id: words for node in tree.body if isinstance(node, ast.Assign)
                     for target in node.targets if isinstance(target, ast.Name) and (words := words_of(node.value))}
        found = _Labels(constants, is_component="components" in path.parts)
        found.visit(tree)
        # Annotations of figures are no heads of columns.
        heads = {label for label in found.screen if "<" not in label}
        screen |= dict.fromkeys(heads - NOT_HEADS, path.name)
        files |= dict.fromkeys(found.files - NOT_HEADS, path.name)
    return screen, files


def explained() -> tuple[set[str], set[str]]:
    """The labels that the manuals list after "Shown as": heads in bold, names of columns as code."""
    heads: set[str] = set()
    names: set[str] = set()
    for name in MANUALS:
        text = (DOCS / name).read_text(encoding="utf-8")
        for entry in re.findall(r"\*Shown as\.\*(.*?)(?=\n- \*|\n\n|\Z)", text, re.DOTALL):
            heads |= set(re.findall(r"\*\*(.+?)\*\*", entry.replace("\n", " ")))
            names |= set(re.findall(r"`(.+?)`", entry))
    return {re.sub(r" +", " ", head) for head in heads}, names


SCREEN, FILES = collect_labels()
HEADS_TOLD, NAMES_TOLD = explained()


def test_labels_are_found_where_they_are_known_to_be() -> None:
    assert {"Group", "Patients", "Median, …", "RMST to …", "p (Holm)", "Effective size", "Expected events",
            "Std. diff.", "Failing", "Trials", "…, %", "… … (95 % CI)"} <= SCREEN.keys()
    assert {"hr_lower", "rmst_se_days", "p_over_time", "difference_trials", "upper_quartile"} <= FILES.keys()


def test_every_head_of_a_column_or_tile_is_explained() -> None:
    assert {label: place for label, place in SCREEN.items() if label not in HEADS_TOLD} == {}, (
        f"explain it in one of docs/{', '.join(MANUALS)}")


def test_every_number_in_an_exported_table_is_explained() -> None:
    assert {label: place for label, place in FILES.items() if label not in NAMES_TOLD} == {}


def test_nothing_is_explained_that_nobody_sees() -> None:
    assert sorted(HEADS_TOLD - SCREEN.keys() - NOT_HEADS) == []
    written = {words_of(part) for path in (PACKAGE / "export").rglob("*.py")
               for part in ast.walk(ast.parse(path.read_text(encoding="utf-8")))}
    assert sorted(NAMES_TOLD - FILES.keys() - written) == []


def entries() -> list[tuple[str, str]]:
    """Heading and text of every entry that says how it is shown."""
    parts = re.split(r"^###? (.+)$", STATISTICS, flags=re.MULTILINE)
    return [(heading, text) for heading, text in zip(parts[1::2], parts[2::2], strict=True) if "*Shown as.*" in text]


def test_every_entry_says_what_it_is_and_names_a_function_and_a_witness() -> None:
    found = [(heading, text) for heading, text in entries() if heading != "Words beside the numbers"]
    assert len(found) > 30
    lacking = [heading for heading, text in found if "*What.*" not in text or not re.search(
        r"\*Computed by\*.*`\w+(\.\w+)+`.*tests/", text, re.DOTALL)]
    assert lacking == []


def is_there(name: str) -> bool:
    """Whether a dotted name below the package is a module, or something callable in one."""
    module, _, attribute = name.rpartition(".")
    try:
        importlib.import_module(f"harmony_dash.{name}")
    except ModuleNotFoundError:
        return callable(getattr(importlib.import_module(f"harmony_dash.{module}"), attribute, None))
    return True


def test_every_function_that_is_named_is_there() -> None:
    named = set(re.findall(r"`((?:stats|services|disclosure|store|quality|ingest)(?:\.\w+)+)`", STATISTICS))
    assert len(named) > 50
    assert sorted(name for name in named if not is_there(name)) == []


def test_every_witness_that_is_named_is_there() -> None:
    named = set(re.findall(r"tests/[\w/]+\.py::\w+", STATISTICS))
    assert len(named) > 40
    assert sorted(one for one in named if f"def {one.partition('::')[2]}(" not in (
        ROOT / one.partition("::")[0]).read_text(encoding="utf-8")) == []


def test_the_endpoints_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", STATISTICS, re.MULTILINE)
    assert rows == [(one.name, one.label, one.time_zero.value, one.definition) for one in ENDPOINTS.values()]


def test_the_limits_of_the_verdict_are_those_of_the_code() -> None:
    limits = Thresholds()
    asked: list[tuple[Limit, str]] = [
        (limits.arm_patients, "<"), (limits.arm_events, "<"), (limits.arm_at_risk, "<"), (limits.trials_with_both, "<"),
        (limits.effective_size, "<"), (limits.largest_share, ">"), (limits.common_support, "<"),
        (limits.imbalance, "≥"), (limits.disagreement, ">"), (limits.contradiction, ">"),
        (limits.changing_effect_p, "<"), (limits.missing, ">")]
    rows = re.findall(r"^\| .+? \| (.+?) \| (.+?) \| `([A-Z_]+)` \|$", STATISTICS, re.MULTILINE)
    told = [(f"{sign} {limit.amber:g}" if limit.amber is not None else "–",
             f"{sign} {limit.refused:g}" if limit.refused is not None else "–") for limit, sign in asked]
    assert [(amber, refused) for amber, refused, _ in rows] == told
    assert {code for *_, code in rows} <= set(CODES)
