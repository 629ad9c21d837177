"""Run the tests with the lowest or the newest versions that pyproject.toml allows.

    python .ci/versions.py lowest
    python .ci/versions.py newest -m "not slow"

The environment is `.venv-lowest` or `.venv-newest` in the checkout. Further arguments
go to pytest. `--with` replaces the version of one package, here by a torch that is
already on the machine:

    python .ci/versions.py lowest --with torch==2.13.0 tests/words
"""

import argparse
import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
REQUIREMENT = re.compile(r"([\w.-]+)(\[[\w,-]+\])?(?:>=([\d.]+))?$")


def lowest_versions():
    """Return the lowest allowed version of each package that the tests install."""
    with open(PROJECT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    bounds = {}

    def collect(requirements):
        for requirement in requirements:
            name, extras, bound = REQUIREMENT.match(requirement).groups()
            if name == project["name"]:
                for extra in extras.strip("[]").split(","):
                    collect(project["optional-dependencies"][extra])
            else:
                bounds.setdefault(name, []).append(bound)

    collect([*project["dependencies"], f"{project['name']}[test]"])
    return {name: max(found, key=as_numbers) for name, found in bounds.items()}


def as_numbers(version):
    """Return the parts of a version as numbers, so that 1.10 is above 1.9."""
    return [int(part) for part in version.split(".")]


def install(versions, replaced):
    """Make the environment and return its Python."""
    folder = PROJECT / f".venv-{versions}"
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    command = [python, "-m", "pip", "install", "-q", "--upgrade"]
    command += ["--upgrade-strategy", "eager", "-e", f"{PROJECT}[test]", *replaced]
    if versions == "lowest":
        lowest = lowest_versions()
        for requirement in replaced:
            lowest.pop(requirement.partition("==")[0], None)
        constraints = folder / "lowest.txt"
        lines = [f"{name}=={version}\n" for name, version in lowest.items()]
        constraints.write_text("".join(lines), encoding="utf-8")
        command += ["-c", constraints]
    subprocess.run(command, check=True)
    return python


def main():
    """Install, say which versions are tested, and run pytest."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("versions", choices=["lowest", "newest"])
    parser.add_argument("--with", dest="replaced", action="append", default=[])
    arguments, for_pytest = parser.parse_known_args()
    os.environ |= {"MPLBACKEND": "Agg", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    os.environ.pop("PYTHONPATH", None)
    python = install(arguments.versions, arguments.replaced)
    subprocess.run([python, "-m", "pip", "freeze", "--exclude-editable"], check=True)
    tests = [python, "-m", "pytest", "-n", "2", "--dist", "worksteal", *for_pytest]
    sys.exit(subprocess.run(tests, cwd=PROJECT).returncode)


if __name__ == "__main__":
    main()
