import hashlib
import socket
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from sklearn_makemore.datasets import _names, fetch_names, load_names

GOOD = b"emma\nolivia\nava\n"
OTHER = b"emma\nolivia\neve\n"
CUT = GOOD[:-4]


class Handler(BaseHTTPRequestHandler):
    """`/good`, `/other`, `/cut`, `/cut-chunk`; whatever else is not found."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.paths.append(self.path)
        self.close_connection = True
        {
            "/good": lambda: self.send("Content-Length", len(GOOD), GOOD),
            "/other": lambda: self.send("Content-Length", len(OTHER), OTHER),
            "/cut": lambda: self.send("Content-Length", len(GOOD), CUT),
            "/cut-chunk": lambda: self.send(
                "Transfer-Encoding", "chunked", b"%x\r\n%b" % (len(GOOD), CUT)
            ),
            "/cut-once": lambda: self.send(
                "Content-Length",
                len(GOOD),
                CUT if self.server.paths.count("/cut-once") == 1 else GOOD,
            ),
        }.get(self.path, lambda: self.send_error(404))()

    def send(self, header, value, body):
        self.send_response(200)
        self.send_header(header, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def loopback():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.paths = []
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server(loopback, monkeypatch):
    """The server, with `GOOD` in the place of makemore's list."""
    loopback.paths.clear()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(_names, "MAKEMORE_SHA256", hashlib.sha256(GOOD).hexdigest())
    loopback.serve = lambda path: monkeypatch.setattr(
        _names, "MAKEMORE_URL", f"http://127.0.0.1:{loopback.server_port}{path}"
    )
    loopback.serve("/good")
    return loopback


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_fetch_names_downloads_once_and_then_works_offline(server, tmp_path):
    first = fetch_names(data_home=tmp_path)
    server.serve("/missing")
    second = fetch_names(data_home=str(tmp_path), n_retries=0)

    assert server.paths == ["/good"]
    assert first == second == fetch_names(data_home=tmp_path, download_if_missing=False)
    assert first.data == ["emma", "olivia", "ava"]
    assert files_in(tmp_path) == [Path(first.filename)]
    assert "32,033" in first.DESCR


def test_fetch_names_default_folder_is_that_of_scikit_learn(
    server, tmp_path, monkeypatch
):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "home"))
    path = Path(fetch_names().filename)
    assert files_in(tmp_path / "home") == [path]


@pytest.mark.parametrize(
    "path, reason",
    [
        ("/other", hashlib.sha256(OTHER).hexdigest()),
        ("/cut", f"got only {len(CUT)} out of {len(GOOD)} bytes"),
        ("/cut-chunk", "IncompleteRead"),
        ("/missing", "HTTP Error 404"),
    ],
)
def test_fetch_names_failed_download_is_explained_and_leaves_no_file(
    server, tmp_path, path, reason
):
    server.serve(path)
    with pytest.raises(OSError) as info:
        fetch_names(data_home=tmp_path, n_retries=0)
    message = str(info.value)
    for part in [
        reason,
        path,
        str(tmp_path / "sklearn_makemore" / "names.txt"),
        _names.MAKEMORE_SHA256,
        "load_names",
    ]:
        assert part in message
    assert files_in(tmp_path) == []


def test_fetch_names_no_network_is_explained_and_leaves_no_file(
    server, tmp_path, monkeypatch
):
    with closing(socket.create_server(("127.0.0.1", 0))) as closed_soon:
        port = closed_soon.getsockname()[1]
    monkeypatch.setattr(_names, "MAKEMORE_URL", f"http://127.0.0.1:{port}/good")
    with pytest.raises(OSError, match="refused[^$]*by hand"):
        fetch_names(data_home=tmp_path, n_retries=0)
    assert files_in(tmp_path) == []


def test_fetch_names_tries_again(server, tmp_path):
    server.serve("/cut-once")
    with pytest.warns(UserWarning, match="Retry"):
        fetched = fetch_names(data_home=tmp_path, n_retries=1, delay=0)
    assert fetched.data == ["emma", "olivia", "ava"]
    assert server.paths == ["/cut-once"] * 2


