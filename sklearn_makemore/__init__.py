"""Character-level language models as scikit-learn estimators.

Counters: NGramCounter, BigramCounter. Networks: BigramCharLM, BoWCharLM, MLPCharLM,
WaveNetCharLM, RNNCharLM, GRUCharLM, LSTMCharLM, TransformerCharLM. Meta-estimators:
MixtureCharLM, ConditionalCharLM, CharLMClassifier, CharLMFeatures,
CharLMOutlierDetector. Files: save, load. The architecture page of the documentation
describes the sub-packages.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ._models import ESTIMATORS

if TYPE_CHECKING:  # editors and type checkers do not run `__getattr__`
    from . import datasets as datasets
    from . import distributed as distributed
    from . import inspection as inspection
    from . import model_selection as model_selection
    from . import modules as modules
    from ._counters.bigram import BigramCounter as BigramCounter
    from ._counters.ngram import NGramCounter as NGramCounter
    from ._meta.classifier import CharLMClassifier as CharLMClassifier
    from ._meta.conditional import ConditionalCharLM as ConditionalCharLM
    from ._meta.features import CharLMFeatures as CharLMFeatures
    from ._meta.mixture import MixtureCharLM as MixtureCharLM
    from ._meta.outlier import CharLMOutlierDetector as CharLMOutlierDetector
    from ._networks.bigram import BigramCharLM as BigramCharLM
    from ._networks.bow import BoWCharLM as BoWCharLM
    from ._networks.mlp import MLPCharLM as MLPCharLM
    from ._networks.recurrent import GRUCharLM as GRUCharLM
    from ._networks.recurrent import LSTMCharLM as LSTMCharLM
    from ._networks.recurrent import RNNCharLM as RNNCharLM
    from ._networks.transformer import TransformerCharLM as TransformerCharLM
    from ._networks.wavenet import WaveNetCharLM as WaveNetCharLM
    from ._safe_file import ModelFileError as ModelFileError
    from .persistence import load as load
    from .persistence import save as save

__version__ = "0.2.0.dev0"

# Names are imported on first use. Torch takes seconds to import, and the counters do
# not need it. The command line can handle Ctrl-C from the start.
_MODULE_OF_NAME = {
    **ESTIMATORS,
    "ModelFileError": "_safe_file",
    "load": "persistence",
    "save": "persistence",
}
_SUBMODULES = {"datasets", "distributed", "inspection", "model_selection", "modules"}

__all__ = sorted({*_MODULE_OF_NAME, *_SUBMODULES})  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name):
    if name in _SUBMODULES:
        return import_module(f".{name}", __name__)
    if name not in _MODULE_OF_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f".{_MODULE_OF_NAME[name]}", __name__)
    globals()[name] = getattr(module, name)
    return globals()[name]


def __dir__():
    return [*__all__, "__version__"]
