"""Given names of the United States: the bundled list, and makemore's own."""

import gzip
import hashlib
from http.client import HTTPException
from importlib import resources
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Literal, overload
from urllib.error import HTTPError

import numpy as np
from sklearn.datasets import fetch_file, get_data_home
from sklearn.utils import Bunch

from .._arguments import validate_options
from .._sklearn import Interval, import_extra

MAKEMORE_URL = "https://raw.githubusercontent.com/karpathy/makemore/master/names.txt"
MAKEMORE_SHA256 = "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d"

_FOLDER = resources.files("sklearn_makemore.datasets")


@overload
def load_names(
    *, return_X_y: Literal[False] = False, as_frame: bool = False
) -> Bunch: ...


@overload
def load_names(*, return_X_y: Literal[True], as_frame: bool = False) -> tuple: ...


class BunchOfNames(Bunch):
    """A `Bunch` that shows its keys instead of all names."""

    def __repr__(self) -> str:
        return f"<{len(self.data):,} names with the keys {', '.join(self)}>"


@validate_options({"return_X_y": ["boolean"], "as_frame": ["boolean"]})
def load_names(*, return_X_y: bool = False, as_frame: bool = False) -> Bunch | tuple:
    """Load the names given to children born in the United States in 2017.

    The list has the form of makemore's ``names.txt``: lower-case words, girls'
    names first, then boys' names, each by popularity. Shuffle it before you split
    it without shuffling. The 18,309 names of girls and 14,160 of boys are 29,910
    distinct words of 2 to 15 letters from a to z, given to 3,546,301 children.

    Parameters
    ----------
    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        If True, `data`, `target` and `count` are pandas Series and `frame` is
        a pandas DataFrame.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : list of str or Series of shape (32469,)
            The names. A name given to girls and to boys occurs twice.
        target : ndarray or Series of shape (32469,)
            The sex, "F" or "M".
        count : ndarray or Series of shape (32469,)
            Number of children of that sex with that name. Divided by its mean, it
            is a `sample_weight` for modelling children instead of names.
        frame : None or DataFrame of shape (32469, 3)
            The columns name, sex and count; None unless `as_frame=True`.
        feature_names : list of str
            The name of the one feature, "name".
        target_names : list of str
            The classes, "F" and "M".
        year : int
            The year of birth, 2017.
        DESCR : str
            The full description of the dataset.
        filename : str
            The path of the file.

    (data, target) : tuple if `return_X_y` is True
        The names and their sex, as above.

    See Also
    --------
    fetch_names : The list behind makemore's published figures.

    Examples
    --------
    >>> from sklearn_makemore.datasets import load_names
    >>> names = load_names()
    >>> names.data[:5]
    ['emma', 'olivia', 'ava', 'isabella', 'sophia']
    >>> names.target[:5]
    array(['F', 'F', 'F', 'F', 'F'], dtype='<U1')
    >>> names.count[:5]
    array([19738, 18632, 15902, 15100, 14831])
    """
    path = _FOLDER / "data" / "names.csv.gz"
    header, _, rows = gzip.decompress(path.read_bytes()).decode().partition("\n")
    # The csv module is several times slower: it makes a list of every row, which the
    # garbage collector visits repeatedly. No field here has a comma.
    fields = rows.replace(",", "\n").splitlines()
    data = fields[0::3]
    target = np.array(fields[1::3])
    count = np.array(fields[2::3]).astype(np.int64)

    frame = None
    if as_frame:
        pandas = import_extra("pandas", "load_names(as_frame=True)")
        columns = header.split(",")
        frame = pandas.DataFrame(dict(zip(columns, (data, target, count), strict=True)))
        data, target, count = (frame[column] for column in columns)

    if return_X_y:
        return data, target
    return BunchOfNames(
        data=data,
        target=target,
        count=count,
        frame=frame,
        feature_names=["name"],
        target_names=["F", "M"],
        year=2017,
        DESCR=_read_description("names.rst"),
        filename=str(path),
    )


@validate_options(
    {
        "data_home": [str, PathLike, None],
        "download_if_missing": ["boolean"],
        "n_retries": [Interval(Integral, 0, None, closed="left")],
        "delay": [Interval(Real, 0, None, closed="left")],
    }
)
def fetch_names(
    *,
    data_home: str | PathLike | None = None,
    download_if_missing: bool = True,
    n_retries: int = 3,
    delay: float = 1.0,
) -> Bunch:
    """Load makemore's own list of names, downloading it if necessary.

    This is the ``names.txt`` behind the figures of makemore and its lectures: names
    given in the United States in 2018, girls' names first, then boys' names, each by
    popularity. Shuffle it before you split it without shuffling. The 32,033 lines are
    29,494 distinct words of 2 to 15 letters from a to z.

    The file is downloaded once. Its SHA-256 is checked at every call.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder for downloaded data. By default scikit-learn's, see
        :func:`sklearn.datasets.get_data_home`.

    download_if_missing : bool, default=True
        If False, raise an OSError if the file is missing or damaged.

    n_retries : int, default=3
        Number of retries after a failed download.

    delay : float, default=1.0
        Number of seconds between retries.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : list of str of length 32033
            The names.
        DESCR : str
            The full description of the dataset.
        filename : str
            The path of the file.

    Raises
    ------
    OSError
        If the file is missing and cannot be downloaded, or if the download is not
        the expected file. No file is left on the disk in that case.

    See Also
    --------
    load_names : A similar bundled list, with sex and counts.

    Examples
    --------
    >>> from sklearn_makemore.datasets import fetch_names
    >>> names = fetch_names()  # doctest: +SKIP
    >>> names.data[:5]  # doctest: +SKIP
    ['emma', 'olivia', 'ava', 'isabella', 'sophia']
    """
    path = Path(get_data_home(data_home)) / "sklearn_makemore" / "names.txt"
    if download_if_missing:
        _download_makemore(path, n_retries, delay)
    elif not (path.is_file() and _sha256(path) == MAKEMORE_SHA256):
        raise OSError(
            f"{path} is missing or damaged, and `download_if_missing` is False."
            + _remedies(path)
        )
    return Bunch(
        data=path.read_text(encoding="utf-8").splitlines(),
        DESCR=_read_description("makemore.rst"),
        filename=str(path),
    )


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _download_makemore(path, n_retries, delay):
    """Download the list to `path`, completely or not at all, unless it is there."""
    try:
        path.parent.mkdir(exist_ok=True)
        fetch_file(
            MAKEMORE_URL,
            folder=path.parent,
            local_filename=path.name,
            sha256=MAKEMORE_SHA256,
            n_retries=n_retries,
            delay=delay,
        )
    # A response cut between two chunks is an HTTPException, which is not an OSError.
    except (OSError, HTTPException) as exc:
        if isinstance(exc, HTTPError):
            exc.close()  # it is also the response, and holds the connection
        raise OSError(
            f"Could not fetch {MAKEMORE_URL} to {path}: {exc}" + _remedies(path)
        ) from exc


def _remedies(path):
    """Return the part of an error message that says what the user can do."""
    return (
        f"\nTry again later, or put the file with SHA-256 {MAKEMORE_SHA256} at {path}"
        " by hand, or use `load_names`, which needs no download."
    )


def _read_description(name):
    """Return the text of a file in `descr`."""
    return (_FOLDER / "descr" / name).read_text(encoding="utf-8")