def test_fetch_names_replaces_a_damaged_file(server, tmp_path):
    path = Path(fetch_names(data_home=tmp_path).filename)
    path.write_bytes(CUT)
    with pytest.raises(OSError, match="missing or damaged.*False[^$]*by hand"):
        fetch_names(data_home=tmp_path, download_if_missing=False)
    with pytest.warns(UserWarning, match="re-downloading"):
        fetched = fetch_names(data_home=tmp_path)
    assert fetched.data == ["emma", "olivia", "ava"]
    assert path.read_bytes() == GOOD
    assert files_in(tmp_path) == [path]


def test_fetch_names_without_download_asks_no_server(server, tmp_path):
    with pytest.raises(OSError, match="missing or damaged.*False[^$]*load_names"):
        fetch_names(data_home=tmp_path, download_if_missing=False)
    assert server.paths == []
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    "parameters", [{"data_home": 1}, {"n_retries": -1}, {"delay": -0.1}]
)
def test_fetch_names_refuses_wrong_parameters(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        fetch_names(**parameters)


def test_fetch_names_expects_makemores_own_list(makemore_file, tmp_path):
    target = tmp_path / "sklearn_makemore" / "names.txt"
    target.parent.mkdir()
    target.write_bytes(makemore_file.read_bytes())

    words = fetch_names(data_home=tmp_path, download_if_missing=False).data
    assert len(words) == 32_033
    assert len(set(words)) == 29_494
    assert sum(len(word) + 1 for word in words) == 228_146


def test_load_names_is_the_published_list():
    names = load_names()
    assert len(names.data) == 32_469
    assert len(set(names.data)) == 29_910
    assert set("".join(names.data)) == set("abcdefghijklmnopqrstuvwxyz")
    assert {min(map(len, names.data)), max(map(len, names.data))} == {2, 15}
    assert names.year == 2017
    assert "32,469" in names.DESCR
    assert Path(names.filename).is_file()


@pytest.mark.parametrize(
    "sex, first, n_names, n_children",
    [
        ("F", ["emma", "olivia", "ava"], 18_309, 1_711_811),
        ("M", ["liam", "noah", "william"], 14_160, 1_834_490),
    ],
)
def test_load_names_runs_by_popularity_then_alphabet(sex, first, n_names, n_children):
    names = load_names()
    rows = np.flatnonzero(names.target == sex)
    words = [names.data[row] for row in rows]
    counts = names["count"][rows]

    assert (np.diff(rows) == 1).all()
    assert words[:3] == first
    assert len(set(words)) == len(words) == n_names
    assert counts.min() == 5
    assert counts.sum() == n_children
    assert list(zip(-counts, words, strict=True)) == sorted(
        zip(-counts, words, strict=True)
    )


def test_load_names_has_girls_first():
    assert load_names().target[0] == "F"


def test_load_names_is_fresh_each_time():
    first, second = load_names(), load_names()
    assert first.data == second.data
    first.data.clear()
    first.target[:] = "M"
    assert load_names().data == second.data
    assert load_names().target[0] == "F"


def test_load_names_return_X_y():
    names = load_names()
    words, sexes = load_names(return_X_y=True)
    assert words == names.data
    np.testing.assert_array_equal(sexes, names.target)


def test_load_names_as_frame():
    pd = pytest.importorskip("pandas")
    names, framed = load_names(), load_names(as_frame=True)
    assert names.frame is None
    assert list(framed.frame.columns) == ["name", "sex", "count"]
    pd.testing.assert_frame_equal(
        framed.frame,
        pd.DataFrame(
            {"name": names.data, "sex": names.target, "count": names["count"]}
        ),
    )
    words, sexes = load_names(return_X_y=True, as_frame=True)
    pd.testing.assert_series_equal(words, framed.data)
    pd.testing.assert_series_equal(sexes, framed.target)
    assert list(words) == names.data


def test_load_names_is_shown_in_a_line():
    shown = repr(load_names())
    assert shown.startswith("<32,469 names with the keys data, target, count, frame,")


def test_load_names_says_how_to_install_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="as_frame.* pip install pandas"):
        load_names(as_frame=True)


def test_load_names_refuses_wrong_parameters():
    with pytest.raises(ValueError, match="as_frame"):
        load_names(as_frame="yes")
