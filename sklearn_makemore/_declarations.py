"""Parameters and fitted attributes of estimators, each declared once.

A class derived from `DeclaredParameters` declares them in its body, like a dataclass:

    n_hidden: int = parameter(default=64, description="Number of units.")
    net_: CharNet = fitted("The trained net.")

Its `__init__`, its `_parameter_constraints` and these sections of its docstring are
generated. Type checkers know each parameter with its type and its default.

`takes` gives a method the parameters of such a class.

The section "Parameters" of a method is generated too if the docstring lacks it and
`ARGUMENTS` has all parameters; then also "Returns" if the method returns `Self`.
"""

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import KW_ONLY, MISSING, dataclass, field, make_dataclass, replace
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Concatenate,
    Literal,
    ParamSpec,
    Self,
    TypeVar,
    Union,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
)

from ._arguments import validate_options
from ._sklearn import Interval, StrOptions

P = ParamSpec("P")
Record = TypeVar("Record", bound="DeclaredParameters")
Result = TypeVar("Result")

POSITIVE_INT = Interval(Integral, 1, None, closed="left")
PROPER_SHARE = Interval(Real, 0, 1, closed="left")
"""A fraction from 0 to below 1."""

WORDS = (
    "array-like of str of shape (n_words,)",
    'A list, tuple, array, Series or one-column data frame; ``""`` is a word.',
)
ARGUMENTS = {
    "words": WORDS,
    "X": WORDS,
    "y": ("Ignored", "Not used, present for API consistency by convention."),
    "sample_weight": (
        "array-like of shape (n_words,), default=None",
        "Non-negative weight of each word: 2 equals the word twice, 0 leaves it out.",
    ),
}
"""Type and description of arguments that mean the same in every method."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of `__init__`; its annotation, `hint`, gives the missing fields."""

    default: Any = MISSING
    description: str | None = None
    constraints: list[Any] | str | None = None
    type_text: str | None = None
    hint: Any = Any
    kw_only: bool = False

    def completed(self, inherited):
        """Return this declaration with missing fields taken from a base class."""
        missing = {
            name: getattr(inherited, name)
            for name in ("description", "constraints", "type_text")
            if getattr(self, name) is None
        }
        return replace(self, **missing)

    @property
    def resolved_constraints(self):
        """Constraints for scikit-learn's validation."""
        if self.constraints is not None:
            return self.constraints
        kinds = _alternatives(self.hint)
        return (
            "no_validation" if Any in kinds else [_constraint(kind) for kind in kinds]
        )

    def documented(self, name):
        """Return the entry of the section "Parameters"."""
        type_text, default = self.type_text or _shown(self.hint), self.default
        if default is not MISSING:
            shown = f'"{default}"' if isinstance(default, str) else repr(default)
            type_text += f", default={shown}"
        return _entry(name, type_text, self.description or "")


@dataclass(frozen=True)
class Fitted:
    """One attribute that `fit` sets."""

    description: str
    type_text: str | None = None
    hint: Any = Any

    def documented(self, name):
        """Return the entry of the section "Attributes"."""
        return _entry(name, self.type_text or _shown(self.hint), self.description)


def parameter(
    *,
    default: Any = MISSING,
    description: str | None = None,
    constraints: list[Any] | str | None = None,
    type_text: str | None = None,
) -> Any:
    """Declare a parameter in the body of a class.

    default : immutable; without it the argument is required
    description : text of the docstring; None inherits it
    constraints : valid values, in scikit-learn's terms; None inherits them, or derives
        them from the annotation, where `Any` stands for no validation
    type_text : type in the docstring; None inherits it, or derives it likewise
    """
    return Parameter(default, description, constraints, type_text)


def fitted(
    description: str, *, type_text: str | None = None, init: Literal[False] = False
) -> Any:
    """Declare an attribute that `fit` sets.

    init : tells type checkers that it is no argument of `__init__`
    type_text : type in the docstring; None derives it from the annotation
    """
    return Fitted(description, type_text)


