"""Estimators that contain other estimators.

Contents: `members` (copying and fitting the models inside), `named_members` (several
models by name), `splits` (folds and splitters), `out_of_fold` (scores of training words
by models that have not seen them), `labels` (words with classes), `translated` (a model
with other symbols),
`mixing`, `adaptive`, `em`, `learned_weights`, `saved_mixture`, `labelled_mixture` and
`mixture` (several models as one), `label_models`, `label_likelihood`,
`label_generator`, `label_callbacks` and `conditional` (words given a label),
`class_fits`, `class_counts`, `calibration` and `classifier`, `features`, `word_scores`
(scores by word) and `outlier`. It imports `_arguments`, `_words`, `_generation`,
`_declarations`, `_word_estimator`, `_methods`, `_base` and `_counters`; members may be
of any class.
"""
