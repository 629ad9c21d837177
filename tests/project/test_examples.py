"""Every example runs without a warning, draws what can be read, and keeps its word."""

import copy
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib import pyplot
from scipy.stats import chi2_contingency
from sklearn.linear_model import LogisticRegression

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("plot_*.py"))


@pytest.fixture
def no_windows(monkeypatch):
    """Draw to memory alone, and close all figures in the end."""
    backend = pyplot.get_backend()
    pyplot.close("all")  # figures that doctests have left
    pyplot.switch_backend("Agg")
    monkeypatch.setattr(pyplot, "show", lambda *args, **kwargs: None)
    yield
    pyplot.close("all")
    pyplot.switch_backend(backend)


def assert_can_be_read(figure):
    """Every plot has a title, names on its axes, and something between them."""
    assert figure.axes
    for ax in figure.axes:
        if ax.get_label() == "<colorbar>":
            assert ax.get_xlabel() or ax.get_ylabel()
            continue
        assert ax.get_title() and ax.get_xlabel() and ax.get_ylabel()
        drawn = [*ax.lines, *ax.collections, *ax.patches, *ax.images]
        assert drawn
        for line in ax.lines:
            assert np.isfinite(np.asarray(line.get_xydata(), dtype=float)).all()
    figure.canvas.draw()
    assert np.ptp(np.asarray(figure.canvas.buffer_rgba())) > 0


def quickstart(names):
    """Counting n-grams is as good as a network, on words neither has seen."""
    nll = dict(names["nll"])
    counted = nll.pop("NGramCounter")
    assert counted < nll.pop("BigramCounter")
    assert counted < min(nll.values()) + 0.05
    assert names["search"].best_score_ > -2.05


def bigram_network(names):
    """The trained bigram is the counted one, weight decay a kind of smoothing."""
    nll = names["nll"]
    assert nll["counted"] <= nll["trained"] < nll["counted"] + 1e-3
    by_counting, by_training = names["by_counting"], names["by_training"]
    np.testing.assert_allclose(
        by_training[names["often"]], by_counting[names["often"]], rtol=0.01
    )
    for of_train, of_validation in (curve.T for curve in names["curves"].values()):
        # More of it: worse on the training names, better and then worse on the others.
        assert (np.diff(of_train) > 0).all()
        assert 0 < of_validation.argmin() < 6
        assert of_validation[-1] == pytest.approx(np.log(27), abs=0.03)
    lowest = [nll for _, nll in names["best"].values()]
    assert lowest[0] == pytest.approx(lowest[1], abs=0.01)
    n, added = names["counts_of_few"], names["added"]
    np.testing.assert_allclose(n + added, names["behaves_as"], atol=0.05)
    assert np.abs(added).max() > 0.5
    np.testing.assert_allclose(added.sum(axis=1), 0, atol=0.05)
    assert added[n == 0].mean() > 0 > added[n > 10].max()


def multi_layer_perceptron(names):
    """The suggested rate is about the best; the vowels are on one side of a line."""
    nll = names["nll"]
    assert nll[1] < min(nll[0.1], nll[10]) - 0.1
    assert nll[1] < min(nll.values()) + 0.03
    assert {*names["train"]}.isdisjoint(names["dev"])
    display = names["embedding"]
    is_vowel = [symbol in "aeiou" for symbol in display.symbols[1:]]
    points = display.coordinates[1:]
    line = LogisticRegression(C=1e3).fit(points, is_vowel)
    assert line.score(points, is_vowel) == 1


def grid_search(names):
    """The largest score is the lowest NLL; folds of a list in order are not alike."""
    search, nll = names["search"], names["nll"]
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert names["labels"][nll.argmin()] in names["ax"].get_title()
    assert np.mean(names["by_hand"]) == pytest.approx(-search.best_score_)
    assert nll.min() < nll.max() - 0.1
    assert len({type(grid["model"][0]) for grid in names["grids"]}) == 4
    shuffled = names["cross_val_score"](
        names["best"], names["names"], cv=names["folds"]
    )
    by_order = names["cross_val_score"](names["best"], names["names"], cv=3)
    assert np.ptp(by_order) > 5 * np.ptp(shuffled)


def backprop(names):
    """Gradients by hand are those of autograd, and none is nothing at all."""
    by_steps, fused = names["differences"].values()
    assert len(by_steps) == 25
    assert set(names["parameters_of"](names["mlp"])) < set(fused) < set(by_steps)
    assert max([*by_steps.values(), *fused.values()]) < 1e-15
    sizes = dict(names["sizes"])
    assert sizes.pop("top") < 1e-15
    assert min(sizes.values()) > 1e-5
    by_hand, by_autograd = names["losses"].values()
    assert by_hand[-50:].mean() < by_hand[0] - 0.5
    assert (by_hand - by_autograd).abs().max() < 1e-12


