"""CARD.md of the writer, from its figures."""

import bundle


def write(folder, figures):
    net, made, expert = figures["network"], figures["made_sheets"], figures["expert_sheets"]
    rows = "\n".join(f"| {label} | {of['f1']} | {of.get('hit', 0)} | {of.get('missed', 0)} | {of.get('false', 0)} |"
                     for label, of in sorted(made["labels"].items()) if of["f1"] is not None)
    count = lambda part, key: part["counts"].get(key, 0)  # noqa: E731
    went_on = ("The shipped weights were reached in steps, each going on from the last with a stricter cleaning of the same "
               "training reports (`--go-on`); the one command trains from scratch by the last recipe and gives other weights.\n"
               if net["went_on_from_earlier_training"] else "")
    (folder / "CARD.md").write_text(f"""# {bundle.NAME} {bundle.VERSION}

**{bundle.TITLE}.** Off by default.

## What it is for, and what not

{bundle.INTENDED}

{bundle.FORBIDDEN}

It decides nothing: what is in the image is decided by an image bundle, and this writes it down in words. A sentence of it
reaches a report only through the guard; what it leaves out or says wrongly, the grammar says.

## What goes in and comes out

- In: for each assessed label its state (present, uncertain, absent), side and zone where known; what the order asks
  about, as words of a closed list. No name, date, number or text of a header. It does not look at the image.
- Out: English sentences for Findings and Impression. Which words it may use at all depends on the sheet: words that
  only stand with a label, side or zone are masked where the sheet does not hold it.

## How it was made

- Data: {"; ".join(bundle.SOURCES)}. {figures['reports']['train']} reports for training, {figures['reports']['validation']} for
  choosing, {figures['reports']['test']} only to measure (an earlier training of the same day was measured on them too; no choice was made by them); split by the first byte of SHA-256 of the report's identity.
- A report's text was cut to sentences that a fact sheet can carry: without redactions, comparisons, numbers, grades and
  things that no label names; the sheet was read off what remained, so that both agree. Where one statement is made in many
  wordings, the most central one was learned.
- To these were added made sheets with made texts (patterns and usual sentences of the training reports), because the
  corpus holds few of the findings that matter most and hardly a sheet of which only a part was assessed.
- Network: transformer, {net['encoder_layers']} encoder and {net['decoder_layers']} decoder layers of width {net['width']}, {net['heads']} heads,
  {net['vocabulary']} words, {net['parameters']:,} parameters; weights stored as int8 with a scale an output, {net['bytes']:,} bytes.
  One core, seeds fixed. {went_on}
## Figures (int8 weights, greedy, before the guard)

Read back with the training's own labeler, which is not the guard's: it is related to how the texts were made, so these
figures flatter. `residentd evaluate --reports` measures with the guard's.

| | made sheets ({made['sheets']}) | sheets of the experts' labels, {figures['examined_part']} reports ({expert['sheets']}) |
|---|---|---|
| micro F1 of what the sheet calls present or uncertain | {made['micro_f1']} | {expert['micro_f1']} |
| said with the right state | {count(made, 'hit')} | {count(expert, 'hit')} |
| missed, or said with another state | {count(made, 'missed')} | {count(expert, 'missed')} |
| said against the sheet | {count(made, 'false')} | {count(expert, 'false')} |
| denied although present or uncertain | {count(made, 'denied_against_the_sheet')} | {count(expert, 'denied_against_the_sheet')} |
| spoken of although not assessed | {count(made, 'not_assessed_said')} | {count(expert, 'not_assessed_said')} |
| usual negatives said, of those to say | {count(made, 'absent_said')} of {count(made, 'absent_said') + count(made, 'absent_silent')} | {count(expert, 'absent_said')} of {count(expert, 'absent_said') + count(expert, 'absent_silent')} |
| tokens a text, mean | {figures['tokens']['made_sheets']} | {figures['tokens']['expert_sheets']} |

ROUGE-L against the human text of the {figures['examined_part']} reports, given their labels: {figures['rouge_l']['writer']};
"always the normal report" {figures['rouge_l']['always_normal']}{"" if figures['rouge_l']['writer'] > figures['rouge_l']['always_normal'] else ": not above it"}. This rewards wording, not truth.

By label, on made sheets:

| label | F1 | right | missed | wrong |
|---|---|---|---|---|
{rows}

## Known failures

- It drops or doubles a fact more often on sheets with five or more findings, and may then repeat one in other words.
- It calls the whole free of acute disease where the usual negatives were assessed, although a sheet never says so: the
  guard removes such sentences.
- Grades (small, severe), counts, measurements and changes are not in its vocabulary.
- English of one country's reports of the 2000s; wording only, no knowledge of the disease.
- Its training reports are of two hospitals of one network and may not be used commercially, and neither may this.
""")
