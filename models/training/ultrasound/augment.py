"""Random changes to training frames: another machine, depth, gain, window and crop of the sector.

Images come and go as [n, 1, h, w] in 0..1. The sector's outline tells the machine, and the machine the
class: most frames get another outline, cut at random from within their own.
"""

import math

import torch
from torch.nn import functional as F

from augment import soften, uniform


def augment(images, generator):
    images = zoom_turn_mirror(images, generator)
    images = other_gain(images, generator)
    images = soften(images, generator)
    images = other_outline(images, generator)
    speckle = 1 + uniform(len(images), 0.0, 0.25, generator) * torch.randn(images.shape, generator=generator)
    return (images * speckle).clamp(0, 1)


def zoom_turn_mirror(images, generator):
    count = len(images)
    angle = uniform(count, -12, 12, generator).flatten() * math.pi / 180
    wide, high = (uniform(count, 0.6, 1.1, generator).flatten() for _ in range(2))
    mirror = torch.where(uniform(count, 0, 1, generator).flatten() < 0.5, -1.0, 1.0)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = angle.cos() * wide * mirror, -angle.sin() * high
    theta[:, 1, 0], theta[:, 1, 1] = angle.sin() * wide * mirror, angle.cos() * high
    room = torch.stack([(1 - wide).clamp(min=0.05), (1 - high).clamp(min=0.05)], dim=1)
    theta[:, :, 2] = room * uniform(2 * count, -1, 1, generator).view(count, 2)
    return F.grid_sample(images, F.affine_grid(theta, images.shape, align_corners=False), align_corners=False)


def other_gain(images, generator):
    """Gain, dynamic range and time gain compensation: a slope of brightness over depth."""
    count, height = len(images), images.shape[2]
    depth = torch.linspace(-1, 1, height).view(1, 1, -1, 1)
    gain = (uniform(count, -0.4, 0.4, generator) + uniform(count, -0.25, 0.25, generator) * depth).exp()
    gamma = uniform(count, -0.5, 0.5, generator).exp()
    return (images.clamp(min=1e-4) ** gamma * gain).clamp(0, 1)


def other_outline(images, generator):
    """Blackens what lies outside a random fan, in three of four frames."""
    count, height, width = images.shape[0], images.shape[2], images.shape[3]
    y = torch.linspace(0, 1, height).view(1, 1, -1, 1)
    x = torch.linspace(-1, 1, width).view(1, 1, 1, -1)
    top, widening = uniform(count, 0.3, 1.1, generator), uniform(count, 0.0, 1.0, generator)
    above, below = uniform(count, -0.1, 0.25, generator), uniform(count, 0.8, 1.3, generator)
    bend = uniform(count, 0.0, 0.35, generator)
    inside = (x.abs() < top + widening * y) & (y > above - bend * x * x) & (y < below - bend * x * x)
    whole = uniform(count, 0, 1, generator) < 0.25
    return torch.where(inside | whole, images, torch.zeros(()))
