"""N-gram probabilities by modified Kneser-Ney and by additive smoothing.

Both have one form: an n-gram that was seen has a probability of its own, one that was
not takes that of the n-gram without its earliest id, times the back-off weight of its
history.

Discounts are estimated as KenLM does [2]_, from exact counts of counts (its `lmplz`
takes the raw count of the last n-gram of each order for the adjusted one).

References
----------
.. [1] S. F. Chen and J. Goodman, "An empirical study of smoothing techniques for
   language modeling", Computer Speech and Language 13 (1999).
.. [2] K. Heafield, I. Pouzyrevsky, J. H. Clark and P. Koehn, "Scalable modified
   Kneser-Ney language model estimation", ACL 2013,
   https://aclanthology.org/P13-2121/.
"""

import numpy as np

FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)


def estimate_discounts(counts):
    """Discounts of the n-grams of one length that occur once, twice, and more often.

    Parameters
    ----------
    counts : ndarray of shape (n_ngrams,)
        Adjusted counts; a fraction is taken for the next whole number.

    Returns
    -------
    discounts : ndarray of shape (3,)
        Equation 26 of [1]_, or `FALLBACK_DISCOUNTS` where the counts are too few or too
        odd for it.
    """
    n1, n2, n3, n4 = np.bincount(_count_classes(counts, 5), minlength=6)[1:5]
    if not (n1 and n2 and n3):
        return np.array(FALLBACK_DISCOUNTS)
    ratio = n1 / (n1 + 2 * n2)
    discounts = np.array(
        [1 - 2 * ratio * n2 / n1, 2 - 3 * ratio * n3 / n2, 3 - 4 * ratio * n4 / n3]
    )
    # A discount of zero could leave nothing for what was never seen after a history.
    return discounts if discounts.min() > 0 else np.array(FALLBACK_DISCOUNTS)


def _count_classes(counts, largest):
    return np.minimum(np.ceil(counts), largest).astype(np.intp)


def kneser_ney(trie):
    """Interpolated modified Kneser-Ney probabilities.

    Parameters
    ----------
    trie : HistoryTrie

    Returns
    -------
    proba : ndarray of shape (n_ngrams,)
        Probability of every seen n-gram's last id after the others.
    backoff : ndarray of shape (n_states,)
        Back-off weights: the probability that discounting freed, shared out as the
        shorter history shares its own.
    """
    proba, backoff = np.empty(trie.n_ngrams), np.ones(trie.n_states)
    for length in range(trie.order):
        level = slice(*trie.ngram_levels[length : length + 2])
        first_state, end_state = trie.state_levels[length : length + 2]
        if level.start == level.stop:
            continue
        counts = trie.counts[level]
        states = trie.ngram_keys[level] // trie.n_symbols - first_state
        # What is freed is what was taken away, so rows sum to one for counts below a
        # discount too.
        discounts = estimate_discounts(counts)[_count_classes(counts, 3) - 1]
        removed = np.minimum(discounts, counts)
        n_states = end_state - first_state
        totals = np.bincount(states, counts, n_states)
        freed = np.bincount(states, removed, n_states) / totals
        lower = proba[trie.lower_ngrams[level]] if length else 1 / trie.n_symbols
        proba[level] = (counts - removed) / totals[states] + freed[states] * lower
        backoff[first_state:end_state] = freed
    return proba, backoff


def additive(trie, alpha):
    """Additively smoothed probabilities, `(c(hw) + alpha) / (c(h) + alpha V)`.

    Parameters
    ----------
    trie : HistoryTrie
    alpha : float
        Not negative; 0 gives relative frequencies, and the uniform distribution after
        histories never seen, which is the limit of small `alpha`.

    Returns
    -------
    proba : ndarray of shape (n_ngrams,)
        Uniform after states that are not whole: their positions' whole history was not
        seen.
    backoff : ndarray of shape (n_states,)
    """
    states = trie.ngram_keys // trie.n_symbols
    totals = np.bincount(states, trie.counts, trie.n_states) + alpha * trie.n_symbols
    smoothed = (trie.counts + alpha) / totals[states]
    proba = np.where(trie.is_whole[states], smoothed, 1 / trie.n_symbols)
    backoff = np.ones(trie.n_states)
    backoff[trie.is_whole] = alpha * trie.n_symbols / totals[trie.is_whole]
    return proba, backoff
