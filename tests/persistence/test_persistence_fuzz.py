"""Damaged and malicious model files: refused, or models that work.

docs/benchmarks/robustness/fuzzing.py makes tens of thousands of files, and larger ones.
"""

import random
import signal
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from any_words import search
from hypothesis import example, given
from hypothesis import strategies as st

from sklearn_makemore import (
    BigramCounter,
    MixtureCharLM,
    MLPCharLM,
    ModelFileError,
    NGramCounter,
    WaveNetCharLM,
    load,
)
from sklearn_makemore.modules import WaveNet

BENCHMARKS = Path(__file__).parents[2] / "docs" / "benchmarks" / "robustness"

sys.path.insert(0, str(BENCHMARKS))
fuzzing = import_module("fuzzing")
sys.path.remove(str(BENCHMARKS))

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGALRM"), reason="a hang is ended by an alarm"
)


@pytest.fixture(scope="module", autouse=True)
def alarm():
    before = signal.signal(signal.SIGALRM, fuzzing.hang)
    yield
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "model"


@pytest.fixture(scope="module")
def contents(path):
    return fuzzing.originals(path.parent)


FEW = search(150)


@pytest.mark.slow
@FEW
@given(seed=st.integers(0, 2**32))
def test_mutated_files_are_refused_or_models_that_work(contents, path, seed):
    kind, data = fuzzing.mutated(contents, seed)
    whole = {data for _, _, data in contents}
    result, why = fuzzing.judged(path, kind, data, whole)
    assert result in ("refused", "works"), why


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["tuple", "dict", "array", "a"]), inner)
    ),
    max_leaves=5,
)


@pytest.mark.slow
@FEW
@given(seed=st.integers(0, 2**32), value=JSON)
@example(seed=0, value={"estimator": {"class": "system", "params": {}, "fitted": {}}})
def test_any_value_in_any_place(contents, path, seed, value):
    rng = random.Random(seed)
    document, arrays, _ = rng.choice(contents)
    document = fuzzing.copy.deepcopy(document)
    *before, key = rng.choice(list(fuzzing.places(document)))
    fuzzing.at(document, before)[key] = value
    text = fuzzing._safe_file.document_text(document)
    result, why = fuzzing.judged(path, "content", fuzzing.signed(text, arrays), ())
    assert result in ("refused", "works"), why


def resigned(model, path, *, params=None, fitted=None, **changed):
    """Save a model with other contents, under a digest that is right."""
    document, arrays = fuzzing.saved(model, path)
    document["params"] |= params or {}
    document["fitted"] |= fitted or {}
    document |= changed
    text = fuzzing._safe_file.document_text(document)
    path.write_bytes(fuzzing.signed(text, arrays))


LIES = {
    "an unknown parameter": {"params": {"harm": 1}},
    "a bad parameter": {"params": {"handle_unknown": "maybe"}},
    "a path": {"params": {"memory": "/tmp"}},
    "a checkpoint": {"params": {"checkpoint": "/etc/passwd"}},
    "not fitted": {"fitted": {}, "class": "NGramCounter"},
    "other characters": {"fitted": {"vocabulary": {"vocabulary": ["ba", False]}}},
    "a surrogate": {"fitted": {"vocabulary": {"vocabulary": ["a\ud800", False]}}},
    "a list of characters": {
        "fitted": {"vocabulary": {"vocabulary": [["a", "b"], False]}}
    },
    "symbols out of order": {
        "fitted": {"vocabulary": {"vocabulary": [["b", "ab"], False]}}
    },
    "a broken pattern": {"params": {"alphabet": {"pattern": ["(", 32]}}},
    "a long pattern": {"params": {"alphabet": {"pattern": ["." * 10_001, 32]}}},
    "a pattern of one": {"params": {"alphabet": {"pattern": [".", 32]}}},
    "more characters": {"fitted": {"vocabulary": {"vocabulary": ["abc", False]}}},
    "a negative length": {"fitted": {"longest_word": -1}},
    "an unknown request": {"requests": {"sample": {"n_samples": True}}},
    "a request of nothing": {"requests": {"fit": {"X": True}}},
    "a request that is no word": {"requests": {"fit": {"sample_weight": "$WARN$"}}},
    "a request of a number": {"requests": {"fit": {"sample_weight": 1}}},
    "another alphabet": {"params": {"alphabet": "qq"}},
    "an unknown symbol": {"params": {"handle_unknown": "unk"}},
    "an array twice": {"params": {"alphabet": {"array": "model.counts"}}},
}


