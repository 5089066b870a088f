"""A small encoder-decoder transformer, as plain as its export: layer norm first, ReLU, learned positions."""

import math
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Size:
    vocabulary: int
    width: int = 128
    heads: int = 4
    inner: int = 384
    encoder_layers: int = 2
    decoder_layers: int = 3
    facts: int = 96  # most fact tokens
    question: int = 24
    tokens: int = 160  # most tokens of a text

    def as_dict(self):
        return asdict(self)


class Attention(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.heads = size.heads
        self.q, self.k, self.v, self.o = (nn.Linear(size.width, size.width) for _ in range(4))

    def split(self, x):
        b, t, w = x.shape
        return x.view(b, t, self.heads, w // self.heads).transpose(1, 2)

    def forward(self, x, memory, mask):
        q, k, v = self.split(self.q(x)), self.split(self.k(memory)), self.split(self.v(memory))
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1]) + mask
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(x.shape)
        return self.o(mixed)


class Layer(nn.Module):
    def __init__(self, size, crossed):
        super().__init__()
        self.norm1, self.norm3 = nn.LayerNorm(size.width), nn.LayerNorm(size.width)
        self.own = Attention(size)
        self.norm2, self.cross = (nn.LayerNorm(size.width), Attention(size)) if crossed else (None, None)
        self.up, self.down = nn.Linear(size.width, size.inner), nn.Linear(size.inner, size.width)
        self.drop = nn.Dropout(0.1)

    def forward(self, x, mask, memory=None, memory_mask=None):
        h = self.norm1(x)
        x = x + self.drop(self.own(h, h, mask))
        if self.cross is not None:
            x = x + self.drop(self.cross(self.norm2(x), memory, memory_mask))
        return x + self.drop(self.down(F.relu(self.up(self.norm3(x)))))


class Writer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size
        self.embed = nn.Embedding(size.vocabulary, size.width)
        nn.init.normal_(self.embed.weight, std=size.width ** -0.5)
        self.fact_position = nn.Parameter(torch.randn(size.facts, size.width) * 0.02)
        self.question_position = nn.Parameter(torch.randn(size.question, size.width) * 0.02)
        self.position = nn.Parameter(torch.randn(size.tokens, size.width) * 0.02)
        self.encoder = nn.ModuleList(Layer(size, False) for _ in range(size.encoder_layers))
        self.decoder = nn.ModuleList(Layer(size, True) for _ in range(size.decoder_layers))
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(size.width), nn.LayerNorm(size.width)
        self.bias = nn.Parameter(torch.zeros(size.vocabulary))
        self.scale = math.sqrt(size.width)

    def encode(self, facts, question, mask):
        x = torch.cat([self.embed(facts) * self.scale + self.fact_position[:facts.shape[1]],
                       self.embed(question) * self.scale + self.question_position[:question.shape[1]]], 1)
        for layer in self.encoder:
            x = layer(x, mask)
        return self.encoder_norm(x)

    def decode(self, tokens, memory, memory_mask):
        length = tokens.shape[1]
        x = self.embed(tokens) * self.scale + self.position[:length]
        causal = torch.full((length, length), -1e9).triu(1)
        for layer in self.decoder:
            x = layer(x, causal, memory, memory_mask)
        return self.decoder_norm(x) @ self.embed.weight.t() + self.bias

    def forward(self, facts, question, tokens, mask):
        return self.decode(tokens, self.encode(facts, question, mask), mask)
