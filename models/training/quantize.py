"""From a trained network to the int8 ONNX file of a bundle.

Opset 17, batch norm folded, one static image. QuantizeLinear and
DequantizeLinear stand only before convolutions and the last layer; weights are
symmetric s8 per channel within +-63 (u8 x s8 products then cannot saturate a
16-bit sum), activations asymmetric u8 per tensor.
"""

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import preprocess

OPSET = 17
QUANTIZED = ["Conv", "MatMul", "Gemm"]
WEIGHT_LIMIT = 63
LOG_ERRORS_ONLY = 3
CALIBRATION_IMAGES = 200


def export(model, outputs, calibration_pixels, path):
    """Writes the quantized network of the named ``outputs``; returns the float session."""
    with tempfile.TemporaryDirectory() as folder:
        plain, folded = Path(folder) / "plain.onnx", Path(folder) / "folded.onnx"
        write_float(model, outputs, calibration_pixels.shape[-2:], plain)
        quant_pre_process(str(plain), str(folded), skip_symbolic_shape=True)
        quantize_static(
            str(folded), str(path), Calibration(calibration_pixels),
            quant_format=QuantFormat.QDQ, op_types_to_quantize=QUANTIZED,
            weight_type=QuantType.QInt8, activation_type=QuantType.QUInt8,
            per_channel=True, reduce_range=True, calibrate_method=CalibrationMethod.MinMax,
            extra_options={"WeightSymmetric": True, "ActivationSymmetric": False,
                           "OpTypesToExcludeOutputQuantization": QUANTIZED})
        tidy(path)
        return session(folded)


def write_float(model, outputs, size, path):
    linear = model[-1]
    head = torch.nn.Linear(linear.in_features, len(outputs))
    head.weight.data, head.bias.data = linear.weight.data[outputs], linear.bias.data[outputs]
    torch.onnx.export(torch.nn.Sequential(model[0], head).eval(), torch.zeros(1, 1, *size), str(path),
                      opset_version=OPSET, input_names=["image"], output_names=["logits"])


class Calibration(CalibrationDataReader):
    def __init__(self, pixels):
        self.images = iter(pixels)

    def get_next(self):
        image = next(self.images, None)
        return None if image is None else {"image": preprocess.normalise(image)[None]}


def tidy(path):
    """Clamps the weights and drops the operator domains that the file does not use.

    The quantizer's reduced range ends at 64; one step less is what the kernels need.
    """
    model = onnx.load(str(path))
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.int8:
            limited = np.clip(values, -WEIGHT_LIMIT, WEIGHT_LIMIT)
            tensor.CopyFrom(numpy_helper.from_array(limited, tensor.name))
    del model.opset_import[:]
    model.opset_import.append(onnx.helper.make_opsetid("", OPSET))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def without_activation_rounding(path):
    """A session in which the activations stay floats, as a runtime without int8 kernels may choose."""
    model = onnx.load(str(path))
    rounded = {n.output[0]: n.input[0] for n in model.graph.node if n.op_type == "QuantizeLinear"}
    stays = {n.output[0]: rounded[n.input[0]] for n in model.graph.node
             if n.op_type == "DequantizeLinear" and n.input[0] in rounded}
    kept = [n for n in model.graph.node if n.output[0] not in rounded and n.output[0] not in stays]
    for node in kept:
        node.input[:] = [stays.get(name, name) for name in node.input]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    return session(model.SerializeToString())


def session(model, optimised=True):
    """Of a path or bytes, one thread; without optimisation each node runs as written, in floats."""
    options = ort.SessionOptions()
    options.log_severity_level = LOG_ERRORS_ONLY
    options.intra_op_num_threads = 1
    if not optimised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    model = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def logits(running, pixels):
    """[n, outputs] for pixels in 0..1."""
    return np.concatenate([running.run(["logits"], {"image": preprocess.normalise(p)[None]})[0] for p in pixels])


def node_counts(path):
    return dict(sorted(Counter(node.op_type for node in onnx.load(str(path)).graph.node).items()))
