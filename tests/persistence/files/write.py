"""Write the model files of this folder, and what the models in them answer.

    python tests/persistence/files/write.py

One file for each public estimator and for a pipeline, in version 1 of the format, and
files of what was added to it. The script adds what is missing, such as the file of a
new estimator. Existing files stay unchanged: they prove that `load` still reads them. A
new version of the format needs a separate folder.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

import sklearn_makemore as makemore

FOLDER = Path(__file__).parent

WORDS = (
    "ada ava bea ben bob cal cleo dan della dina eli emma eva finn gia gus ida ian "
    "ina isla ivo jan joel kai lea leo lena lia liv lou mae mia milo nia noa nora "
    "olga otto pia ray rina rosa sam sia theo tia uma una vera vic zoe zora"
).split()
LABELS = ["f" if word[-1] in "ae" else "m" for word in WORDS]

ASKED = ["", "mia", "leonora", "zz", "b"]
"""Words that the models are asked about; all their characters are in `WORDS`."""

ASKED_LABELS = ["f", "f", "m", "m", "f"]
"""Labels of these words, for a model of words given a label."""

TINY = {"max_epochs": 2, "random_state": 0}
NET = {"n_embd": 3, "n_hidden": 4, **TINY}


def models():
    """Return a small model of each public estimator and a pipeline, not fitted."""
    bigram = makemore.BigramCounter(smoothing=0.5)
    trigram = makemore.NGramCounter(order=3)
    return [
        clone(bigram),
        makemore.NGramCounter(order=4, alphabet="abcdefghijklmnopqrstuvwxyz"),
        makemore.BigramCharLM(max_epochs=2, random_state=np.random.RandomState(0)),
        makemore.BoWCharLM(**NET),
        makemore.MLPCharLM(block_size=3, batch_norm=True, **NET),
        makemore.WaveNetCharLM(n_layers=2, **NET),
        makemore.RNNCharLM(**NET),
        makemore.GRUCharLM(handle_unknown="unk", **NET),
        makemore.LSTMCharLM(n_layers=2, **NET),
        makemore.TransformerCharLM(n_embd=4, n_heads=2, n_layers=1, **TINY),
        makemore.MixtureCharLM([("two", bigram), ("three", trigram)], random_state=0),
        makemore.ConditionalCharLM(trigram),
        makemore.CharLMClassifier(bigram, cv=3),
        makemore.CharLMFeatures(trigram, cv=3),
        makemore.CharLMOutlierDetector(bigram, cv=3),
        Pipeline([("nothing", "passthrough"), ("model", trigram)]),
    ]


def added():
    """Return fitted models, by the names of files that were added to the format."""
    trigram = makemore.NGramCounter(order=3).fit(WORDS)
    classifier = makemore.CharLMClassifier(makemore.BigramCounter(smoothing=0.5), cv=3)
    return {
        "CharLMClassifier-counted": classifier.partial_fit(WORDS, LABELS, ["f", "m"]),
        "NGramCounter-coded": trigram,
        "NGramCounter-pruned": trigram.prune(min_count=2),
        "NGramCounter-two-keys": makemore.NGramCounter(order=20).fit(WORDS * 200),
        "NGramCounter-weights": makemore.NGramCounter(order=3).fit(
            WORDS, sample_weight=np.linspace(0.5, 2, len(WORDS))
        ),
    }


def answers(model):
    """Return what a fitted model says of `ASKED`, in what JSON can say."""
    found = {}
    for method in (
        "score_samples",
        "predict_proba",
        "transform",
        "decision_function",
        "predict",
    ):
        if hasattr(model, method):
            needs_labels = isinstance(model, makemore.ConditionalCharLM)
            asked = (ASKED, ASKED_LABELS) if needs_labels else (ASKED,)
            found[method] = np.asarray(getattr(model, method)(*asked)).tolist()
    if hasattr(model, "sample"):
        lengths = {"min_length": 0, "max_length": 12}
        found["sample"] = model.sample(5, random_state=0, **lengths)
    return found


def main():
    """Write the files that are missing, and their answers to `answers.json`."""
    record = FOLDER / "answers.json"
    found = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    fitted = {type(one).__name__: one.fit(WORDS, LABELS) for one in models()}
    for name, model in {**fitted, **added()}.items():
        path = FOLDER / f"{name}.safetensors"
        if not path.exists():
            makemore.save(model, path)
            found[name] = answers(model)
    text = json.dumps(found, indent=1, ensure_ascii=False)
    record.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
