"""
Activations, gradients and updates
==================================

A deep network learns if its signals neither fade nor saturate on their way through the
layers, forward and backward. Lecture 3 of makemore plots both. The claim: with hidden
weights five times too small, the gradient fades by a factor of more than a hundred in
four layers, which costs a quarter of a nat. With weights five times too large, more
than half of a layer saturates. With batch normalisation, the signals are right in both
cases.
"""

# %%
# The networks of this package have good initial weights. To show bad ones, a skorch
# callback multiplies them before the first step. A `TrainingRecorder` among the
# callbacks records the activations and gradients; without it, nothing is recorded.

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
    """Return a deep network with the training parameters of the lectures."""
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
        callbacks=[ScaledWeights(layers, factor), TrainingRecorder(every=12)],
        random_state=0,
        **params,
    )


# %%
# The first loss should be about the logarithm of the number of symbols, because to an
# untrained network all symbols should be equally likely. A last layer with large
# weights is confident and wrong, and the first steps only correct that.

import math

from sklearn.model_selection import train_test_split

from sklearn_makemore.datasets import load_names

names = list(dict.fromkeys(load_names().data))
train, validation = train_test_split(
    names, train_size=1200, test_size=1000, random_state=0
)
confident = network("head", 100.0).fit(train)
default = network().fit(train)

uniform = math.log(len(default.symbols_))
first_loss = {
    name: TrainingRecorder.from_estimator(model).records_[0]["loss"]
    for name, model in {"default": default, "head x 100": confident}.items()
}
print(f"log {len(default.symbols_)} = {uniform:.2f}")
print("first loss:", {name: round(loss, 2) for name, loss in first_loss.items()})

assert abs(first_loss["default"] - uniform) < 0.2
assert first_loss["head x 100"] > uniform + 2

# %%
# Now the hidden layers. Each column is a network. The rows show what the lecture plots:
# the outputs of each layer and their gradients at the first step, and the size of the
# updates relative to the weights over all steps.

import matplotlib.pyplot as plt

from sklearn_makemore.inspection import (
    ActivationDisplay,
    GradientDisplay,
    UpdateRatioDisplay,
)

models = {
    "default": default,
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
# With the default weights, all layers look alike. With large weights, two thirds of the
# outputs are near the limits of the tanh, where hardly any gradient passes; the large
# weights amplify the gradient that does pass, which does no harm yet in four layers.
# With small weights, the outputs shrink from layer to layer, and so does the gradient
# on its way back. Batch normalisation gives the outputs of each layer the right scale,
# whatever the weights are. All updates drop at step 100 because of the schedule, which
# uses a tenth of the learning rate in the last quarter. The same in numbers:

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
assert nll["weights / 5"] > nll["default"] + 0.25
for name in ("weights / 5, batch norm", "weights x 5, batch norm"):
    assert saturated[name] < 0.1
    assert 0.5 < fading[name] < 2
    assert nll[name] < nll["weights / 5"] - 0.25
