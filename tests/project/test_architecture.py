"""The dependency rule: each room imports only from the rooms above it."""

import ast
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import sklearn_makemore
from sklearn_makemore import cli
from sklearn_makemore._models import ESTIMATORS

PACKAGE = "sklearn_makemore"
ROOT = Path(sklearn_makemore.__file__).parent
PROJECT = Path(__file__).parents[2]

# Each room (a sub-package, or a file of the root) imports only from rooms above it.
PIPELINE = [
    "_models",
    "_sklearn",
    "_arguments",
    "datasets",
    "_declarations",
    "_words",
    "_generation",
    "_word_estimator",
    "_methods",
    "_base",
    "_safe_file",
    "_counters",
    "modules",
    "_training",
    "_networks",
    "_meta",
    "persistence",
    "distributed",
    "model_selection",
    "inspection",
]
SUB_PACKAGES = [room for room in PIPELINE if (ROOT / room).is_dir()]
WITHOUT_TORCH = [*PIPELINE[: PIPELINE.index("_counters") + 1], "_meta"]

# These import from below, inside a function.
UPWARD = {
    ("_counters", "_training"): "BigramCounter.to_net makes a torch module",
    ("_word_estimator", "__init__"): "a pickled model is stamped with the version",
}

# The user's entry points may import everything.
ENTRY_POINTS = {"__init__", "__main__", "cli"}

MAX_FILES_OF_ROOT = 12
TOP_LEVEL = {"LICENSE", "README.md", "docs", "examples", "pyproject.toml"}
TOP_LEVEL |= {"setup.cfg", "sklearn_makemore", "tests"}


@dataclass(frozen=True)
class Import:
    """One imported name: `name` of `module`, None for a module as a whole.

    Imports for type checkers alone count as those inside functions.
    """

    module: str
    name: str | None
    in_function: bool

    @property
    def top(self):
        return self.module.split(".")[0]

    @property
    def inner(self):
        """The file or folder of this package that is imported, None for others."""
        if self.top != PACKAGE:
            return None
        parts = self.module.split(".")[1:]
        if parts:
            return parts[0]
        is_file = self.name and list(ROOT.glob(f"{self.name}*"))
        return self.name if is_file else "__init__"


def sources(*places):
    """Return the Python files of a place of the pipeline, or of the whole package."""
    found = []
    for place in places or ["."]:
        path = ROOT / place
        found += path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]
    return sorted(found)


def place_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def imports_of(path):
    """Return all imports of a file, at its head and inside functions."""
    tree = tree_of(path)
    lazy = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        or (isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING")
        for node in ast.walk(block)
    }
    package = [PACKAGE, *path.relative_to(ROOT).parts[:-1]]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [
                Import(alias.name, None, id(node) in lazy) for alias in node.names
            ]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                base = package[: len(package) - node.level + 1]
                module = ".".join([*base, *filter(None, [module])])
            found += [
                Import(module, alias.name, id(node) in lazy) for alias in node.names
            ]
    return found


def importers_of(top):
    """Return the places that import a package, anywhere in their files."""
    return {
        place_of(path)
        for path in sources()
        if any(found.top == top for found in imports_of(path))
    }


