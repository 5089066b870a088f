"""What a technologist can get wrong, done to good radiographs: batches of [n, h, w] in 0..1 to [n, 96, 96].

Cutting, padding and resizing are one step, by the same area averaging as the daemon's, so that
a cut image is no softer than a whole one. What is in between good and flawed is not labelled.
"""

import math

import torch
from torch.nn import functional as F

SIZE = 96
FLAWS = ("not-a-chest", "upside-down", "turned-left", "turned-right", "mirrored", "inverted",
         "bases-cut-off", "apices-cut-off", "side-cut-off", "blurred")
NUMBER = {name: k for k, name in enumerate(FLAWS)}
# Shares of the image's height or width: cut so much that lungs are missing, or so little that none is.
CUT = {"bases-cut-off": (0.33, 0.55), "apices-cut-off": (0.30, 0.45), "side-cut-off": (0.32, 0.48)}
UNCUT = (-0.12, 0.05)
# Extent of motion in parts of the image's width: 1.6 to 5 cm on a 35 cm detector. Less is not seen at this size.
MOTION = (0.045, 0.14)
UNKNOWN = -1.0
MOST_ANGLE, TILTED = 6.0, 0.35


def uniform(count, low, high, generator):
    return low + (high - low) * torch.rand(count, generator=generator)


def chance(count, share, generator):
    return torch.rand(count, generator=generator) < share


def windows(begin, end, source):
    """[n, SIZE, source] weights of area averaging over [begin, end) in pixels; outside is black."""
    step = ((end - begin) / SIZE)[:, None, None]
    low = begin[:, None, None] + step * torch.arange(SIZE)[None, :, None]
    pixel = torch.arange(source)[None, None, :]
    overlap = torch.minimum(low + step, pixel + 1.0) - torch.maximum(low, pixel.float())
    return overlap.clamp(min=0) / step


def cut(images, top, bottom, left, right):
    """Parts of height and width taken off each side (negative: added in black), and resized."""
    height, width = images.shape[1:]
    rows = windows(top * height, (1 - bottom) * height, height)
    columns = windows(left * width, (1 - right) * width, width)
    return rows @ images @ columns.transpose(1, 2)


