"""Checks of the arguments of a call, with the call that may be meant."""

import functools
import inspect
import reprlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from numbers import Real
from typing import Any, TypeVar, cast

from sklearn import get_config

from ._sklearn import InvalidParameterError, validate_parameter_constraints

Function = TypeVar("Function", bound=Callable[..., Any])

SYNONYMS = {
    "avoiding": "avoid bad_words bad_words_ids banned forbidden not_matching without",
    "batch_size": "batch",
    "block_size": "context context_length context_size window",
    "delimiter": "sep separator",
    "dev_size": "val_size valid_size validation_size",
    "dropout": "drop",
    "label": "labels y",
    "lr": "learning_rate rate",
    "matching": "match pattern re regex regexp",
    "max_epochs": "epoch epochs iterations max_iter n_epochs n_iter num_epochs",
    "max_length": "len length longest max_len maxlen",
    "min_length": "len length min_len minlen shortest",
    "n_embd": "embd embedding embedding_dim embedding_size n_embed",
    "n_hidden": "hidden hidden_dim hidden_size n_units units",
    "n_layers": "depth layers num_layers",
    "n_samples": "count k n n_words num num_samples num_words number samples size",
    "order": "context max_order n ngram ngrams",
    "prefix": "begin beginning begins_with prompt start starts_with startswith",
    "random_state": "generator random random_seed rng seed",
    "sample_weight": "weight weights",
    "temperature": "t temp",
    "top_k": "k topk",
    "top_p": "nucleus p topp",
    "unique": "distinct no_repeats",
}
"""Names that users try for a parameter, and that are spelled differently."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean ...?`` with the known names that may be meant, or ''."""
    known = list(known)
    meant = [text for text in known if name.lower() in SYNONYMS.get(text, "").split()]
    meant = meant or get_close_matches(name, known, 1)
    return f"; did you mean {' or '.join(map(repr, meant))}?" if meant else ""


def validate_options(
    constraints: dict[str, Any], forwarded: dict[str, Any] | None = None
) -> Callable[[Function], Function]:
    """Validate the arguments of a function or method, as `validate_params` does.

    Errors name the class of the estimator, not the class that defines the method. They
    suggest the call that may be meant.

    constraints : of parameters by name; of ``*args`` they hold for each argument
    forwarded : the same for the parameters that ``**kwargs`` stand for
    """

    def decorated(function: Function) -> Function:
        arguments = _Arguments(function, constraints, forwarded or {})

        @functools.wraps(function)
        def validated(*args: Any, **kwargs: Any) -> Any:
            if not get_config()["skip_parameter_validation"]:
                arguments.check(args, kwargs)
            return function(*args, **kwargs)

        result = cast("Any", validated)
        result._skl_parameter_constraints = constraints
        return result

    return decorated


