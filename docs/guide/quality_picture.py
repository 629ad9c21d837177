"""Draw the NLL of every model over the seconds of `fit`.

``python docs/guide/quality_picture.py`` reads the tables of docs/benchmarks/README.md.
"""

import re
from pathlib import Path

import matplotlib.pyplot as plt

HERE = Path(__file__).parent
BENCHMARKS = HERE.parent / "benchmarks" / "README.md"
ROW = re.compile(
    r"^\| (?P<model>\w+(?:Counter|CharLM)\b[^|]*?) \| [\d,]+ \| [\d.]+ "
    r"\| (?P<nll>[\d.]+)[^|]*\| [\d.]+[^|]*\| (?P<seconds>[\d.]+) \|",
    re.M,
)
PLACES = {
    "NGramCounter": (-9, -4, "right"),
    "WaveNetCharLM": (-9, -4, "right"),
    "TransformerCharLM": (-9, -9, "right"),
    "GRUCharLM": (-9, -10, "right"),
    "LSTMCharLM, 512 units": (7, -8, "left"),
}


def rows():
    """Model, validation NLL and seconds of one core, from the table of the models."""
    text = BENCHMARKS.read_text(encoding="utf-8")
    for row in ROW.finditer(text[text.index("## Quality") :]):
        model = row["model"]
        # Two cores; models that have a point already.
        if model.startswith(("Mixture", "MLPCharLM(", "NGramCounter(")):
            continue
        if larger := re.search(r"n_hidden=(\d+)", model):
            model = f"LSTMCharLM, {larger[1]} units"
        yield model, float(row["nll"]), float(row["seconds"])


def draw():
    figure, ax = plt.subplots(figsize=(8, 5.2), layout="constrained")
    for model, nll, seconds in rows():
        counts = model.endswith("Counter")
        color, marker = ("#D55E00", "s") if counts else ("#0072B2", "o")
        ax.plot(seconds, nll, marker, color=color)
        right, up, align = PLACES.get(model, (7, 4, "left"))
        ax.annotate(
            model, (seconds, nll), (right, up), textcoords="offset points", ha=align
        )
    ax.axhline(1.9937, color="0.6", linestyle="--", zorder=0)
    ax.annotate("lecture 5, 1.994 in 249 s", (0.15, 2.003), color="0.35")
    ax.set(
        xscale="log",
        xlim=(0.002, 6000),
        ylim=(1.85, 2.5),
        xlabel="seconds of fit, one thread",
        ylabel="validation NLL, nats per character",
    )
    ax.grid(color="0.92")
    ax.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    draw().savefig(HERE / "quality.png", dpi=120)
