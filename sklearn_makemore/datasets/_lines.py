"""Plain lists: one word per line."""

from ._guess import check_plain_list, with_head


def plain_blocks(blocks, name, options, *, is_start=True, with_places=False):
    """Yield the words of blocks of lines, and the numbers of their lines if asked.

    `is_start` is whether the first line is that of the file.
    """
    if is_start and options.header is None and options.format is None:
        lines, blocks = with_head(blocks)
        check_plain_list(lines, name)
    n_lines, has_header = 0, is_start and options.header
    for lines in blocks:
        words = list(map(str.strip, lines))
        if has_header and any(words):
            words[words.index(next(filter(None, words)))] = ""
            has_header = False
        block = [word for word in words if word]
        if with_places:
            numbers = [n for n, word in enumerate(words, n_lines + 1) if word]
            yield block, numbers
        else:
            yield (block,)
        n_lines += len(words)
