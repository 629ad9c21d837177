"""Every parameter at the edges that its own constraints name, and beyond them."""

import math
from numbers import Integral

import numpy as np
import pytest
from any_words import N_EXAMPLES
from estimators import CLASSES
from sklearn.base import clone
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
    make_constraint,
)

from sklearn_makemore import (
    BigramCounter,
    CharLMClassifier,
    CharLMFeatures,
    CharLMOutlierDetector,
)

MODELS = {
    **CLASSES,
    "classifier": CharLMClassifier(BigramCounter()),
    "features": CharLMFeatures(BigramCounter()),
    "outliers": CharLMOutlierDetector(BigramCounter()),
}
WORDS = ["ab", "b", "abc", "ba", "a", "", "cab", "c"]
CLASS_OF_WORDS = [0, 1, 0, 1, 0, 1, 0, 1]
OTHER_TYPES = [object(), {"a": 1}, 1j, b"a", math.nan, math.inf, -math.inf, "no such"]
HUGE = np.finfo(np.float64).max


def edges(constraint):
    """Values at both ends of an interval and beside them, and near a set of strings."""
    if isinstance(constraint, StrOptions):
        return [
            near
            for option in sorted(constraint.options)
            for near in (option, option.upper(), option + " ", option[:-1])
        ]
    if not isinstance(constraint, Interval):
        return []
    ends = [end for end in (constraint.left, constraint.right) if end is not None]
    if constraint.type is Integral:
        return [end + step for end in ends for step in (-1, 0, 1)] + [ends[0] + 0.5]
    values = [
        value
        for end in ends
        for value in (
            math.nextafter(end, -math.inf),
            end,
            math.nextafter(end, math.inf),
        )
    ]
    return values + ([HUGE] if constraint.right is None else [])


def sorted_values(all_constraints):
    """Yield each parameter with its edges within and all values beyond."""
    for name, constraints in all_constraints.items():
        if isinstance(constraints, str):  # "no_validation"
            continue
        constraints = [make_constraint(constraint) for constraint in constraints]
        found = [value for one in constraints for value in edges(one)]
        yield (
            name,
            [one for one in found if any(c.is_satisfied_by(one) for c in constraints)],
            [
                one
                for one in found + OTHER_TYPES
                if not any(c.is_satisfied_by(one) for c in constraints)
            ],
        )


def refused_by_name(function, name):
    """What is wrong about an error that must name a parameter, None if nothing is."""
    try:
        function()
    except InvalidParameterError as error:
        return None if f"'{name}' parameter of" in str(error) else error
    except Exception as error:
        return error
    return "no error"


@pytest.mark.parametrize("kind", MODELS)
def test_what_is_beyond_the_edges_is_refused_by_name(kind):
    wrong = []
    for name, _, outside in sorted_values(MODELS[kind]._parameter_constraints):
        for value in outside:
            model = clone(MODELS[kind]).set_params(**{name: value})
            found = refused_by_name(lambda: model.fit(WORDS, CLASS_OF_WORDS), name)  # noqa: B023
            if found is not None or set(vars(model)) != set(model.get_params(False)):
                wrong.append((name, value, found))
    assert not wrong


def own_parameters(kind):
    """Parameters to try: of networks the shared ones once, unless one searches."""
    constraints = MODELS[kind]._parameter_constraints
    if N_EXAMPLES or kind == "mlp" or not hasattr(MODELS[kind], "max_epochs"):
        return constraints
    shared = MODELS["mlp"]._parameter_constraints
    return {name: value for name, value in constraints.items() if name not in shared}


@pytest.mark.parametrize("kind", MODELS)
def test_at_the_edges_a_model_fits_or_says_why_not(kind):
    wrong = []
    for name, inside, _ in sorted_values(own_parameters(kind)):
        for value in inside:
            model = clone(MODELS[kind]).set_params(**{name: value})
            if name != "max_epochs" and "max_epochs" in model.get_params():
                model.set_params(max_epochs=1)
            try:
                model.fit(WORDS, CLASS_OF_WORDS)
            except ValueError as error:
                if isinstance(error, InvalidParameterError) or name not in str(error):
                    wrong.append((name, value, error))
                continue
            log_proba = (
                getattr(model, "score_samples", None)
                or getattr(model, "predict_log_proba", None)
                or model.transform
            )(WORDS)
            if not np.isfinite(np.asarray(log_proba)).all():
                wrong.append((name, value, log_proba))
    assert not wrong


@pytest.mark.filterwarnings(r"ignore:Found \d of 10 words")
@pytest.mark.parametrize("kind", ["kneser-ney-3", "mlp", "gru"])
@pytest.mark.parametrize("verb", ["sample", "most_likely"])
def test_the_edges_of_options(kind, verb, fit_once):
    model, wrong = fit_once(CLASSES[kind], WORDS), []
    constraints = getattr(model, verb)._skl_parameter_constraints
    for name, inside, outside in sorted_values(constraints):
        for value in outside:
            found = refused_by_name(lambda: getattr(model, verb)(**{name: value}), name)  # noqa: B023
            if found is not None:
                wrong.append((name, value, found))
        for value in inside:
            needed = {"exclude": WORDS[:1]} if name == "min_distance" else {}
            words = getattr(model, verb)(**{name: value}, **needed)
            if not words:
                wrong.append((name, value, words))
    assert not wrong
