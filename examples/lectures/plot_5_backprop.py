"""
Back-propagation by hand
========================

Lecture 4 of makemore replaces ``loss.backward()`` by a hand-written backward pass:
first through every intermediate tensor of the forward pass, then in the few lines that
remain after simplification on paper. This example writes both for the package's own
network, in double precision. The claim: they give the gradients of autograd up to
rounding, so training with either gives the same losses and weights.
"""

# %%
# The names become windows of three symbols, each with the symbol that follows. Symbol 0
# is the boundary before and after a name.

import torch

from sklearn_makemore.datasets import load_names

names = list(dict.fromkeys(load_names().data))
symbols = ["", *sorted(set("".join(names)))]
block_size = 3

contexts, targets = [], []
for name in names:
    context = [0] * block_size
    for symbol in [symbols.index(character) for character in name] + [0]:
        contexts.append(context)
        targets.append(symbol)
        context = [*context[1:], symbol]
contexts, targets = torch.tensor(contexts), torch.tensor(targets)

generator = torch.Generator().manual_seed(0)
batch = torch.randint(len(contexts), (32,), generator=generator)
ids, next_ids = contexts[batch], targets[batch]
n = len(ids)
print(f"{len(names)} names, {len(contexts)} windows; a batch of {n}")

# %%
# The network is `sklearn_makemore.modules.MLP` with batch normalisation, as in
# `MLPCharLM`. The parameters have the names of the lecture here, but torch's layout,
# (out, in). There is no bias before batch normalisation, which would subtract it again.

from sklearn_makemore.modules import MLP

with torch.random.fork_rng(devices=[]):
    torch.manual_seed(0)
    mlp = MLP(len(symbols), block_size, n_embd=10, n_hidden=64, batch_norm=True)
mlp = mlp.double().train()


def parameters_of(mlp):
    """Return the six parameters of the network under their names in the lecture."""
    layer = mlp.hidden[0]
    return {
        "C": mlp.embedding.weight,  # (27, 10)
        "W1": layer.linear.weight,  # (64, 30)
        "gamma": layer.norm.weight,  # (64,)
        "beta": layer.norm.bias,  # (64,)
        "W2": mlp.head.weight,  # (27, 64)
        "b2": mlp.head.bias,  # (27,)
    }


C, W1, gamma, beta, W2, b2 = parameters_of(mlp).values()
# Scales of one and shifts of zero could hide a mistake in a formula.
with torch.no_grad():
    gamma.uniform_(0.5, 1.5, generator=generator)
    beta.uniform_(-0.5, 0.5, generator=generator)
    b2.uniform_(-0.5, 0.5, generator=generator)
eps = mlp.hidden[0].norm.eps

# %%
# The forward pass has one operation per line, and each operation has a simple
# derivative. The lecture divides the variance by n - 1; torch's layer and the package's
# layer divide by n.

emb = C[ids]  # (n, 3, 10)
x = emb.view(n, -1)  # (n, 30)
z = x @ W1.T  # (n, 64)
mean = z.mean(0)  # (64,)
centered = z - mean  # (n, 64)
squares = centered**2  # (n, 64)
var = squares.mean(0)  # (64,)
inv_std = (var + eps) ** -0.5  # (64,)
normed = centered * inv_std  # (n, 64)
pre = gamma * normed + beta  # (n, 64)
h = torch.tanh(pre)  # (n, 64)
logits = h @ W2.T + b2  # (n, 27)
top = logits.max(1, keepdim=True).values  # (n, 1)
shifted = logits - top  # (n, 27)
counts = shifted.exp()  # (n, 27)
total = counts.sum(1, keepdim=True)  # (n, 1)
inv_total = 1 / total  # (n, 1)
probs = counts * inv_total  # (n, 27)
logprobs = probs.log()  # (n, 27)
loss = -logprobs[range(n), next_ids].mean()


from torch.nn import functional as F

print(f"loss {loss.item():.6f}")
print(f"loss {F.cross_entropy(mlp(ids), next_ids).item():.6f} from the module itself")

# %%
# The backward pass, from the last line to the first. Each line is the derivative of the
# loss with respect to one tensor. Three rules cover most of it. If the forward pass
# sums a tensor, the backward pass broadcasts its gradient. If the forward pass
# broadcasts a tensor or uses it twice, the backward pass sums its gradients. The
# gradients of a matrix product are the products with matching shapes.

