"""Random changes to training images that a scanner or a technologist makes.

Images come and go as [n, 1, h, w] in 0..1. Whole-image labels have no side,
so mirroring is allowed; a network that states a side may not use it.
"""

import math

import torch
from torch.nn import functional as F


def augment(images, generator):
    images = shift_scale_rotate_mirror(images, generator)
    images = soften(images, generator)
    images = change_tone(images, generator)
    images = cover_a_corner(images, generator)
    noise = torch.randn(images.shape, generator=generator)
    return (images + noise * uniform(len(images), 0.0, 0.025, generator)).clamp(0, 1)


def uniform(count, low, high, generator):
    """One draw an image, shaped to multiply [n, 1, h, w]."""
    return low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator)


def shift_scale_rotate_mirror(images, generator):
    count = len(images)
    angle = uniform(count, -8, 8, generator).flatten() * math.pi / 180
    scale_x = uniform(count, 0.9, 1.1, generator).flatten()
    scale_y = scale_x * uniform(count, 0.92, 1.09, generator).flatten()
    mirror = torch.where(uniform(count, 0, 1, generator).flatten() < 0.5, -1.0, 1.0)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = angle.cos() * scale_x * mirror
    theta[:, 0, 1] = -angle.sin() * scale_y
    theta[:, 1, 0] = angle.sin() * scale_x * mirror
    theta[:, 1, 1] = angle.cos() * scale_y
    theta[:, :, 2] = uniform(2 * count, -0.08, 0.08, generator).view(count, 2)
    grid = F.affine_grid(theta, images.shape, align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def soften(images, generator):
    """Mixes in a blurred copy: sharpness tells the source, not the disease."""
    blurred = F.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    share = uniform(len(images), -0.4, 0.7, generator)
    return (images + share * (blurred - images)).clamp(0, 1)


def change_tone(images, generator):
    """Gamma, contrast and brightness: other windows and other detectors."""
    count = len(images)
    gamma = uniform(count, -0.35, 0.35, generator).exp()
    contrast = uniform(count, 0.85, 1.18, generator)
    brightness = uniform(count, -0.1, 0.1, generator)
    toned = images.clamp(min=1e-4) ** gamma
    return ((toned - 0.5) * contrast + 0.5 + brightness).clamp(0, 1)


def cover_a_corner(images, generator):
    """Hides a corner in half of the images: that is where side markers lie."""
    height, width = images.shape[2:]
    row = torch.arange(height).view(1, 1, -1, 1) / height
    column = torch.arange(width).view(1, 1, 1, -1) / width
    flip_row, flip_column, skip = (uniform(len(images), 0, 1, generator) < 0.5 for _ in range(3))
    row = torch.where(flip_row, 1 - row, row)
    column = torch.where(flip_column, 1 - column, column)
    size = uniform(len(images), 0.05, 0.2, generator)
    tone = uniform(len(images), 0, 1, generator)
    covered = (row < size) & (column < size) & ~skip
    return torch.where(covered, tone, images)
