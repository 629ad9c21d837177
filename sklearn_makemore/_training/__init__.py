"""Training one network.

Contents: `device` (where it computes, and the random numbers), `schedules` (learning
rates), `processes` (one process or several), `batches` (the batches of an epoch),
`context_batches` and `word_batches` (the two kinds of data sets), `growth` (a network
for new characters), `weight_decay` (larger on short lists), `muon` (an optimizer),
`net` (the skorch net, the only file that imports skorch), `state`, `identity` and
`checkpoint` (resuming an interrupted training) and `fit` (from the encoded words to the
fitted attributes). It imports `_words`, `_word_estimator`, `_safe_file` and `modules`;
torch and skorch.
"""
