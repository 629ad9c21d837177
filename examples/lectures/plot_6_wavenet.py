"""
WaveNet: a tree, and a convolution
==================================

Lecture 5 of makemore merges the characters of a window pair by pair: two characters
form a pair, two pairs form a group of four, two fours form eight. WaveNet expresses the
same with dilated causal convolutions. The claim: with the same weights, both are the
same function. A network of three levels sees exactly eight characters. In one pass over
a word, the convolutions give the logits of the tree at every position.
"""

# %%
# Three networks with different windows: two levels of pairs see four characters, three
# levels of pairs see eight, and two levels of triples see nine. They train for one
# epoch on 10,000 names here, because the window does not depend on training.

from sklearn.model_selection import train_test_split

from sklearn_makemore import WaveNetCharLM
from sklearn_makemore.datasets import load_names

names = list(dict.fromkeys(load_names().data))
train, validation = train_test_split(
    names, train_size=10_000, test_size=1000, random_state=0
)

models = [
    WaveNetCharLM(n_layers=n_layers, fan_in=fan_in, max_epochs=1, random_state=0)
    for n_layers, fan_in in [(2, 2), (3, 2), (2, 3)]
]
for model in models:
    model.fit(train)
    print(
        f"{model.n_layers} levels of {model.fan_in}: {model.block_size_} characters, "
        f"nll={model.nll(validation):.3f}"
    )

# %%
# Measure what a network sees: change the character at a given distance before the
# predicted one, and compute how much the distribution changes. The measure is the total
# variation, half the sum of the absolute differences, which is the share of probability
# that moves. Use names of at least twelve characters.

import numpy as np

distances = np.arange(1, 13)
prefixes = [name[:12] for name in names if len(name) >= 12]


def moved_probability(model, distance):
    """Return the mean total variation when the character at `distance` changes."""
    place = 12 - distance
    changed = [
        prefix[:place] + ("o" if prefix[place] != "o" else "a") + prefix[place + 1 :]
        for prefix in prefixes
    ]
    difference = model.predict_proba(prefixes) - model.predict_proba(changed)
    return np.abs(difference).sum(axis=1).mean() / 2


moved = {
    model.block_size_: np.array([moved_probability(model, d) for d in distances])
    for model in models
}
for block_size, shares in moved.items():
    print(
        f"block size {block_size}: reacts up to distance {distances[shares > 0].max()}"
    )

# %%
# The left plot shows the tree for one prediction. Each level merges neighbours, so all
# eight characters reach the top in three steps. The right plot shows the measurement:
# nearby characters matter most, and beyond the window the change is exactly zero.

import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")

ax = axes[0]
text = "isabella"
for level in range(4):
    width = 2**level
    for start in range(0, 8, width):
        center = start + (width - 1) / 2
        if level:
            for child in (center - width / 4, center + width / 4):
                ax.plot([child, center], [level - 1, level], color="0.6", zorder=1)
        ax.text(
            center,
            level,
            text[start : start + width],
            ha="center",
            va="center",
            family="monospace",
            fontsize=12,
            bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": "C0"},
        )
ax.set_xlim(-0.7, 7.7)
ax.set_ylim(-0.4, 3.4)
ax.set_xticks(range(8), range(8, 0, -1))
ax.set_yticks(range(4), ["characters", "pairs", "fours", "eight"])
ax.set_xlabel("distance from the character to predict")
ax.set_ylabel("level")
ax.set_title("A window of 8, merged by pairs")

ax = axes[1]
for (block_size, shares), marker in zip(moved.items(), "os^", strict=True):
    ax.plot(distances, shares, marker=marker, label=f"window of {block_size}")
ax.set_xticks(distances)
ax.invert_xaxis()
ax.set_xlabel("distance of the changed character")
ax.set_ylabel("share of probability that moves (total variation)")
ax.set_title("What each network sees")
ax.legend()
plt.show()

for block_size, shares in moved.items():
    assert (shares[:block_size] > 0).all() and (shares[block_size:] == 0).all()

# %%
# Now the convolutions. A level of the tree is a linear layer on `fan_in` concatenated
# neighbours. A convolution has the same weights as a kernel of `fan_in` taps. At level
# k the neighbours are ``fan_in ** k`` positions apart, which is the dilation. After
# training, batch normalisation acts on each position separately, as tanh does, and
# stays unchanged.
#
# The padding consists of symbols, not of zeros. As in the windows, there are
# `block_size` boundaries before a word, and the boundary has an embedding of its own.

import copy

import torch
from torch import nn


class DilatedWaveNet(nn.Module):
    """The tree as dilated causal convolutions with its weights, in evaluation mode."""

    def __init__(self, tree):
        super().__init__()
        tree = copy.deepcopy(tree).eval()
        self.embedding, self.head = tree.embedding, tree.head
        self.convolutions = nn.ModuleList(
            as_convolution(level.linear, tree.fan_in, dilation=tree.fan_in**k)
            for k, level in enumerate(tree.levels)
        )
        self.norms = nn.ModuleList(level.norm for level in tree.levels)

    def forward(self, ids):
        """Map padded words of shape (B, T) to logits (B, T - block_size + 1, V)."""
        x = self.embedding(ids).transpose(1, 2)  # (B, C, T)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = torch.tanh(norm(convolution(x)))  # shorter by (fan_in - 1) * dilation
        return self.head(x.transpose(1, 2))


