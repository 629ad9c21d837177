"""Draw the home page's picture: words that a model draws after a beginning, as a tree.

``python docs/home_picture.py`` writes it to docs/_static, in light and in dark.
"""

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curve

from sklearn_makemore import NGramCounter
from sklearn_makemore.datasets import load_names

STATIC = Path(__file__).parent / "_static"
PREFIX = "mar"
N_WORDS = 16

# The page behind, lines, letters, words that are in the list, and new words.
COLORS = {
    "light": ("#ffffff", "#c9d6e0", "#48566b", "#0072b2", "#c04f00"),
    "dark": ("#14181e", "#3b4a59", "#b8c4ce", "#6cc0f5", "#ffa352"),
}


def probabilities(model, words, prefix):
    """Return the probability of each beginning and word, given `prefix`.

    A word is written with the boundary behind it, which sets it apart from the
    beginning of a longer one.
    """
    beginnings = {word[:end] for word in words for end in range(len(word) + 1)}
    beginnings = [text for text in beginnings if text.startswith(prefix)]
    following = dict(zip(beginnings, model.predict_proba(beginnings), strict=True))
    found = {prefix: 1.0}
    for word in words:
        for end in range(len(prefix), len(word)):
            column = model.symbols_.index(word[end])
            found[word[: end + 1]] = found[word[:end]] * following[word[:end]][column]
        found[word + "."] = found[word] * following[word][0]
    return found


def draw(words, proba, known, colors):
    """Return the figure: a line for each letter, as wide as it is probable."""
    page, of_line, of_letter, of_known, of_new = colors
    figure = Figure(figsize=(8, 5), facecolor=page, layout="constrained")
    ax = figure.subplots()
    ax.set_axis_off()
    rows = [word + "." for word in sorted(words)]
    heights = {}
    for text in sorted(proba, key=len):
        below = [row for row, word in enumerate(rows) if word.startswith(text)]
        x, y = len(text), (below[0] + below[-1]) / 2
        heights[text] = y
        label = {"s": text[-1], "color": of_letter, "ha": "center", "fontsize": 13}
        if text[:-1] in heights:
            x0, y0 = x - 1, heights[text[:-1]]
            if text in rows:
                x -= 0.3
                color = of_known if text[:-1] in known else of_new
                label.update(s=text[:-1], color=color, ha="left")
            bend = [(x0, y0), (x0 + 0.5, y0), (x - 0.5, y), (x, y)]
            curve = Curve(bend, [Curve.MOVETO, *[Curve.CURVE4] * 3])
            width = 1 + 16 * proba[text] ** 0.5
            ax.add_patch(PathPatch(curve, fill=False, ec=of_line, lw=width))
        else:
            label.update(s=text, ha="right", fontsize=26)
        behind = {"boxstyle": "round,pad=0.15", "fc": page, "ec": "none"}
        ax.text(x, y, va="center", bbox=behind, zorder=3, **label)
    for color, label in (of_known, "in the list"), (of_new, "new"):
        ax.plot([], [], "s", color=color, label=label)
    style = {"labelcolor": of_letter, "frameon": False, "fontsize": 13}
    ax.legend(loc="right", bbox_to_anchor=(1, 0.75), **style)
    shortest, longest = min(map(len, proba)), max(map(len, proba))
    ax.set(xlim=(shortest - 0.8, longest + 1), ylim=(len(rows) - 0.4, -0.6))
    return figure


def main(folder=STATIC):
    """Write both pictures."""
    names = list(dict.fromkeys(load_names().data))
    model = NGramCounter().fit(names)
    words = model.sample(N_WORDS, prefix=PREFIX, unique=True, random_state=0)
    proba = probabilities(model, words, PREFIX)
    for theme, colors in COLORS.items():
        figure = draw(words, proba, set(names), colors)
        figure.savefig(folder / f"home-{theme}.png", dpi=160)


if __name__ == "__main__":
    main()
