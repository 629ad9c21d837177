"""Models in files: what comes back is what was saved, and nothing else does."""

import json
import os
import pickle
import re
import sys
import time
import zlib
from enum import Enum
from pathlib import Path
from subprocess import PIPE

import numpy as np
import pandas as pd
import pytest
from children import child_process
from estimators import CLASSES, ESTIMATORS, NETS, over
from safetensors import safe_open
from safetensors.numpy import save_file
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from skorch import NeuralNet

import sklearn_makemore
from sklearn_makemore import (
    BigramCounter,
    CharLMClassifier,
    CharLMFeatures,
    CharLMOutlierDetector,
    MixtureCharLM,
    MLPCharLM,
    ModelFileError,
    NGramCounter,
    _models,
    load,
    save,
)
from sklearn_makemore import _safe_file as safe_file
from sklearn_makemore.persistence import _limits
from sklearn_makemore.persistence._decoding import Decoder
from sklearn_makemore.persistence._encoding import Encoder
from sklearn_makemore.persistence._limits import METHODS_WITH_METADATA

UNKNOWN = ["", "zoë", "xerxès", "ab"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def reloaded(model, path, **options):
    save(model, path)
    return load(path, **options)


def check_same(model, again, words):
    """What was loaded is the same: parameters, attributes, probabilities, samples."""
    assert type(again) is type(model)
    assert str(again.get_params()) == str(model.get_params())
    assert set(vars(again)) == set(vars(model))
    assert again.symbols_ == model.symbols_
    assert again.longest_word_ == model.longest_word_
    np.testing.assert_array_equal(
        again.score_samples(words), model.score_samples(words)
    )
    np.testing.assert_array_equal(
        again.predict_proba(["a"]), model.predict_proba(["a"])
    )
    drawn = [one.sample(30, random_state=0, max_length=40) for one in (model, again)]
    assert drawn[0] == drawn[1]


@over(ESTIMATORS)
def test_a_loaded_model_is_the_one_that_was_saved(estimator, words, fit_once, path):
    model = fit_once(estimator, words)
    again = reloaded(model, path)
    check_same(model, again, words)
    if "history_" in vars(model):
        assert again.history_ == model.history_
        assert again.n_iter_ == model.n_iter_
        assert list(again.net_.history) == list(model.net_.history)
    assert path.stat().st_size < len(pickle.dumps(model))
    # The same model gives the same bytes, and a loaded one gives them again.
    first = path.read_bytes()
    save(again, path)
    assert path.read_bytes() == first


@over(CLASSES)
def test_models_with_a_symbol_for_the_unknown_come_back(estimator, words, path):
    model = clone(estimator).set_params(handle_unknown="unk", alphabet=list("aeiou"))
    model.fit(words)
    check_same(model, reloaded(model, path), words + UNKNOWN)
    model = clone(estimator).set_params(handle_unknown="unk").fit(words)
    check_same(model, reloaded(model, path), words + UNKNOWN)


@over({name: CLASSES[name] for name in ("bigram", "kneser-ney-3")})
def test_a_loaded_counter_adds_words_exactly(estimator, words, path):
    model = clone(estimator).fit(words)
    again = reloaded(model, path)
    for one in model, again:
        one.partial_fit(UNKNOWN)
    check_same(model, again, words + UNKNOWN)


@over(NETS)
def test_a_loaded_net_goes_on_from_its_weights(estimator, words, fit_once, path):
    model = fit_once(estimator, words)
    again = reloaded(model, path).set_params(lr=1e-12, warm_start=True, max_epochs=1)
    before = model.score(words)
    again.partial_fit(words).fit(words)
    assert again.n_iter_ == model.n_iter_ + 2
    assert abs(again.score(words) - before) < 0.5
    if not again.get_params().get("batch_norm", False):  # its statistics move
        np.testing.assert_allclose(
            again.score_samples(words), model.score_samples(words), atol=1e-4
        )


@pytest.mark.parametrize("name", ["MLPCharLM", "LSTMCharLM"])
def test_the_net_of_a_loaded_network_is_made_as_it_was_saved(name, words, path):
    model = getattr(sklearn_makemore, name)(max_epochs=1, random_state=0).fit(words)
    again = reloaded(model, path)
    drawn = again.sample(9, random_state=0)
    pickled = pickle.loads(pickle.dumps(load(path)))
    again.set_params(lr=1.0, n_hidden=3)
    for other in again, pickled:
        assert isinstance(other.net_, NeuralNet) and other.net_ is other.net_
        assert other.net_.lr == model.lr
        assert list(other.net_.history) == list(model.net_.history)
        assert not any(part.training for part in other.net_.module_.modules())
        assert other.sample(9, random_state=0) == drawn
    with pytest.raises(ValueError, match="cannot turn it into"):
        again.partial_fit(words)
    assert not hasattr(clone(again), "net_")


def test_weights_that_are_not_whole_come_back(words, path):
    weights = 0.1 + np.arange(len(words)) % 7 / 3
    for estimator in BigramCounter(), NGramCounter(order=4):
        model = clone(estimator).fit(words, sample_weight=weights)
        check_same(model, reloaded(model, path), words)


@pytest.mark.parametrize("n_words, dtype", [(1, "U8"), (1000, "U16")])
def test_counts_are_kept_in_the_smallest_type(path, n_words, dtype):
    save(BigramCounter().fit(["ab"] * n_words), path)
    with safe_open(path, "np") as file:
        (name,) = file.keys()
        assert file.get_slice(name).get_dtype() == dtype


def test_counts_without_end_come_back(words, path):
    for weight in 1e15, 1e19, 1e200:
        for estimator in BigramCounter(), NGramCounter(order=3):
            model = clone(estimator).fit(words, sample_weight=[weight] * len(words))
            check_same(model, reloaded(model, path), words)


def test_counts_of_long_n_grams_come_back(path):
    # Keys of several integers; of fewer characters than the order allows; one symbol.
    alphabet = "".join(map(chr, range(0x4E00, 0x4E00 + 3000)))
    cut = [alphabet[i : i + 9] for i in range(0, 2990, 7)]
    for words, order in [(cut, 7), (["ab", "b"], 30), (["a" * 70], 66), ([""], 3)]:
        model = NGramCounter(order=order, smoothing="additive").fit(words)
        again = reloaded(model, path)
        assert again.ngram_counts_.order == model.ngram_counts_.order
        np.testing.assert_array_equal(
            again.ngram_counts_.ngrams, model.ngram_counts_.ngrams
        )
        np.testing.assert_array_equal(
            again.score_samples(words), model.score_samples(words)
        )


# ------------------------------------------------------------- estimators in estimators

TINY_NET = MLPCharLM(n_embd=2, n_hidden=3, max_epochs=1, random_state=0)
FOLDS = {"cv": 2}


def test_mixtures_features_and_detectors_come_back(words, path):
    net = clone(TINY_NET)
    mixture = MixtureCharLM([("net", net), NGramCounter(order=3)], random_state=0)
    again = reloaded(mixture.fit(words), path)
    check_same(mixture, again, words)
    assert again.named_estimators_.net is again.estimators_[0]
    assert again.validation_nll_ == mixture.validation_nll_
    again.partial_fit(words)

    features = CharLMFeatures(clone(mixture), **FOLDS).set_output(transform="pandas")
    again = reloaded(features.fit(words), path)
    pd.testing.assert_frame_equal(again.transform(words), features.transform(words))

    detector = CharLMOutlierDetector(per="word", **FOLDS).fit(words)
    again = reloaded(detector, path)
    assert again.offset_ == detector.offset_
    np.testing.assert_array_equal(
        again.decision_function(words), detector.decision_function(words)
    )


LABELS = {
    "texts": np.array(["f", "male"]),
    "objects": np.array(["f", "male"], dtype=object),
    "numbers": np.array([-1, 7]),
    "booleans": np.array([False, True]),
}


@pytest.mark.parametrize("kind", LABELS)
def test_classifiers_and_pipelines_come_back(words, path, kind):
    y = LABELS[kind][[int(word[-1] in "nrsel") for word in words]]
    classifier = CharLMClassifier(NGramCounter(order=2), **FOLDS)
    model = Pipeline([("as it is", "passthrough"), ("none", None), ("m", classifier)])
    again = reloaded(model.fit(words, y), path)
    assert [name for name, _ in again.steps] == ["as it is", "none", "m"]
    np.testing.assert_array_equal(
        again.predict_proba(words), model.predict_proba(words)
    )
    assert again.classes_.dtype == model.classes_.dtype
    assert again.predict(words).tolist() == model.predict(words).tolist()


class Sex(str, Enum):  # noqa: UP042 - its `str` names the member, that of StrEnum not
    FEMALE, MALE = "f", "male"


def test_members_of_enumerations_are_the_texts_that_they_are(words, path):
    class Smoothing(str, Enum):  # noqa: UP042
        ADDITIVE = "additive"

    model = NGramCounter(order=2, smoothing=Smoothing.ADDITIVE).fit(words)
    assert reloaded(model, path).smoothing == "additive"
    y = np.array([[*Sex][word[-1] in "nrsel"] for word in words], dtype=object)
    model = CharLMClassifier(NGramCounter(order=2), **FOLDS).fit(words, y)
    assert reloaded(model, path).classes_.tolist() == ["f", "male"]


def nested(depth):
    model = NGramCounter(order=1)
    for _ in range(depth):
        model = MixtureCharLM([model], weights="uniform")
    return model.fit(["ab"])


def test_estimators_in_each_other_are_bounded(path, monkeypatch):
    # scikit-learn shows each of them twice in the one around it.
    assert reloaded(nested(7), path).symbols_ == ["", "a", "b"]
    save(nested(2), path)
    with monkeypatch.context() as patch:
        for name in "MAX_NESTING", "MAX_ESTIMATORS":
            patch.setattr(_limits, name, 1)
            for use in (lambda: save(nested(2), path), lambda: load(path)):
                with pytest.raises(ValueError, match="too many nested estimators"):
                    use()
            patch.undo()
    with pytest.raises(ValueError, match="too many nested estimators"):
        save(nested(9), path)


# The fitted mixture counts 1, its parameter and its fitted member twice their own.
@pytest.mark.parametrize("depth, n_counted", [(0, 1), (1, 1 + 2 + 2), (2, 1 + 6 + 10)])
def test_an_estimator_counts_double_for_each_one_around_it(
    path, monkeypatch, depth, n_counted
):
    model = nested(depth)
    monkeypatch.setattr(_limits, "MAX_ESTIMATORS", n_counted)
    reloaded(model, path)
    monkeypatch.setattr(_limits, "MAX_ESTIMATORS", n_counted - 1)
    for use in (lambda: save(model, path), lambda: load(path)):
        with pytest.raises(ValueError, match="too many nested estimators"):
            use()


def test_texts_of_fixed_width_are_bounded_together(monkeypatch):
    monkeypatch.setattr(_limits, "MAX_TEXT_CELLS", 16)
    decoder, encoder = Decoder({}, None), Encoder()
    texts = encoder.array(LABELS["texts"], "place")  # 2 texts of 4 characters
    for bounded, use in (
        (decoder, lambda: decoder.value(texts)),
        (encoder, lambda: encoder.array(LABELS["texts"], "place")),
    ):
        bounded.n_text_cells = 8
        use()
        with pytest.raises(ValueError, match="fixed width"):
            use()


def test_every_estimator_of_the_package_can_be_saved():
    public = {
        name: getattr(sklearn_makemore, name) for name in sklearn_makemore.__all__
    }
    estimators = {
        name
        for name, found in public.items()
        if isinstance(found, type) and issubclass(found, BaseEstimator)
    }
    assert set(_models.ESTIMATORS) == estimators
    for name in estimators:
        asking = re.findall(r"set_(\w+)_request", " ".join(dir(public[name])))
        assert set(asking) <= set(METHODS_WITH_METADATA), name


# --------------------------------------------------------------------------- parameters


def test_parameters_of_all_forms_come_back(words, path):
    rng = np.random.RandomState(3)
    rng.normal()  # half of a pair is left over
    model = clone(TINY_NET).set_params(
        alphabet=pd.Series([*"zyxwvutsrqponmlkjihgfedcba"]),
        lr=np.float32(0.01),
        n_hidden=np.int64(3),
        early_stopping=np.True_,
        weight_decay=1e-320,
        tol=0,
        random_state=rng,
    )
    again = reloaded(model.fit(words), path)
    for name in "lr", "n_hidden", "early_stopping", "weight_decay", "tol":
        assert getattr(again, name) == getattr(model, name), name
    assert type(again.n_hidden) is int
    assert [*again.alphabet] == [*model.alphabet]
    states = [one.random_state.get_state(legacy=True) for one in (model, again)]
    assert str(states[0]) == str(states[1])
    np.testing.assert_array_equal(
        again.score_samples(words), model.score_samples(words)
    )
    again.partial_fit(words)
    mixture = MixtureCharLM((("counts", BigramCounter()),)).fit(words)
    again = reloaded(mixture, path)
    assert type(again.estimators) is type(again.estimators[0]) is tuple


def test_requests_for_metadata_come_back(words, path):
    weights = 1 + np.arange(len(words)) % 5
    with config_context(enable_metadata_routing=True):
        model = NGramCounter(order=2, handle_unknown="unk")
        model.set_fit_request(sample_weight="counts")
        model.set_score_request(sample_weight=True).set_partial_fit_request(
            sample_weight=False
        )
        features = CharLMFeatures(clone(model)).set_fit_request(sample_weight=True)
        save(Pipeline([("m", features)]).fit(words), path)
    for asked in load(path).steps[0][1], load(path).steps[0][1].estimator_:
        assert asked.get_metadata_routing().fit.requests["sample_weight"]
    again = reloaded(model.fit(words), path)  # without routing as well
    assert str(again.get_metadata_routing()) == str(model.get_metadata_routing())
    with config_context(enable_metadata_routing=True):
        params = {"counts": weights, "sample_weight": weights[::-1]}
        found, expected, other = (
            cross_validate(one, words, cv=2, params=given)["test_score"].tolist()
            for one, given in ((again, params), (model, params), (again, {}))
        )
    assert found == expected != other


def test_callbacks_and_paths_are_not_saved(words, path, tmp_path):
    from skorch.callbacks import EpochTimer

    model = clone(TINY_NET).set_params(callbacks=[EpochTimer()]).fit(words)
    with pytest.warns(UserWarning, match=r"None in it: \['model.callbacks'\]"):
        save(model, path)
    assert load(path).callbacks is None
    model = clone(TINY_NET).set_params(checkpoint=tmp_path / "state").fit(words)
    assert reloaded(model, path).checkpoint is None


def test_what_cannot_be_saved_says_so(words, path):
    class Own(BigramCounter):
        pass

    fitted = BigramCounter().fit(words)
    with pytest.raises(NotFittedError, match="BigramCounter"):
        save(BigramCounter(), path)
    with pytest.raises(NotFittedError, match="NGramCounter"):
        save(Pipeline([("model", NGramCounter())]), path)
    namesake = type("BigramCounter", (BigramCounter,), {})().fit(words)
    others = Own().fit(words), namesake, LogisticRegression(), {}, None, BigramCounter
    for other in others:
        with pytest.raises(TypeError, match="`save` keeps BigramCharLM, BigramCounter"):
            save(other, path)
    with pytest.raises(TypeError, match=r"model\.steps.*LogisticRegression"):
        save(make_pipeline(fitted, LogisticRegression()), path)
    other = np.random.RandomState(np.random.PCG64(0))
    with pytest.raises(TypeError, match="RandomState of PCG64"):
        save(clone(TINY_NET).set_params(random_state=other).fit(words), path)
    split = MixtureCharLM([fitted], cv=KFold(2), weights="uniform").fit(words)
    with pytest.raises(TypeError, match=r"KFold.*set it to a number of folds before"):
        save(split, path)
    save(split.set_params(cv=2), path)
    assert load(path).score(words) == split.score(words)
    path.unlink()
    fitted.alphabet = [object()]
    with pytest.raises(ValueError, match="alphabet"):
        save(fitted, path)
    assert not path.exists()


CHANGES = {
    "bigram": {"smoothing": 2.0},
    "kneser-ney-3": {"smoothing": "additive"},
    "kneser-ney-6": {"order": 5},
    "additive-3": {"alpha": 0.1},
    "mlp": {"n_hidden": 5},
    "wavenet": {"fan_in": 3},
    "gru": {"dropout": 0.3},
    "additive": {"alpha": 1.000001},
    "smoothed": {"smoothing": 1.000001},
    "letters": {"alphabet": "ab"},
    "unknown": {"handle_unknown": "unk"},
}


@pytest.mark.parametrize("name", CHANGES)
def test_parameters_changed_since_the_fit_are_refused(name, words, path):
    own = {"additive": NGramCounter(order=3, smoothing="additive")}
    estimator = own.get(name) or ESTIMATORS.get(name, BigramCounter())
    model = clone(estimator).fit(words).set_params(**CHANGES[name])
    with pytest.raises(ValueError, match="changed since|cannot change them"):
        save(model, path)


def test_the_precision_of_a_parameter_is_of_no_account(words, path):
    model = NGramCounter(order=3, smoothing="additive", alpha=np.float32(0.1))
    again = reloaded(model.fit(words), path)
    np.testing.assert_array_equal(
        again.score_samples(words), model.score_samples(words)
    )


def test_devices(words, path):
    model = clone(TINY_NET).fit(words)
    model.device = "cuda:7"
    mixture = MixtureCharLM([clone(TINY_NET)], random_state=0).fit(words)
    mixture.estimators_[0].device = "mps"
    save(model, path)
    with pytest.warns(UserWarning, match="'cuda:7', which is not available") as caught:
        again = load(path)
    assert caught[0].filename == __file__
    assert again.device == "auto"
    again.partial_fit(words)
    assert load(path, device="cpu").device == "cpu"
    assert reloaded(mixture, path, device="cpu").estimators_[0].device == "cpu"
    with pytest.raises(ValueError, match="device='tpu' is not known"):
        load(path, device="tpu")
    with pytest.raises(ValueError, match="The 'device' parameter of load must be"):
        load(path, device=0)


# -------------------------------------------------------------------------------- files


@pytest.mark.slow
def test_a_killed_process_leaves_a_whole_file(tmp_path):
    # Two models in turns, whose files differ in length.
    code = """
import sys
from sklearn_makemore import NGramCounter, save
models = [NGramCounter(order=3).fit([word] * 9) for word in ("ab", "abcdef" * 50)]
save(models[0], sys.argv[1])
print("torch" in sys.modules, flush=True)
while True:
    for model in models:
        save(model, sys.argv[1])
"""
    path = tmp_path / "model"
    rng = np.random.RandomState(0)
    seen = set()
    command = [sys.executable, "-c", code, path]
    with child_process(command, stdout=PIPE, text=True) as child:
        assert child.stdout.readline() == "False\n"  # counters need no torch
        for _ in range(20):  # at any moment a reader finds a whole file
            time.sleep(rng.uniform(0, 0.005))
            seen.add(load(path).longest_word_)
    assert load(path).longest_word_ in (2, 300)
    assert seen == {2, 300}
    # Beside it there is at most what the child was writing.
    assert len(os.listdir(tmp_path)) <= 2


def oserror(number):
    def fail(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    "where, number, kind, advice",
    [
        ("fsync", "ENOSPC", OSError, "disk is full"),
        ("replace", "EACCES", PermissionError, "cannot be written to"),
        ("open", "EROFS", OSError, "cannot be written to"),
    ],
)
def test_a_failed_save_says_why_and_leaves_the_old_file(
    monkeypatch, words, path, where, number, kind, advice
):
    import errno

    save(BigramCounter().fit(["ab"]), path)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(safe_file.os, where, oserror(getattr(errno, number)))
        with pytest.raises(kind, match=advice) as raised:
            save(BigramCounter().fit(words), path)
    assert raised.value.errno == getattr(errno, number)
    assert raised.value.filename == str(path)
    assert os.listdir(path.parent) == [path.name]
    assert path.read_bytes() == before


def test_a_file_that_may_not_grow(words, path):
    resource = pytest.importorskip("resource")
    save(BigramCounter().fit(["ab"]), path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        with pytest.raises(OSError, match="file so large"):
            save(BigramCounter().fit(words), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.listdir(path.parent) == [path.name]
    assert load(path).symbols_ == ["", "a", "b"]


def test_an_interrupted_save_leaves_nothing_behind(monkeypatch, path):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(safe_file.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(BigramCounter().fit(["ab"]), path)
    assert not os.listdir(path.parent)


def test_places_where_no_file_can_be(tmp_path):
    model = BigramCounter().fit(["ab"])
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("text")
    with pytest.raises(FileNotFoundError, match="create it first"):
        save(model, tmp_path / "absent" / "model")
    with pytest.raises(IsADirectoryError, match="folder of this name"):
        save(model, tmp_path / "folder")
    with pytest.raises(NotADirectoryError, match="is not a folder"):
        save(model, tmp_path / "file" / "model")
    with pytest.raises(OSError, match="not an ordinary file"):
        save(model, os.devnull)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent")
    with pytest.raises(IsADirectoryError):
        load(tmp_path / "folder")
    with pytest.raises(ModelFileError, match="not an ordinary file"):
        load(os.devnull)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_paths_that_are_none_are_named(tmp_path, monkeypatch):
    model = BigramCounter().fit(["ab"])
    for path in (None, b"model", 3):
        for call in (lambda path: save(model, path), load):
            with pytest.raises(TypeError, match="'path' parameter of (save|load) must"):
                call(path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    save(model, "~/model")
    assert (tmp_path / "model").is_file()
    assert load(Path("~", "model")).symbols_ == model.symbols_


def test_a_checkpoint_is_known(words, path):
    def kill(net, *args):
        raise KeyboardInterrupt

    net = clone(TINY_NET).set_params(checkpoint=path)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("sklearn_makemore._training.net.CharNet.check_last_step", kill)
        net.fit(words)
    with pytest.raises(ModelFileError, match=r"checkpoint of a training.*`fit` again"):
        load(path)


@pytest.mark.skipif(os.name != "posix", reason="permissions and links are POSIX's")
def test_permissions_and_links_stay(tmp_path):
    model = BigramCounter().fit(["ab"])
    before = os.umask(0o022)
    try:
        save(model, tmp_path / "model")
    finally:
        os.umask(before)
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o644
    (tmp_path / "model").chmod(0o600)
    (tmp_path / "link").symlink_to("model")
    save(NGramCounter().fit(["ab"]), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o600
    assert isinstance(load(str(tmp_path / "model")), NGramCounter)


def test_a_disk_without_permissions(path, monkeypatch):
    import errno

    save(BigramCounter().fit(["ab"]), path)
    monkeypatch.setattr(safe_file.shutil, "copymode", oserror(errno.EPERM))
    save(BigramCounter().fit(["abc"]), path)
    assert load(path).symbols_ == ["", "a", "b", "c"]


class Payload:
    """A pickle of it makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


PICKLES = {"pickle", "model as pickle", "compressed", "zip"}


def test_files_that_are_no_models(words, path):
    harm = path.with_name("harm")
    foreign = {
        "empty": b"",
        "text": b"emma\nolivia\n",
        "pickle": pickle.dumps(Payload(harm)),
        "model as pickle": pickle.dumps(BigramCounter().fit(words)),
        "compressed": zlib.compress(pickle.dumps(BigramCounter().fit(words))),
        "zip": b"PK\x03\x04" + bytes(100),
        "huge header": (2**63).to_bytes(8, "little") + b"{}",
        "long header": (10**8).to_bytes(8, "little") + b"{}",
        "zeros": bytes(1000),
    }
    for name, content in foreign.items():
        path.write_bytes(content)
        message = "looks like a pickle" if name in PICKLES else "sklearn_makemore.save"
        with pytest.raises(ModelFileError, match=f"is not a model file.*{message}"):
            load(path)
        assert not harm.exists(), name
    save_file({"a": np.zeros(3)}, path)
    with pytest.raises(ModelFileError, match="something else"):
        load(path)
    save_file({}, path, {"sklearn_makemore": "2 7.0.0 abc {}"})
    with pytest.raises(ModelFileError, match=r"version '2'.*'7.0.0'.*reads version 1"):
        load(path)


def test_flipped_bits_and_cuts_are_noticed(path):
    save(BigramCounter().fit(["a"]), path)
    whole = path.read_bytes()
    # One bit of each byte; docs/benchmarks/robustness/fuzzing.py flips them all.
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 7
        path.write_bytes(damaged)
        with pytest.raises(ModelFileError):
            load(path)
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            load(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(ModelFileError):
        load(path)


def test_documents_and_arrays_come_back(path):
    document = {
        "numbers": [0, -1, 2**70, 1e-320, -0.0, float("inf"), True, None],
        "texts": {"ü\ud800\0\U0001f600": '"\\'},
    }
    arrays = {
        "columns": np.arange(12).reshape(3, 4)[:, ::2],
        "big": np.arange(3, dtype=">i4"),
        "none": np.zeros((0, 5), np.float32),
        "one": np.array(7, np.uint16),
        "bool": np.array([True, False]),
    }
    safe_file.write_safe_file(path, document, arrays)
    again, found = safe_file.read_safe_file(path)
    assert str(again) == str(document)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array, strict=name != "big")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        '{"a":1,"a":2}',
        '{"a": 1}',
        "[1]",
        "1" * 5_000,
        '{"a":' + "1" * 5_000 + "}",
        "{",
        '{"a":"' + "x" * (1 << 24) + '"}',
        '{"a":[' + "[]," * 5_000 + "1]}",  # its objects take twenty times its memory
    ],
    ids=range(10),
)
def test_signed_text_that_is_no_document(path, text):
    head = f"1 {sklearn_makemore.__version__}"
    signed = f"{head} {safe_file.content_digest([head, text], {})} {text}"
    save_file({}, path, {"sklearn_makemore": signed})
    with pytest.raises(ModelFileError, match="JSON"):
        safe_file.read_safe_file(path)


def test_too_long_a_document_is_refused_before_anything_is_written(path):
    # Characters count, not the escapes of an alphabet.
    safe_file.write_safe_file(path, {"a": "\u4e00" * (1 << 23)}, {})
    path.unlink()
    with pytest.raises(ValueError, match=r"too large.*joblib"):
        safe_file.write_safe_file(path, {"a": json.dumps("x" * (1 << 24))}, {})
    with pytest.raises(TypeError, match="JSON serializable"):
        safe_file.write_safe_file(path, {"a": object()}, {})
    assert not path.exists()
