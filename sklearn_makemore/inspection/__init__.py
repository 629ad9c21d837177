"""Plots of models, as in the makemore lectures.

Displays follow scikit-learn: ``from_estimator`` takes data from a fitted model and
draws them, the display stores them, and ``plot`` draws them again. Matplotlib is
imported when something is drawn, torch when a network is read.
"""

from typing import TYPE_CHECKING

from .._generation.novelty import NoveltyReport
from ._bigram import BigramDisplay
from ._embedding import EmbeddingDisplay
from ._losses import LossCurveDisplay, LRRangeDisplay
from ._novelty import NoveltyDisplay
from ._recorded import ActivationDisplay, GradientDisplay, UpdateRatioDisplay
from ._surprisal import SurprisalDisplay

if TYPE_CHECKING:
    from ._recorder import TrainingRecorder

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


def __getattr__(name):
    if name != "TrainingRecorder":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # It needs torch, which takes seconds to import.
    from ._recorder import TrainingRecorder

    return TrainingRecorder


def __dir__():
    return list(__all__)
