"""Compare the output that a page shows with what its example prints."""

import doctest
import re

# Marks an example whose words and figures depend on the weights of a network, which
# differ between processors.
VARIES = doctest.register_optionflag("VARIES")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

STRING = re.compile(r"'[^']*'")
NUMBER = re.compile(
    r"(?<![\w.])[-+]?\d+\.\d*(?:e[-+]?\d+)?|(?<![\w.])[-+]?\d+e[-+]?\d+"
)


def is_close(shown, printed, varies):
    """Return whether numbers differ by a unit of the last digit shown, or by 10 %."""
    digits, _, exponent = shown.lower().partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))
    tolerance = max(1.01 * unit, 0.1 * abs(float(shown)) if varies else 0.0)
    return abs(float(shown) - float(printed)) <= tolerance


class ShownOutput(doctest.OutputChecker):
    """Numbers with a point may differ a little; all other text is exact.

    With the flag VARIES, the quoted strings may be others, and numbers differ by 10 %.
    """

    def check_output(self, want, got, optionflags):
        varies = bool(optionflags & VARIES)
        numbers = NUMBER.findall(want), NUMBER.findall(got)
        texts = [NUMBER.sub("0.0", text) for text in (want, got)]
        if varies:
            texts = [STRING.sub("''", text) for text in texts]
        same = len(numbers[0]) == len(numbers[1])
        return (
            same
            and all(is_close(*pair, varies) for pair in zip(*numbers, strict=True))
            and super().check_output(*texts, optionflags)
        )