def wavenet(names):
    """The convolutions are the tree, also of triples; so much work is saved."""
    for model in names["models"]:
        block_size = model.block_size_
        assert np.flatnonzero(names["moved"][block_size]).tolist() == [
            *range(block_size)
        ]
        tree = copy.deepcopy(model.net_.module_).double().eval()
        dilated = names["DilatedWaveNet"](tree)
        ids = torch.arange(20) % len(model.symbols_)
        windows = ids.unfold(0, block_size, 1)
        torch.testing.assert_close(
            dilated(ids[None])[0], tree(windows), rtol=0, atol=1e-12
        )
        if model is names["model"]:
            in_tree, in_word = names["multiplications"](n_layers=3, n_predictions=7)
            assert multiplications(tree, windows[:1]) == in_tree
            assert multiplications(dilated, ids[None, :14]) == 7 * in_word
    assert names["difference"] < 1e-12
    assert names["nll"] == pytest.approx(names["model"].nll(names["validation"]), 1e-6)


def multiplications(module, ids):
    """Count those of linear layers and convolutions while a module is called."""
    found = []

    def count(layer, inputs, output):
        found.append(output.numel() * layer.weight[0].numel())

    for layer in module.modules():
        if isinstance(layer, (torch.nn.Linear, torch.nn.Conv1d)):
            layer.register_forward_hook(count)
    module(ids)
    return sum(found)


def bigram(names):
    """One added count makes possible what was not, and costs next to nothing."""
    words, counted, smoothed = (names[key] for key in ("names", "counted", "smoothed"))
    assert not any("jx" in word for word in words)
    assert counted.counts_.sum() == sum(len(word) + 1 for word in words)
    assert counted.nll(["andrejx"]) == np.inf > smoothed.nll(["andrejx"]) > 0
    assert 0 < smoothed.nll(words) - counted.nll(words) < 1e-3
    validation = names["validation_nll"]
    assert np.isfinite(validation).all() and 0 < validation.argmin() < 14
    assert validation[-1] == pytest.approx(np.log(27), abs=0.01)


def activations(names):
    """Bad weights are seen in the layers, and batch norm makes the signals right."""
    saturated, fading, nll = (names[key] for key in ("saturated", "fading", "nll"))
    assert saturated["weights x 5"] > 0.5 > 0.1 > saturated["default"]
    assert fading["weights / 5"] > 100 and 0.5 < fading["default"] < 3
    assert nll["weights / 5"] > nll["default"] + 0.25
    for name in "weights / 5, batch norm", "weights x 5, batch norm":
        assert saturated[name] < 0.1 and 0.5 < fading[name] < 2
        assert nll[name] < nll["weights / 5"] - 0.25
    shipped, confident = names["first_loss"].values()
    assert abs(shipped - np.log(27)) < 0.2 < 2 < confident - np.log(27)


def recurrent_and_transformer(names):
    """Gates win, the bag comes last, and only the bag is blind to the order."""
    nll = {name: of_validation for name, (_, of_validation) in names["nll"].items()}
    gated = nll.pop("GRUCharLM"), nll.pop("LSTMCharLM")
    assert max(gated) < min(nll.values()) - 0.02
    assert nll.pop("BoWCharLM") > max(nll.values()) + 0.03
    apart = names["apart"]
    assert apart.pop("BoWCharLM") < 1e-6
    assert min(apart.values()) > 0.05


def matching(names):
    """All match; the exact ones are as those kept by hand, the masked ones run on."""
    kinds, lengths, nll = names["kinds"], names["lengths"], names["nll"]
    for kind in kinds:
        assert all(word[-1] == "x" and 2 <= len(word) <= 10 for word in kinds[kind])
    by_hand, exact = (
        np.bincount(lengths[kind], minlength=11)[2:]
        for kind in ("by hand", "exact=True")
    )
    assert chi2_contingency([by_hand, exact]).pvalue > 1e-4
    assert abs(nll["by hand"].mean() - nll["exact=True"].mean()) < 0.1
    assert len(kinds["by hand"]) < len(names["plain"]) / 100
    assert (lengths["masked"] == 10).mean() > 0.9
    assert nll["masked"].mean() > nll["exact=True"].mean() + 0.3


def generation(names):
    """No draw is more probable than the best word; cold is old, hot is new."""
    model, training = names["model"], names["names"]
    drawn = model.sample(5000, random_state=1)
    assert model.score_samples(drawn).max() < names["log_proba"][0] + 1e-9
    assert "oluwa" in names["words"] and "oluwa" not in training
    assert "oluwa" not in names["longer"].most_likely(20)[0]
    cold, as_it_is, hot = names["reports"].values()
    assert cold.known_share > as_it_is.known_share + 0.2 > hot.known_share + 0.4
    assert cold.novel_share < as_it_is.novel_share - 0.2 < hot.novel_share - 0.4
    distances = [report.length_distance for report in (cold, as_it_is, hot)]
    assert distances[1] < 0.03 < 0.1 < min(distances[0], distances[2])
    drawn = [model.sample(2000, temperature=t, random_state=0) for t in (0.5, 1, 1.5)]
    likely = [model.score_samples(words).mean() for words in drawn]
    assert likely == sorted(likely, reverse=True)
    assert len(set(names["new"]) - set(training)) == 2000
    assert set(names["few"]).isdisjoint(training)
    assert f"Found {len(names['few'])} of 40" in str(names["caught"][0].message)


