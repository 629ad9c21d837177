"""Every module is exported by torch.export, for batches of any size."""

import pytest
import torch

from sklearn_makemore.modules import (
    GRU,
    LSTM,
    MLP,
    RNN,
    BoW,
    LookupTable,
    Transformer,
    WaveNet,
)

V, T = 5, 4
SIZES = {"n_embd": 4, "n_hidden": 6}
MODULES = {
    "lookup": lambda: LookupTable(V),
    "mlp": lambda: MLP(V, T, **SIZES, batch_norm=True, direct=True),
    "wavenet": lambda: WaveNet(V, n_layers=2, **SIZES),
    "bow": lambda: BoW(V, T, **SIZES),
    "rnn": lambda: RNN(V, **SIZES, n_layers=2),
    "gru": lambda: GRU(V, **SIZES),
    "lstm": lambda: LSTM(V, **SIZES),
    "transformer": lambda: Transformer(V, T, n_embd=4, n_heads=2, n_layers=1),
}


# torch's recurrent layers are not quite ready for export.
@pytest.mark.filterwarnings("ignore:The tensor attributes:UserWarning")
@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_exported_with_a_dynamic_batch(name):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = MODULES[name]().eval()
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter)
        ids = [torch.randint(V, (n_rows, T)) for n_rows in (3, 1, 300)]
    shapes = ({0: torch.export.Dim("batch")},)
    exported = torch.export.export(module, (ids[0],), dynamic_shapes=shapes).module()
    for rows in ids:
        torch.testing.assert_close(exported(rows), module(rows))