def names_of(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def test_every_file_has_its_place():
    places = {place_of(path) for path in sources()}
    assert places - ENTRY_POINTS == set(PIPELINE)
    assert len(list(ROOT.glob("*.py"))) <= MAX_FILES_OF_ROOT


def test_the_repository_has_nothing_else_at_its_top():
    if not (ROOT.parent / ".git").exists():
        pytest.skip("this is not a checkout")
    command = ["git", "-C", str(ROOT.parent), "ls-files"]
    files = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    entries = {name.partition("/")[0] for name in files.splitlines()}
    assert {entry for entry in entries if entry[0] != "."} == TOP_LEVEL


@pytest.mark.parametrize("room", [room for room in SUB_PACKAGES if room[0] == "_"])
def test_docstring_of_a_sub_package_names_its_files(room):
    text = ast.get_docstring(tree_of(ROOT / room / "__init__.py"))
    files = {path.stem for path in sources(room)} - {"__init__"}
    contents, _, imports = text.partition("It imports")
    assert set(re.findall(r"`(\w+)`", contents)) == files
    rooms = {named for named in re.findall(r"`(\w+)`", imports) if named in PIPELINE}
    above = set(PIPELINE[: PIPELINE.index(room)])
    imported = {
        found.inner
        for path in sources(room)
        for found in imports_of(path)
        if (room, found.inner) not in UPWARD
    }
    assert imported - {None, room, "_sklearn"} <= rooms <= above


@pytest.mark.parametrize("room", [*SUB_PACKAGES, "cli"])
def test_files_of_a_sub_package_import_one_another_without_a_cycle(room):
    graph = {
        path.stem: {
            name
            for found in imports_of(path)
            if found.inner == room
            for name in [*found.module.split(".")[2:3], found.name]
            if (ROOT / room / f"{name}.py").is_file()
        }
        for path in sources(room)
        if path.stem != "__init__"
    }
    assert list(TopologicalSorter(graph).static_order())  # raises CycleError


@pytest.mark.parametrize("place", PIPELINE)
def test_nothing_imports_upward(place):
    above = set(PIPELINE[: PIPELINE.index(place)])
    for path in sources(place):
        for found in imports_of(path):
            if found.inner in {None, place, *above}:
                continue
            assert (place, found.inner) in UPWARD, found
            assert found.in_function, found


def test_exceptions_are_still_needed():
    imported = {
        (place_of(path), found.inner)
        for path in sources()
        for found in imports_of(path)
    }
    assert set(UPWARD) <= imported


def test_command_line_imports_from_above_and_no_command_another():
    order = re.findall(r"``(_\w+)``", cli.__doc__)
    commands = [f"_{name}" for name in cli.COMMANDS]
    shared = order[: -len(commands)]
    assert order == shared + commands
    assert {path.stem for path in sources("cli")} == {"__init__", *order}
    for name in order:
        above = shared[: shared.index(name)] if name in shared else shared
        for found in imports_of(ROOT / "cli" / f"{name}.py"):
            if found.inner == "cli":
                assert found.module.split(".")[-1] in above, (name, found)


def test_modules_import_torch_alone():
    tops = {found.top for path in sources("modules") for found in imports_of(path)}
    assert tops - set(sys.stdlib_module_names) == {"torch", PACKAGE}


def test_skorch_enters_through_one_file():
    importers = {
        path.relative_to(ROOT).as_posix()
        for path in sources()
        if any(found.top == "skorch" for found in imports_of(path))
    }
    assert importers == {"_training/net.py"}


def test_nothing_before_the_modules_imports_torch():
    for top in "torch", "skorch":
        assert importers_of(top).isdisjoint(WITHOUT_TORCH)


def test_private_names_of_scikit_learn_enter_through_one_file():
    private = {
        place_of(path)
        for path in sources()
        for found in imports_of(path)
        if found.top == "sklearn"
        and any(
            part.startswith("_") for part in f"{found.module}.{found.name}".split(".")
        )
    }
    assert private == {"_sklearn"}


def test_file_of_private_names_offers_what_is_used_and_no_more():
    offered = set(import_module(f"{PACKAGE}._sklearn").__all__)
    used = {
        found.name
        for path in sources()
        for found in imports_of(path)
        if found.inner == "_sklearn"
    }
    assert used == offered


def test_heads_of_files_import_declared_dependencies_alone():
    # The extras (matplotlib, pandas, ...) are imported where they are used. Only the
    # command line needs its own.
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    declared = imported_names(project["dependencies"])
    extras = project["optional-dependencies"]
    for path in sources():
        allowed = declared
        if place_of(path) == "cli":
            allowed = declared | imported_names(extras["cli"])
        heads = {found.top for found in imports_of(path) if not found.in_function}
        assert heads - set(sys.stdlib_module_names) - {PACKAGE} <= allowed, path


def imported_names(requirements):
    names = {re.match(r"[\w-]+", line)[0].replace("-", "_") for line in requirements}
    return {"sklearn" if name == "scikit_learn" else name for name in names}


def test_only_the_command_line_prints():
    printing = {
        place_of(path)
        for path in sources()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Name) and node.id == "print"
    }
    assert printing <= {"cli"}


