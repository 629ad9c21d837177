"""Parameters declared in the body of a class: signature, constraints, docstring."""

import inspect
from dataclasses import KW_ONLY
from numbers import Integral
from typing import Any, ClassVar, Literal, Self, get_type_hints

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc
from sklearn.base import BaseEstimator, clone

from sklearn_makemore import MLPCharLM
from sklearn_makemore._declarations import (
    POSITIVE_INT,
    DeclaredParameters,
    fitted,
    parameter,
)
from sklearn_makemore._networks import base, bigram
from sklearn_makemore._networks.parameters import NetworkParameters
from sklearn_makemore._sklearn import StrOptions
from sklearn_makemore._training.schedules import SCHEDULES


class Template(DeclaredParameters, BaseEstimator):
    """Template."""

    size: int = parameter(
        default=1, description="Size of it.", constraints=[POSITIVE_INT]
    )
    _: KW_ONLY
    kind: Literal["a", "b"] | None = parameter(default="a", description="Kind of it.")
    rate: Any = parameter(default=0.5, description="Rate.", type_text="a rate")
    hooks: ClassVar[list] = []
    size_: int = fitted("Size found.")


class Model(Template):
    """Model of something.

    More about it.

    Examples
    --------
    >>> 1 + 1
    2
    """

    width: int = parameter(default=2, description="Width.")
    _: KW_ONLY
    flag: bool = parameter(default=False, description="Flag.")
    kind: Literal["b", "c"] = parameter(default="b")
    rate = 0.25


class Written(Template):
    """Model with an `__init__` of its own."""

    def __init__(self, size=5, own=7):
        self.size, self.own = size, own


def entries(model, section):
    return {
        entry.name: (entry.type, " ".join(entry.desc))
        for entry in ClassDoc(model)[section]
    }


def test_signature_has_own_keywords_before_the_shared_ones():
    parameters = inspect.signature(Model).parameters.values()
    assert [(entry.name, entry.default) for entry in parameters] == [
        ("size", 1),
        ("width", 2),
        ("flag", False),
        ("kind", "b"),
        ("rate", 0.25),
    ]
    kinds = [entry.kind for entry in parameters]
    assert kinds[:2] == [inspect.Parameter.POSITIONAL_OR_KEYWORD] * 2
    assert kinds[2:] == [inspect.Parameter.KEYWORD_ONLY] * 3
    with pytest.raises(TypeError, match=r"Model\(\) .*'widthh'; did you mean 'width'"):
        Model(widthh=3)


def test_init_stores_and_nothing_else():
    model = Model(3, rate=None)
    stored = {"size": 3, "width": 2, "flag": False, "kind": "b", "rate": None}
    assert vars(model) == stored
    assert clone(model).get_params() == model.get_params()
    assert repr(Model(width=4)) == "Model(width=4)"


def test_constraints_are_declared_inherited_or_derived_from_annotations():
    (size,) = Model._parameter_constraints["size"]
    assert size is POSITIVE_INT
    assert Model._parameter_constraints["width"] == [Integral]
    assert Model._parameter_constraints["flag"] == ["boolean"]
    (kind,) = Model._parameter_constraints["kind"]
    assert isinstance(kind, StrOptions) and kind.options == {"b", "c"}
    before, none = Template._parameter_constraints["kind"]
    assert before.options == {"a", "b"} and none is None


def test_docstring_has_all_parameters_and_attributes_between_summary_and_examples():
    assert entries(Model, "Parameters") == {
        "size": ("int, default=1", "Size of it."),
        "width": ("int, default=2", "Width."),
        "flag": ("bool, default=False", "Flag."),
        "kind": ('{"b", "c"}, default="b"', "Kind of it."),
        "rate": ("a rate, default=0.25", "Rate."),
    }
    assert entries(Model, "Attributes") == {"size_": ("int", "Size found.")}
    assert entries(Template, "Parameters")["kind"][0].startswith('{"a", "b"} or None,')
    titles = ["More about it.", "Parameters\n---", "Attributes\n---", "Examples\n---"]
    places = [Model.__doc__.index(title) for title in titles]
    assert places == sorted(places)


