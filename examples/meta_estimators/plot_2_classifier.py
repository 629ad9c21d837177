"""
A classifier made of two models
===============================

Is a name a girl's or a boy's? One character model learns the girls' names, another one
the boys', and Bayes' rule does the rest. The claim: its probabilities are too sure of
themselves, and weights learnt on names that the models have not seen mend that.
"""

# %%
# A quarter of the names. A name that girls and boys have is there twice: both copies go
# to one side of the split, or a name to be tested would have been learnt.

import numpy as np
from sklearn.model_selection import GroupShuffleSplit

from sklearn_makemore.datasets import load_names

words, sex = load_names(return_X_y=True)
words, sex = np.array(words[::4]), sex[::4]
split = GroupShuffleSplit(1, test_size=0.3, random_state=0)
learnt, held_out = next(split.split(words, groups=words))

# %%
# `calibration=None` is Bayes' rule as it stands: every character adds its log ratio.
# "temperature" multiplies all of them with one factor, and "places", the default, has
# models that read backwards as well and a weight for each place in the word.

from sklearn.metrics import log_loss, roc_auc_score

from sklearn_makemore import CharLMClassifier

classifiers, proba, losses = {}, {}, {}
for calibration in None, "temperature", "places":
    classifier = CharLMClassifier(calibration=calibration)
    classifiers[calibration] = classifier.fit(words[learnt], sex[learnt])
    proba[calibration] = classifier.predict_proba(words[held_out])
    losses[calibration] = log_loss(sex[held_out], proba[calibration])
    area = roc_auc_score(sex[held_out], proba[calibration][:, 1])
    print(f"{calibration!s:12} log-loss {losses[calibration]:.3f}, AUC {area:.3f}")

# %%
# Beside it a logistic regression over counted characters, up to five together.

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

bag = make_pipeline(
    CountVectorizer(analyzer="char", ngram_range=(1, 5)),
    LogisticRegression(max_iter=1000),
).fit(words[learnt], sex[learnt])
losses["bag"] = log_loss(sex[held_out], bag.predict_proba(words[held_out]))
print(f"{'a bag':12} log-loss {losses['bag']:.3f}")

# %%
# On the left: of the names that are said to be a boy's with a probability of about 0.9,
# how many are? With Bayes' rule too few. On the right the weights. Bayes' rule would be
# 0.5 everywhere on the solid lines (the mean of both directions) and 0 on the dotted
# ones, where each probability is first mixed with the mean of both classes, so that a
# character one class has never seen counts for less.

import matplotlib.pyplot as plt
from sklearn.calibration import calibration_curve

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
curves = {}
for calibration, label in (None, "Bayes' rule"), ("places", "weights of places"):
    curves[calibration] = calibration_curve(
        sex[held_out] == "M", proba[calibration][:, 1], n_bins=10
    )
    observed, predicted = curves[calibration]
    left.plot(predicted, observed, "o-", label=label)
left.plot([0, 1], [0, 1], color="0.6", linestyle="--", zorder=0)
left.set_xlabel("predicted probability of a boy's name")
left.set_ylabel("share of boys' names")
left.set_title("Bayes' rule is too sure, weights are about right")
left.legend()

weights = classifiers["places"].weights_.reshape(2, 2, 6)
places = ["end", "last", "2nd last", "3rd last", "4th last", "all before"]
for direction, name, color in (0, "forwards", "C0"), (1, "backwards", "C1"):
    right.plot(places, weights[direction, 0], "o-", color=color, label=name)
    right.plot(places, weights[direction, 1], "o:", color=color, label=f"{name}, mixed")
right.axhline(0.5, color="0.6", linestyle="--", zorder=0)
right.set_xlabel("place, as seen from where the reading ends")
right.set_ylabel("weight")
right.set_title("Weights of the log-probabilities")
right.legend(fontsize="small")
plt.show()

# %%
# Any classifier's tools work: here the area under the curve in a cross-validation, and
# names nobody has.

from sklearn.model_selection import cross_val_score

bayes = CharLMClassifier(calibration=None)
areas = cross_val_score(bayes, words[learnt], sex[learnt], scoring="roc_auc", cv=3)
print("AUC in three folds", areas.round(3))
for name in "marilouise", "hendrickson", "zorblax":
    print(name, classifiers["places"].predict_proba([name]).round(2)[0])
