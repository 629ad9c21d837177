import pytest


@pytest.fixture(scope="session")
def lists(makemore_file):
    """The folder of other lists, beside that of the makemore lectures."""
    folder = makemore_file.parent / "lists"
    if not folder.is_dir():
        pytest.skip(f"this test needs the lists of {folder}, which does not exist")
    return folder