def as_convolution(linear, fan_in, dilation):
    """Return the convolution with the weights of a linear layer."""
    n_out, n_channels = linear.out_features, linear.in_features // fan_in
    convolution = nn.Conv1d(
        n_channels, n_out, fan_in, dilation=dilation, bias=False, dtype=torch.float64
    )
    weight = linear.weight.detach()  # (n_out, fan_in * n_channels)
    kernel = weight.view(n_out, fan_in, n_channels).transpose(1, 2)
    convolution.weight = nn.Parameter(kernel.contiguous())
    return convolution


# %%
# Compare both on all validation names, in double precision: the tree on every window,
# the convolutions on whole words. The padding to the right of shorter words does not
# affect the positions before it, because the convolutions only look to the left.

model = models[1]
block_size = model.block_size_
tree = copy.deepcopy(model.net_.module_).cpu().double().eval()
dilated = DilatedWaveNet(tree)

longest = max(map(len, validation))
padded = torch.zeros(len(validation), block_size + longest + 1, dtype=torch.long)
for row, name in enumerate(validation):
    ids = [model.symbols_.index(character) for character in name]
    padded[row, block_size : block_size + len(name)] = torch.tensor(ids)
lengths = torch.tensor([len(name) for name in validation])
is_inside = torch.arange(longest + 1) <= lengths[:, None]  # with the end mark

with torch.inference_mode():
    in_one_pass = dilated(padded[:, :-1])[is_inside]  # (n_predictions, V)
    windows = padded[:, :-1].unfold(1, block_size, 1)[is_inside]
    one_by_one = tree(windows)  # (n_predictions, V)
difference = (in_one_pass - one_by_one).abs().max().item()
next_ids = padded[:, block_size:][is_inside]
nll = nn.functional.cross_entropy(in_one_pass, next_ids).item()
print(f"{len(windows)} positions, logits up to {one_by_one.abs().max():.1f} in size")
print(f"largest difference of a logit {difference:.1e}")
print(f"nll of the convolutions {nll:.6f}, of the model {model.nll(validation):.6f}")

assert difference < 1e-12

# %%
# The convolutions save the work that windows share. The tree computes the pairs of
# every window again, half as many as the window has positions. The convolutions compute
# each pair once, so each prediction adds one position per level. The work of the tree
# therefore grows with the window, and that of the convolutions with the number of
# levels. The convolutions save much in a long text, but little in short words, where
# most of their work is the padding.

from itertools import pairwise


def multiplications(n_layers, n_predictions):
    """Count the multiplications of one prediction, by tree and by convolutions."""
    widths = [model.n_embd] + [model.n_hidden] * n_layers
    weights = [2 * n_in * n_out for n_in, n_out in pairwise(widths)]
    window, groups = 2**n_layers, [2 ** (level + 1) for level in range(n_layers)]
    in_tree, in_text = 0, 0
    for size, group in zip(weights, groups, strict=True):
        in_tree += size * window // group
        in_text += size * (n_predictions + window - group)
    head = model.n_hidden * len(model.symbols_)
    return in_tree + head, in_text / n_predictions + head


depths = np.arange(1, 7)
in_words = np.array([multiplications(n_layers, 7) for n_layers in depths])
in_text = np.array([multiplications(n_layers, 10_000) for n_layers in depths])
for what, work in {"names of six letters": in_words, "a long text": in_text}.items():
    saved = work[:, 0] / work[:, 1]
    print(
        f"{what}: {saved[2]:.2f} times less work for 8 symbols, {saved[5]:.1f} for 64"
    )

# %%
# The left plot shows the convolutions over the whole word, and in it the tree of the
# last prediction. The right plot shows the arithmetic per prediction. `WaveNetCharLM`
# uses windows, because training batches are windows from the whole list. It computes
# equal pairs and groups of four of a batch once, which saves more on short words than
# convolutions do.

figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")

ax = axes[0]
text = "." * block_size + "isabella"
last = len(text) - 1
in_tree = {last}
for level in range(model.n_layers, 0, -1):
    step = 2 ** (level - 1)
    for place in range(2**level - 1, len(text)):
        for child in (place - step, place):
            ax.plot(
                [child, place],
                [level - 1, level],
                color="C0" if place in in_tree else "0.85",
                linewidth=2 if place in in_tree else 1,
                zorder=2 if place in in_tree else 1,
            )
    in_tree |= {place - step for place in in_tree}
    ax.scatter(
        range(2**level - 1, len(text)),
        [level] * (len(text) - 2**level + 1),
        color="0.6",
        s=15,
        zorder=3,
    )
ax.set_xticks(range(len(text)), text, family="monospace")
ax.set_yticks(range(4), ["symbols", "dilation 1", "dilation 2", "dilation 4"])
ax.set_xlabel("symbol (. is the boundary)")
ax.set_ylabel("level")
ax.set_title("Dilated causal convolutions with the tree of one output")

ax = axes[1]
ax.plot(2**depths, in_text[:, 0], "o-", label="tree, each window")
ax.plot(2**depths, in_words[:, 1], "s-", label="convolutions, names of 6 letters")
ax.plot(2**depths, in_text[:, 1], "^-", label="convolutions, long text")
ax.set_xscale("log", base=2)
ax.set_yscale("log")
ax.set_xticks(2**depths, 2**depths)
ax.set_xlabel("symbols in the window")
ax.set_ylabel("multiplications per prediction")
ax.set_title("What the convolutions save")
ax.legend()
plt.show()
