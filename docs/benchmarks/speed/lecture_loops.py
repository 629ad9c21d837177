"""The loops of the makemore lectures, written by hand as baselines.

The code follows the lectures step by step: plain loops, one name at a time, batches of
32 windows drawn with replacement, stochastic gradient descent by hand. It uses nothing
of sklearn_makemore.
"""

import torch
from torch.nn import functional as F

CHARACTERS = "abcdefghijklmnopqrstuvwxyz"
STOI = {character: i for i, character in enumerate(CHARACTERS, start=1)} | {".": 0}
ITOS = {i: character for character, i in STOI.items()}

N_STEPS = 200_000
"""Steps of lecture 5's training: three quarters at a rate of 0.1, the rest at 0.01."""


def count_bigrams(words):
    """Lecture 1: count the pairs of a list of words into a tensor, one by one."""
    N = torch.zeros((27, 27), dtype=torch.int32)
    for word in words:
        characters = ["."] + list(word) + ["."]
        for first, second in zip(characters, characters[1:]):  # noqa: B905
            N[STOI[first], STOI[second]] += 1
    return N


def sample_bigram(P, n_names, generator):
    """Lecture 1: sample names, one character at a time."""
    names = []
    for _ in range(n_names):
        out, ix = [], 0
        while True:
            ix = torch.multinomial(P[ix], 1, replacement=True, generator=generator)
            ix = ix.item()
            if ix == 0:
                break
            out.append(ITOS[ix])
        names.append("".join(out))
    return names


def build_dataset(words, block_size):
    """Lecture 2: return all windows of a list of words, and the next characters."""
    X, Y = [], []
    for word in words:
        context = [0] * block_size
        for character in word + ".":
            ix = STOI[character]
            X.append(context)
            Y.append(ix)
            context = context[1:] + [ix]
    return torch.tensor(X), torch.tensor(Y)


def word_log_proba(model, X, Y, lengths):
    """Return log-probabilities of words, given their windows and lengths."""
    picked = -F.cross_entropy(model(X), Y, reduction="none")  # (n_windows,)
    words = torch.arange(len(lengths), device=X.device).repeat_interleave(lengths)
    return picked.new_zeros(len(lengths)).index_add_(0, words, picked)  # (n_words,)


@torch.no_grad()
def score_words(model, words, block_size, device="cpu", batch_size=1000):
    """Return log-probabilities of words, with one forward pass per batch."""
    scores = []
    for start in range(0, len(words), batch_size):
        batch = words[start : start + batch_size]
        X, Y = build_dataset(batch, block_size)
        lengths = torch.tensor([len(word) + 1 for word in batch])
        parts = (part.to(device) for part in (X, Y, lengths))
        scores.append(word_log_proba(model, *parts))
    return torch.cat(scores)


class Linear:
    """Return normal weights of deviation ``fan_in ** -0.5``."""

    def __init__(self, fan_in, fan_out, bias=True):
        self.weight = torch.randn((fan_in, fan_out)) / fan_in**0.5
        self.bias = torch.zeros(fan_out) if bias else None

    def __call__(self, x):
        out = x @ self.weight
        return out if self.bias is None else out + self.bias

    def parameters(self):
        return [self.weight] + ([] if self.bias is None else [self.bias])


class BatchNorm1d:
    """Batch normalisation over the batch, and over the positions if there are any."""

    def __init__(self, dim, eps=1e-5, momentum=0.1):
        self.eps, self.momentum = eps, momentum
        self.training = True
        self.gamma, self.beta = torch.ones(dim), torch.zeros(dim)
        self.running_mean, self.running_var = torch.zeros(dim), torch.ones(dim)

    def __call__(self, x):
        if self.training:
            dim = 0 if x.ndim == 2 else (0, 1)
            mean, var = x.mean(dim, keepdim=True), x.var(dim, keepdim=True)
        else:
            mean, var = self.running_mean, self.running_var
        out = self.gamma * ((x - mean) / torch.sqrt(var + self.eps)) + self.beta
        if self.training:
            with torch.no_grad():
                kept = 1 - self.momentum
                self.running_mean = kept * self.running_mean + self.momentum * mean
                self.running_var = kept * self.running_var + self.momentum * var
        return out

    def parameters(self):
        return [self.gamma, self.beta]


