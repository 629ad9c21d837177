"""Docstrings say what the signatures say, and siblings say it in the same words."""

import ast
import inspect
import re
from itertools import combinations

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc
from numpydoc.validate import validate

import sklearn_makemore
from sklearn_makemore import (
    BigramCounter,
    CharLMClassifier,
    CharLMFeatures,
    CharLMOutlierDetector,
    MixtureCharLM,
)
from sklearn_makemore._models import COUNTERS, NETWORKS

MODELS = [
    *(getattr(sklearn_makemore, name) for name in [*COUNTERS, *NETWORKS]),
    MixtureCharLM,
]
META_ESTIMATORS = [CharLMClassifier, CharLMFeatures, CharLMOutlierDetector]
PAIRS = [*combinations(MODELS, 2), *combinations(META_ESTIMATORS, 2)]

# numpydoc's checks that are not asked for, and why.
NOT_ASKED = {
    "GL01": "the summary begins on the line of the quotes, as ruff's D212 has it",
    "ES01": "a summary that says all needs no second paragraph",
    "SA01": "a verb of a model needs no cross-reference; the classes have them",
    "EX01": "a verb of a model is shown in the example of its class",
    "RT02": "results are named, as scikit-learn has it",
}
EXCEPTIONS = {
    ("sklearn_makemore.modules.Tanh", "PR01"): "it takes none",
    ("sklearn_makemore.modules.WeightedBatchNorm1d", "PR01"): "torch describes them",
    **{
        (f"sklearn_makemore.inspection.TrainingRecorder.{hook}", "PR01"): (
            "skorch describes them"
        )
        for hook in ("on_train_begin", "on_batch_begin", "on_batch_end", "on_train_end")
    },
}

# Parameters and attributes that mean another thing in another model. All others read
# alike.
OWN_MEANING = {
    "random_state": "BigramCharLM starts at zero and drops nothing",
    "validation_fraction": "measures the loss of a net, or finds weights of a mixture",
    "cv": "a classifier finds weights by folds, the others measure their words",
    "match_lengths": "a network keeps a table of all windows for it",
    "smoothing": "an amount in BigramCounter, a method in NGramCounter",
    "block_size": "a window, or the most that is read from the start on",
    "block_size_": "a window, or the most that is read from the start on",
    "n_layers": "hidden or recurrent layers, levels of the tree, or blocks",
    "n_hidden": "units of a layer, or channels of a level",
    "batch_norm": "lecture 3 has it, lecture 5 takes it for granted",
    "dropout": "of units, of a layer's outputs, or of all that a block has",
    "optimizer": "the bigram is trained with Adam, whose penalty is in the gradient",
    "weight_decay": "a penalty like smoothing in the bigram, in others apart from it",
}


def public_objects():
    """Yield names and objects: classes, functions, and the methods made here."""
    for module in (
        sklearn_makemore,
        sklearn_makemore.modules,
        sklearn_makemore.model_selection,
        sklearn_makemore.inspection,
        sklearn_makemore.datasets,
    ):
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.ismodule(found):
                continue
            yield f"{module.__name__}.{name}", found
            if inspect.isclass(found):
                yield from public_methods(f"{module.__name__}.{name}", found)


def public_methods(prefix, cls):
    for name, method in inspect.getmembers(cls, callable):
        home = getattr(method, "__module__", None) or ""
        is_ours = home.startswith("sklearn_makemore") and inspect.isroutine(method)
        if is_ours and not name.startswith("_"):
            yield f"{prefix}.{name}", method


PUBLIC = dict(public_objects())


def documented(found):
    return ClassDoc(found) if inspect.isclass(found) else FunctionDoc(found)


def documented_parameters(found):
    return {entry.name: entry for entry in documented(found)["Parameters"]}


def default_in(text):
    """Return the default that the type of a parameter states, `...` for none."""
    stated = re.search(r"default=(.+)$", text)
    return ast.literal_eval(stated[1]) if stated else ...