@dataclass_transform(field_specifiers=(parameter, fitted))
class DeclaredParameters:
    """Makes `__init__`, constraints and docstring sections from declarations.

    A subclass changes an inherited default by an assignment, ``lr = 0.01``. Parameters
    after ``_: KW_ONLY`` are keyword-only, as in dataclasses. A subclass that writes or
    inherits another `__init__` keeps it; parameters that it leaves out have the class's
    defaults. A property whose name ends with an underscore is a fitted attribute.
    """

    _declared_parameters: ClassVar[dict[str, Parameter]] = {}
    _declared_attributes: ClassVar[dict[str, Fitted]] = {}

    def __init_subclass__(cls, **kwargs):
        inherited = _inherited(cls, "_declared_parameters")
        parameters, attributes = _declarations(cls, inherited)
        for name, declared in parameters.items():
            setattr(cls, name, declared.default)
            if declared.default is MISSING:
                delattr(cls, name)
        for name in attributes:
            if isinstance(vars(cls)[name], Fitted):
                delattr(cls, name)
        cls._declared_parameters = _in_order(parameters, inherited)
        cls._declared_attributes = {
            **_inherited(cls, "_declared_attributes"),
            **attributes,
        }
        if "_parameter_constraints" not in vars(cls):
            # The first base may lack the parameters of the others.
            cls._parameter_constraints = {
                **_constraints(inherited),
                **getattr(cls, "_parameter_constraints", {}),
                **_constraints(parameters),
            }
        if not _is_written(cls.__init__):
            cls.__init__ = _made_init(cls)
            cls.__doc__ = _completed_docstring(cls)
        for name, method in vars(cls).items():
            if name[0] != "_" and inspect.isfunction(method):
                method.__doc__ = _completed_method(method)
        super().__init_subclass__(**kwargs)


def takes(
    record: Callable[P, Record],
) -> Callable[[Callable[[Any, Record], Result]], Callable[Concatenate[Any, P], Result]]:
    """Give a method the parameters of a class of declarations.

    The method takes an instance of the class instead of the arguments, which are valid.
    Its signature and the section "Parameters" of its docstring are generated.
    """
    kind = cast("type[DeclaredParameters]", record)
    declared = kind._declared_parameters
    entries = [found.documented(name) for name, found in declared.items()]
    signature = inspect.signature(kind.__init__)

    def decorated(method: Callable[[Any, Record], Result]) -> Any:
        @functools.wraps(method)
        def called(self: Any, *args: P.args, **kwargs: P.kwargs) -> Result:
            return method(self, record(*args, **kwargs))

        made: Any = called
        returned = inspect.signature(method).return_annotation
        made.__signature__ = signature.replace(return_annotation=returned)
        hints = {name: found.hint for name, found in declared.items()}
        made.__annotations__ = {**hints, "return": returned}
        made.__doc__ = _with_sections(method.__doc__, {"Parameters": entries})
        return validate_options(kind._parameter_constraints)(made)

    return decorated


def _is_written(init):
    """Whether a class's `__init__` is neither generated nor a stand-in."""
    stands_in = init is object.__init__ or hasattr(init, "__isabstractmethod__")
    return not stands_in and not hasattr(init, "_is_made")


def _constraints(parameters):
    """Return the constraints of parameters by name."""
    return {name: found.resolved_constraints for name, found in parameters.items()}


def _inherited(cls, name):
    """Return the declarations of all bases; the first in the MRO has precedence."""
    inherited = {}
    for base in cls.__mro__[1:]:
        for key, declared in vars(base).get(name, {}).items():
            inherited.setdefault(key, declared)
    return inherited


