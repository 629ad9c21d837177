"""Training that was interrupted or killed ends as if nothing had happened."""

import copy
import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from children import child_process
from estimators import KINDS, MATCHED, NETS, over
from sklearn.base import clone
from sklearn.callback import FitCallback

from sklearn_makemore import ModelFileError, load, save
from sklearn_makemore._safe_file import read_safe_file, write_safe_file
from sklearn_makemore._training import checkpoint
from sklearn_makemore._training.net import CharNet
from sklearn_makemore.datasets import load_names
from sklearn_makemore.model_selection import lr_range_test

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Epochs(FitCallback):
    """Callback of scikit-learn that counts epochs, and interrupts at the end of one."""

    def __init__(self, interrupt=None, action=None):
        self.interrupt, self.action = interrupt, action
        self.n_epochs = 0

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name != "epoch":
            return False
        self.n_epochs += 1
        if self.action:
            return self.action(fitted_estimator)
        if self.n_epochs == self.interrupt:
            raise KeyboardInterrupt
        return False


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A path for a checkpoint that is written after every epoch, however short."""
    monkeypatch.setattr(checkpoint, "WRITING_SHARE", float("inf"))
    return tmp_path / "training.checkpoint"


@pytest.fixture
def killed_at_the_end(monkeypatch):
    """Return a context in which training is interrupted after its last epoch."""

    def interrupt(self, *args):
        raise KeyboardInterrupt

    @contextmanager
    def context():
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(CharNet, "check_last_step", interrupt)
            yield

    return context


def interrupted(model, words, epoch, **fit_params):
    """Fit until Ctrl-C at the end of an epoch, before that epoch is written."""
    before = dict(vars(model))
    with pytest.raises(KeyboardInterrupt):
        model.set_callbacks(Epochs(epoch)).fit(words, **fit_params)
    vars(model).pop("_skl_callbacks")
    assert vars(model) == before
    return model


def resumed(model, words, **fit_params):
    """Fit with nothing in the way; return the model and the epochs it took."""
    epochs = Epochs()
    return model.set_callbacks(epochs).fit(words, **fit_params), epochs.n_epochs


def rows(model):
    """The history but for its seconds, with what `history_` leaves out."""
    return [{**row, "dur": None, "batches": None} for row in model.net_.history]


def assert_same(one, other, words):
    """Assert that two models have the same state, bit for bit, and say the same."""
    assert rows(one) == rows(other)
    assert one.unknown_proba_ == other.unknown_proba_
    np.testing.assert_array_equal(one.word_lengths_, other.word_lengths_)
    assert one.n_iter_ == other.n_iter_ == len(one.history_) == len(other.history_)
    ours, theirs = one.net_.module_.state_dict(), other.net_.module_.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    ours, theirs = (model.net_.optimizer_.state_dict() for model in (one, other))
    assert ours["param_groups"] == theirs["param_groups"]
    assert ours["state"].keys() == theirs["state"].keys()
    for index, moments in ours["state"].items():
        assert moments.keys() == theirs["state"][index].keys()
        for name, moment in moments.items():
            assert torch.equal(moment, theirs["state"][index][name])
    np.testing.assert_array_equal(one.score_samples(words), other.score_samples(words))
    assert one.sample(5, random_state=0) == other.sample(5, random_state=0)


@over({**NETS, **MATCHED})
def test_an_interrupted_training_goes_on(estimator, words, path):
    model = clone(estimator).set_params(
        max_epochs=4, validation_fraction=0.2, handle_unknown="unk"
    )
    whole = clone(model).fit(words)
    model.set_params(checkpoint=path)
    interrupted(model, words, epoch=3)
    assert path.is_file()
    # In another process there is nothing of the first but the file.
    model, n_epochs = resumed(clone(model), words)
    assert n_epochs == 2
    assert not path.exists()
    assert_same(model, whole, words)
    assert_same(model.partial_fit(words), whole.partial_fit(words), words)
    assert not path.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, patience, lr", [("mlp", 40, 0.05), ("wavenet", 40, 0.05), ("gru", 2, 0.08)]
)
def test_early_stopping_goes_on_too(name, patience, lr, words, path, killed_at_the_end):
    few = words[:60]
    model = clone(NETS[name]).set_params(
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=patience,
        tol=0.0,
        max_epochs=11,
        lr=lr,
        lr_schedule="constant",
        weight_decay=0.0,
        alphabet=LETTERS,
    )
    whole = clone(model).fit(few)
    losses = [row["valid_loss"] for row in whole.history_]
    best = 1 + int(np.argmin(losses))
    assert 1 < best < len(losses)
    model.set_params(checkpoint=path)
    for epoch in {best, best + 1, len(losses)}:
        interrupted(model, few, epoch)
        assert_same(resumed(clone(model), few)[0], whole, few)
    with killed_at_the_end():
        model.fit(few)
    model, n_epochs = resumed(model, few)
    # An early stop is not in the file, and comes once more.
    assert n_epochs == (1 if len(losses) < model.max_epochs else 0)
    assert_same(model, whole, few)


def test_a_training_is_interrupted_many_times(
    words, path, killed_at_the_end, monkeypatch
):
    for home in "HOME", "USERPROFILE":
        monkeypatch.setenv(home, str(path.parent))
    model = clone(NETS["mlp-deep"]).set_params(
        max_epochs=6, optimizer="sgd", lr_schedule="step"
    )
    whole = clone(model).fit(words)
    model.set_params(checkpoint=f"~/{path.name}")
    for _ in range(5):
        interrupted(clone(model), words, epoch=2)  # one more is in the file
    assert path.is_file()
    with killed_at_the_end():
        model.fit(words)
    model, n_epochs = resumed(model, words)
    assert n_epochs == 0
    assert_same(model, whole, words)


def test_what_was_asked_to_stop_stops_there(words, path, killed_at_the_end):
    stop = Epochs(action=lambda fitted: fitted.n_iter_ == 3)
    model = clone(NETS["mlp"]).set_params(max_epochs=6).set_callbacks(stop)
    whole = clone(model).fit(words)
    model.set_params(checkpoint=path)
    with killed_at_the_end():
        model.fit(words)
    model.fit(words)
    assert model.n_iter_ == 3
    assert_same(model, whole, words)


@over(KINDS)
def test_a_training_that_goes_on_from_another(estimator, words, path):
    model = clone(estimator).set_params(alphabet=LETTERS, warm_start=True, max_epochs=3)
    whole = clone(model).fit(words).fit(words[:50])
    model.fit(words).set_params(checkpoint=path)
    interrupted(model, words[:50], epoch=3)
    other = clone(model).set_params(checkpoint=None).fit(words[50:])
    for one in clone(model), other.set_params(checkpoint=path):
        with pytest.raises(ValueError, match="it started from other weights"):
            one.fit(words[:50])
    model, n_epochs = resumed(model, words[:50])
    assert n_epochs == 1
    assert model.n_iter_ == 6
    assert_same(model, whole, words)


@over(KINDS)
def test_a_training_that_learns_new_letters(estimator, words, path):
    accented = [*words[:50], "zoé"]
    model = clone(estimator).set_params(warm_start=True, max_epochs=3).fit(words)
    whole = copy.deepcopy(model).fit(accented)
    interrupted(model.set_params(checkpoint=path), accented, epoch=3)
    model, n_epochs = resumed(model, accented)
    assert n_epochs == 1
    assert_same(model, whole, accented)


def test_random_numbers_of_a_random_state_go_on(words, path):
    model = clone(NETS["mlp-deep"]).set_params(validation_fraction=0.2, max_epochs=3)
    rng = np.random.RandomState(5)
    whole = clone(model).set_params(random_state=rng)
    whole = whole.fit(words)
    after = whole.random_state.randint(2**31, size=4).tolist()
    model.set_params(checkpoint=path)
    # In this process it has been drawn from, in another one it has not.
    for has_begun in (True, False):
        model.random_state = np.random.RandomState(5)
        with pytest.raises(KeyboardInterrupt):
            model.set_callbacks(Epochs(2)).fit(words)
        if not has_begun:
            model.random_state = np.random.RandomState(5)
        resumed(model, words)
        assert model.random_state.randint(2**31, size=4).tolist() == after
        np.testing.assert_array_equal(
            model.score_samples(words), whole.score_samples(words)
        )
        assert rows(model) == rows(whole)


@pytest.mark.slow
def test_a_training_without_a_seed_goes_on(words, path, tmp_path):
    model = clone(NETS["mlp-deep"]).set_params(
        random_state=None, validation_fraction=0.2, max_epochs=4, checkpoint=path
    )
    interrupted(model, words, epoch=1)  # the file is of before the first epoch
    shutil.copy(path, tmp_path / "copy")
    one, n_epochs = resumed(clone(model), words)
    assert n_epochs == 4
    shutil.copy(tmp_path / "copy", path)
    interrupted(model, words, epoch=3)
    other, _ = resumed(model, words)
    assert_same(one, other, words)
    assert (
        one.score_samples(words) != resumed(model, words)[0].score_samples(words)
    ).any()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch's compiler warns of its own code
def test_a_compiled_training_goes_on(words, path, monkeypatch):
    # All of torch.compile but the slow part, the making of machine code.
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    model = clone(NETS["mlp-batch-norm"]).set_params(
        compile=True, early_stopping=True, max_epochs=3
    )
    whole = clone(model).fit(words)
    model.set_params(checkpoint=path)
    interrupted(model, words, epoch=3)
    assert_same(resumed(model, words)[0], whole, words)


def test_a_checkpoint_changes_nothing(words, path):
    model = clone(NETS["mlp-deep"]).set_params(validation_fraction=0.2)
    whole = clone(model).fit(words)
    kept = clone(model).set_params(checkpoint=path).fit(words)
    assert not path.exists()
    assert_same(kept, whole, words)
    lr_range_test(kept, words, n_steps=20, min_lr=1e-4, max_lr=10.0)
    assert not list(path.parent.iterdir())


def test_short_epochs_are_not_all_written(words, path, monkeypatch):
    written = []

    def write(*content):
        written.append(content[1]["n_epochs"])
        write_safe_file(*content)

    monkeypatch.setattr(checkpoint, "write_safe_file", write)
    model = clone(NETS["mlp"]).set_params(max_epochs=4)
    whole = clone(model).fit(words)
    model.set_params(checkpoint=path).fit(words)
    assert written == [0, 1, 2, 3, 4]
    monkeypatch.setattr(checkpoint, "WRITING_SHARE", 1e-9)
    interrupted(model, words, epoch=3)
    assert written[5:] == [0]
    assert_same(resumed(model, words)[0], whole, words)


OTHER_PARAMETERS = {
    "letters": ({"alphabet": LETTERS + "é"}, "symbols"),
    "unknown": ({"handle_unknown": "unk"}, "symbols"),
    "epochs": ({"max_epochs": 4}, "max_epochs=3, not 4"),
    "two": ({"lr": 0.01, "tol": 0.5}, "lr=0.05, not 0.01; it has tol=0.0001, not 0.5"),
    "seed": ({"random_state": 1}, "random_state=0, not 1"),
    "no seed": ({"random_state": None}, "random_state=0, not None"),
    "generator": (
        {"random_state": np.random.RandomState(0)},
        "random_state=0, not 'RandomState'",
    ),
}


@pytest.fixture(scope="module")
def half_trained(words, tmp_path_factory):
    """A file of a training of three epochs that was interrupted in its second."""
    path = tmp_path_factory.mktemp("half") / "file"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "WRITING_SHARE", float("inf"))
        model = clone(NETS["mlp"]).set_params(max_epochs=3, checkpoint=path)
        interrupted(model, words, epoch=2)
    return path


def assert_refused(model, path, half_trained, message, *fit_args):
    shutil.copy(half_trained, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"another training: .*{message}.*delete"):
        model.set_params(checkpoint=path).fit(*fit_args)
    assert path.read_bytes() == before


@pytest.mark.parametrize("other", OTHER_PARAMETERS)
def test_other_parameters_are_refused(other, words, path, half_trained):
    params, message = OTHER_PARAMETERS[other]
    model = clone(NETS["mlp"]).set_params(**{"max_epochs": 3, **params})
    assert_refused(model, path, half_trained, message, words)


def test_other_words_and_networks_are_refused(words, path, half_trained):
    model = clone(NETS["mlp"]).set_params(max_epochs=3)
    weights = np.ones(len(words))
    spelled_backwards = [word[::-1] for word in words]
    for others in (
        (words[1:],),
        (words[::-1],),
        (spelled_backwards,),
        (words, None, weights),
    ):
        assert_refused(model, path, half_trained, "it has other words", *others)
    model = NETS["wavenet"]
    assert_refused(clone(model), path, half_trained, "its model is MLPCharLM", words)


def test_what_does_not_change_the_result_may_change(words, path, half_trained):
    shutil.copy(half_trained, path)
    model = clone(NETS["mlp"]).set_params(
        max_epochs=np.int64(3),
        alphabet=sorted({letter for word in words for letter in word}),
        device="cpu",
        callbacks=[],
        warm_start=True,
        checkpoint=os.path.relpath(path),
    )
    model, n_epochs = resumed(model, words)
    assert n_epochs == 2
    assert not path.exists()


def test_another_version_goes_on_with_a_warning(words, path, half_trained, monkeypatch):
    shutil.copy(half_trained, path)
    model = clone(NETS["mlp"]).set_params(max_epochs=3, checkpoint=path)
    monkeypatch.setattr(torch, "__version__", "99.0")
    with pytest.warns(UserWarning, match=r"was written with .*continues with .*99\.0"):
        _, n_epochs = resumed(model, words)
    assert n_epochs == 2


def test_another_format_is_refused(words, path, half_trained, monkeypatch):
    shutil.copy(half_trained, path)
    monkeypatch.setattr(checkpoint, "FORMAT_VERSION", 2)
    model = clone(NETS["mlp"]).set_params(max_epochs=3, checkpoint=path)
    with pytest.raises(ValueError, match="another training: its format is 1"):
        model.fit(words)


@pytest.mark.parametrize("content", ["text", "model", "no weights", "no epochs"])
def test_what_is_no_checkpoint_is_refused(content, words, path, half_trained):
    document, arrays = read_safe_file(half_trained)
    if content == "text":
        path.write_text("my novel")
    elif content == "model":
        write_safe_file(path, {"class": "MLPCharLM"}, arrays)
    elif content == "no weights":
        write_safe_file(path, document, {})
    else:
        write_safe_file(path, {**document, "n_epochs": None}, arrays)
    before = path.read_bytes()
    model = clone(NETS["mlp"]).set_params(max_epochs=3, checkpoint=path)
    with pytest.raises(ModelFileError, match=r"training\.checkpoint"):
        model.fit(words)
    assert path.read_bytes() == before


def without(prefix):
    def lie(document, arrays):
        for name in [name for name in arrays if name.startswith(prefix)]:
            del arrays[name]

    return lie


def other_array(name, change):
    def lie(document, arrays):
        arrays[name] = np.ascontiguousarray(change(arrays[name]))

    return lie


MOMENT = "optimizer.0.exp_avg"
LIES = {
    "n_epochs is 1.0": lambda document, arrays: document.update(n_epochs=1.0),
    "n_epochs is True": lambda document, arrays: document.update(n_epochs=True),
    "n_epochs is -1": lambda document, arrays: document.update(n_epochs=-1),
    "n_epochs is 4": lambda document, arrays: document.update(n_epochs=4),
    r"history\..* is not as": lambda document, arrays: document.update(n_epochs=2),
    "optimizer.0.* is not as": without("optimizer."),
    f"{MOMENT} is not as": other_array(MOMENT, lambda array: array[:1]),
    f"{MOMENT} is not as this": other_array(MOMENT, np.float64),
    "optimizer.0.step is not as": other_array("optimizer.0.step", np.atleast_1d),
    "optimizer.9.* is not as": lambda document, arrays: arrays.update(
        {"optimizer.9.exp_avg": arrays[MOMENT]}
    ),
    "history.dur is not as": without("history."),
    "history.epoch does not count": other_array("history.epoch", np.zeros_like),
    "module.* is not as": other_array("module.embedding.weight", np.transpose),
    "module.* is not finite": other_array(
        "module.embedding.weight", lambda array: array * np.nan
    ),
    "random.cpu is not as": other_array("random.cpu", lambda array: array[:10]),
    "Invalid": other_array("random.cpu", lambda array: np.full_like(array, 255)),
    "stopping is not as": other_array("stopping", lambda array: array[:2]),
    "stopping is no state": other_array("stopping", lambda array: array + [9, 0, 0]),
    "stopping is no": without("best."),
    "best.* is not as": without("best.embedding"),
    "lr is not finite": other_array("lr", lambda array: array + np.inf),
    "lr is negative": other_array("lr", np.negative),
    "lr is not as": other_array("lr", lambda array: array.astype(np.int64)),
    "lr is not as this": other_array("lr", lambda array: np.repeat(array, 2)),
    "pos=625": lambda document, arrays: document["random_state"]["state"].update(
        pos=625
    ),
    "random_state|Error": lambda document, arrays: document["random_state"][
        "state"
    ].update(key=[1, 2]),
}


def test_states_that_no_training_leaves_change_nothing(words, path, tmp_path):
    # The fused kernels would write past the end of moments that are too short.
    model = clone(NETS["mlp"]).set_params(
        max_epochs=3,
        checkpoint=path,
        early_stopping=True,
        random_state=np.random.RandomState(5),
    )
    with pytest.raises(KeyboardInterrupt):
        model.set_callbacks(Epochs(2)).fit(words)
    document, arrays = read_safe_file(path)
    assert "stopping" in arrays
    for message, lie in LIES.items():
        told, others = copy.deepcopy(document), dict(arrays)
        lie(told, others)
        write_safe_file(path, told, others)
        rng = model.random_state = np.random.RandomState(5)
        before = str(rng.get_state(legacy=True))
        with pytest.raises(ModelFileError, match=message):
            model.fit(words)
        state = str(rng.get_state(legacy=True))
        assert state == before, message
    write_safe_file(path, document, arrays)
    model.random_state = np.random.RandomState(5)
    assert resumed(model, words)[1] == 2


def test_a_training_that_diverged_leaves_nothing(words, path):
    model = clone(NETS["mlp"]).set_params(
        checkpoint=path, optimizer="sgd", lr_schedule="constant", lr=1e30
    )
    with pytest.raises(ValueError, match="Training diverged"):
        model.fit(words)
    assert not path.exists()
    model.set_params(lr=0.01).fit(words)


def test_where_a_training_started_is_more_than_weights(words, path, tmp_path):
    model = clone(NETS["mlp"]).fit(words)
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")  # the same weights, without optimizer
    for one in model, again:
        one.set_params(checkpoint=path, warm_start=True)
    interrupted(model, words, epoch=1)
    with pytest.raises(ValueError, match="another state of the optimizer"):
        again.fit(words)
    resumed(model, words)


@pytest.mark.parametrize(
    "place, error",
    [
        ("folder", IsADirectoryError),
        ("folder/missing/file", FileNotFoundError),
        ("file/file", NotADirectoryError),
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_training(
    place, error, words, tmp_path
):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    model, epochs = clone(NETS["mlp"]), Epochs()
    model.set_params(checkpoint=tmp_path / place).set_callbacks(epochs)
    with pytest.raises(error):
        model.fit(words)
    assert epochs.n_epochs == 0
    assert not model.__sklearn_is_fitted__()
    assert (tmp_path / "file").read_text() == "mine"
    assert not list((tmp_path / "folder").iterdir())


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_a_full_disk_leaves_the_old_file(code, words, path, monkeypatch):
    model = clone(NETS["mlp"]).set_params(max_epochs=4)
    whole = clone(model).fit(words)
    model.set_params(checkpoint=path)

    def fill(fitted):
        if fitted.n_iter_ == 3:
            monkeypatch.setattr(os, "fsync", full)

    def full(descriptor):
        raise OSError(code, os.strerror(code))

    with pytest.raises(OSError, match=r"(?i)full|written") as caught:
        model.set_callbacks(Epochs(action=fill)).fit(words)
    assert caught.value.errno == code
    assert not model.__sklearn_is_fitted__()
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    monkeypatch.undo()
    model, n_epochs = resumed(model, words)
    assert n_epochs == 2
    assert_same(model, whole, words)


def test_a_file_that_another_training_wrote_meanwhile_stays(words, path):
    model = clone(NETS["mlp"]).set_params(max_epochs=3, checkpoint=path)

    def write(fitted):
        if fitted.n_iter_ == 2:
            path.write_text("of another")

    with pytest.raises(ValueError, match=r"(?s)Another training.*its own path"):
        model.set_callbacks(Epochs(action=write)).fit(words)
    assert path.read_text() == "of another"
    # After its last epoch a training leaves it as well.
    path.unlink()
    stop = Epochs(action=lambda fitted: write(fitted) is None and fitted.n_iter_ == 2)
    model.set_callbacks(stop).fit(words)
    assert path.read_text() == "of another"


def test_callbacks_of_skorch_are_refused(words, path):
    from skorch.callbacks import GradientNormClipping

    model = clone(NETS["mlp"]).set_params(
        checkpoint=path, callbacks=[GradientNormClipping(1.0)]
    )
    with pytest.raises(ValueError, match="`callbacks` have their own state"):
        model.fit(words)
    assert not path.exists()


def test_a_file_that_cannot_be_removed_is_told(words, path, monkeypatch):
    def fails(path):
        raise PermissionError(errno.EACCES, "no", path)

    model = clone(NETS["mlp"]).set_params(checkpoint=path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "remove", fails)
        with pytest.warns(UserWarning, match="could not be removed .*delete it"):
            model.fit(words)
    assert model.__sklearn_is_fitted__()


# A child is slow, so that it is killed while it trains, and says when it begins. The
# other kills itself where its file is about to take the old one's place. Both are
# forked from one process, whose imports take seconds; optimizers import torch._dynamo.
CHILDREN = """
import os, signal, sys, time