def tilt(images, generator):
    """Some of them a few degrees off, as patients stand."""
    chosen = chance(len(images), TILTED, generator).nonzero()[:, 0]
    angle = uniform(len(chosen), -MOST_ANGLE, MOST_ANGLE, generator) * math.pi / 180
    theta = torch.zeros(len(chosen), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = angle.cos()
    theta[:, 1, 0], theta[:, 0, 1] = angle.sin(), -angle.sin()
    upright = images[chosen][:, None]
    grid = F.affine_grid(theta, upright.shape, align_corners=False)
    images = images.clone()
    images[chosen] = F.grid_sample(upright, grid, align_corners=False)[:, 0]
    return images


def tone(images, generator):
    """Other detectors and windows: gamma, a window that clips, a sigmoid."""
    count = len(images)
    each = lambda low, high: uniform(count, low, high, generator)[:, None, None]  # noqa: E731
    images = images.clamp(1e-4, 1) ** each(-0.6, 0.6).exp()
    low, high = each(-0.05, 0.10), each(0.85, 1.05)
    clipped = ((images - low) / (high - low)).clamp(0, 1)
    steep = each(3, 7)
    curved = torch.sigmoid((clipped - each(0.4, 0.6)) * steep)
    return torch.where(chance(count, 0.25, generator)[:, None, None], curved, clipped)


def cover(images, generator):
    """Markers and labels: rectangles at the rim in half of the images, whatever they hide."""
    y = torch.arange(SIZE)[None, :, None] / SIZE
    x = torch.arange(SIZE)[None, None, :] / SIZE
    for _ in range(2):
        count = len(images)
        each = lambda low, high: uniform(count, low, high, generator)[:, None, None]  # noqa: E731
        along, across = each(0, 1), each(0.0, 0.12)
        side = torch.randint(4, (count, 1, 1), generator=generator)
        centre_x = torch.where(side < 2, along, torch.where(side == 2, across, 1 - across))
        centre_y = torch.where(side < 2, torch.where(side == 0, across, 1 - across), along)
        inside = ((x - centre_x).abs() < each(0.02, 0.10)) & ((y - centre_y).abs() < each(0.02, 0.08))
        inside &= chance(count, 0.35, generator)[:, None, None]
        images = torch.where(inside, each(0, 1), images)
    return images


def motion(images, length, angle):
    """Each image averaged along a line of ``length`` (a part of its width) in direction ``angle``."""
    reach = 9
    at = torch.linspace(-0.5, 0.5, 33)
    offset = torch.stack([at[None] * (length * SIZE)[:, None] * angle.sin()[:, None],
                          at[None] * (length * SIZE)[:, None] * angle.cos()[:, None]], -1)
    y = torch.arange(-reach, reach + 1).float()
    weight = lambda o: (1 - (y[None, None] - o[..., None]).abs()).clamp(min=0)  # noqa: E731
    kernels = torch.einsum("nky,nkx->nyx", weight(offset[..., 0]), weight(offset[..., 1]))
    kernels = kernels / kernels.sum((1, 2), keepdim=True)
    padded = F.pad(images[None], (reach,) * 4, mode="replicate")
    return F.conv2d(padded, kernels[:, None], groups=len(images))[0]


def stretch(images, low=0.01, high=0.99):
    """Step 3 of the preprocessing, on a batch."""
    ordered = images.flatten(1).sort(1).values
    last = ordered.shape[1] - 1
    low, high = ordered[:, int(low * last)], ordered[:, int(high * last)]
    spread = (images - low[:, None, None]) / (high - low).clamp(min=1e-6)[:, None, None]
    return torch.where((high > low)[:, None, None], spread.clamp(0, 1), torch.zeros(()))


def flawed(images, generator):
    """(pictures, targets): random flaws; a target is 0, 1 or UNKNOWN."""
    count = len(images)
    targets = torch.zeros(count, len(FLAWS))
    images = tilt(images, generator)
    edges = {side: uniform(count, *UNCUT, generator) for side in ("top", "bottom", "left", "right")}
    spare = torch.rand(count, generator=generator)
    for flaw, side, (low, high) in (("bases-cut-off", "bottom", (0.00, 0.12)), ("apices-cut-off", "top", (0.12, 0.22)),
                                    ("side-cut-off", "left", (0.22, 0.28)), ("side-cut-off", "right", (0.28, 0.34))):
        chosen = (spare >= low) & (spare < high)
        edges[side] = torch.where(chosen, uniform(count, *CUT[flaw], generator), edges[side])
        targets[chosen, NUMBER[flaw]] = 1
    pictures = cut(images, *(edges[side] for side in ("top", "bottom", "left", "right")))
    pictures = tone(pictures, generator)
    mirrored = chance(count, 0.18, generator)
    pictures = torch.where(mirrored[:, None, None], pictures.flip(2), pictures)
    targets[mirrored, NUMBER["mirrored"]] = 1
    sided = targets[:, NUMBER["side-cut-off"]] == 1
    targets[sided, NUMBER["mirrored"]] = UNKNOWN
    pictures = cover(pictures, generator)
    pictures = turned(pictures, targets, generator)
    blurred = chance(count, 0.12, generator)
    length = uniform(count, *MOTION, generator)
    moved = motion(pictures, length, uniform(count, 0, math.pi, generator))
    pictures = torch.where(blurred[:, None, None], moved, pictures)
    targets[blurred, NUMBER["blurred"]] = 1
    pictures = pictures + torch.randn(pictures.shape, generator=generator) * uniform(count, 0, 0.02, generator)[:, None, None]
    inverted = chance(count, 0.15, generator)
    pictures = torch.where(inverted[:, None, None], 1 - pictures, pictures)
    targets[inverted, NUMBER["inverted"]] = 1
    return stretch(pictures), targets


def turned(pictures, targets, generator):
    """A quarter is not upright; what else is wrong with those is not asked."""
    draw = torch.rand(len(pictures), generator=generator)
    for flaw, turns, (low, high) in (("upside-down", 2, (0.0, 0.09)), ("turned-left", 1, (0.09, 0.17)),
                                     ("turned-right", 3, (0.17, 0.25))):
        chosen = (draw >= low) & (draw < high)
        pictures = torch.where(chosen[:, None, None], torch.rot90(pictures, turns, (1, 2)), pictures)
        targets[chosen] = torch.where(targets[chosen] == 1, torch.tensor(UNKNOWN), targets[chosen])
        for other in ("mirrored", "bases-cut-off", "apices-cut-off", "side-cut-off"):
            targets[chosen, NUMBER[other]] = UNKNOWN
        targets[chosen, NUMBER[flaw]] = 1
    return pictures
