"""Speed of fitting and scoring the counters, compared with loops and libraries."""

import math

import lecture_loops
import peers
from timing import in_turns, per_second, times_faster

from sklearn_makemore import BigramCounter, NGramCounter


def bigram_fit(work):
    """Time counting pairs of characters."""
    what = "BigramCounter: fit on all names"
    ours, loop, vectorizer = in_turns(
        lambda: BigramCounter().fit(work.names),
        lambda: lecture_loops.count_bigrams(work.names),
        lambda: peers.count_vectorizer(work.names),
        n_turns=work.either(9, 3),
        n_calls=20,
    )
    yield times_faster(what, "s", ours, "lecture 1's counting loop", loop, 500)
    vectorizer_is = "CountVectorizer(analyzer='char', ngram_range=(2, 2))"
    yield times_faster(what, "s", ours, vectorizer_is, vectorizer, 40)


def ngram_fit(work):
    """Time the default n-gram counter, next to the lecture's counting of pairs."""
    ours, loop = in_turns(
        lambda: NGramCounter(order=6).fit(work.train),
        lambda: lecture_loops.count_bigrams(work.train),
        n_turns=work.either(9, 3),
        n_calls=3,
    )
    loop_is = "lecture 1's counting loop, for pairs"
    yield times_faster("NGramCounter(order=6): fit", "s", ours, loop_is, loop, 4)


def ngram_nltk(work):
    """Time fitting and scoring, and the same with nltk's Kneser-Ney."""
    fit = "NGramCounter(order=5), plain Kneser-Ney: fit"
    score = f"NGramCounter(order=5): score_samples of {len(work.valid):,} words"
    if not peers.is_installed("nltk"):
        yield peers.absent(fit, "nltk")
        yield peers.absent(score, "nltk")
        return
    baseline_is = "nltk.lm.KneserNeyInterpolated(5)"
    peers.nltk_kneser_ney(work.train[:100], 5)  # imports nltk
    plain = NGramCounter(order=5, discounts="closed-form", match_lengths=False)
    ours, theirs = in_turns(
        lambda: plain.fit(work.train),
        lambda: peers.nltk_kneser_ney(work.train, 5),
        n_turns=work.either(3, 1),
        n_calls=10,
        is_warm=True,
    )
    yield times_faster(fit, "s", ours, baseline_is, theirs, 60)

    model = NGramCounter(order=5).fit(work.train)
    peer = peers.nltk_kneser_ney(work.train, 5)
    n_words = work.either(40, 10)
    some = work.valid[:n_words]
    # The models differ: nltk uses other discounts and other lower orders.
    for scores in model.score_samples(some), peer_scores(peer, some):
        assert all(math.isfinite(value) for value in scores)
    ours, theirs = in_turns(
        lambda: model.score_samples(work.valid),
        lambda: peer_scores(peer, some),
        n_turns=work.either(5, 2),
        n_calls=10,
    )
    scale = n_predictions(work.valid) / n_predictions(some)
    scaled = [took * scale for took in theirs]
    scored_is = f"{baseline_is}.logscore, from {n_words} words"
    yield times_faster(score, "s", ours, scored_is, scaled, 5000)


def n_predictions(words):
    """Number of characters, plus one end per word."""
    return sum(len(word) + 1 for word in words)


def peer_scores(peer, words):
    """Score words one by one."""
    return [peers.nltk_log_proba(peer, word) for word in words]


def ngram_markovify(work):
    """Time fitting and sampling, and the same with markovify, which does not smooth."""
    fit, sample = "NGramCounter(order=5): fit", "NGramCounter(order=5): sample(10000)"
    if not peers.is_installed("markovify"):
        yield peers.absent(fit, "markovify")
        yield peers.absent(sample, "markovify")
        return
    n_turns = work.either(5, 2)
    ours, theirs = in_turns(
        lambda: NGramCounter(order=5).fit(work.train),
        lambda: peers.markovify_chain(work.train, 4),
        n_turns=n_turns,
        n_calls=10,
    )
    baseline_is = "markovify.Chain(state_size=4)"
    yield times_faster(fit, "s", ours, baseline_is, theirs)

    n_words = 10_000
    model = NGramCounter(order=5).fit(work.train)
    chain = peers.markovify_chain(work.train, 4)
    times = in_turns(
        lambda: model.sample(n_words),
        lambda: peers.markovify_sample(chain, n_words),
        n_turns=n_turns,
        n_calls=3,
    )
    rates = [per_second(n_words, column) for column in times]
    gen_is = f"{baseline_is}.gen"
    yield times_faster(sample, "names/s", rates[0], gen_is, rates[1])
