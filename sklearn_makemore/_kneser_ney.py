"""N-gram probabilities by modified Kneser-Ney and by additive smoothing.

Both have one form: an n-gram that was seen has a probability of its own, one that was
not takes that of the n-gram without its earliest id, times the back-off weight of its
history.
"""

import numpy as np

FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
"""Discounts where none can be estimated, those of KenLM's `--discount_fallback`."""


def estimate_discounts(counts):
    """Estimate the discounts of the n-grams of one length.

    With ``n[k]`` for the number of n-grams that occur `k` times, they are
    ``D[k] = k - (k + 1) Y n[k + 1] / n[k]`` where ``Y = n[1] / (n[1] + 2 n[2])`` [1]_.
    KenLM estimates them alike, but its `lmplz` takes the raw count of the last n-gram
    of each order for the adjusted one; here the counts of counts are exact.

    Parameters
    ----------
    counts : ndarray of shape (n_ngrams,)
        Adjusted counts, all positive; a fraction is taken for the next whole number.

    Returns
    -------
    discounts : ndarray of shape (3,)
        ``D[1], D[2], D[3]``: what is taken from n-grams that occur once, twice, and
        more often. `FALLBACK_DISCOUNTS` where the counts are too few for a quotient, or
        so odd that a discount would not be positive.

    References
    ----------
    .. [1] S. F. Chen and J. Goodman, "An empirical study of smoothing techniques for
       language modeling", Computer Speech and Language 13, 1999.

    Examples
    --------
    >>> from sklearn_makemore._kneser_ney import estimate_discounts
    >>> estimate_discounts([1] * 8 + [2] * 4 + [3] * 2 + [4])
    array([0.5 , 1.25, 2.  ])
    >>> estimate_discounts([1, 1, 2])
    array([0.5, 1. , 1.5])
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
    """Estimate interpolated modified Kneser-Ney probabilities.

    With ``a(hw)`` for the adjusted count of id `w` after history `h`, ``h'`` for `h`
    without its earliest id, and ``D(a)`` for `a` or the discount of the n-grams of that
    length that occur `a` times, whichever is less,

    ``p(w | h) = (a(hw) - D(a(hw))) / sum over v of a(hv) + b(h) p(w | h')``

    where ``b(h) = sum over v of D(a(hv)) / sum over v of a(hv)`` is what the discounts
    have freed [1]_. Below the empty history is the uniform distribution, ``1 / V`` for
    each of the `V` symbols. The adjusted counts are those of KenLM [2]_.

    Parameters
    ----------
    trie : HistoryTrie
        The histories and n-grams of the training words.

    Returns
    -------
    proba : ndarray of shape (n_ngrams,)
        ``p(w | h)`` of every n-gram of the trie.

    backoff : ndarray of shape (n_states,)
        ``b(h)`` of every state: an id that was not seen after `h` has the probability
        ``b(h) p(w | h')``.

    References
    ----------
    .. [1] S. F. Chen and J. Goodman, "An empirical study of smoothing techniques for
       language modeling", Computer Speech and Language 13, 1999.
    .. [2] K. Heafield, I. Pouzyrevsky, J. H. Clark and P. Koehn, "Scalable modified
       Kneser-Ney language model estimation", ACL 2013.
       https://aclanthology.org/P13-2121/
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
    """Estimate additively smoothed probabilities.

    With ``c`` for counts of `order` ids, or of fewer from the start of a word on,

    ``p(w | h) = (c(hw) + alpha) / (c(h) + alpha V)``

    for the whole history `h`, the predicted id `w` and `V` symbols.

    Parameters
    ----------
    trie : HistoryTrie
        The histories and n-grams of the training words.

    alpha : float
        Added to every count, not negative; 0 gives relative frequencies, and the
        uniform distribution after histories never seen, which is the limit of small
        `alpha`.

    Returns
    -------
    proba : ndarray of shape (n_ngrams,)
        ``p(w | h)`` of every n-gram after a whole state. After the others it is
        ``1 / V``: the whole history, of which they are the end, was not seen.

    backoff : ndarray of shape (n_states,)
        ``alpha V / (c(h) + alpha V)`` of every whole state, the share of the uniform
        distribution: times ``1 / V`` it is the probability of an id that was not seen
        after `h`. 1 for the others, which pass on what is uniform already.
    """
    states = trie.ngram_keys // trie.n_symbols
    totals = np.bincount(states, trie.counts, trie.n_states) + alpha * trie.n_symbols
    smoothed = (trie.counts + alpha) / totals[states]
    proba = np.where(trie.is_whole[states], smoothed, 1 / trie.n_symbols)
    backoff = np.ones(trie.n_states)
    backoff[trie.is_whole] = alpha * trie.n_symbols / totals[trie.is_whole]
    return proba, backoff
