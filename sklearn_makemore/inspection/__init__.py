"""Pictures of the models, as the makemore lectures draw them.

Displays in scikit-learn's form: the data are kept, ``from_estimator`` takes them from
a fitted model and draws them, ``plot`` draws them again. Matplotlib is imported when
something is drawn, torch where a network is looked at.
"""

from importlib import import_module

from .._generation.novelty import NoveltyReport
from ._activation import ActivationDisplay
from ._bigram import BigramDisplay
from ._embedding import EmbeddingDisplay
from ._gradient import GradientDisplay
from ._loss_curve import LossCurveDisplay
from ._lr_range import LRRangeDisplay
from ._novelty import NoveltyDisplay
from ._surprisal import SurprisalDisplay
from ._update_ratio import UpdateRatioDisplay

__all__ = [
    "ActivationDisplay",
    "BigramDisplay",
    "EmbeddingDisplay",
    "GradientDisplay",
    "LRRangeDisplay",
    "LossCurveDisplay",
    "NoveltyDisplay",
    "NoveltyReport",
    "SurprisalDisplay",
    "TrainingRecorder",
    "UpdateRatioDisplay",
]

# Torch takes seconds to import; the displays do without it.
_IMPORTED_LATE = {"TrainingRecorder": "._recorder"}


def __getattr__(name):
    if name not in _IMPORTED_LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(_IMPORTED_LATE[name], __name__), name)
    return globals()[name]


def __dir__():
    return list(__all__)
