"""Models that count n-grams.

Contents: `sums` (sums over chunks of words and over equal n-grams), `word_sample` (what
a rare word weighs), `ngrams` (distinct n-grams with counts), `coding` (numbers in few
bytes), `saved` and `saved_pruned` (counts in model files), `trie` (the histories of
n-grams), `smoothing` (Kneser-Ney and additive), `leave_one_out` (discounts), `pruning`
and `pruned` (fewer n-grams), `continuation` and `transitions` (expectations over the
next character), `model` (probabilities after every history), `backoff` (models of
tables without counts), `arpa` and `arpa_methods` (their files), `base` and `prunable`
(base classes), `bigram` and `ngram` (the estimators), `label_smoothing`,
`label_backoff` and `labelled` (n-grams given a label), `out_of_fold` (predictions of
words by n-grams of others). It imports `_words`, `_generation`, `_declarations`,
`_arguments` and `_base`, for files `datasets` and `_safe_file`, and never torch.
"""
