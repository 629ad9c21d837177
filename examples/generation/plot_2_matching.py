"""
Names that match a pattern
==========================

A brand name that ends in "x", or a code of three syllables: `sample` takes a regular
expression that the words must match. The claim: with `matching` alone every word
matches, but many words match only because the mask left no other character. With
``exact=True``, the words have the distribution of plain samples from which the others
were discarded, and need a fraction of the samples.
"""

# %%
# New, distinct words of three syllables, each a consonant and a vowel:

from sklearn_makemore import NGramCounter
from sklearn_makemore.datasets import load_names

names = load_names().data
model = NGramCounter(order=6).fit(names)
syllables = "([^aeiou][aeiou]){3}"
print(model.sample(8, matching=syllables, unique=True, exclude=names, random_state=0))

# %%
# All other options can be combined with it. The prefix is part of the word, so the
# pattern must match it too.

print(model.sample(5, matching="[^y]*[aeiou]n", prefix="sh", random_state=0))

# %%
# A pattern that no word can match raises an error at once.

try:
    model.sample(matching="[A-Z][a-z]+")
except ValueError as error:
    print(error)

# %%
# How does `sample` find words that end in "x"? Before each character, `matching`
# removes the characters after which no match is possible. In the middle of a word it
# removes few, because an "x" can still follow. It mostly removes the end of a word that
# does not end in "x". Such a word continues instead, up to `max_length`, where "x" is
# the only character left.

options = {"matching": "[a-z]+x", "max_length": 10, "random_state": 0}
masked = model.sample(3000, **options)
print(masked[:8])

# %%
# With ``exact=True``, a character is also weighted by the probability that the word
# matches after it. An n-gram model computes this probability for all its states,
# backward from the end of a word.

exact = model.sample(3000, exact=True, **options)
print(exact[:8])

# %%
# The same by hand: sample names, and keep those that match. That is one in two hundred.

import re

plain = model.sample(200_000, random_state=1)
by_hand = [word for word in plain if re.fullmatch("[a-z]+x", word) and len(word) <= 10]
print(f"{len(by_hand)} of {len(plain)} names match: {by_hand[:8]}")

# %%
# Their lengths and likelihoods distinguish the masked words. The exact words have the
# same distribution as those kept by hand.

import matplotlib.pyplot as plt
import numpy as np

kinds = {"by hand": by_hand, "exact=True": exact, "masked": masked}
colors = {"by hand": "0.7", "exact=True": "C0", "masked": "C1"}
lengths = {kind: np.array([len(word) for word in kinds[kind]]) for kind in kinds}
nll = {  # of each word: nats per character, the end mark included
    kind: -model.score_samples(kinds[kind]) / (lengths[kind] + 1) for kind in kinds
}

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for place, kind in enumerate(kinds):
    share = np.bincount(lengths[kind], minlength=11) / len(lengths[kind])
    left.bar(
        np.arange(11) + 0.28 * (place - 1), share, 0.28, color=colors[kind], label=kind
    )
left.set_xlim(1.4, 10.6)
left.set_xlabel("length (characters)")
left.set_ylabel("share of the words")
left.set_title("Masked words reach the maximum length")
left.legend()
grid = np.linspace(0.5, 5, 46)
for kind in kinds:
    filled = kind == "by hand"
    right.hist(
        np.clip(nll[kind], grid[0], grid[-1]),
        grid,
        density=True,
        color=colors[kind],
        histtype="stepfilled" if filled else "step",
        linewidth=0 if filled else 2,
    )
right.set_xlabel("NLL of the word (nats per character)")
right.set_ylabel("density")
right.set_title("The model finds masked words unlikely")
plt.show()

# %%
# With ``exact=True``, words are rejected as soon as they can no longer match. If
# matches are rare, counters then compute the distribution. The other models continue to
# reject, and need as many samples as the selection by hand, up to a limit.
# Masked words are good enough if matches are common, or if the pattern limits the
# length, as the three syllables do above.
