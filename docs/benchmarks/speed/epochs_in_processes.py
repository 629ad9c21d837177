r"""Time epochs of networks in one process, or in several started by torchrun.

    python docs/benchmarks/speed/epochs_in_processes.py [names.txt]
    torchrun --standalone --nproc-per-node 2 \
        docs/benchmarks/speed/epochs_in_processes.py [names.txt]

print one line per network: its batch size, seconds of each epoch, and the last loss,
which is the same either way but for dropout. Set OMP_NUM_THREADS=1 for both.
"""

import os
import sys

from sklearn_makemore import LSTMCharLM, TransformerCharLM, WaveNetCharLM
from sklearn_makemore.datasets import load_names, read_words

NETS = [
    LSTMCharLM(n_hidden=400, random_state=0),
    LSTMCharLM(n_hidden=400, batch_size=4096, random_state=0),
    TransformerCharLM(random_state=0),
    WaveNetCharLM(random_state=0),
]


def main():
    """Train two epochs of each network."""
    rank = os.environ.get("RANK")
    words = read_words(sys.argv[1]) if len(sys.argv) > 1 else load_names().data
    for net in NETS:
        net.set_params(max_epochs=2, accelerate=rank is not None).fit(words)
        if rank in (None, "0"):
            seconds = ", ".join(f"{row['dur']:.2f}" for row in net.history_)
            loss = net.history_[-1]["train_loss"]
            name = " ".join(repr(net).split())
            print(f"{name}: {seconds} s, loss {loss:.4f}", flush=True)


if __name__ == "__main__":
    main()
