"""The network estimators.

Contents: `base` (what all networks share), `restored` (networks from files, checked),
`window` (networks that see a window: `bigram`, `mlp`, `wavenet`) and `sequence`
(networks that read a word from its start: `bow`, `transformer`, and `recurrent` with
`rnn`, `gru`, `lstm`). It imports `_words`, `_word_estimator`, `_base`, `modules` and
`_training`; torch, and never skorch.
"""
