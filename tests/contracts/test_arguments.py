"""Calls with wrong arguments: the error names the call that may be meant."""

import inspect

import pytest
from sklearn import config_context

from sklearn_makemore import ConditionalCharLM, MLPCharLM, NGramCounter
from sklearn_makemore._arguments import SYNONYMS
from sklearn_makemore.datasets import load_names, read_words
from sklearn_makemore.distributed import fit_counter
from sklearn_makemore.inspection import NoveltyDisplay, SurprisalDisplay
from sklearn_makemore.model_selection import lr_range_test, train_dev_test_split

WORDS, LABELS = ["ab", "abc", "ba"], ["F", "M", "M"]
PLAIN = NGramCounter(2, match_lengths=False)
MODEL = NGramCounter(2).fit(WORDS)
OF_LABELS = ConditionalCharLM(PLAIN).fit(WORDS, LABELS)

OPTIONS = [
    (
        MODEL.sample,
        "n_samples random_state prefix max_length temperature matching avoiding",
    ),
    (MODEL.most_likely, "n_samples prefix min_length"),
    (MODEL.rank, "n_samples random_state"),
    (MODEL.novelty_report, "n_samples random_state temperature prefix matching"),
    (MODEL.fit, "sample_weight"),
    (MODEL.partial_fit, "sample_weight"),
    (MODEL.score, "sample_weight"),
    (OF_LABELS.fit, "sample_weight"),
    (OF_LABELS.sample, "label n_samples random_state temperature prefix matching"),
    (OF_LABELS.most_likely, "n_samples prefix min_length"),
    (OF_LABELS.rank, "n_samples random_state"),
    (train_dev_test_split, "dev_size random_state"),
    (read_words, "delimiter"),
    (fit_counter, "delimiter"),
    (lr_range_test, "sample_weight"),
    (MLPCharLM, "random_state lr n_hidden n_embd block_size"),
    (NGramCounter, "order"),
]


def test_other_names_of_an_option_name_it():
    for function, options in OPTIONS:
        for option in options.split():
            for name in SYNONYMS[option].split():
                message = rf"{function.__name__}\(\) .*{name}'; did.*'{option}'"
                with pytest.raises(TypeError, match=message):
                    function(**{name: 1})


def test_synonyms_are_no_parameters():
    functions = MODEL.sample, OF_LABELS.sample, train_dev_test_split, read_words
    known = {
        name for found in functions for name in inspect.signature(found).parameters
    }
    assert known.isdisjoint(" ".join(SYNONYMS.values()).split())
    assert list(SYNONYMS) == sorted(SYNONYMS)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: MODEL.most_likely(5, "ma"),
            "NGramCounter.most_likely() takes only n_samples by position; name the "
            "other arguments, for example most_likely(5, prefix='ma').",
        ),
        (
            lambda: MODEL.sample(5, 0.8, "a", random_state=0),
            "NGramCounter.sample() takes only n_samples by position; name the other "
            "arguments, for example sample(5, temperature=0.8, prefix='a', "
            "random_state=0).",
        ),
        (
            lambda: MODEL.sample("ma"),
            "The 'n_samples' parameter of NGramCounter.sample must be an int in the "
            "range [1, inf). Got 'ma' instead. Did you mean prefix='ma'?",
        ),
        (
            lambda: MODEL.sample(0),
            "The 'n_samples' parameter of NGramCounter.sample must be an int in the "
            "range [1, inf). Got 0 instead.",
        ),
        (
            lambda: MODEL.sample(max_lenght=3),
            "NGramCounter.sample() got an unexpected keyword argument 'max_lenght'; "
            "did you mean 'max_length'?",
        ),
        (
            lambda: MODEL.sample(length=3),
            "NGramCounter.sample() got an unexpected keyword argument 'length'; did "
            "you mean 'min_length' or 'max_length'?",
        ),
        (
            lambda: MODEL.sample(foo=3),
            "NGramCounter.sample() got an unexpected keyword argument 'foo'",
        ),
        (
            lambda: MODEL.fit(WORDS, weights=[1, 1, 1]),
            "NGramCounter.fit() got an unexpected keyword argument 'weights'; did you "
            "mean 'sample_weight'?",
        ),
        (
            lambda: NGramCounter(3, "additive"),
            "NGramCounter() takes only order by position; name the other arguments, "
            "for example NGramCounter(3, smoothing='additive').",
        ),
        (
            lambda: NGramCounter(ordr=3),
            "NGramCounter() got an unexpected keyword argument 'ordr'; did you mean "
            "'order'?",
        ),
        (
            lambda: ConditionalCharLM(PLAIN, 3),
            "ConditionalCharLM() takes only estimator; got 2 arguments.",
        ),
        (
            lambda: NoveltyDisplay.from_estimator(MODEL, WORDS, 100, 3),
            "NoveltyDisplay.from_estimator() takes only estimator, words and n_samples "
            "by position; name the other arguments, for example "
            "from_estimator(estimator, words, 100, random_state=3).",
        ),
        (
            lambda: SurprisalDisplay(["a"], [[1.0]]).plot(colourbar=True),
            "SurprisalDisplay.plot() got an unexpected keyword argument 'colourbar'; "
            "did you mean 'colorbar'?",
        ),
        (
            lambda: MODEL.rank(WORDS, 100, True),
            "NGramCounter.rank() takes only words and n_samples by position; name the "
            "other arguments, for example rank(words, 100, return_std=True).",
        ),
        (
            lambda: MODEL.novelty_report(WORDS, temperature=-1),
            "The 'temperature' parameter of NGramCounter.novelty_report must be a "
            "float in the range [0.0, inf). Got -1 instead.",
        ),
        (
            lambda: OF_LABELS.sample(2, "F"),
            "ConditionalCharLM.sample() takes only n_samples by position; name the "
            "other arguments, for example sample(2, label='F').",
        ),
        (
            lambda: OF_LABELS.most_likely("F"),
            "The 'n_samples' parameter of ConditionalCharLM.most_likely must be an "
            "int in the range [1, inf). Got 'F' instead. Did you mean label='F'?",
        ),
        (
            lambda: train_dev_test_split(WORDS, LABELS, 0.1, 0.2),
            "train_dev_test_split() takes only words and arrays by position; name the "
            "other arguments, for example train_dev_test_split(words, ..., "
            "dev_size=0.1, test_size=0.2).",
        ),
        (
            lambda: train_dev_test_split(WORDS, None),
            "train_dev_test_split() takes only words and arrays by position; name the "
            "other arguments, which are dev_size, test_size, shuffle, "
            "group_duplicates and random_state.",
        ),
        (
            lambda: load_names(True),
            "load_names() takes nothing by position; name the other arguments, for "
            "example load_names(return_X_y=True).",
        ),
        (
            lambda: read_words("names.csv", "name"),
            "read_words() takes only source by position; name the other arguments, "
            "for example read_words('names.csv', column='name').",
        ),
    ],
)
def test_wrong_calls(call, message):
    with pytest.raises((TypeError, ValueError)) as error:
        call()
    assert str(error.value) == message


def test_a_missing_argument_is_named():
    message = r"ConditionalCharLM.most_likely\(\) missing a required .*'label'"
    with pytest.raises(TypeError, match=message):
        OF_LABELS.most_likely()


def test_without_validation_python_checks_the_arguments():
    with (
        config_context(skip_parameter_validation=True),
        pytest.raises(TypeError, match="takes from 1 to 2 positional arguments"),
    ):
        MODEL.sample(5, "ma")