def labels(names):
    """The label changes the next letter, and the model shares what both have."""
    symbols = names["model"].symbols_
    girl, boy = names["following"]["mar"]
    assert symbols[girl.argmax()] == "i"
    assert {symbols[i] for i in np.argsort(boy)[-2:]} == {"c", "k"}
    labelled, alone, unlabelled = map(np.array, names["nll"].values())
    assert (labelled < np.minimum(alone, unlabelled)).all()
    gain = np.minimum(alone, unlabelled) - labelled
    assert gain.argmax() == names["sizes"].index(300)


def mixture(names):
    """Counts and a network are better together, by the weight EM has found."""
    nll, curve = names["nll"], names["curve"]
    assert nll["mixture"] < nll["counts"] - 0.01 < nll["network"] - 0.04
    found = names["mixture"].weights_[1]
    assert abs(found - names["best"]) < 0.1
    assert curve[round(100 * found)] < curve.min() + 1e-3
    assert (curve[1:-1] < curve[-1]).all() and np.mean(curve < nll["counts"]) > 0.5
    tenths = names["tenths"]
    for wrong, right, at in (("network", "counts", 0), ("counts", "network", -1)):
        won = tenths[wrong][at] - tenths["mixture"][at]
        assert won > 2 * (tenths["mixture"][at] - tenths[right][at]) / 3 > 0


def classifier(names):
    """Bayes' rule is too sure; weights of places are not, and beat a bag."""
    losses = names["losses"]
    assert losses["places"] < losses["bag"] < losses["temperature"] < losses[None]
    distances = {
        calibration: np.abs(observed - predicted).mean()
        for calibration, (observed, predicted) in names["curves"].items()
    }
    assert distances["places"] < 0.7 * distances[None]
    assert names["areas"].min() > 0.75
    assert {*names["words"][names["train"]]}.isdisjoint(names["words"][names["test"]])


def features(names):
    """Out of fold, words look as new ones do, and what is learned from them holds."""
    seen, out_of_fold, new = (frame["nll"].mean() for frame in names["shown"].values())
    assert out_of_fold == pytest.approx(new, abs=0.1) and seen < new - 0.5
    numbers, known, by_folds, with_odds = names["losses"].values()
    assert by_folds < numbers - 0.2 and known > numbers
    assert with_odds < by_folds - 0.05
    assert names["areas"]["out of fold"] > 0.9


def outliers(names):
    """Odd strings in the list are found, and new ones, a forest far behind."""
    found, areas = names["found"], names["areas"]
    assert np.mean(names["labels"] == -1) == pytest.approx(0.1, abs=1e-3)
    assert found["random"] > 0.9 and found["shuffled"] > 0.4 and found["name"] < 0.05
    for kind, least in ("random", 0.98), ("shuffled", 0.9):
        assert areas[kind, "excess"] > max(least, areas[kind, "per word"])
        assert areas[kind, "forest of counts"] < 0.5


def other_lists(names):
    """The words of each list are most probable for the model of that list."""
    assert names["nll"].argmin(axis=0).tolist() == [0, 1, 2, 3]


CLAIMS = {
    "plot_1_bigram": bigram,
    "plot_1_generation": generation,
    "plot_1_mixture": mixture,
    "plot_1_quickstart": quickstart,
    "plot_2_bigram_network": bigram_network,
    "plot_2_classifier": classifier,
    "plot_2_grid_search": grid_search,
    "plot_2_matching": matching,
    "plot_3_features": features,
    "plot_3_labels": labels,
    "plot_3_mlp": multi_layer_perceptron,
    "plot_4_activations": activations,
    "plot_4_other_lists": other_lists,
    "plot_4_outliers": outliers,
    "plot_5_backprop": backprop,
    "plot_6_wavenet": wavenet,
    "plot_7_recurrent_and_transformer": recurrent_and_transformer,
}


def test_there_are_examples_and_each_claims_something():
    assert sorted(path.stem for path in EXAMPLES) == sorted(CLAIMS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_figure_is_shown_in_the_block_that_makes_it(path):
    # The gallery takes a picture after every block, and closes the figures.
    for block in path.read_text(encoding="utf-8").split("# %%"):
        assert ("plt.subplots(" in block) <= ("plt.show()" in block), block


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, no_windows, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = runpy.run_path(str(path), run_name="__main__")
    assert pyplot.get_fignums()
    for number in pyplot.get_fignums():
        assert_can_be_read(pyplot.figure(number))
    shown = capsys.readouterr().out
    assert shown and "nan" not in shown and "<" not in shown  # no repr of an object
    assert not list(tmp_path.iterdir())
    CLAIMS[path.stem](names)
