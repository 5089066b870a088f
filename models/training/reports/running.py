"""The exported graphs in onnxruntime, decoded greedily: what residentd is held against."""

import numpy as np
import onnxruntime


def session(graph):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph if isinstance(graph, bytes) else str(graph), options,
                                        providers=["CPUExecutionProvider"])


class Running:
    """Encoder and decoder of the names that `export.py` gives, with masks as residentd applies them."""

    def __init__(self, encoder, decoder, layers, heads, head_width):
        self.encoder, self.decoder = session(encoder), session(decoder)
        self.names = [o.name for o in self.encoder.get_outputs()]
        self.outputs = [o.name for o in self.decoder.get_outputs()]
        self.past = {f"past_{k}.{i}": np.zeros((1, heads, 0, head_width), np.float32) for i in range(layers) for k in ("key", "value")}

    def greedy(self, given, start, end, allowed, most):
        """Token numbers of a text; ``given`` are the encoder's inputs, ``allowed`` a mask of tokens."""
        memory = dict(zip(self.names, self.encoder.run(None, given)))
        past, token, text = dict(self.past), start, []
        for position in range(most):
            out = dict(zip(self.outputs, self.decoder.run(None, {
                "token": np.array([[token]], np.int64), "position": np.array([position], np.int64), **past, **memory})))
            logits = np.where(allowed, out["logits"].reshape(-1), -np.inf)
            token = int(logits.argmax())
            if token == end:
                return text
            text.append(token)
            past = {name: out[name.replace("past", "present")] for name in past}
        return text
