"""Models that count n-grams.

Contents: `sums` (sums over chunks of words and over equal n-grams), `ngrams` (distinct
n-grams with counts), `saved` (counts in model files), `trie` (the histories of
n-grams), `smoothing` (Kneser-Ney and additive), `leave_one_out` (discounts), `model`
(probabilities after every history), `lengths` (the same with the lengths of the
training words), `base` (the base class), `bigram` and `ngram` (the estimators).
It imports `_words`, `_declarations` and `_base`, and never torch.
"""