@pytest.mark.parametrize("name", LIES)
def test_lies_are_refused(path, name):
    resigned(BigramCounter().fit(["ab"]), path)
    assert load(path).symbols_ == ["", "a", "b"]  # with no lie it loads
    resigned(BigramCounter().fit(["ab"]), path, **LIES[name])
    with pytest.raises(ModelFileError, match="no model that can be restored"):
        load(path)


@pytest.mark.parametrize("name", ["eval", "os.system", "Own", "LogisticRegression"])
def test_classes_that_are_not_in_the_list_are_not_looked_for(path, name):
    resigned(BigramCounter().fit(["ab"]), path, **{"class": name})
    with pytest.raises(ModelFileError, match=f"'{name}' is not a class that can be"):
        load(path)


def test_what_is_lacking_is_named(path):
    document, arrays = fuzzing.saved(BigramCounter().fit(["ab"]), path)
    for name in "class", "params", "requests", "fitted":
        rest = {key: value for key, value in document.items() if key != name}
        text = fuzzing._safe_file.document_text(rest)
        path.write_bytes(fuzzing.signed(text, arrays))
        with pytest.raises(ModelFileError, match=f"restored: '{name}' is missing"):
            load(path)


NETS_THAT_LIE = {
    "layers without end": {"n_layers": 10**9},
    "units without end": {"n_hidden": 10**15},
    "a window without end": {"block_size": 10**15},
    "numbers without end": {"n_embd": 10**400},
    "another shape": {"n_hidden": 4},
}


@pytest.mark.parametrize("name", NETS_THAT_LIE)
def test_nets_that_lie_about_their_size_are_refused(path, name):
    net = MLPCharLM(n_hidden=3, n_embd=2, max_epochs=1, random_state=0)
    resigned(net.fit(["ab", "b"] * 9), path, params=NETS_THAT_LIE[name])
    with pytest.raises(ModelFileError, match="MLP has|has more weights|not as MLP"):
        load(path)


def test_numbers_that_no_fit_leaves_are_refused(path):
    net = MLPCharLM(n_hidden=3, n_embd=2, max_epochs=1, random_state=0)
    counter = NGramCounter(order=3)
    for model, name, value, message in (
        (net, "model.weights.embedding.weight", np.nan, "not finite"),
        (net, "model.word_lengths", np.nan, "word_lengths is negative, not finite"),
        (counter, "model.counts", 100, "not those of any words"),
        (counter, "model.counts", 0, "never occur"),
        (counter, "model.sampled_words", 2**64 - 1, "words are not distinct and sort"),
        (counter, "model.sampled_weights", 0, "weigh nothing"),
        (counter, "model.sampled_weights", 100, "more than all words"),
        (counter, "model.sampled_weights", np.nan, "not finite"),
    ):
        document, arrays = fuzzing.saved(model.fit(["ab", "b"] * 9), path)
        arrays[name].flat[0] = value
        text = fuzzing._safe_file.document_text(document)
        path.write_bytes(fuzzing.signed(text, arrays))
        with pytest.raises(ModelFileError, match=message):
            load(path)