def _declarations(cls, inherited):
    """Return the parameters and the attributes that the body of a class declares."""
    parameters, attributes, kw_only = {}, {}, False
    hints = inspect.get_annotations(cls, eval_str=True)
    for name, hint in hints.items():
        value = vars(cls).get(name, KW_ONLY)
        if hint is KW_ONLY:
            kw_only = True
        elif isinstance(value, Fitted):
            attributes[name] = replace(value, hint=hint)
        elif name[0] != "_" and value is not KW_ONLY and get_origin(hint) != ClassVar:
            if not isinstance(value, Parameter):
                value = Parameter(value)
            value = replace(value, hint=hint, kw_only=kw_only)
            if name in inherited:
                value = value.completed(inherited[name])
            parameters[name] = value
    for name, value in vars(cls).items():
        if name in inherited and name not in hints:
            parameters[name] = replace(inherited[name], default=value)
        elif isinstance(value, property) and name[-1] == "_" != name[0]:
            getter: Any = value.fget
            hint = inspect.get_annotations(getter, eval_str=True)["return"]
            attributes[name] = Fitted(getter.__doc__, hint=hint)
    return parameters, attributes


def _in_order(own, inherited):
    """Return all parameters: an estimator's own keywords before the shared ones."""
    merged = {**inherited, **own}
    new = own.keys() - inherited.keys()
    positional = [name for name in merged if not merged[name].kw_only]
    keywords = [name for name in merged if merged[name].kw_only]
    keywords.sort(key=lambda name: name not in new)
    return {name: merged[name] for name in positional + keywords}


def _made_init(cls):
    """Return an `__init__` that stores the parameters, made by `dataclasses`."""
    fields = [
        (name, declared.hint, field(default=declared.default, kw_only=declared.kw_only))
        for name, declared in cls._declared_parameters.items()
    ]
    made: Any = make_dataclass(cls.__name__, fields, repr=False, eq=False)
    init: Any = validate_options(cls._parameter_constraints)(made.__init__)
    init._is_made = True
    init.__module__ = cls.__module__
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _completed_docstring(cls):
    """Return the docstring of a class with its parameters and attributes."""
    declared = {
        "Parameters": cls._declared_parameters,
        "Attributes": cls._declared_attributes,
    }
    sections = {
        title: [found.documented(name) for name, found in by_name.items()]
        for title, by_name in declared.items()
    }
    return _with_sections(vars(cls).get("__doc__"), sections)


def _completed_method(method):
    """Return the docstring of a method with its arguments and its result."""
    signature = inspect.signature(method)
    _, *names = signature.parameters
    if not names or not ARGUMENTS.keys() >= {*names}:
        return method.__doc__
    sections = {"Parameters": [_entry(name, *ARGUMENTS[name]) for name in names]}
    if signature.return_annotation is Self:
        sections["Returns"] = [_entry("self", "object", "The estimator itself.")]
    return _with_sections(method.__doc__, sections)


def _with_sections(written, sections):
    """Insert sections before the first section of a docstring without parameters."""
    if written is None or re.search(r"^ *Parameters\n *---", written, re.M):
        return written
    text = inspect.cleandoc(written)
    section = re.search(r"^\w[\w ]*\n---", text, re.M)
    end = section.start() if section else len(text)
    made = [
        f"{title}\n{'-' * len(title)}\n" + "\n\n".join(entries)
        for title, entries in sections.items()
        if entries
    ]
    return "\n\n".join([text[:end].rstrip(), *made, text[end:]]).rstrip() + "\n"


def _entry(name, type_text, description):
    indented = inspect.cleandoc(description).replace("\n", "\n    ")
    return f"{name} : {type_text}\n    {indented}"


def _alternatives(hint):
    """Return the types of a union, or the one type."""
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _constraint(kind):
    """Return the constraint of scikit-learn's validation for a type."""
    if get_origin(kind) is Literal:
        return StrOptions(set(get_args(kind)))
    names = {bool: "boolean", int: Integral, float: Real, NoneType: None}
    return names.get(kind, get_origin(kind) or kind)


def _shown(hint):
    """Return a type as docstrings show it."""
    texts = []
    for kind in _alternatives(hint):
        if get_origin(kind) is Literal:
            options = ", ".join(f'"{option}"' for option in get_args(kind))
            texts.append(f"{{{options}}}")
        elif get_origin(kind) is list:
            texts.append(f"list of {_shown(get_args(kind)[0])}")
        else:
            kind = get_origin(kind) or kind
            texts.append("None" if kind is NoneType else kind.__name__)
    return " or ".join(texts)
