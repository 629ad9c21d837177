"""Models that count n-grams.

Contents: `ngrams` (distinct n-grams with counts), `trie` (the histories of n-grams),
`smoothing` (Kneser-Ney and additive), `model` (probabilities after every history),
`base` (what all counters share), `bigram` and `ngram` (the estimators). It imports
`_words` and `_base`, and never torch.
"""
