"""
Names made to a pattern
=======================

A brand name that ends in "x", a code of three syllables: `sample` takes a regular
expression that the words must match. The claim: with `matching` alone every word
matches, but many only because nothing else was left to them; with ``exact=True`` they
are what drawing names and throwing away the others would leave, in a fraction of the
draws.
"""

# %%
# Three syllables of a consonant and a vowel. No word is in the list, and none comes
# twice:

from sklearn_makemore import NGramCounter
from sklearn_makemore.datasets import load_names

names = load_names().data
model = NGramCounter(order=6).fit(names)
syllables = "([^aeiou][aeiou]){3}"
print(model.sample(8, matching=syllables, unique=True, exclude=names, random_state=0))

# %%
# All other options go with it. The prefix is a part of the word, and so of the match.

print(model.sample(5, matching="[^y]*[aeiou]n", prefix="sh", random_state=0))

# %%
# A pattern that no word can match is an error at once.

try:
    model.sample(matching="[A-Z][a-z]+")
except ValueError as error:
    print(error)

# %%
# How are words found that end in "x"? `matching` removes, before each draw, the
# characters with which no match can go on. Here these are few: in the middle of a word
# everything may follow, since an "x" can come yet. What it removes is the end of a word
# that has none, so that a name which would have ended goes on instead, up to
# `max_length`, where the "x" is all that is left.

options = {"matching": "[a-z]+x", "max_length": 10, "random_state": 0}
masked = model.sample(3000, **options)
print(masked[:8])

# %%
# With ``exact=True`` a character is also weighed by the chance that the word will match
# after it. A counter computes that chance for all its states, from the end of a word
# backward.

exact = model.sample(3000, exact=True, **options)
print(exact[:8])

# %%
# The same by hand: draw names, and keep those that match. That is one in two hundred.

import re

drawn = model.sample(200_000, random_state=1)
by_hand = [word for word in drawn if re.fullmatch("[a-z]+x", word) and len(word) <= 10]
print(f"{len(by_hand)} of {len(drawn)} names match: {by_hand[:8]}")

# %%
# Lengths and likelihoods tell the masked words apart; the exact ones are as those that
# were kept by hand.

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
left.set_title("Masked words run on to the limit")
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
right.set_title("and the model finds them unlikely")
plt.show()

# %%
# The other models draw and reject for ``exact=True``, and give a word up as soon as it
# cannot match any more. That takes as many draws as it takes by hand, and has a bound.
# Where matches are common, or where a pattern leaves a word no way to run on, as the
# three syllables above, masked words are good enough.