def keywords(model):
    """Return the names of the keyword-only parameters, in order."""
    parameters = inspect.signature(model).parameters.values()
    return [entry.name for entry in parameters if entry.kind is entry.KEYWORD_ONLY]


def without_default(text):
    return re.sub(r", default=.+$", "", text)


@pytest.mark.parametrize("name", PUBLIC)
def test_numpydoc_finds_no_fault(name):
    errors = [
        (code, message)
        for code, message in validate(name)["errors"]
        if code not in NOT_ASKED and (name, code) not in EXCEPTIONS
    ]
    assert not errors


@pytest.mark.parametrize("name", PUBLIC)
def test_documented_defaults_are_those_of_the_signature(name):
    signature = inspect.signature(PUBLIC[name])
    for parameter, entry in documented_parameters(PUBLIC[name]).items():
        if parameter not in signature.parameters or entry.type == "Ignored":
            continue
        default = signature.parameters[parameter].default
        expected = ... if default is inspect.Parameter.empty else default
        assert default_in(entry.type) == expected, parameter


@pytest.mark.parametrize("name", PUBLIC)
def test_parameters_are_set_apart(name):
    # Without the blank line the next name is part of the paragraph for a reader.
    lines = inspect.getdoc(PUBLIC[name]).splitlines()
    for before, line in zip(lines, lines[1:], strict=False):
        if re.match(r"[a-z]\w*(, \w+)* : ", line):
            assert not before or set(before) == {"-"}, line


@pytest.mark.parametrize("one, other", PAIRS)
def test_siblings_describe_shared_parameters_alike(one, other):
    first, second = documented_parameters(one), documented_parameters(other)
    for name in first.keys() & second.keys() - OWN_MEANING.keys():
        assert without_default(first[name].type) == without_default(second[name].type)
        assert first[name].desc == second[name].desc, name


@pytest.mark.parametrize("one, other", PAIRS)
def test_siblings_order_shared_keywords_alike(one, other):
    # What is positional has the order of its own model.
    first, second = keywords(one), keywords(other)
    assert [name for name in first if name in second] == [
        name for name in second if name in first
    ]


@pytest.mark.parametrize("one, other", PAIRS)
def test_siblings_describe_shared_attributes_alike(one, other):
    first, second = (
        {entry.name: entry for entry in ClassDoc(model)["Attributes"]}
        for model in (one, other)
    )
    for name in first.keys() & second.keys() - OWN_MEANING.keys():
        assert first[name] == second[name]


def test_meanings_of_their_own_are_used():
    described = [
        {
            entry.name: entry
            for kind in ("Parameters", "Attributes")
            for entry in ClassDoc(model)[kind]
        }
        for model in [*MODELS, *META_ESTIMATORS]
    ]
    for name in OWN_MEANING:
        texts = {tuple(found[name].desc) for found in described if name in found}
        assert len(texts) > 1, name


@pytest.mark.parametrize("model", [*MODELS, *META_ESTIMATORS])
def test_fitted_attributes_are_documented(model):
    choices = {"max_epochs": 1, "estimators": [BigramCounter()]}
    parameters = inspect.signature(model).parameters
    quick = {name: value for name, value in choices.items() if name in parameters}
    fitted = model(**quick).fit(["emma", "olivia", "ava"], ["a", "b", "a"])
    properties = inspect.getmembers(model, lambda member: isinstance(member, property))
    names = {*vars(fitted), *(name for name, _ in properties)}
    public = {name for name in names if name.endswith("_") and name[0] != "_"}
    assert {entry.name for entry in ClassDoc(model)["Attributes"]} == public


@pytest.mark.parametrize("name", PUBLIC)
def test_cross_references_lead_somewhere(name):
    for targets, _ in documented(PUBLIC[name])["See Also"]:
        for target, _ in targets:
            assert any(f".{public}".endswith(f".{target}") for public in PUBLIC), target