def test_fitted_attributes_are_no_attributes_of_the_class():
    assert not hasattr(Model, "size_") and not hasattr(MLPCharLM, "n_iter_")
    assert Model.hooks is Template.hooks


def test_an_init_that_is_written_is_kept_and_inherited():
    class Derived(Written):
        """Derived."""

        rate = 0.75

    for cls, rate in (Written, 0.5), (Derived, 0.75):
        model = cls(own=8)
        assert model.get_params() == {"size": 5, "own": 8}
        assert (model.kind, model.rate) == ("a", rate)
        assert "Parameters" not in cls.__doc__


def test_an_init_of_a_mixin_before_the_class_is_kept():
    class Mixin:
        def __init__(self, size=5, own=7):
            self.size, self.own = size, own

    class Derived(Mixin, Model):
        """Derived."""

    assert Derived(own=8).get_params() == {"size": 5, "own": 8}
    assert Derived().width == 2

    class After(Model, Mixin):
        """After."""

    assert After(width=3).get_params() == {**Model().get_params(), "width": 3}


def test_any_value_of_a_parameter_annotated_with_any_is_valid():
    assert Template._parameter_constraints["rate"] == "no_validation"
    Template(rate=object())._validate_params()
    with pytest.raises(ValueError, match="'size' parameter of Template"):
        Template(size=0)._validate_params()


def test_a_parameter_without_default_is_required():
    class Needy(Template):
        """Needy."""

        _: KW_ONLY
        base: Any = parameter(description="What it needs.", type_text="estimator")

    assert entries(Needy, "Parameters")["base"] == ("estimator", "What it needs.")
    assert Needy(base=3).get_params()["base"] == 3
    with pytest.raises(TypeError, match="missing a required .*argument: 'base'"):
        Needy()


def test_docstrings_of_methods_get_the_arguments_that_they_leave_out():
    class Taught(Template):
        """Taught."""

        def fit(self, words, y=None, sample_weight=None) -> Self:
            """Fit.

            Raises
            ------
            ValueError
                Never.
            """
            return self

        def rank(self, words, base):
            """Rank."""

        @property
        def names_(self) -> list[str]:
            """Names found."""
            return []

    sections = FunctionDoc(Taught.fit)
    assert [entry.name for entry in sections["Parameters"]] == [
        *("words", "y", "sample_weight")
    ]
    assert "``" in sections["Parameters"][0].desc[0]
    assert sections["Parameters"][2].type.endswith(", default=None")
    assert sections["Returns"][0].name == "self"
    assert sections["Raises"][0].desc == ["Never."]
    assert Taught.rank.__doc__ == "Rank."  # `base` has no shared meaning
    assert entries(Taught, "Attributes")["names_"] == ("list of str", "Names found.")


def test_annotations_of_networks_name_the_options_that_there_are():
    hints = get_type_hints(NetworkParameters)
    assert set(hints["optimizer"].__args__) == set(base.OPTIMIZERS)
    assert set(hints["lr_schedule"].__args__) == set(SCHEDULES)
    hints = get_type_hints(bigram.BigramCharLM)
    assert set(hints["optimizer"].__args__) == set(bigram.OPTIMIZERS)


def test_a_second_base_keeps_its_parameters():
    class Extra(DeclaredParameters):
        gamma: float = parameter(default=1.0, description="Extra.")

    class Model(Extra, MLPCharLM):
        """Model."""

    names = {"gamma", *MLPCharLM().get_params()}
    assert {*Model().get_params()} == names
    assert names <= {*Model._parameter_constraints}
    model = Model(gamma=2.0, n_hidden=3, max_epochs=1, random_state=0)
    assert clone(model).fit(["emma", "ava"]).n_hidden == 3