with torch.no_grad():
    one_hot = F.one_hot(next_ids, len(symbols)).double()  # (n, 27)
    # The log-probability of each target has weight -1/n, the others have none.
    dlogprobs = -one_hot / n
    dprobs = dlogprobs / probs  # d log p = dp / p
    # The reciprocal was broadcast over a row, so its gradient is a sum over it.
    dinv_total = (counts * dprobs).sum(1, keepdim=True)
    dtotal = -(inv_total**2) * dinv_total  # d(1/s) = -ds / s^2
    # The counts are used twice: in the ratio and in the total.
    dcounts = inv_total * dprobs + dtotal
    dshifted = counts * dcounts  # d exp(a) = exp(a) da
    # Zero up to rounding: softmax does not change when all logits are shifted.
    dtop = -dshifted.sum(1, keepdim=True)
    # The largest logit of a row is used a second time, as the shift.
    dlogits = dshifted + dtop * F.one_hot(logits.argmax(1), len(symbols))
    dh = dlogits @ W2
    dW2 = dlogits.T @ h
    db2 = dlogits.sum(0)
    dpre = (1 - h**2) * dh  # d tanh(a) = (1 - tanh(a)^2) da
    dgamma = (normed * dpre).sum(0)
    dbeta = dpre.sum(0)
    dnormed = gamma * dpre
    dinv_std = (centered * dnormed).sum(0)
    dvar = -0.5 * (var + eps) ** -1.5 * dinv_std  # d v^(-1/2) = -1/2 v^(-3/2) dv
    dsquares = dvar.expand(n, -1) / n  # the mean over n rows
    # The centred values are used twice: directly and squared.
    dcentered = inv_std * dnormed + 2 * centered * dsquares
    dmean = -dcentered.sum(0)
    dz = dcentered + dmean / n
    dx = dz @ W1
    dW1 = dz.T @ x
    demb = dx.view(n, block_size, -1)
    # The gradient of an embedding is the sum over the positions of its symbol.
    dC = torch.zeros_like(C).index_add_(0, ids.flatten(), demb.flatten(0, 1))

tensors = {
    "logprobs": (logprobs, dlogprobs),
    "probs": (probs, dprobs),
    "inv_total": (inv_total, dinv_total),
    "total": (total, dtotal),
    "counts": (counts, dcounts),
    "shifted": (shifted, dshifted),
    "top": (top, dtop),
    "logits": (logits, dlogits),
    "b2": (b2, db2),
    "W2": (W2, dW2),
    "h": (h, dh),
    "pre": (pre, dpre),
    "beta": (beta, dbeta),
    "gamma": (gamma, dgamma),
    "normed": (normed, dnormed),
    "inv_std": (inv_std, dinv_std),
    "var": (var, dvar),
    "squares": (squares, dsquares),
    "centered": (centered, dcentered),
    "mean": (mean, dmean),
    "z": (z, dz),
    "W1": (W1, dW1),
    "x": (x, dx),
    "emb": (emb, demb),
    "C": (C, dC),
}
step_by_step = {name: gradient for name, (_, gradient) in tensors.items()}
autograd = dict(
    zip(
        tensors,
        torch.autograd.grad(loss, [tensor for tensor, _ in tensors.values()]),
        strict=True,
    )
)

# %%
# On paper, most of this simplifies. For softmax and cross-entropy together, the
# gradient of a row's logits is the predicted distribution minus the one-hot target. For
# batch normalisation, let g be the gradient of the normalised output. Then the gradient
# of the input is ``(g - mean(g) - normed * mean(g * normed)) / std``: g without its
# mean and without its component along the output, because a change of mean or scale has
# no effect.


@torch.no_grad()
def fused_gradients(mlp, ids, next_ids):
    """Return the loss and its gradients for the parameters, the logits and `z`."""
    C, W1, gamma, beta, W2, b2 = parameters_of(mlp).values()
    n = len(ids)
    x = C[ids].flatten(1)
    z = x @ W1.T
    var, mean = torch.var_mean(z, 0, correction=0)
    inv_std = (var + eps).rsqrt()
    normed = (z - mean) * inv_std
    h = torch.tanh(gamma * normed + beta)
    logprobs = (h @ W2.T + b2).log_softmax(1)
    loss = -logprobs[range(n), next_ids].mean()

    dlogits = logprobs.exp()
    dlogits[range(n), next_ids] -= 1
    dlogits /= n
    dpre = (1 - h**2) * (dlogits @ W2)
    g = gamma * dpre
    dz = inv_std * (g - g.mean(0) - normed * (g * normed).mean(0))
    demb = (dz @ W1).view(-1, C.shape[1])  # (n * 3, 10)
    return loss, {
        "logits": dlogits,
        "b2": dlogits.sum(0),
        "W2": dlogits.T @ h,
        "beta": dpre.sum(0),
        "gamma": (normed * dpre).sum(0),
        "z": dz,
        "W1": dz.T @ x,
        "C": torch.zeros_like(C).index_add_(0, ids.flatten(), demb),
    }


_, fused = fused_gradients(mlp, ids, next_ids)

# %%
# The largest difference from autograd for each tensor. What remains is the rounding of
# double precision, whose unit is 2.2e-16.


def largest_differences(by_hand):
    return {
        name: (gradient - autograd[name]).abs().max().item()
        for name, gradient in by_hand.items()
    }


