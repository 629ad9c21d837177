"""
Words that are not names
========================

The models learn any list of short strings. Four short lists are made here: fantasy
names, domains, product codes and surnames. Each has its own model, and the models are
then compared on words of all lists.
"""

from string import ascii_letters, digits

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_makemore import NGramCounter

fantasy = """
aelith aerindel belthil caladwen dorthion elarion elendir faelwen galathir halbrand
ilmarin isilwen kaelthor lorindel maedhril melian narwen nimloth orodreth rilmandir
saelwen silmarien taurion thalion thranil uldorin varyamo vanimel yavannir zirael
""".split()
surnames = """
novak svoboda novotny dvorak cerny prochazka kucera vesely horak nemec marek pokorny
hajek jelinek ruzicka benes fiala sedlacek dolezal zeman kolar krejci navratil cermak
vanek urban blazek kriz kratochvil bartos
""".split()
first = "best blue city daily easy green home live my news open red shop".split()
second = "bank book cars food games hotel list mail market music planet".split()
domains = [f"{a}{b}.com" for a in first for b in second]
codes = [
    f"{'AB' if i % 3 else 'XK'}-{i % 7}{i * 37 % 100:02}-{'EU' if i % 2 else 'US'}"
    for i in range(200)
]
lists = {"fantasy": fantasy, "surnames": surnames, "domains": domains, "codes": codes}

# %%
# The new words look like those of the list, although two of the lists have only thirty
# words.

for name, words in lists.items():
    model = NGramCounter().fit(words)
    new = model.sample(4, unique=True, exclude=words, min_length=5, random_state=0)
    print(f"{name}: {', '.join(new)}")

# %%
# The NLL of held-out words is lowest for the model of their own list. The models have
# one alphabet, so that each can score the words of all lists.

alphabet = ascii_letters + digits + "-."
models, held_out = {}, {}
for name, words in lists.items():
    train, held_out[name] = train_test_split(words, test_size=1 / 3, random_state=0)
    models[name] = NGramCounter(alphabet=alphabet).fit(train)

nll = np.array(
    [[model.nll(held_out[name]) for name in lists] for model in models.values()]
)

fig, ax = plt.subplots(layout="constrained")
image = ax.imshow(nll, cmap="viridis_r")
for (row, column), value in np.ndenumerate(nll):
    color = "white" if value > nll.mean() else "black"
    ax.text(column, row, f"{value:.1f}", ha="center", va="center", color=color)
ax.set(
    title="A model knows its own list best",
    xlabel="held-out words of",
    ylabel="model of",
    xticks=range(len(lists)),
    xticklabels=lists,
    yticks=range(len(lists)),
    yticklabels=lists,
)
fig.colorbar(image, label="NLL in nats per character")
plt.show()
