"""Strings to arrays.

Contents: `types` (what annotations share), `check` (any collection of strings to a list
of words), `code_points` (words as one array of characters), `vocabulary` (characters to
symbol ids and back), `symbols` (the same for symbols of several characters), `packing`
(rows of ids as integer keys), `windows` (encoded words to windows, and distinct
contexts with counts), `prefixes` (distinct words and prefixes), `training_set` (words
with their vocabulary and weights) and `hold_out` (words held out for validation, and
folds). It imports numpy, scikit-learn and `_sklearn`, and nothing else of this package.
"""