class _Arguments:
    """The arguments that a function or method takes, and checks of a call."""

    def __init__(
        self,
        function: Callable[..., Any],
        constraints: dict[str, Any],
        forwarded: dict[str, Any],
    ):
        self.name = function.__name__
        self.signature = inspect.signature(function)
        kinds: dict[Any, list[str]] = defaultdict(list)
        for name, parameter in self.signature.parameters.items():
            kinds[parameter.kind].append(name)
        positional = kinds[inspect.Parameter.POSITIONAL_OR_KEYWORD]
        self.is_method = positional[:1] in (["self"], ["cls"])
        self.positional = positional[self.is_method :]
        self.variadic = kinds[inspect.Parameter.VAR_POSITIONAL]
        others = [name for name in forwarded if name not in positional]
        self.named = [*dict.fromkeys(kinds[inspect.Parameter.KEYWORD_ONLY] + others)]
        self.constraints = forwarded | constraints

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raise an error unless the function can take these arguments."""
        caller, values = self.name, args
        if self.is_method:
            owner = args[0] if isinstance(args[0], type) else type(args[0])
            caller = f"{owner.__name__}.{self.name}".removesuffix(".__init__")
            values = args[1:]
        self._check_names(caller, kwargs)
        self._check_places(caller, values, kwargs)
        by_place = dict(zip(self.positional, values, strict=False))
        if self.name != "__init__":  # as in scikit-learn, `fit` validates parameters
            for name, value in (by_place | kwargs).items():
                self._check_value(caller, name, value, name in by_place)
        try:
            self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{caller}() {error}") from None

    def _check_names(self, caller: str, kwargs: dict[str, Any]) -> None:
        """Raise an error if a keyword is unknown."""
        known = self.positional + self.named
        for name in kwargs:
            if name not in known:
                raise TypeError(
                    f"{caller}() got an unexpected keyword argument {name!r}"
                    f"{did_you_mean(name, known)}"
                )

    def _check_places(
        self, caller: str, values: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Raise an error if arguments without names must have names."""
        by_place = dict(zip(self.positional, values, strict=False))
        others = values[len(by_place) :]
        nameless = [
            value
            for value in others
            if not (self.variadic and self._takes(self.variadic[0], value))
        ]
        if not nameless:
            return
        allowed = _enumerated(self.positional + self.variadic)
        if not self.named:
            raise TypeError(
                f"{caller}() takes only {allowed or 'no arguments'}; got "
                f"{len(values)} arguments."
            )
        meant = self._meant(nameless, kwargs)
        if len(meant) == len(nameless):
            call = [_shown(value, name) for name, value in by_place.items()]
            call += ["..."] * (len(others) - len(nameless))
            call += [f"{name}={_shown(v)}" for name, v in (meant | kwargs).items()]
            name = caller.rpartition(".")[2]
            hint = f"for example {name}({', '.join(call)})"
        else:
            hint = f"which are {_enumerated(self.named)}"
        raise TypeError(
            f"{caller}() takes {f'only {allowed}' if allowed else 'nothing'} by "
            f"position; name the other arguments, {hint}."
        )

    def _check_value(
        self, caller: str, name: str, value: Any, is_by_place: bool
    ) -> None:
        """Raise an error if a value is not valid for a parameter."""
        if name not in self.constraints:
            return
        try:
            validate_parameter_constraints(
                {name: self.constraints[name]}, {name: value}, caller
            )
        except InvalidParameterError as error:
            meant = {}
            if is_by_place and not isinstance(value, Real):
                meant = self._meant([value], {})
            hint = "".join(f" Did you mean {other}={_shown(value)}?" for other in meant)
            raise InvalidParameterError(f"{error}{hint}") from None

    def _meant(self, values: Sequence[Any], taken: Iterable[str]) -> dict[str, Any]:
        """Return names for values: the first keyword-only ones that take them."""
        meant: dict[str, Any] = {}
        for value in values:
            for name in self.named:
                if name not in {*meant, *taken} and self._takes(name, value):
                    meant[name] = value
                    break
        return meant

    def _takes(self, name: str, value: Any) -> bool:
        """Whether a parameter takes a value that may be meant for it."""
        constraint = self.constraints.get(name, "no_validation")
        if value is None or (isinstance(value, bool) and "boolean" not in constraint):
            return False
        try:
            validate_parameter_constraints({name: constraint}, {name: value}, "")
        except InvalidParameterError:
            return False
        return True


def _enumerated(names: Sequence[str]) -> str:
    """Join names by commas and an "and"."""
    *first, last = names or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _shown(value: Any, otherwise: str = "...") -> str:
    """Return a short text for a value in an example."""
    if value is None or isinstance(value, str | Real):
        return reprlib.repr(value)
    return otherwise


def parameter_constraints(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the constraints of the parameters of a class, function or method."""
    owner = cast("Any", function)
    if isinstance(function, type):
        return owner._parameter_constraints
    return owner._skl_parameter_constraints