def test_no_lambda_is_kept():
    # A lambda on an object cannot be pickled, so no model that owns it could be saved.
    kept = []
    for path in sources():
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, (ast.Assign, ast.AnnAssign)):
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            is_attribute = any(isinstance(target, ast.Attribute) for target in targets)
            if is_attribute and has_lambda(node):
                kept.append(path)
    assert not names_of(kept)
    # In a torch module it may also be kept as an argument of another one.
    assert not names_of(
        path for path in sources("modules") if has_lambda(tree_of(path))
    )


def has_lambda(tree):
    return any(isinstance(node, ast.Lambda) for node in ast.walk(tree))


# scikit-learn imports pandas by itself where it is installed.
LIGHT = """
import sys
import sklearn.base
before = set(sys.modules)
import sklearn_makemore
from sklearn_makemore import BigramCounter, NGramCounter

words = sklearn_makemore.datasets.load_names().data[:100]
for model in (BigramCounter(), NGramCounter()):
    model.fit(words).partial_fit(words).score(words)
    model.predict_proba(["em"]), model.sample(3, random_state=0)
dir(sklearn_makemore)
heavy = {"torch", "skorch", "pandas", "polars", "pyarrow", "matplotlib"}
print(*heavy.intersection(set(sys.modules) - before))

from sklearn_makemore import inspection

inspection.BigramDisplay.from_estimator(BigramCounter().fit(words))
dir(inspection), getattr(inspection, "Bigram", None)
print("matplotlib" in sys.modules, "torch" in sys.modules)
"""


def run_python(code):
    """Run code in a fresh process, warnings as errors; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert not done.stderr
    return done.stdout.split()


@pytest.mark.slow
def test_counters_work_and_are_drawn_without_torch():
    assert run_python(LIGHT) == ["True", "False"]


@pytest.mark.slow
def test_the_rest_is_imported_when_it_is_asked_for(tmp_path):
    path = str(tmp_path / "model")
    sklearn_makemore.save(sklearn_makemore.MLPCharLM(max_epochs=1).fit(["ava"]), path)
    code = f"""
import sys
import sklearn_makemore
assert "torch" not in sys.modules
sklearn_makemore.load({path!r}).sample(2)
training = "skorch", "torch._dynamo", "sklearn.metrics", "sklearn.model_selection"
print([name for name in (*training, "sklearn.pipeline") if name in sys.modules])
for name in sklearn_makemore.__all__:
    getattr(sklearn_makemore, name)
print("torch" in sys.modules, "matplotlib" in sys.modules)
"""
    assert run_python(code) == ["[]", "True", "False"]


def test_table_of_models_and_imports_for_type_checkers_agree():
    typed = {
        alias.asname: f"{'.' * node.level}{node.module or ''}"
        for node in ast.walk(tree_of(ROOT / "__init__.py"))
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
        if alias.asname
    }
    assert sorted(typed) == sklearn_makemore.__all__
    for name, module in ESTIMATORS.items():
        assert typed[name] == f".{module}"


def test_public_names():
    assert set(sklearn_makemore.__all__) <= set(dir(sklearn_makemore))
    for name in sklearn_makemore.__all__:
        assert getattr(sklearn_makemore, name).__name__.split(".")[-1] == name
    with pytest.raises(AttributeError, match="no attribute 'BiggramCounter'"):
        sklearn_makemore.BiggramCounter  # noqa: B018


def test_architecture_page_names_what_is_there():
    page = (PROJECT / "docs" / "architecture.rst").read_text(encoding="utf-8")
    page = re.sub(r"\s+", " ", page)
    files = set(re.findall(r"``([\w/]+\.py)``", page))
    for name in files:
        assert any((base / name).is_file() for base in (ROOT, PROJECT)), name
    pairs = re.findall(r"``([\w.]+)`` (?:in|of) ``([\w/]+\.py)``", page)
    assert len(pairs) > 10
    for name, file in pairs:
        path = next(b / file for b in (ROOT, PROJECT) if (b / file).is_file())
        known = {
            getattr(node, "name", getattr(node, "id", None))
            for node in ast.walk(tree_of(path))
        }
        assert set(name.split(".")) <= known, (name, file)
