"""Parameters and fitted attributes of estimators, each declared once.

A class derived from `DeclaredParameters` declares them in its body, like a dataclass:

    n_hidden: int = parameter(default=64, description="Number of units.")
    net_: CharNet = fitted("The trained net.")

Its `__init__`, its `_parameter_constraints` and these sections of its docstring are
generated. Type checkers know each parameter with its type and its default.
"""

import inspect
import re
from dataclasses import KW_ONLY, dataclass, field, make_dataclass, replace
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
)

from .._sklearn import Interval, StrOptions

POSITIVE_INT = Interval(Integral, 1, None, closed="left")
PROPER_SHARE = Interval(Real, 0, 1, closed="left")
"""A fraction from 0 to below 1."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of `__init__`; its annotation, `hint`, gives the missing fields."""

    default: Any
    description: str | None = None
    constraints: list | None = None
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
        return [_constraint(kind) for kind in _alternatives(self.hint)]

    def documented(self, name):
        """Return the entry of the section "Parameters"."""
        default = self.default
        shown = f'"{default}"' if isinstance(default, str) else repr(default)
        return _entry(
            name,
            f"{self.type_text or _shown(self.hint)}, default={shown}",
            self.description or "",
        )


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
    default: Any,
    description: str | None = None,
    constraints: list | None = None,
    type_text: str | None = None,
) -> Any:
    """Declare a parameter in the body of a class.

    default : immutable
    description : text of the docstring; None inherits it
    constraints : valid values, in scikit-learn's terms; None inherits them, or derives
        them from the annotation
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
    after ``_: KW_ONLY`` are keyword-only, as in dataclasses. A subclass that writes its
    own `__init__` keeps it; parameters that it leaves out have the class's defaults.
    """

    _declared_parameters: ClassVar[dict[str, Parameter]] = {}
    _declared_attributes: ClassVar[dict[str, Fitted]] = {}
    _has_own_init: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs):
        inherited = _inherited(cls, "_declared_parameters")
        parameters, attributes = _declarations(cls, inherited)
        for name, declared in parameters.items():
            setattr(cls, name, declared.default)
        for name in attributes:
            delattr(cls, name)
        cls._declared_parameters = _in_order(parameters, inherited)
        cls._declared_attributes = {
            **_inherited(cls, "_declared_attributes"),
            **attributes,
        }
        cls._has_own_init = cls._has_own_init or "__init__" in vars(cls)
        if "_parameter_constraints" not in vars(cls):
            # The first base may lack the parameters of the others.
            cls._parameter_constraints = {
                **{
                    name: declared.resolved_constraints
                    for name, declared in inherited.items()
                },
                **getattr(cls, "_parameter_constraints", {}),
                **{
                    name: declared.resolved_constraints
                    for name, declared in parameters.items()
                },
            }
        if not cls._has_own_init:
            cls.__init__ = _made_init(cls)
            cls.__doc__ = _completed_docstring(cls)
        super().__init_subclass__(**kwargs)


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
    for name in inherited.keys() & vars(cls).keys() - hints.keys():
        parameters[name] = replace(inherited[name], default=vars(cls)[name])
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
    init = made.__init__
    init.__module__ = cls.__module__
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _completed_docstring(cls):
    """Return the docstring with the sections "Parameters" and "Attributes"."""
    written = vars(cls).get("__doc__")
    if written is None or re.search(r"^ *Parameters\n *---", written, re.M):
        return written
    text = inspect.cleandoc(written)
    section = re.search(r"^\w[\w ]*\n---", text, re.M)
    end = section.start() if section else len(text)
    parts = [text[:end].rstrip()]
    for title, declared in (
        ("Parameters", cls._declared_parameters),
        ("Attributes", cls._declared_attributes),
    ):
        entries = [found.documented(name) for name, found in declared.items()]
        if entries:
            parts.append(f"{title}\n{'-' * len(title)}\n" + "\n\n".join(entries))
    return "\n\n".join([*parts, text[end:]]).rstrip() + "\n"


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
        else:
            kind = get_origin(kind) or kind
            texts.append("None" if kind is NoneType else kind.__name__)
    return " or ".join(texts)
