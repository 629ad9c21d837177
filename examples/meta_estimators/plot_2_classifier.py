"""
A classifier with one model per class
=====================================

Is a name a girl's or a boy's? One character model learns the girls' names, another the
boys', and Bayes' rule combines them. The claim: it is overconfident; weights fitted on
held-out names calibrate it.
"""

# %%
# A quarter of the names. A name that girls and boys have occurs twice. Both copies go
# to the same side of the split, so that no test name is in the training set.

import numpy as np
from sklearn.model_selection import GroupShuffleSplit

from sklearn_makemore.datasets import load_names

words, sex = load_names(return_X_y=True)
words, sex = np.array(words[::4]), sex[::4]
split = GroupShuffleSplit(1, test_size=0.3, random_state=0)
train, test = next(split.split(words, groups=words))

# %%
# `calibration=None` is plain Bayes' rule: every character adds its log ratio.
# `"temperature"` multiplies all log ratios by one factor. `"places"`, the default, also
# uses models that read backwards, and has a weight for each position in the word.

from sklearn.metrics import log_loss, roc_auc_score

from sklearn_makemore import CharLMClassifier

classifiers, proba, losses = {}, {}, {}
for calibration in None, "temperature", "places":
    classifier = CharLMClassifier(calibration=calibration)
    classifiers[calibration] = classifier.fit(words[train], sex[train])
    proba[calibration] = classifier.predict_proba(words[test])
    losses[calibration] = log_loss(sex[test], proba[calibration])
    area = roc_auc_score(sex[test], proba[calibration][:, 1])
    print(f"{calibration!s:12} log-loss {losses[calibration]:.3f}, AUC {area:.3f}")

# %%
# For comparison, a logistic regression on counts of one to five consecutive characters.

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

bag = make_pipeline(
    CountVectorizer(analyzer="char", ngram_range=(1, 5)),
    LogisticRegression(max_iter=1000),
).fit(words[train], sex[train])
losses["bag"] = log_loss(sex[test], bag.predict_proba(words[test]))
print(f"{'a bag':12} log-loss {losses['bag']:.3f}")

# %%
# The left plot asks: of the names with a predicted probability of about 0.9 for a boy's
# name, how many are boys' names? With Bayes' rule, too few. The right plot shows the
# weights. The solid lines are weights of the log-probabilities; Bayes' rule would be
# 0.5 everywhere on them, the mean of both directions. The dotted lines are weights of
# log-probabilities that are first mixed with the mean of both classes, so that a
# character that one class has never seen counts less; Bayes' rule would be 0 on them.

import matplotlib.pyplot as plt
from sklearn.calibration import calibration_curve

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
curves = {}
for calibration, label in (None, "Bayes' rule"), ("places", "weights per position"):
    curves[calibration] = calibration_curve(
        sex[test] == "M", proba[calibration][:, 1], n_bins=10
    )
    observed, predicted = curves[calibration]
    left.plot(predicted, observed, "o-", label=label)
left.plot([0, 1], [0, 1], color="0.6", linestyle="--", zorder=0)
left.set_xlabel("predicted probability of a boy's name")
left.set_ylabel("share of boys' names")
left.set_title("Bayes' rule is overconfident, the weights calibrate it")
left.legend()

weights = classifiers["places"].weights_.reshape(2, 2, 6)
places = ["end", "last", "2nd last", "3rd last", "4th last", "all before"]
for direction, name, color in (0, "forwards", "C0"), (1, "backwards", "C1"):
    right.plot(places, weights[direction, 0], "o-", color=color, label=name)
    right.plot(places, weights[direction, 1], "o:", color=color, label=f"{name}, mixed")
right.axhline(0.5, color="0.6", linestyle="--", zorder=0)
right.set_xlabel("position, counted from where the model stops reading")
right.set_ylabel("weight")
right.set_title("Weights of the log-probabilities")
right.legend(fontsize="small")
plt.show()

# %%
# All tools for classifiers work, for example the area under the ROC curve in a
# cross-validation. Finally, some names that nobody has:

from sklearn.model_selection import cross_val_score

bayes = CharLMClassifier(calibration=None)
areas = cross_val_score(bayes, words[train], sex[train], scoring="roc_auc", cv=3)
print("AUC in three folds", areas.round(3))
for name in "marilouise", "hendrickson", "zorblax":
    print(name, classifiers["places"].predict_proba([name]).round(2)[0])
