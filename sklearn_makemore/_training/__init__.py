"""Training one network.

Contents: `processes` (one process or several), `context_batches` and `word_batches`
(batches of contexts and of words), `schedules` (learning rates), `device`, `net` (the
skorch net, the only file that imports skorch), `state` and `checkpoint` (resuming an
interrupted training). It imports `_words`, `_word_estimator`,
`_safe_file` and `modules`; torch and skorch.
"""
