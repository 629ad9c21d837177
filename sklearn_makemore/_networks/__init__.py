"""The network estimators.

Contents: `parameters` (those of all networks), `base` (what all networks share),
`restored` (networks from files, whose nets are made at their first use), `window`
(networks that see a window: `bigram`, `mlp`, `wavenet`), `lengths` (the same with the
lengths of the training words), `sequence` and `sequence_module` (networks that read a
word from its start: `bow`, `transformer`, `recurrent`), `ngram_targets` (n-grams as
targets of training), `labelled` (any of the networks, given a label).
It imports `_words`, `_generation`, `_declarations`, `_word_estimator`, `_base`,
`_counters`, `modules` and `_training`; torch, and never skorch.
"""
