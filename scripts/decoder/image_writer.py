"""An encoder-decoder of the usual shape, exported by torch with random weights: `image_writer.py OUT SHEETS`.

The encoder turns an image into tokens (patches, attention), `pixel_values` to `last_hidden_state`; the decoder
attends to them and takes and gives past keys and values, positions from their length. OUT becomes a writer bundle,
SHEETS random images for it. Nothing is learned: what matters is that another exporter's graphs run as they are.
"""

import hashlib
import json
import sys
import warnings
from pathlib import Path

import torch
from torch import nn
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

WIDTH, HEADS, LAYERS, PATCH, SIDE, MOST, IMAGES = 48, 4, 2, 8, 32, 40, 40
NAMES = ["<pad>", "<s>", "</s>", "<unk>", "<impression>"]
WORDS = ["▁" + w for w in "no the lungs are clear heart size is normal small large left right pleural effusion seen there mild".split()] + ["."]


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def split(self, x):
        return x.view(x.shape[0], -1, HEADS, WIDTH // HEADS).transpose(1, 2)

    def forward(self, x, memory, past_key=None, past_value=None):
        q, k, v = self.split(self.q(x)), self.split(self.k(memory)), self.split(self.v(memory))
        if past_key is not None:
            k, v = torch.cat([past_key, k], 2), torch.cat([past_value, v], 2)
        shares = (q @ k.transpose(2, 3) / (WIDTH // HEADS) ** 0.5).softmax(-1)
        return self.o((shares @ v).transpose(1, 2).reshape(x.shape[0], -1, WIDTH)), k, v


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(1, WIDTH, PATCH, PATCH)
        self.places = nn.Parameter(torch.randn((SIDE // PATCH) ** 2, WIDTH))
        self.norm, self.own, self.last = nn.LayerNorm(WIDTH), Attention(), nn.LayerNorm(WIDTH)

    def forward(self, pixel_values):
        x = self.patches(pixel_values).flatten(2).transpose(1, 2) + self.places
        h = self.norm(x)
        return self.last(x + self.own(h, h)[0])


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(3))
        self.own, self.cross = Attention(), Attention()
        self.inner = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))

    def forward(self, x, states, past_key, past_value):
        h = self.norms[0](x)
        own, key, value = self.own(h, h, past_key, past_value)
        x = x + own
        x = x + self.cross(self.norms[1](x), states)[0]
        return x + self.inner(self.norms[2](x)), key, value


class Decoder(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.words, self.places = nn.Embedding(vocabulary, WIDTH), nn.Embedding(MOST, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, vocabulary)

    def forward(self, input_ids, encoder_hidden_states, *past):
        place = torch.zeros_like(input_ids) + past[0].shape[2]
        x, present = self.words(input_ids) + self.places(place), []
        for i, layer in enumerate(self.layers):
            x, key, value = layer(x, encoder_hidden_states, past[2 * i], past[2 * i + 1])
            present += [key, value]
        # Random weights never end a text: the longer it is, the likelier the end.
        end = nn.functional.one_hot(torch.tensor(NAMES.index("</s>")), self.head.out_features)
        return (self.head(self.norm(x)) + end * (place.unsqueeze(-1) - 18) * 0.3, *present)


def main(folder, sheets):
    warnings.filterwarnings("ignore")
    torch.manual_seed(7)
    folder.mkdir(parents=True)
    vocabulary = NAMES + [f"<{label}:{state}>" for label in ("effusion",) for state in ("present", "uncertain", "absent")] + WORDS
    encoder, decoder = Encoder().eval(), Decoder(len(vocabulary)).eval()
    with torch.no_grad():  # what is no word is not wished for, as in a decoder that learned
        decoder.head.bias[[i for i, w in enumerate(vocabulary) if w.startswith("<") and w != "</s>"]] = -20.0
    export(encoder, (torch.zeros(1, 1, SIDE, SIDE),), folder / "encoder.onnx", ["pixel_values"], ["last_hidden_state"], {})
    kinds = [f"{i}.decoder.{kind}" for i in range(LAYERS) for kind in ("key", "value")]
    past, present = [f"past_key_values.{k}" for k in kinds], [f"present.{k}" for k in kinds]
    example = (torch.tensor([[1]]), torch.zeros(1, 16, WIDTH), *(torch.zeros(1, HEADS, 3, WIDTH // HEADS) for _ in past))
    export(decoder, example, folder / "decoder.onnx", ["input_ids", "encoder_hidden_states", *past], ["logits", *present],
           {**{name: {2: "past"} for name in past}, **{name: {2: "present"} for name in present}})
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(vocabulary)}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("▁?[A-Za-z]+|▁?[^A-Za-z▁]|▁"), "isolated")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "CARD.md").write_text("Random weights, for a comparison only.\n")
    (folder / "golden.json").write_text("[]\n")
    write_manifest(folder)
    # The golden text is onnxruntime's, as for any bundle.
    sys.path.insert(0, str(Path(__file__).parent))
    import compare
    import tomllib
    blank = {"facts": ["<effusion:absent>"], "question": ""}
    graphs = [compare.session(folder / f"{part}.onnx") for part in ("encoder", "decoder")]
    tokens = compare.greedy(tomllib.loads((folder / "manifest.toml").read_text()), tokenizer, *graphs, blank)
    (folder / "golden.json").write_text(json.dumps([{**blank, "tokens": tokens}]) + "\n")
    write_manifest(folder)
    images = (torch.randn(SIDE * SIDE) * (1 + i / 8) for i in range(IMAGES))
    sheets.write_text("".join(json.dumps({**blank, "image": [round(v, 4) for v in image.tolist()]}) + "\n" for image in images))


def export(module, example, path, inputs, outputs, axes):
    torch.onnx.export(module, example, str(path), input_names=inputs, output_names=outputs, dynamic_axes=axes, opset_version=17)


def write_manifest(folder):
    digests = "\n".join(f'"{name}" = "{hashlib.sha256((folder / name).read_bytes()).hexdigest()}"' for name in
                        ("encoder.onnx", "decoder.onnx", "tokenizer.json", "CARD.md", "golden.json"))
    (folder / "manifest.toml").write_text(f"""format = 1
kind = "writer"
[bundle]
name = "image-writer"
version = "0.0.0"
title = "Random encoder-decoder"
intended_use = "Comparison with onnxruntime."
forbidden_use = "Any other."
licence = "none needed"
research_only = true
sources = []
[sheet]
format = 1
labels = ["effusion"]
[tokenizer]
file = "tokenizer.json"
start = "<s>"
end = "</s>"
impression = "<impression>"
nothing = "<pad>"
unknown = "<unk>"
[[input]]
what = "image"
tensor = "pixel_values"
width = {SIDE}
height = {SIDE}
low_percentile = 0.0
high_percentile = 100.0
mean = 0.5
std = 0.25
[encoder]
file = "encoder.onnx"
[decoder]
file = "decoder.onnx"
token = "input_ids"
logits = "logits"
layers = {LAYERS}
heads = {HEADS}
head_width = {WIDTH // HEADS}
past = ["past_key_values.{{}}.decoder.key", "past_key_values.{{}}.decoder.value"]
present = ["present.{{}}.decoder.key", "present.{{}}.decoder.value"]
[decoder.memory]
"encoder_hidden_states" = "last_hidden_state"
[limits]
tokens = {MOST}
beam_width = 1
no_repeat = 2
[golden]
sheets = "golden.json"
[digests]
{digests}
""")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
