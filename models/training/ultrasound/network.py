"""A smaller network than the radiographs': there are 118 clips. 0.12 M parameters, 23 million multiply-adds."""

from torch import nn

from network import Residual, convolution


def body():
    """[n, 1, 96, 96] to [n, 96] features."""
    return nn.Sequential(
        convolution(1, 16, 2),
        convolution(16, 32, 2),
        Residual(32),
        convolution(32, 48, 2),
        Residual(48),
        convolution(48, 96, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


def network(outputs):
    return nn.Sequential(body(), nn.Dropout(0.3), nn.Linear(96, outputs))