class Tanh:
    def __call__(self, x):
        return torch.tanh(x)

    def parameters(self):
        return []


class Embedding:
    def __init__(self, n_symbols, dim):
        self.weight = torch.randn((n_symbols, dim))

    def __call__(self, ix):
        return self.weight[ix]

    def parameters(self):
        return [self.weight]


class FlattenConsecutive:
    """Concatenate `n` neighbouring positions."""

    def __init__(self, n):
        self.n = n

    def __call__(self, x):
        B, T, C = x.shape
        x = x.view(B, T // self.n, C * self.n)
        return x.squeeze(1) if x.shape[1] == 1 else x

    def parameters(self):
        return []


class Sequential:
    """Layers one after the other; all their parameters take gradients."""

    def __init__(self, layers):
        self.layers = layers
        with torch.no_grad():
            layers[-1].weight *= 0.1  # the last layer less confident
        for parameter in self.parameters():
            parameter.requires_grad = True

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]

    def of_kind(self, kind):
        return [layer for layer in self.layers if isinstance(layer, kind)]

    def eval(self):
        for norm in self.of_kind(BatchNorm1d):
            norm.training = False
        return self


def mlp(block_size, n_embd, n_hidden):
    """Lecture 2: concatenated embeddings, one hidden layer."""
    return Sequential(
        [
            Embedding(27, n_embd),
            FlattenConsecutive(block_size),
            Linear(block_size * n_embd, n_hidden),
            Tanh(),
            Linear(n_hidden, 27),
        ]
    )


def wavenet(n_embd=24, n_hidden=128):
    """Lecture 5: three levels of pairs, 76,579 parameters."""
    layers = [Embedding(27, n_embd)]
    for n_in in (n_embd, n_hidden, n_hidden):
        layers += [
            FlattenConsecutive(2),
            Linear(2 * n_in, n_hidden, bias=False),
            BatchNorm1d(n_hidden),
            Tanh(),
        ]
    return Sequential([*layers, Linear(n_hidden, 27)])


def train(model, X, Y, n_steps, lr=0.1, batch_size=32):
    """Lectures 2 to 5: stochastic gradient descent by hand; return the losses."""
    parameters, losses = model.parameters(), []
    for _ in range(n_steps):
        ix = torch.randint(0, X.shape[0], (batch_size,), device=X.device)
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        for parameter in parameters:
            parameter.grad = None
        loss.backward()
        for parameter in parameters:
            parameter.data += -lr * parameter.grad
        losses.append(loss.log10().item())
    return losses


@torch.no_grad()  # not in the lectures; it makes them a fifth faster
def sample_network(model, block_size, n_names, generator):
    """Lectures 2 to 5: sample names, one character at a time."""
    names = []
    for _ in range(n_names):
        out, context = [], [0] * block_size
        while True:
            ids = torch.tensor([context], device=generator.device)
            probs = F.softmax(model(ids), dim=1)
            ix = torch.multinomial(probs, num_samples=1, generator=generator).item()
            context = context[1:] + [ix]
            if ix == 0:
                break
            out.append(ITOS[ix])
        names.append("".join(out))
    return names


@torch.no_grad()
def sample_rows(model, block_size, n_names, longest, generator, batch_size=1000):
    """Sample 1,000 names at a time; a finished name keeps its row."""
    names = []
    for start in range(0, n_names, batch_size):
        n_rows = min(batch_size, n_names - start)
        shape, device = (n_rows, block_size), generator.device
        context = torch.zeros(shape, dtype=torch.long, device=device)
        ended = torch.zeros(n_rows, dtype=torch.bool, device=device)
        columns = []
        while len(columns) < longest and not ended.all():
            probs = F.softmax(model(context), dim=1)  # (n_rows, 27)
            ix = torch.multinomial(probs, num_samples=1, generator=generator)
            context = torch.cat([context[:, 1:], ix], dim=1)
            ended |= ix[:, 0] == 0
            columns.append(ix)
        names += [up_to_the_end(row) for row in torch.cat(columns, dim=1).tolist()]
    return names


def up_to_the_end(ids):
    """Return the characters before the first boundary, or all without one."""
    n_characters = ids.index(0) if 0 in ids else len(ids)
    return "".join(ITOS[i] for i in ids[:n_characters])
