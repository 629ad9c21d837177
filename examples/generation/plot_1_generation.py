"""
Probable, typical and new words
===============================

Which words does a model find probable, what surprises it, and how many of its samples
are new? The claim: at a lower temperature, the sampled words are more probable and
fewer of them are new. `unique` and `exclude` return only new words, and keep the ratios
of their probabilities.
"""

# %%
# A model of names, without duplicates.

from sklearn_makemore import NGramCounter
from sklearn_makemore.datasets import load_names

names = list(dict.fromkeys(load_names().data))
model = NGramCounter().fit(names)

# %%
# `most_likely` searches for the most probable words of all lengths; it does not sample.
# Log-probabilities are in nats per word.

words, log_proba = model.most_likely(5)
for word, value in zip(words, log_proba, strict=True):
    print(f"{word:<8} {value:.2f}")
for completions, _ in model.most_likely(5, prefix=["kat", "ell"]):
    print(completions)

# %%
# Four of them are names. 'oluwa' is not, but many names start with it and many end with
# it. A model of order 6 looks back five letters, so it cannot distinguish the two
# cases. A model of order 7 can.

begin = [name for name in names if name.startswith("oluwa")]
end = [name for name in names if name.endswith("oluwa")]
print(len(begin), begin[:3], len(end), end[:3])
longer = NGramCounter(order=7).fit(names)
print(longer.most_likely(5)[0])

# %%
# Even the most probable word occurs only once in two thousand samples: a typical sample
# is not the most probable word. The surprisal of a character is its negative
# log-probability in nats. `token_log_proba` returns the log-probabilities, and the plot
# shows the surprisals as colours. The last cell of a word is its end.

import matplotlib.pyplot as plt

from sklearn_makemore.inspection import SurprisalDisplay

print(model.sample(4, random_state=0))
shown = ["oluwa", "katherine", "mikhail", "xavier", "ngozi", "xqzw"]
surprisal = SurprisalDisplay.from_estimator(model, shown)
surprisal.ax_.set_title("Most letters after the first few are expected")
plt.show()

# %%
# How many samples are new? `novelty_report` samples words and compares them with the
# training words: how many are training words, how many are distinct, and whether their
# lengths fit. At a lower temperature, samples are more probable, and more of them are
# training words or repeats.

reports = {
    temperature: model.novelty_report(
        names, 2000, temperature=temperature, random_state=0
    )
    for temperature in (0.5, 1.0, 1.5)
}
for temperature, report in reports.items():
    print(
        f"temperature {temperature}: {report.known_share:.0%} training words, "
        f"{report.distinct_share:.0%} distinct, {report.novel_share:.0%} new, "
        f"lengths differ by {report.length_distance:.0%}"
    )

# %%
# The lengths differ most: at a high temperature words become too long, at a low one too
# similar. At temperature 1 they are those of the training words.

from sklearn_makemore.inspection import NoveltyDisplay

figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), sharex=True, layout="constrained")
for ax, (temperature, report) in zip(axes, reports.items(), strict=True):
    NoveltyDisplay.from_report(report, ax=ax)
    ax.set_title(f"Temperature {temperature}")
plt.show()

# %%
# If you need only new words, use `unique` and `exclude`. They act as if words were
# sampled one after another and rejected if unwanted, so the new words keep the ratios
# of their probabilities.

new = model.sample(2000, unique=True, exclude=names, random_state=0)
print(new[2:7])
assert len(set(new)) == 2000 and not set(new).intersection(names)

# %%
# If there are too few, a warning reports it, and `sample` returns the words it found.

import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    few = model.sample(40, max_length=1, unique=True, exclude=names, random_state=0)
print(str(caught[0].message).split(":")[0])
