"""Known failures that the figures show by themselves: found, not remembered."""

import examine

MIXED_DATA = 0.5  # from this prevalence on, ordinary practice has fewer
OVERSTATED = 0.05  # mean probability above the share observed


def found(recipe, figures):
    """Sentences for the card."""
    part = figures["examined_part"]
    for finding in recipe.candidates:
        if finding.label not in figures["claimed"]:
            continue
        measured = figures["findings"][finding.label]
        point = measured["operating_point"]
        yield from flagged(finding, point, part)
        yield from missed_target(finding, point, part)
        yield from too_high(finding, point)
        yield from unlike_elsewhere(finding, point)
        yield from composed(finding, recipe, point)
        yield from few_old(finding, measured)


def percent(share):
    return f"{100 * share:.0f} %"


def flagged(finding, point, part):
    present = point["bands"]["present"]
    if not present["images"]:
        return
    text = (f"Of {present['images']} {part} images flagged as {finding.words}, {present['positives']} "
            f"({percent(present['positives'] / present['images'])}) had it")
    if "decided_views" in point:
        here = point["decided_views"]
        text += f"; {percent(here['positives_among_called_present'][0])} on {' and '.join(here['views'])} images alone"
    mostly_wrong = present["positives"] < present["images"] / 2
    yield text + (". Most flags are wrong." if mostly_wrong else ".")


def missed_target(finding, point, part):
    for key, words in (("specificity_at_present", "specificity"), ("sensitivity_at_absent", "sensitivity")):
        wanted, reached = point["asked_of_validation"][key], point[key][0]
        if round(reached, 2) < wanted:
            here = point.get("decided_views")
            alone = f"; {here[key][0]:.2f} on {' and '.join(here['views'])} images alone" if here else ""
            yield (f"{finding.words.capitalize()} did not reach the {words} asked for on the {part} patients "
                   f"({reached:.2f} instead of {wanted:.2f}{alone}).")


def too_high(finding, point):
    """The bins at the upper end whose probability overstates."""
    bins = []
    for row in reversed(point["reliability"]):
        if row["mean_probability"] - row["observed"] <= OVERSTATED:
            break
        bins.insert(0, row)
    if bins:
        evidence = "; ".join(f"of {b['n']} images with a mean probability of {b['mean_probability']:.2f}, "
                             f"{b['positives']} ({percent(b['observed'])}) had it" for b in bins)
        yield (f"Above about {bins[0]['lowest_probability']:.2f} the {finding.words} probability is too high: "
               f"{evidence}.")


def unlike_elsewhere(finding, point):
    share = point["prevalence"]["development"]
    if share > MIXED_DATA:
        yield (f"{percent(share)} of the images that it was made from show {finding.words} "
               f"({percent(point['prevalence']['validation'])} of those that calibrated it): "
               "where fewer patients have it, the probabilities are too high.")


def composed(finding, recipe, point):
    """What stands behind absent and uncertain, where the finding has kinds."""
    if not recipe.kinds:
        return
    for band in ("absent", "uncertain"):
        row = point["bands"][band]
        kinds = " and ".join(f"{row[kind]} {kind.replace('_', ' ')}" for kind in recipe.kinds)
        yield (f"Of {row['images']} images called {band}, {row['positives']} show {finding.words} ({kinds}) and "
               f"{row['normal']} are normal.")


def few_old(finding, measured):
    row = measured["subgroups"].get(f"age band {examine.OLDEST_BAND}")
    if row and not row["auroc"]:
        yield f"Of patients aged 65 and over only {row['positives']} images with {finding.words} were examined."
