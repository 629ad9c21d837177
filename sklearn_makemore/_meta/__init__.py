"""Estimators that contain other estimators.

Contents: `members` (fitting and copying the models inside), `em` and `mixture` (several
models as one), `calibration` and `classifier`, `features`, `outlier`. It imports
`_words`, `_word_estimator`, `_base` and `_counters`; members may be of any class.
"""