differences = {
    "step by step": largest_differences(step_by_step),
    "fused": largest_differences(fused),
}
sizes = {name: gradient.abs().max().item() for name, gradient in autograd.items()}
print("tensor     largest gradient   step by step     fused")
for name, size in sizes.items():
    of_fused = differences["fused"].get(name)
    column = "" if of_fused is None else f"{of_fused:10.1e}"
    print(f"{name:<10} {size:16.1e} {differences['step by step'][name]:14.1e}{column}")

# %%
# The same as a plot. The hand-written gradients differ from those of autograd only by
# rounding, many orders of magnitude below the gradients themselves. The gradient of
# `top` consists of rounding only.

import matplotlib.pyplot as plt

rounding = torch.finfo(torch.float64).eps
places = {name: place for place, name in enumerate(sizes)}
figure, ax = plt.subplots(figsize=(8, 6.5), layout="constrained")
ax.plot(sizes.values(), places.values(), "o", color="0.7", label="largest gradient")
for (form, found), marker in zip(differences.items(), ["x", "+"], strict=True):
    ax.plot(
        found.values(),
        [places[name] for name in found],
        marker,
        markersize=8,
        clip_on=False,
        label=f"largest difference, {form}",
    )
ax.axvline(rounding, color="0.4", linestyle="--", label="rounding of 1.0")
ax.set_xscale("symlog", linthresh=1e-20)  # logarithmic, but shows zero
ax.set_xticks([0, 1e-18, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 1])
ax.set_xlim(0, 10)
ax.set_yticks(range(len(places)), places)
ax.invert_yaxis()
ax.set_xlabel("absolute value (logarithmic)")
ax.set_ylabel("tensor, from the loss back to the embedding")
ax.set_title("Hand-written gradients and autograd")
ax.legend(loc="center")
plt.show()

# %%
# Training with the fused gradients, without autograd, and the same training with
# autograd: 500 steps of gradient descent on the same batches, from the same weights.

import copy

n_steps, lr = 500, 0.1


def train(mlp, take_gradients):
    """Update the parameters in place; return the loss before each step."""
    generator = torch.Generator().manual_seed(1)
    losses = []
    for _ in range(n_steps):
        batch = torch.randint(len(contexts), (64,), generator=generator)
        loss, gradients = take_gradients(mlp, contexts[batch], targets[batch])
        losses.append(loss.detach())
        with torch.no_grad():
            for name, parameter in parameters_of(mlp).items():
                parameter -= lr * gradients[name]
    return torch.stack(losses)


def autograd_gradients(mlp, ids, next_ids):
    mlp.zero_grad()
    loss = F.cross_entropy(mlp(ids), next_ids)
    loss.backward()
    return loss, {name: w.grad for name, w in parameters_of(mlp).items()}


by_hand, by_autograd = copy.deepcopy(mlp), copy.deepcopy(mlp)
losses = {
    "by hand": train(by_hand, fused_gradients),
    "autograd": train(by_autograd, autograd_gradients),
}
apart = (losses["by hand"] - losses["autograd"]).abs().max().item()
weights_apart = max(
    (mine - other).abs().max().item()
    for mine, other in zip(by_hand.parameters(), by_autograd.parameters(), strict=True)
)
for label, values in losses.items():
    first, last = values[0], values[-50:].mean()
    print(f"{label:<8} loss of the first batch {first:.4f}, mean of 50 {last:.4f}")
print(f"largest difference: of a loss {apart:.1e}, of a weight {weights_apart:.1e}")

# %%
# On the left, the two loss curves coincide. The right plot shows the gradient of the
# trained network's logits. Gradient descent lowers the logits of wrong characters (red)
# in proportion to their probability, and raises the logit of the right one (blue) by
# the sum of these.

_, gradients = fused_gradients(by_hand, ids, next_ids)
figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")

ax = axes[0]
ax.plot(losses["autograd"], color="0.75", linewidth=4, label="autograd")
ax.plot(losses["by hand"], linewidth=0.8, label="by hand")
ax.set_xlabel("step of gradient descent")
ax.set_ylabel("loss of the batch (nats per character)")
ax.set_title(f"The same training: losses differ by at most {apart:.0e}")
ax.legend()

ax = axes[1]
rows = range(16)
texts = [symbol or "." for symbol in symbols]
image = ax.imshow(
    (n * gradients["logits"][rows]).numpy(),
    cmap="RdBu_r",
    vmin=-1,
    vmax=1,
    aspect="auto",
)
ax.set_xticks(range(len(texts)), texts)
ax.set_yticks(
    rows, ["".join(texts[i] for i in ids[row]) for row in rows], family="monospace"
)
ax.set_xlabel("next character (. is the end)")
ax.set_ylabel("window (. is the start)")
ax.set_title("Gradient of the logits for 16 windows of the batch")
figure.colorbar(image, ax=ax, label="gradient with respect to the logit, times n")
plt.show()

assert max(max(found.values()) for found in differences.values()) < 1e-14
assert apart < 1e-10 and weights_apart < 1e-10
