"""
Drawing words well
==================

Which words does a model find probable, what surprises it, and how much of what it draws
is new? The claim: the lower the temperature, the more probable and the less new the
words are. `unique` and `exclude` leave only new words, with the odds they have among
each other.
"""

# %%
# A model of names, each of them once.

from sklearn_makemore import NGramCounter
from sklearn_makemore.datasets import load_names

names = list(dict.fromkeys(load_names().data))
model = NGramCounter().fit(names)

# %%
# `most_likely` finds the most probable words of all, whatever their length, by search
# and not by chance. Log-probabilities are in nats, of the whole word.

words, log_proba = model.most_likely(5)
for word, value in zip(words, log_proba, strict=True):
    print(f"{word:<8} {value:.2f}")
print(model.most_likely(5, prefix="kat")[0])

# %%
# Four of them are names; 'oluwa' is not: many names begin so, and as many end so. A
# model of order 6 looks back five letters, and cannot tell the one from the other.
# Order 7 can.

begin = [name for name in names if name.startswith("oluwa")]
end = [name for name in names if name.endswith("oluwa")]
print(len(begin), begin[:3], len(end), end[:3])
longer = NGramCounter(order=7).fit(names)
print(longer.most_likely(5)[0])

# %%
# Even the most probable word comes only once in two thousand draws: a typical draw is
# not a probable word. A surprise is a negative log-probability
# in nats; `token_log_proba` has it character by character, and the picture by colour.
# The last cell of a word is its end.

import matplotlib.pyplot as plt

from sklearn_makemore.inspection import SurprisalDisplay

print(model.sample(4, random_state=0))
shown = ["oluwa", "katherine", "mikhail", "xavier", "ngozi", "xqzw"]
surprise = SurprisalDisplay.from_estimator(model, shown)
surprise.ax_.set_title("After the first letters most is expected")
plt.show()

# %%
# How much of it is new? `novelty_report` draws words and compares them with the
# training words: how many of them it has, how many are distinct, and whether they have
# the right lengths. A lower temperature draws what is more probable, which is more
# often a training word or one drawn before.

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
# The lengths tell most: words drawn hot run on.

from sklearn_makemore.inspection import NoveltyDisplay

figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), sharex=True, layout="constrained")
for ax, (temperature, report) in zip(axes, reports.items(), strict=True):
    NoveltyDisplay.from_report(report, ax=ax)
    ax.set_title(f"Temperature {temperature}")
plt.show()

# %%
# Where only new words are useful, ask `sample` for them. `unique` and `exclude` act as
# if one word after the other were drawn and rejected, so that the new words keep the
# odds they have among each other.

new = model.sample(2000, unique=True, exclude=names, random_state=0)
print(new[2:7])
assert len(set(new)) == 2000 and not set(new).intersection(names)

# %%
# If there are not enough, it says so, and returns what it found.

import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    few = model.sample(40, max_length=1, unique=True, exclude=names, random_state=0)
print(str(caught[0].message).split(":")[0])
