"""The methods of every fitted model, as mixins over what it must implement.

Contents: `hooks` (what a model implements), `likelihood` (scores of words and ranks),
`sample` (sampling, and the report on new words) and `most_likely` (the most probable
words).
It imports `_arguments`, `_declarations`, `_generation`, `_word_estimator` and `_words`.
"""
