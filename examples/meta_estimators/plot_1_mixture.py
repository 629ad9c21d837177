"""
A mixture of counts and a network
=================================

Counts are exact for what they have seen; a network generalises to similar cases. They
make errors on different characters. The claim: a weighted mean of their probabilities
is better than either of them, although the network alone is worse than the counts. A
few held-out names are enough to find the weights.
"""

# %%
# Keep a tenth of the names for the test, with equal names on the same side.

from sklearn_makemore import MixtureCharLM, NGramCounter, WaveNetCharLM
from sklearn_makemore.datasets import load_names
from sklearn_makemore.model_selection import train_dev_test_split

train, dev, test = train_dev_test_split(load_names().data, random_state=0)
names = train + dev

# %%
# The mixture holds out a tenth of the names it is given, fits both members on the rest,
# and finds the weights that maximise the likelihood of the held-out names.

counts = NGramCounter()
network = WaveNetCharLM(n_hidden=100, max_epochs=1)
mixture = MixtureCharLM([("counts", counts), ("network", network)], random_state=0).fit(
    names
)
members = mixture.named_estimators_

print(f"weight of the network: {mixture.weights_[1]:.3f}")
print(f"NLL of the held-out names: {mixture.validation_nll_:.4f}")
for name, nll in zip(members, mixture.estimator_nlls_, strict=True):
    print(f"  {name} alone: {nll:.4f}")

# %%
# The test names were used for neither.

nll = {name: member.nll(test) for name, member in members.items()}
nll["mixture"] = mixture.nll(test)
for name, value in nll.items():
    print(f"{name:<8} test NLL {value:.4f}")

assert nll["mixture"] < min(nll["counts"], nll["network"])

# %%
# The likelihood has a single maximum, and expectation maximisation finds it. To check
# this, compute the NLL of the test names for all weights, from the members'
# log-probabilities of each character. The weight found on the held-out names is close
# to the best one.

import matplotlib.pyplot as plt
import numpy as np

of_characters = [
    np.concatenate(member.token_log_proba(test)) for member in mixture.estimators_
]
by_counts, by_network = np.exp(of_characters)
weights = np.linspace(0, 1, 101)
curve = np.array(
    [-np.log((1 - w) * by_counts + w * by_network).mean() for w in weights]
)
best = weights[curve.argmin()]
print(f"best weight for the test names: {best:.2f}")

# %%
# The mixture improves most where one member is badly wrong. The points are tenths of
# the characters, ordered by how much more likely the network finds them.

order = np.argsort(of_characters[1] - of_characters[0])
by_mixture = np.concatenate(mixture.token_log_proba(test))
log_probas = {
    "counts": of_characters[0],
    "network": of_characters[1],
    "mixture": by_mixture,
}
tenths = {
    name: [-part.mean() for part in np.array_split(log_proba[order], 10)]
    for name, log_proba in log_probas.items()
}

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
left.plot(weights, curve, label="test names")
left.axvline(mixture.weights_[1], color="0.5", linestyle="--", label="found by EM")
left.annotate("counts", (0, curve[0]), xytext=(8, 0), textcoords="offset points")
left.annotate(
    "network", (1, curve[-1]), xytext=(-8, 0), textcoords="offset points", ha="right"
)
left.set_xlabel("weight of the network")
left.set_ylabel("NLL (nats per character)")
left.set_title("All mixtures beat the worse member, most beat both")
left.legend(loc="upper center")

styles = {"counts": "o-", "network": "s-", "mixture": "k--"}
for name, values in tenths.items():
    right.plot(range(1, 11), values, styles[name], label=name)
right.set_xlabel("tenth of the characters, ordered by the network's advantage")
right.set_ylabel("NLL (nats per character)")
right.set_title("Largest gain where one member is badly wrong")
right.legend()
plt.show()

# %%
# A mixture is a model like any other. The guide page on mixtures has a larger one, the
# best model of this package.

print(mixture.sample(8, random_state=0))
