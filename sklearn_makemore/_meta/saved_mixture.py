"""The members of a mixture in a file, which holds each frozen model once."""

import copy
from typing import Any

from .._base import BaseCharLM
from .._words.vocabulary import CharVocabulary
from .members import check_kept_member
from .named_members import Members


def members_to_save(members: Members, frozen: Members) -> dict[str, Any]:
    """Return what a file stores of the fitted members.

    frozen : the models of the frozen members, which the file has as parameters
    """
    kept = [
        None if _shares_state(member, frozen.get(name)) else member
        for name, member in members.items()
    ]
    return {"names": list(members), "members": kept}


def members_from_file(
    kept: dict[str, Any], frozen: Members, vocabulary: CharVocabulary
) -> Members:
    """Return the members from the result of `members_to_save`, with those symbols."""
    names = kept["names"]
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"members have the names {names!r}.")
    members: dict[str, Any] = {
        name: copy.copy(frozen.get(name)) if member is None else member
        for name, member in zip(names, kept["members"], strict=True)
    }
    if not len(members) == len(names) > 0:
        raise ValueError(f"members have the names {names!r}.")
    for member in members.values():
        check_kept_member(member)
        if not _is_part(member.vocabulary_, vocabulary):
            raise ValueError("members have other characters.")
    return members


def _shares_state(member: BaseCharLM, model: BaseCharLM | None) -> bool:
    """Whether a member is a shallow copy of a model, and neither has changed since."""
    own, other = vars(member), vars(model) if model else {}
    return own.keys() == other.keys() and all(own[key] is other[key] for key in own)


def _is_part(own: CharVocabulary, mixed: CharVocabulary) -> bool:
    """Whether a mixture has all symbols of a member."""
    return (
        own.segmentation == mixed.segmentation
        and {*own.characters} <= {*mixed.characters}
        and own.unknown <= mixed.unknown
    )
