"""A small residual network: 3x3 convolutions, batch norm, ReLU, average pool.

Only operations that the daemon's runtimes execute exactly; channels are
multiples of 16. 0.69 M parameters, 87 million multiply-adds at 160 x 160.
"""

from torch import nn


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = convolution(channels, channels)[:2]
        self.activation = nn.ReLU()

    def forward(self, x):
        return self.activation(x + self.second(self.first(x)))


def convolution(channels_in, channels_out, stride=1):
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


def body():
    """[n, 1, h, w] to [n, 192] features."""
    return nn.Sequential(
        convolution(1, 16, 2),
        convolution(16, 32, 2),
        convolution(32, 64, 2),
        Residual(64),
        convolution(64, 128, 2),
        Residual(128),
        convolution(128, 192, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


def network(outputs):
    return nn.Sequential(body(), nn.Dropout(0.2), nn.Linear(192, outputs))
