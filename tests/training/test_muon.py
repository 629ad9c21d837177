"""The optimizer Muon against a singular value decomposition and AdamW."""

import numpy as np
import pytest
import torch
from estimators import NETS
from sklearn.base import clone
from sklearn.callback import FitCallback

from sklearn_makemore._training import checkpoint
from sklearn_makemore._training.muon import STEP_SCALE, Muon, orthogonalized


@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (9, 9), (5, 1)])
def test_only_singular_values_change(shape):
    generator = torch.Generator().manual_seed(0)
    u, _ = torch.linalg.qr(torch.randn(shape[0], min(shape), generator=generator))
    v, _ = torch.linalg.qr(torch.randn(shape[1], min(shape), generator=generator))
    values = torch.linspace(1, 3, min(shape))
    others = torch.randn(2, *shape, generator=generator)
    *_, found = orthogonalized([others[0].T, others[1], u * values @ v.T])
    core = u.T @ found @ v
    torch.testing.assert_close(u @ core @ v.T, found, rtol=0, atol=1e-5)
    assert ((core.diagonal() > 0.6) & (core.diagonal() < 1.3)).all()
    torch.testing.assert_close(core, core.diagonal().diag(), rtol=0, atol=1e-5)
    assert not orthogonalized([torch.zeros(shape)])[0].any()


def test_a_step_of_matrices_and_of_all_else():
    start = [torch.randn(6, 4), torch.randn(6), torch.randn(5, 3)]
    grads = [torch.randn_like(part) for part in start]
    after = {}
    for kind in (Muon, torch.optim.AdamW):
        hidden = [torch.nn.Parameter(part.clone()) for part in start[:2]]
        other = torch.nn.Parameter(start[2].clone())
        groups = [{"params": hidden, "hidden": True}, {"params": [other]}]
        optimizer = kind(groups, lr=0.1, weight_decay=0.5, fused=True)
        for parameter, grad in zip([*hidden, other], grads, strict=True):
            parameter.grad = grad
        optimizer.step()
        after[kind] = [parameter.detach() for parameter in (*hidden, other)]
        assert hidden[0].grad is grads[0]
    ours, theirs = after.values()
    torch.testing.assert_close(ours[1:], theirs[1:], rtol=0, atol=0)
    # Steps of AdamW have a root mean square of 0.2 to 0.4 lr (Liu et al. 2025).
    step = (0.95 * start[0] - ours[0]).square().mean().sqrt()
    assert 0.6 * 0.04 < step < 1.3 * 0.04
    expected = 0.95 * start[0]
    expected -= 0.1 * STEP_SCALE * 6**0.5 * orthogonalized(grads[:1])[0]
    torch.testing.assert_close(ours[0], expected)


class Interrupt(FitCallback):
    def on_fit_task_end(self, estimator, context, **kwargs):
        if context.task_name == "epoch":
            raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["gru", "wavenet"])
def test_training_with_muon_resumes_and_learns_new_letters(
    name, words, tmp_path, monkeypatch
):
    monkeypatch.setattr(checkpoint, "WRITING_SHARE", float("inf"))
    model = clone(NETS[name]).set_params(optimizer="muon", max_epochs=3)
    whole = clone(model).fit(words)
    kinds = {
        name: "momentum" in whole.net_.optimizer_.state[parameter]
        for name, parameter in whole.net_.module_.named_parameters()
    }
    assert set(kinds.values()) == {False, True}
    assert not any(kinds[name] for name in kinds if name.startswith(("emb", "head")))
    model.set_params(checkpoint=tmp_path / "state")
    with pytest.raises(KeyboardInterrupt):
        model.set_callbacks(Interrupt()).fit(words)
    model.set_callbacks().fit(words)
    np.testing.assert_array_equal(
        model.score_samples(words), whole.score_samples(words)
    )
    model.set_params(checkpoint=None).partial_fit(["é"] * 30 + words)
    assert np.isfinite(model.score(["é"]))