def test_n_grams_that_come_twice_are_refused(path):
    document, arrays = fuzzing.saved(NGramCounter(order=2).fit(["ab", "b"]), path)
    steps = arrays["model.ngrams"]  # each takes one byte
    keys = np.cumsum(steps).astype(np.int32)[None, ::-1]  # as older files have them
    for ngrams in np.insert(steps, 1, 0), keys:
        counts = np.ones(ngrams.size, np.uint8)
        others = {**arrays, "model.ngrams": ngrams.copy(), "model.counts": counts}
        text = fuzzing._safe_file.document_text(document)
        path.write_bytes(fuzzing.signed(text, others))
        with pytest.raises(ModelFileError, match="not distinct and sorted"):
            load(path)


@pytest.mark.parametrize("place", [-1, 625, 10**6, 1.0, True])
def test_places_outside_the_state_of_a_generator_are_refused(path, place):
    net = MLPCharLM(n_hidden=3, n_embd=2, max_epochs=1)
    net.set_params(random_state=np.random.RandomState(0)).fit(["ab", "b"] * 9)
    document, arrays = fuzzing.saved(net, path)
    document["params"]["random_state"]["random_state"][1] = place
    text = fuzzing._safe_file.document_text(document)
    path.write_bytes(fuzzing.signed(text, arrays))
    with pytest.raises(ModelFileError, match="state of a RandomState has pos="):
        load(path)


def test_a_net_out_of_a_file_is_not_in_training(path):
    net = MLPCharLM(n_hidden=3, n_embd=2, max_epochs=1).fit(["ab", "b"] * 9)
    fuzzing.saved(net, path)
    assert not any(part.training for part in load(path).net_.module_.modules())


MEASURED = {
    "validation_nll": ["2.5", 2, {"dict": {}}],
    "estimator_nlls": [1.5, [1.5], {"texts_fixed": ["1.5"]}, {"array": "other"}],
}


@pytest.mark.parametrize("name", MEASURED)
def test_mixtures_that_lie_about_their_likelihood_are_refused(path, name):
    model = MixtureCharLM([NGramCounter(order=2)], random_state=0)
    document, arrays = fuzzing.saved(model.fit(["ab", "b"] * 9), path)
    for value in MEASURED[name]:
        arrays["other"] = np.zeros((1, 1))
        document["fitted"][name] = value
        text = fuzzing._safe_file.document_text(document)
        path.write_bytes(fuzzing.signed(text, arrays))
        with pytest.raises(ModelFileError, match=f"{name} (is|are) "):
            load(path)


def test_a_tree_of_merges_with_a_window_without_end_is_refused(path):
    net = WaveNetCharLM(
        n_layers=1, n_hidden=2, n_embd=2, batch_norm=False, max_epochs=1
    )
    document, arrays = fuzzing.saved(net.fit(["ab", "b"] * 9), path)
    others = {"model.word_lengths": arrays["model.word_lengths"]}
    for n_layers in 4, 21:
        module = WaveNet(3, n_layers, n_hidden=2, n_embd=2, batch_norm=False)
        arrays = {name: part.numpy() for name, part in module.state_dict().items()}
        document["params"]["n_layers"] = n_layers
        document["fitted"]["block_size"] = 2**n_layers
        document["fitted"]["weights"] = {
            "dict": {name: {"array": name} for name in arrays}
        }
        text = fuzzing._safe_file.document_text(document)
        path.write_bytes(fuzzing.signed(text, {**arrays, **others}))
        assert fuzzing.outcome(path) == ("works" if n_layers == 4 else "refused")


@pytest.mark.slow
def test_mutated_checkpoints_are_refused_or_end():
    counts, failures = fuzzing.run_checkpoints(60)
    assert not failures
    assert min(counts["works"], counts["refused"]) > 0


@pytest.mark.slow
def test_bombs_take_little(path):
    # docs/benchmarks/robustness/fuzzing.py measures the memory of files four times as
    # large.
    for name, data in fuzzing.bombs(100_000):
        path.write_bytes(data)
        assert fuzzing.outcome(path) == ("works" if "honest" in name else "refused")
