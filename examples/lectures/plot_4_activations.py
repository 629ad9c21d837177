"""
Activations, gradients and updates
==================================

A deep network learns if its signals neither fade nor hit a wall on their way through
the layers, forward and back. Lecture 3 of makemore looks at both in pictures. The
claim: hidden weights five times too small let the gradient fade by a factor of more
than a hundred in four layers and cost a quarter of a nat, weights five times too large
saturate more than half of a layer, and with batch normalisation signals are as they
should be from either.
"""

# %%
# Networks here come with good initial weights. To see bad ones, a callback of skorch
# multiplies them before the first step. A `TrainingRecorder` among the callbacks writes
# down what goes through the network; without one, nothing of the kind is computed.

from skorch.callbacks import Callback

from sklearn_makemore import MLPCharLM
from sklearn_makemore.inspection import TrainingRecorder


class ScaledWeights(Callback):
    """Multiply the initial weights of some layers."""

    def __init__(self, layers, factor):
        self.layers = layers
        self.factor = factor

    def on_train_begin(self, net, **kwargs):
        for name, weight in net.module_.named_parameters():
            if name.startswith(self.layers) and name.endswith("linear.weight"):
                weight.data.mul_(self.factor)
            elif name == f"{self.layers}.weight":
                weight.data.mul_(self.factor)


def network(layers="hidden", factor=1.0, **params):
    """Return a deep network, to be trained as in the lectures."""
    return MLPCharLM(
        n_embd=10,
        n_hidden=100,
        n_layers=4,
        optimizer="sgd",
        lr=0.1,
        lr_schedule="step",
        batch_size=64,
        weight_decay=0.0,
        max_epochs=1,
        callbacks=[ScaledWeights(layers, factor), TrainingRecorder(every=20)],
        random_state=0,
        **params,
    )


# %%
# The first loss should be about the logarithm of the number of symbols: all are equally
# likely to a network that knows nothing. A last layer with large weights is sure of
# itself and wrong, and spends its first steps on unlearning that.

import math

from sklearn.model_selection import train_test_split

from sklearn_makemore.datasets import load_names

names = list(dict.fromkeys(load_names().data))
train, validation = train_test_split(
    names, train_size=6000, test_size=4000, random_state=0
)
confident = network("head", 100.0).fit(train)
shipped = network().fit(train)

uniform = math.log(len(shipped.symbols_))
first_loss = {
    name: TrainingRecorder.from_estimator(model).records_[0]["loss"]
    for name, model in {"as shipped": shipped, "head x 100": confident}.items()
}
print(f"log {len(shipped.symbols_)} = {uniform:.2f}")
print("first loss:", {name: round(loss, 2) for name, loss in first_loss.items()})

assert abs(first_loss["as shipped"] - uniform) < 0.2
assert first_loss["head x 100"] > uniform + 2

# %%
# Now the hidden layers. The columns are networks, the rows what the lecture looks at:
# the outputs of each layer and their gradients at the first step, and the size of the
# updates beside the weights over all steps.

import matplotlib.pyplot as plt

from sklearn_makemore.inspection import (
    ActivationDisplay,
    GradientDisplay,
    UpdateRatioDisplay,
)

models = {
    "as shipped": shipped,
    "weights x 5": network(factor=5.0).fit(train),
    "weights / 5": network(factor=0.2).fit(train),
    "weights / 5, batch norm": network(factor=0.2, batch_norm=True).fit(train),
}
figure, axes = plt.subplots(3, len(models), figsize=(17, 11), layout="constrained")
for column, (name, model) in zip(axes.T, models.items(), strict=True):
    ActivationDisplay.from_estimator(model, step="first", log_scale=True, ax=column[0])
    GradientDisplay.from_estimator(model, step="first", log_scale=True, ax=column[1])
    UpdateRatioDisplay.from_estimator(model, ax=column[2])
    column[0].set_title(f"{name}: outputs")
    column[1].set_title(f"{name}: gradients")
    column[2].set_title(f"{name}: updates")
plt.show()

# %%
# As shipped, all layers look alike. With large weights two thirds of the outputs are at
# a bound of the tanh, which lets little of a gradient through; where it does come
# through, the large weights make it grow on its way back. In four layers that does no
# harm yet. With small weights each layer is fainter than the one before, and so is the
# gradient on its way back. Batch normalisation makes the outputs of each layer as wide
# as they should be, whatever the weights are. The fall of all updates at step 500 is
# the schedule's: a tenth of the learning rate in the last quarter. In numbers:

models["weights x 5, batch norm"] = network(factor=5.0, batch_norm=True).fit(train)
saturated, fading, nll = {}, {}, {}
for name, model in models.items():
    record = TrainingRecorder.from_estimator(model).records_[0]
    saturated[name] = max(row["saturated"] for row in record["outputs"].values())
    spreads = [row["std"] for row in record["gradients"].values()]
    fading[name] = spreads[-1] / spreads[0]
    nll[name] = model.nll(validation)
    print(
        f"{name:<24} saturated: {saturated[name]:5.1%}  "
        f"gradient, last / first layer: {fading[name]:6.2f}  NLL: {nll[name]:.3f}"
    )

assert saturated["weights x 5"] > 0.5
assert fading["weights / 5"] > 100
assert nll["weights / 5"] > nll["as shipped"] + 0.25
for name in ("weights / 5, batch norm", "weights x 5, batch norm"):
    assert saturated[name] < 0.1
    assert 0.5 < fading[name] < 2
    assert nll[name] < nll["weights / 5"] - 0.25
