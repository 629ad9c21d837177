"""The weight decay of networks, which is larger on short lists."""

from .._words.prefixes import distinct_words
from .._words.training_set import TrainingSet

WEIGHT_DECAY_OF_ONE = 2_000
"""Weight decay times the number of predictions. A prior of the weights has this form:
it is constant, and the loss is a mean over the predictions."""

MIN_WEIGHT_DECAY = 0.1
"""Weight decay on long lists: from 20,000 predictions on."""

MIN_WEIGHT_DECAY_OF_MUON = 0.25
"""The same for Muon, from 8,000 predictions on."""

MAX_WEIGHT_DECAY = 3.0
"""Weight decay on very short lists."""

MAX_DECAY_WITH_BATCH_NORM = 1.5
"""The same with batch normalization. Its running statistics lag behind weights that
shrink faster."""

MAX_SHRINKAGE = 0.05
"""Share of the weights that one step may remove on short lists. AdamW removes the
product of learning rate and weight decay, and diverges from 2 on."""


def weight_decay_of(data: TrainingSet, least: float, most: float) -> float:
    """Return the weight decay for some training words, from `least` to `most`.

    Repeats and weights do not count: they say nothing new about the language.
    """
    distinct, _ = distinct_words(data.encoded)
    decay = min(WEIGHT_DECAY_OF_ONE / int(distinct.lengths.sum()), most)
    return max(decay, least)


def resolved_weight_decay(
    model, data: TrainingSet, is_warm_start: bool, is_partial: bool
) -> float:
    """Return `weight_decay_` of a network for some training words.

    is_partial : whether they are a chunk of what the network learns from
    """
    if model.weight_decay is not None:
        return float(model.weight_decay)
    if model.optimizer == "sgd":
        return MIN_WEIGHT_DECAY
    is_muon = model.optimizer == "muon"
    least = MIN_WEIGHT_DECAY_OF_MUON if is_muon else MIN_WEIGHT_DECAY
    has_batch_norm = getattr(model, "batch_norm", False)
    most = MAX_DECAY_WITH_BATCH_NORM if has_batch_norm else MAX_WEIGHT_DECAY
    most = min(most, MAX_SHRINKAGE / model.lr)
    if is_warm_start:
        # A short list after a long one does not undo what the network has learned.
        most = least if is_partial else min(most, model.weight_decay_)
        least = min(least, most)
    return weight_decay_of(data, least, most)
