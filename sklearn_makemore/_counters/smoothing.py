"""N-gram probabilities by modified Kneser-Ney and by additive smoothing.

Both have one form: an n-gram that was seen has a probability of its own, one that was
not takes that of the n-gram without its earliest id, times the back-off weight of its
history.
"""

import numpy as np

FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
"""Discounts where none can be estimated, those of KenLM's `--discount_fallback`."""

NGRAM_CHUNK_SIZE = 1 << 15
"""N-grams smoothed at once, about: few beside all of them, so that the temporary arrays
are."""


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
    >>> from sklearn_makemore._counters.smoothing import estimate_discounts
    >>> estimate_discounts([1] * 8 + [2] * 4 + [3] * 2 + [4])
    array([0.5 , 1.25, 2.  ])
    >>> estimate_discounts([1, 1, 2])
    array([0.5, 1. , 1.5])
    """
    classes = _count_classes(counts, 5)
    n1, n2, n3, n4 = (int(np.count_nonzero(classes == k)) for k in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        return np.array(FALLBACK_DISCOUNTS)
    ratio = n1 / (n1 + 2 * n2)
    discounts = np.array(
        [1 - 2 * ratio * n2 / n1, 2 - 3 * ratio * n3 / n2, 3 - 4 * ratio * n4 / n3]
    )
    # A discount of zero could leave nothing for what was never seen after a history.
    return discounts if discounts.min() > 0 else np.array(FALLBACK_DISCOUNTS)


def _count_classes(counts, largest):
    """Counts as whole numbers up to `largest`, a fraction taken for the next one."""
    classes = np.minimum(counts, largest)
    if classes.dtype.kind == "f":
        classes = np.ceil(classes)
    return classes.astype(np.int8)


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
    proba : ndarray of shape (n_ngrams + 1,)
        ``p(w | h)`` of every n-gram of the trie; at last ``1 / V``.

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
    proba = np.full(trie.n_ngrams + 1, 1 / trie.n_symbols)
    backoff = np.ones(trie.n_states)
    for length in range(trie.order):
        level = slice(*trie.ngram_levels[length : length + 2].tolist())
        discounts = estimate_discounts(trie.counts[level])
        for ngrams in _whole_histories(trie, level):
            counts = trie.counts[ngrams]
            states = trie.ngram_keys[ngrams] // trie.n_symbols
            first_state, end_state = int(states[0]), int(states[-1]) + 1
            states -= first_state
            # What is freed is what was taken away, so rows sum to one for counts below
            # a discount too.
            removed = np.minimum(discounts[_count_classes(counts, 3) - 1], counts)
            totals = np.bincount(states, counts)
            freed = np.bincount(states, removed) / totals
            lower = proba[trie.find_lower_ngrams(ngrams)]
            proba[ngrams] = (counts - removed) / totals[states] + freed[states] * lower
            backoff[first_state:end_state] = freed
    return proba, backoff


def _whole_histories(trie, level):
    """Cut the n-grams of one length into slices that part no history from its ids."""
    keys, start = trie.ngram_keys[level], 0
    while start < len(keys):
        last = keys[min(start + NGRAM_CHUNK_SIZE, len(keys)) - 1]
        next_key = (last // trie.n_symbols + 1) * trie.n_symbols
        stop = int(np.searchsorted(keys, next_key))
        yield slice(level.start + start, level.start + stop)
        start = stop


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
    proba : ndarray of shape (n_ngrams + 1,)
        ``p(w | h)`` of every n-gram after a whole state. After the others, and at last,
        it is ``1 / V``: the whole history, of which they are the end, was not seen.

    backoff : ndarray of shape (n_states,)
        ``alpha V / (c(h) + alpha V)`` of every whole state, the share of the uniform
        distribution: times ``1 / V`` it is the probability of an id that was not seen
        after `h`. 1 for the others, which pass on what is uniform already.
    """
    states = trie.ngram_keys // trie.n_symbols
    totals = np.bincount(states, trie.counts, trie.n_states) + alpha * trie.n_symbols
    smoothed = (trie.counts + alpha) / totals[states]
    proba = np.full(trie.n_ngrams + 1, 1 / trie.n_symbols)
    np.copyto(proba[:-1], smoothed, where=trie.is_whole[states])
    backoff = np.ones(trie.n_states)
    backoff[trie.is_whole] = alpha * trie.n_symbols / totals[trie.is_whole]
    return proba, backoff
