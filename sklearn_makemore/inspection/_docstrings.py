"""Adds to the docstrings of displays what several displays have in common."""

import inspect
import re
from collections.abc import Iterable
from typing import Any

HOW_TO_CREATE = """
It is recommended to use {} to create a display.
All parameters are stored as attributes. In a script, ``matplotlib.pyplot.show()`` opens
the figure.
"""


def complete_docstrings(cls: Any) -> None:
    """Add to the docstrings of a display and its methods what they leave out.

    A method leaves out parameters in `_shared` of the class or its bases, and its
    result; a ``from_...`` also leaves out the parameters of `plot`. The class leaves
    out attributes in `_shared`, and how to create it.
    """
    parameters: dict[str, str] = {}
    attributes: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        sections = _sections(vars(base).get("_shared", ""))
        parameters |= _entries(sections.get("Parameters", ""))
        attributes |= _entries(sections.get("Attributes", ""))
    if "plot" in vars(cls):
        _complete_method(cls.plot, parameters, "The display itself.")
    makers = [name for name in vars(cls) if name.startswith("from_")]
    for name in makers:
        known = parameters | _entries(_sections(cls.plot.__doc__)["Parameters"])
        _complete_method(getattr(cls, name).__func__, known, "The display, drawn.")
    if makers:
        sections = _sections(cls.__doc__)
        ways = " or ".join(f"`{name}`" for name in makers)
        attributes |= _entries(sections.pop("Attributes", ""))
        added = {
            "": sections.pop("") + "\n" + HOW_TO_CREATE.format(ways).rstrip(),
            "Parameters": sections.pop("Parameters"),
            "Attributes": _text_of(attributes.values()),
        }
        cls.__doc__ = _joined(added | sections)


def _complete_method(method: Any, known: dict[str, str], result: str) -> None:
    """Describe the parameters of a method in their order, and its result."""
    sections = _sections(method.__doc__)
    known = known | _entries(sections.pop("Parameters", ""))
    signature = inspect.signature(method)
    described = [known[name] for name in signature.parameters if name in known]
    returned = signature.return_annotation
    kind = returned if isinstance(returned, str) else "object"
    added = {
        "": sections.pop(""),
        "Parameters": _text_of(described),
        "Returns": f"display : {kind}\n    {result}",
    }
    method.__doc__ = _joined(added | sections)


def _sections(docstring: str) -> dict[str, str]:
    """Return the sections of a docstring by title; the first, without title, is ''."""
    head, *rest = re.split(r"(?m)^(\w[\w ]*)\n-+\n", inspect.cleandoc(docstring))
    sections = {"": head, **dict(zip(rest[::2], rest[1::2], strict=True))}
    return {title: text.strip() for title, text in sections.items()}


def _joined(sections: dict[str, str]) -> str:
    """Return the docstring that has these sections."""
    texts = [
        f"{title}\n{'-' * len(title)}\n{text}" if title else text
        for title, text in sections.items()
    ]
    return "\n\n".join(texts) + "\n"


def _entries(section: str) -> dict[str, str]:
    """Return the entries of a section by name; several names may share one entry."""
    return {
        name: entry.strip()
        for entry in re.split(r"(?m)^(?=\S)", section)
        for name in entry.partition(" :")[0].split(", ")
        if entry
    }


def _text_of(entries: Iterable[str]) -> str:
    """Return a section; what is described together has equal entries."""
    return "\n\n".join(dict.fromkeys(entries))
