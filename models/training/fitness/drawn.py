"""What is no chest radiograph: drawn pictures, and pieces of radiographs put together wrongly."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

DRAWN = 224


def drawn(count, seed):
    """[count, 224, 224] uint8 pictures of every kind below, in turn."""
    random = np.random.default_rng(seed)
    makers = (clouds, clouds, symmetric, ellipses, ellipses, section, section, limb, limb, hand, abdomen, abdomen, knees,
              skull, text, stripes, sector, polygons, gradient, objects)
    return np.stack([spread(makers[i % len(makers)](random)) for i in range(count)])


def spread(picture):
    low, high = np.percentile(picture, [0.5, 99.5])
    shades = np.clip((picture - low) / max(high - low, 1e-6), 0, 1)
    return (255 * shades).astype(np.uint8)


def noise(random, power):
    """Noise with an amplitude of 1 / frequency ** power."""
    y, x = np.fft.fftfreq(DRAWN)[:, None], np.fft.fftfreq(DRAWN)[None]
    size = np.sqrt(y * y + x * x) + 1 / DRAWN
    waves = (random.normal(size=(DRAWN, DRAWN)) + 1j * random.normal(size=(DRAWN, DRAWN))) / size**power
    field = np.real(np.fft.ifft2(waves))
    return (field - field.mean()) / field.std()


def grid():
    return np.mgrid[0:DRAWN, 0:DRAWN] / DRAWN


def canvas(random):
    image = Image.new("L", (DRAWN, DRAWN), int(random.choice([0, 0, 0, 255, random.integers(256)])))
    return image, ImageDraw.Draw(image)


def soften(image, random, most=4.0):
    return np.asarray(image.filter(ImageFilter.GaussianBlur(random.uniform(0, most))), float)


def grain(picture, random):
    return picture + noise(random, random.uniform(0.5, 1.8)) * random.uniform(0, 25)


def clouds(random):
    return noise(random, random.uniform(0.6, 2.2))


def symmetric(random):
    field = noise(random, random.uniform(1, 2))
    return field + field[:, ::-1] + 0.3 * noise(random, 1.5)


def gradient(random):
    y, x = grid()
    picture = np.cos(random.uniform(1, 9) * x + random.uniform(0, 6)) * random.uniform(0, 1) + y * random.uniform(-2, 2)
    return picture + noise(random, 1) * random.uniform(0, 0.1)


def ellipse(random, wide=(0.05, 0.4)):
    y, x = grid()
    at, radius, angle = random.uniform(0.15, 0.85, 2), random.uniform(*wide, 2), random.uniform(0, np.pi)
    a, b = (x - at[0]), (y - at[1])
    u, v = a * np.cos(angle) + b * np.sin(angle), -a * np.sin(angle) + b * np.cos(angle)
    return (u / radius[0])**2 + (v / radius[1])**2


def inside(distance, steepness):
    """1 within an ellipse, 0 outside, its edge as soft as wanted."""
    return 0.5 * (1 - np.tanh(0.5 * (distance - 1) * steepness))


def ellipses(random):
    picture = np.zeros((DRAWN, DRAWN))
    for _ in range(random.integers(2, 14)):
        picture += random.uniform(-1, 1) * inside(ellipse(random), random.uniform(3, 60))
    return grain(100 * picture, random)


def oval(random, radius_x, radius_y):
    y, x = grid()
    off_x, off_y = random.uniform(-0.05, 0.05, 2)
    return np.hypot((x - 0.5 - off_x) / radius_x, (y - 0.5 - off_y) / radius_y)


def section(random):
    """A cut through a body or head: black outside, a rim, organs inside, sometimes a table."""
    distance, rim = oval(random, random.uniform(.25, .47), random.uniform(.2, .47)), random.uniform(.03, .15)
    body = distance < 1
    picture = body * random.uniform(60, 160) + (body & (distance > 1 - rim)) * random.uniform(-60, 120)
    for _ in range(random.integers(2, 12)):
        picture += body * (ellipse(random, (0.02, 0.2)) < 1) * random.uniform(-110, 110)
    y, x = grid()
    if random.random() < 0.4:
        picture += (np.abs(y - 0.93 + 0.2 * (x - 0.5)**2) < 0.008) * 120.0
    return picture + body * noise(random, 1) * random.uniform(2, 20)


def skull(random):
    distance, rim = oval(random, random.uniform(.28, .4), random.uniform(.33, .46)), random.uniform(.04, .1)
    picture = 150 * np.clip(1.1 - distance, 0, 1)**0.3 + 80 * np.exp(-((distance - 1 + rim) / rim)**2)
    return picture + (distance < 1) * noise(random, 1.6) * random.uniform(5, 30)


def bar(random, picture, x0, y0, x1, y1, width, shade):
    y, x = grid()
    along = np.array([x1 - x0, y1 - y0])
    t = np.clip(((x - x0) * along[0] + (y - y0) * along[1]) / (along @ along), 0, 1)
    distance = np.hypot(x - x0 - t * along[0], y - y0 - t * along[1]) / width
    # A tube is bright at its walls.
    return picture + shade * (np.sqrt(np.clip(1 - distance**2, 0, 1)) * 0.7 + 0.5 * np.exp(-((distance - 0.8) / 0.15)**2))


def limb(random):
    lean, start = random.uniform(-0.3, 0.3), random.uniform(0.3, 0.7)
    ends = (start - lean, -0.1, start + lean, 1.1)
    picture = bar(random, np.zeros((DRAWN, DRAWN)), *ends, random.uniform(0.15, 0.4), random.uniform(30, 90)) * 0.8
    for shift in random.uniform(-0.09, 0.09, random.integers(1, 3)):
        picture = bar(random, picture, start - lean + shift, random.uniform(-0.1, 0.3), start + lean + shift, 1.1,
                      random.uniform(0.02, 0.09), random.uniform(60, 140))
    picture = np.rot90(picture, random.integers(4))
    return grain(picture, random)


def hand(random):
    picture = bar(random, np.zeros((DRAWN, DRAWN)), 0.5, 0.65, 0.5, 1.1, 0.22, 50)
    for finger in range(5):
        x = 0.5 + (finger - 2) * random.uniform(0.08, 0.13)
        tip = (0.5 + (x - 0.5) * random.uniform(1.3, 2.2), random.uniform(0.08, 0.35))
        picture = bar(random, picture, x, 0.65, *tip, random.uniform(0.05, 0.08), 40)
        picture = bar(random, picture, x, 0.65, *tip, random.uniform(0.015, 0.03), 90)
    return grain(np.rot90(picture, random.integers(4)), random)


def abdomen(random):
    """A trunk with a spine and no lungs: gas, pelvis or nothing in it."""
    y, x = grid()
    middle = 0.5 + random.uniform(-.06, .06)
    picture = random.uniform(60, 120) * np.clip(1 - ((x - middle) / random.uniform(.4, .75))**4, 0, 1)
    picture += random.uniform(30, 90) * np.exp(-((x - middle) / random.uniform(.04, .08))**2) * (1 + 0.2 * np.sin(y * random.uniform(30, 60)))
    for _ in range(random.integers(0, 12)):
        picture -= random.uniform(10, 50) * inside(ellipse(random, (0.02, 0.1)), 8)
    if random.random() < 0.5:
        for side in (-1, 1):
            at = ((x - middle - side * .25) / .2)**2 + ((y - random.uniform(.6, .9)) / .2)**2
            picture += random.uniform(20, 70) * np.exp(-np.abs(at - 1) * random.uniform(1, 4))
    return grain(picture, random)


def knees(random):
    picture = np.zeros((DRAWN, DRAWN))
    for x in (0.28, 0.72) if random.random() < 0.6 else (0.5,):
        picture = bar(random, picture, x, -0.1, x, 1.1, random.uniform(0.14, 0.22), 60)
        gap = random.uniform(0.4, 0.6)
        picture = bar(random, picture, x, -0.1, x, gap - 0.06, random.uniform(0.06, 0.1), 100)
        picture = bar(random, picture, x, gap + 0.06, x, 1.1, random.uniform(0.06, 0.1), 100)
    return grain(picture, random)


def text(random):
    image, draw = canvas(random)
    shade = 255 if image.getpixel((0, 0)) < 128 else 0
    words = "abcdefghijklmnopqrstuvwxyz  ABCDEFGHIJKLMNOP 0123456789 .,:-"
    for _ in range(random.integers(3, 40)):
        said = "".join(random.choice(list(words), random.integers(3, 40)))
        draw.text((int(random.integers(-10, 180)), int(random.integers(0, 215))), said, fill=shade)
    return np.asarray(image.resize((int(DRAWN * random.uniform(1, 3)),) * 2).crop((0, 0, DRAWN, DRAWN)), float)


def stripes(random):
    y, x = grid()
    angle, rate = random.choice([0, np.pi / 2, random.uniform(0, np.pi)]), random.uniform(8, 120)
    wave = np.sin(rate * (x * np.cos(angle) + y * np.sin(angle)))
    if random.random() < 0.4:
        wave = wave * np.sin(rate * (y * np.cos(angle) - x * np.sin(angle)))
    if random.random() < 0.5:
        wave = random.uniform(-1, 1, 64)[((wave + 1) * 8).astype(int) + (np.floor(y * 8) * 3).astype(int) % 40]
    return wave + noise(random, 1) * random.uniform(0, 0.2)


def sector(random):
    """An ultrasound fan: speckle in a wedge on black."""
    y, x = grid()
    top = random.uniform(-0.3, 0.1)
    depth, angle = np.hypot(x - 0.5, y - top), np.arctan2(x - 0.5, y - top)
    fan = (np.abs(angle) < random.uniform(0.3, 0.9)) & (depth > random.uniform(0.1, 0.4)) & (depth < random.uniform(0.8, 1.2))
    speckle = np.abs(noise(random, random.uniform(0.2, 0.9))) * 60 * np.exp(-depth * random.uniform(0, 3))
    for _ in range(random.integers(0, 5)):
        speckle += random.uniform(20, 150) * np.exp(-((depth - random.uniform(0.3, 1)) / 0.02)**2)
    return fan * speckle


def polygons(random):
    image, draw = canvas(random)
    for _ in range(random.integers(1, 12)):
        corners = [tuple(map(int, p)) for p in random.integers(-20, DRAWN + 20, (random.integers(3, 7), 2))]
        draw.polygon(corners, fill=int(random.integers(256)))
    return grain(soften(image, random), random)


def objects(random):
    """A scene: a horizon, clouds above, shapes below."""
    y, _ = grid()
    picture = noise(random, 1.6) * 30 + (y < random.uniform(0.2, 0.8)) * random.uniform(40, 160)
    image, draw = canvas(random)
    for _ in range(random.integers(2, 9)):
        x0, y0 = (int(v) for v in random.integers(0, 200, 2))
        box = (x0, y0, x0 + int(random.integers(5, 120)), y0 + int(random.integers(5, 120)))
        getattr(draw, random.choice(["ellipse", "rectangle"]))(box, fill=int(random.integers(256)))
    return picture + 0.7 * soften(image, random, 2)


def miscut(images, random):
    """Pieces of radiographs that are no chest: a small part enlarged, tiles and halves exchanged, two in one."""
    made = np.empty_like(images)
    height, width = images.shape[1:]
    for i, image in enumerate(images):
        draw = random.integers(6)
        if draw <= 2:
            side = random.uniform(0.15, 0.36, 2) * (height, width)
            at = random.uniform(0, 1, 2) * ((height, width) - side)
            box = (at[1], at[0], at[1] + side[1], at[0] + side[0])
            part = Image.fromarray(image).resize((width, height), Image.BILINEAR, box=box)
            made[i] = np.rot90(np.asarray(part), random.integers(4))
        elif draw == 3:
            n = int(random.integers(2, 5))
            tile_h, tile_w = height // n, width // n
            tiles = [image[r * tile_h:(r + 1) * tile_h, c * tile_w:(c + 1) * tile_w] for r in range(n) for c in range(n)]
            order = random.permutation(len(tiles))
            rows = [np.concatenate([tiles[order[r * n + c]] for c in range(n)], 1) for r in range(n)]
            made[i] = np.asarray(Image.fromarray(np.concatenate(rows, 0)).resize((width, height)))
        elif draw == 4:
            half = np.roll(image, width // 2 + int(random.integers(-20, 20)), 1)
            made[i] = half if random.random() < 0.5 else np.roll(image, height // 2, 0)
        else:
            other = images[random.integers(len(images))]
            pair = np.concatenate([image, np.rot90(other, random.integers(4))], int(random.integers(2)))
            made[i] = np.asarray(Image.fromarray(pair).resize((width, height), Image.BOX))
    return made
