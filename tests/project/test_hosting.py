"""The files for hosted tools agree with the package, and the pages name real files."""

import re
from pathlib import Path

import pytest
import yaml

import sklearn_makemore

PROJECT = Path(__file__).parents[2]
HOSTING = PROJECT / ".github"


def loaded(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_each_hosted_job_is_one_command_of_the_checkout():
    job = loaded(HOSTING / "workflows" / "checks.yml")["jobs"]["check"]
    commands = {one["command"] for one in job["strategy"]["matrix"]["include"]}
    assert len(commands) == 3
    for command in commands:
        (script,) = re.findall(r"\.ci/\S+", command)
        assert (PROJECT / script).is_file(), command


def test_hosted_jobs_are_of_the_pythons_that_the_package_declares():
    job = loaded(HOSTING / "workflows" / "checks.yml")["jobs"]["check"]
    tested = {one["python"] for one in job["strategy"]["matrix"]["include"]}
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    assert tested == set(re.findall(r'Python :: (\d\.\d+)"', text))


def test_forms_and_updates_are_read():
    for name in "bug", "feature", "question":
        form = loaded(HOSTING / "ISSUE_TEMPLATE" / f"{name}.yml")
        assert {"name", "description", "body"} <= set(form)
    updates = loaded(HOSTING / "dependabot.yml")["updates"]
    assert all((PROJECT / one["directory"].strip("/")).is_dir() for one in updates)


def test_the_citation_and_the_changelog_are_of_this_version():
    version = sklearn_makemore.__version__
    changelog = (PROJECT / "docs" / "changelog.rst").read_text(encoding="utf-8")
    newest, *_ = releases = re.findall(r"^(\d+\.\d+\.\d+).*\n=+$", changelog, re.M)
    assert loaded(HOSTING / "CITATION.cff")["version"] == newest
    if version != newest:
        next_version, _, serial = version.partition(".dev")
        assert serial == "0"
        assert next_version not in releases
        assert "Unreleased\n==========\n" in changelog


@pytest.mark.parametrize("page", ["contributing", "releasing"])
def test_files_that_a_page_names_exist(page):
    text = (PROJECT / "docs" / f"{page}.rst").read_text(encoding="utf-8")
    named = re.findall(r"(?<![/\w])(?:tests|docs|\.ci|\.github)/[\w./]*\w", text)
    assert named
    for path in named:
        assert (PROJECT / path).exists() or "_build" in path, path