sys.path.insert(0, sys.argv[1])
import test_checkpoint as here
import torch._dynamo

here.checkpoint.WRITING_SHARE = float("inf")
replace = os.replace

def train(name, n_left):
    def replace_or_die(*paths):
        nonlocal n_left
        n_left -= 1
        if n_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(*paths)

    os.replace = replace_or_die
    slow = here.Epochs(action=lambda fitted: time.sleep(0.1))
    path = os.path.join(sys.argv[2], name)
    model = here.killed_model(name).set_params(checkpoint=path).set_callbacks(slow)
    if not n_left:
        print(os.getpid(), flush=True)
    model.fit(here.killed_words())

for name, n_left in here.KILLED.items():
    if os.fork() == 0:
        try:
            train(name, n_left)
        finally:
            os._exit(1)
print(*[os.waitstatus_to_exitcode(os.wait()[1]) for name in here.KILLED])
"""
# One dies at a random moment, the other in the middle of its seventh writing.
KILLED = {"mlp-batch-norm": 0, "gru": 7}


def killed_model(name):
    return clone(NETS[name]).set_params(
        max_epochs=15, validation_fraction=0.2, alphabet=LETTERS
    )


def killed_words():
    return load_names().data[:60]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no kill -9")
def test_a_killed_process_is_taken_up(tmp_path):
    tests = Path(__file__).parents[1]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tests.parent), *sys.path]),
    }
    command = [sys.executable, "-c", CHILDREN, tests, tmp_path]
    with child_process(command, env=environment, stdout=subprocess.PIPE) as process:
        victim = int(process.stdout.readline())
        time.sleep(random.uniform(0.1, 1.0))
        os.kill(victim, signal.SIGKILL)
        codes, _ = process.communicate(timeout=120)
    assert codes.split() == 2 * [str(-signal.SIGKILL).encode()]
    words = killed_words()
    for name in KILLED:
        model = killed_model(name).set_params(checkpoint=tmp_path / name)
        model, n_epochs = resumed(model, words)
        assert_same(model, killed_model(name).fit(words), words)
        if name == "gru":
            assert n_epochs == 15 - 5
    assert {found.suffix for found in tmp_path.iterdir()} <= {".tmp"}
