"""The methods of models that generate words.

Contents: `sample` (sampling, and the report on new words) and `most_likely` (the most
probable words).
It imports `_declarations`, `_generation`, `_word_estimator`, `_hooks` and `_words`.
"""
