"""The network estimators.

Contents: `parameters` (what all networks share, declared once), `base` (their training
and files), `restored` (networks from files, checked), `window` (networks that see a
window: `bigram`, `mlp`, `wavenet`) and `sequence` (networks that read a word from its
start: `bow`, `transformer`, `recurrent`). It imports `_parameters`, `_words`,
`_word_estimator`, `_base`, `modules` and `_training`; torch, and never skorch.
"""
