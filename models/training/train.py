"""The trained network of a recipe, from the cache or by training it."""

from pathlib import Path

import torch

import fit
import network
import radiographs
from recipes import SIZE


def data_of(recipe, data):
    folder = Path(data) / "chest_xray"
    return radiographs.load(folder, recipe.source, recipe.labels, SIZE)


def trained(recipe, images, cache, epochs):
    """(network, history). A finished training is kept in ``cache`` and reused."""
    kept = Path(cache) / f"{recipe.name}-{epochs}.pt"
    torch.manual_seed(recipe.seed)
    model = network.network(len(recipe.labels))
    if kept.exists():
        saved = torch.load(kept)
        model.load_state_dict(saved["weights"])
        return model, saved["history"]
    watched = range(len(recipe.candidates))
    history = fit.fit(model, images.part("train"), images.part("validation"), watched,
                      epochs, recipe.learning_rate, recipe.seed)
    kept.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"weights": model.state_dict(), "history": history}, kept)
    return model, history
