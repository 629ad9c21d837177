"""Words from any model.

Contents: `next_symbols` (what sampling needs from a model), `options` (the options of
sampling), `edit_distance`, `near_words` and `exclusion` (words that are not sampled),
`sampling` (the sampling loop, shared by all models), `character_sets`, `parse_pattern`,
`positions`, `automaton`, `avoided` and `language` (patterns and substrings to avoid as
an automaton of words), `model_cache` (values kept for the next call), `product` (pairs
of a model's state and a language's), `conditional` (sampling words that match),
`lengths` (words with the lengths of the training words), `beginnings` and
`most_likely` (the most probable words), `rank` (how many words are at least as
probable) and `novelty` (which words are new).
It imports numpy, scikit-learn, `_sklearn`, `_declarations` and `_words`.
"""
