"""Values kept from call to call: which ones, and for how long."""

import gc
from concurrent.futures import ThreadPoolExecutor

from sklearn_makemore._generation.model_cache import MAX_ENTRIES, ModelCache


class Model:
    pass


def test_the_last_used_values_that_fit_are_kept():
    cache, model, other = ModelCache(10, n_bytes=len), Model(), Model()
    computed = []

    def value(owner, key, size):
        return cache.get(
            owner, key, lambda: computed.append((owner, key)) or "x" * size
        )

    assert value(model, "a", 4) == "x" * 4
    assert value(other, "a", 6) == "x" * 6  # of another model
    assert value(model, "a", 0) == "x" * 4  # known, and now the last that was used
    assert value(model, "b", 5) == "x" * 5  # leaves no room for that of `other`
    assert computed == [(model, "a"), (other, "a"), (model, "b")]
    assert value(model, "a", 0) == "x" * 4
    assert value(model, "c", 11) == "x" * 11  # too large to keep, whatever is dropped
    assert value(model, "c", 2) == "x" * 2
    assert len(computed) == 5


def test_the_number_of_values_is_bounded_whatever_their_size():
    cache, model = ModelCache(1, n_bytes=lambda value: 0), Model()
    for key in range(MAX_ENTRIES + 9):
        cache.get(model, key, object)
    assert len(cache._entries) == MAX_ENTRIES


def test_a_value_is_freed_with_its_model():
    cache, models = ModelCache(10, n_bytes=lambda value: 1), [Model(), Model()]
    for model in models:
        cache.get(model, "key", object)
    del model, models[0]
    gc.collect()
    assert [entry.model() for entry in cache._entries] == models


def test_threads_get_the_values_of_their_own_model():
    cache, models = ModelCache(3, n_bytes=lambda value: 1), [Model() for _ in range(5)]

    def check(number):
        model = models[number % 5]
        return cache.get(model, "key", lambda: model) is model

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(check, range(4000)))
