//! From one step's logits to a text: beam search, of which greedy is the case of one hypothesis,
//! within limits. Pure: the decoder is a function argument, and so is time.
//!
//! The same logits give the same text everywhere: of equal scores the lower token wins, of equal
//! hypotheses the older.

use super::manifest::Limits;
use super::refusal::Refusal;
use crate::infer::model::ModelError;

/// Longest block of tokens whose threefold repetition is recognised as a loop.
const LONGEST_LOOP: usize = 16;
/// How often a block may follow itself.
const LOOP_ROUNDS: usize = 3;
/// How often the decoder may prefer a token that the sheet forbids before its text is not
/// believed: it does not write of this sheet.
const MOST_FORBIDDEN: usize = 6;

/// What a search is held to.
pub struct Rules<'a> {
    /// Token before the text, and token that ends it.
    pub start: u32,
    /// See `start`.
    pub end: u32,
    /// For each token, whether it may be written.
    pub allowed: &'a [bool],
    /// Lengths and widths.
    pub limits: Limits,
    /// True when time is up.
    pub out_of_time: &'a dyn Fn() -> bool,
}

#[derive(Clone)]
struct Hypothesis<S> {
    tokens: Vec<u32>,
    score: f32,
    forbidden: usize,
    past: S,
}

/// The best text from `past` on, without start and end. `step` takes a past and the token that
/// joins it, and gives the logits of the next.
///
/// # Errors
/// See [`Refusal`].
pub fn search<S: Clone>(
    past: S,
    rules: &Rules<'_>,
    mut step: impl FnMut(&mut S, u32) -> Result<Vec<f32>, ModelError>,
) -> Result<Vec<u32>, Refusal> {
    let mut live = vec![Hypothesis { tokens: Vec::new(), score: 0.0, forbidden: 0, past }];
    let mut ended: Vec<Hypothesis<S>> = Vec::new();
    let mut last_refusal = Refusal::TooLong(rules.limits.tokens);
    for _ in 0..rules.limits.tokens {
        if (rules.out_of_time)() {
            return Err(Refusal::OutOfTime);
        }
        let mut next = Vec::with_capacity(rules.limits.beam_width * live.len());
        for hypothesis in live.drain(..) {
            match grown(hypothesis, rules, &mut step) {
                Ok(grown) => next.extend(grown),
                Err(Refusal::Model(e)) => return Err(Refusal::Model(e)),
                Err(refusal) => last_refusal = refusal,
            }
        }
        // Stable: of equal scores the older stays before the younger.
        next.sort_by(|a, b| b.score.total_cmp(&a.score));
        next.truncate(rules.limits.beam_width);
        for hypothesis in next {
            if hypothesis.tokens.last() == Some(&rules.end) {
                ended.push(hypothesis);
            } else {
                live.push(hypothesis);
            }
        }
        if live.is_empty() || ended.len() >= rules.limits.beam_width {
            break;
        }
    }
    let by_length = |h: &Hypothesis<S>| h.score / h.tokens.len().max(1) as f32;
    let best = ended.into_iter().reduce(|best, other| if by_length(&other) > by_length(&best) { other } else { best });
    let mut tokens = best.ok_or(last_refusal)?.tokens;
    tokens.pop();
    if tokens.is_empty() { Err(Refusal::Empty) } else { Ok(tokens) }
}

/// The hypothesis with each of its best next tokens.
fn grown<S: Clone>(
    mut hypothesis: Hypothesis<S>,
    rules: &Rules<'_>,
    step: &mut impl FnMut(&mut S, u32) -> Result<Vec<f32>, ModelError>,
) -> Result<Vec<Hypothesis<S>>, Refusal> {
    let token = hypothesis.tokens.last().copied().unwrap_or(rules.start);
    let logits = step(&mut hypothesis.past, token).map_err(Refusal::Model)?;
    if logits.len() != rules.allowed.len() {
        return Err(Refusal::Garbled(format!("{} logits for {} tokens", logits.len(), rules.allowed.len())));
    }
    let preferred = best_of(&logits, |_| true);
    let repeats = repeated(&hypothesis.tokens, rules.limits.no_repeat);
    let may = |token: usize| rules.allowed[token] && !repeats.iter().any(|&r| r as usize == token);
    if preferred.is_some_and(|token| !rules.allowed[token]) {
        hypothesis.forbidden += 1;
        if hypothesis.forbidden > MOST_FORBIDDEN {
            return Err(Refusal::Forbidden);
        }
    }
    let mut chosen: Vec<usize> = Vec::with_capacity(rules.limits.beam_width);
    while chosen.len() < rules.limits.beam_width
        && let Some(token) = best_of(&logits, |token| may(token) && !chosen.contains(&token))
    {
        chosen.push(token);
    }
    if chosen.is_empty() {
        return Err(Refusal::Forbidden);
    }
    let total = log_of_sum(&logits);
    let grown = chosen.into_iter().map(|token| {
        let mut next = hypothesis.clone();
        next.score += logits[token] - total;
        next.tokens.push(u32::try_from(token).expect("a vocabulary of at most 2^32 tokens"));
        next
    });
    let grown: Vec<_> = grown.filter(|h| !loops(&h.tokens)).collect();
    if grown.is_empty() { Err(Refusal::Looped) } else { Ok(grown) }
}

/// The first of the highest logits among the tokens that `may` be.
fn best_of(logits: &[f32], may: impl Fn(usize) -> bool) -> Option<usize> {
    let mut best: Option<usize> = None;
    for token in (0..logits.len()).filter(|&token| may(token)) {
        if best.is_none_or(|best| logits[token] > logits[best]) {
            best = Some(token);
        }
    }
    best
}

fn log_of_sum(logits: &[f32]) -> f32 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    most + logits.iter().map(|l| (l - most).exp()).sum::<f32>().ln()
}

/// Tokens that would complete a run of `run` tokens which the text already holds.
fn repeated(tokens: &[u32], run: usize) -> Vec<u32> {
    if run == 0 || tokens.len() < run {
        return Vec::new();
    }
    let tail = &tokens[tokens.len() + 1 - run..];
    tokens.windows(run).filter(|window| window[..run - 1] == *tail).map(|window| window[run - 1]).collect()
}

/// True where the text ends in one block of tokens, over and over.
fn loops(tokens: &[u32]) -> bool {
    (1..=LONGEST_LOOP).any(|block| {
        let length = block * LOOP_ROUNDS;
        tokens.len() >= length && {
            let tail = &tokens[tokens.len() - length..];
            tail.chunks_exact(block).all(|chunk| chunk == &tail[..block])
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: u32 = 0;
    const START: u32 = 9;

    /// A toy decoder: for each text so far, the logits of the next token.
    fn search_with(limits: Limits, allowed: [bool; 5], next: impl Fn(&[u32]) -> [f32; 5]) -> Result<Vec<u32>, Refusal> {
        let rules = Rules { start: START, end: END, allowed: &allowed, limits, out_of_time: &|| false };
        search(Vec::new(), &rules, |past: &mut Vec<u32>, token| {
            past.push(token);
            Ok(next(&past[1..]).to_vec())
        })
    }

    const GREEDY: Limits = Limits { tokens: 20, beam_width: 1, no_repeat: 0 };

    /// Writes 1, 2, 3, then ends.
    fn counts(text: &[u32]) -> [f32; 5] {
        let mut logits = [0.0; 5];
        logits[if text.len() < 3 { text.len() + 1 } else { END as usize }] = 4.0;
        logits
    }

    #[test]
    fn greedy_takes_the_best_token_at_each_step() {
        assert_eq!(search_with(GREEDY, [true; 5], counts).unwrap(), [1, 2, 3]);
    }

    #[test]
    fn a_forbidden_token_is_never_written_and_too_many_wishes_for_one_refuse_the_text() {
        let mut allowed = [true; 5];
        allowed[2] = false;
        let text = search_with(GREEDY, allowed, counts).unwrap();
        assert!(!text.contains(&2), "{text:?}");
        let wishes = |text: &[u32]| {
            let mut logits = [0.0, 1.0, 9.0, 1.0, 1.0];
            logits[1 + text.len() % 4] += 0.5;
            logits
        };
        assert!(matches!(search_with(GREEDY, allowed, wishes), Err(Refusal::Forbidden)));
        assert!(matches!(search_with(GREEDY, [false; 5], counts), Err(Refusal::Forbidden)));
    }

    #[test]
    fn a_decoder_that_loops_is_stopped_by_name() {
        let stutters = |text: &[u32]| {
            let mut logits = [0.0; 5];
            logits[1 + text.len() % 3] = 5.0;
            logits
        };
        assert!(matches!(search_with(GREEDY, [true; 5], stutters), Err(Refusal::Looped)));
    }

    #[test]
    fn a_decoder_that_never_ends_is_stopped_at_the_limit() {
        // No block follows itself three times: the positions of ones are the squares.
        let wanders = |text: &[u32]| {
            let mut logits = [-9.0, 0.0, 1.0, 0.0, 0.0];
            let root = (0..=text.len()).find(|r| r * r >= text.len()).unwrap_or(0);
            logits[1 + (root + text.len() / 2) % 4] = 5.0;
            logits
        };
        let short = Limits { tokens: 9, ..GREEDY };
        let refusal = search_with(short, [true; 5], wanders).err();
        assert!(matches!(refusal, Some(Refusal::TooLong(9))), "{refusal:?}");
    }

    #[test]
    fn a_decoder_that_says_nothing_is_refused() {
        assert!(matches!(search_with(GREEDY, [true; 5], |_| [9.0, 0.0, 0.0, 0.0, 0.0]), Err(Refusal::Empty)));
    }

    #[test]
    fn time_that_is_up_ends_the_search() {
        let rules = Rules { start: START, end: END, allowed: &[true; 5], limits: GREEDY, out_of_time: &|| true };
        let found = search((), &rules, |&mut (), _| Ok(vec![0.0; 5]));
        assert!(matches!(found, Err(Refusal::OutOfTime)));
    }

    #[test]
    fn logits_of_another_vocabulary_are_refused() {
        let rules = Rules { start: START, end: END, allowed: &[true; 5], limits: GREEDY, out_of_time: &|| false };
        assert!(matches!(search((), &rules, |&mut (), _| Ok(vec![0.0; 6])), Err(Refusal::Garbled(_))));
    }

    #[test]
    fn a_run_of_tokens_is_not_repeated_where_the_limit_says_so() {
        let again = |text: &[u32]| {
            let mut logits = [1.0, 0.0, 0.0, 0.0, 0.0];
            logits[1 + text.len() % 2] = 5.0;
            logits
        };
        let text = search_with(Limits { no_repeat: 2, ..GREEDY }, [true; 5], again).unwrap();
        let pairs: Vec<_> = text.windows(2).collect();
        assert!(pairs.iter().enumerate().all(|(i, pair)| !pairs[..i].contains(pair)), "{text:?}");
    }

    #[test]
    fn a_beam_finds_the_text_that_greed_misses() {
        // 1 is the better first token, but what follows it is poor; after 2 all is certain.
        let fork = |text: &[u32]| match text {
            [] => [-9.0, 2.0, 1.8, -9.0, -9.0],
            [1] => [0.0, 0.0, 0.0, 0.1, 0.0],
            [2] => [-9.0, -9.0, -9.0, -9.0, 9.0],
            _ => [9.0, -9.0, -9.0, -9.0, -9.0],
        };
        assert_eq!(search_with(GREEDY, [true; 5], fork).unwrap(), [1, 3]);
        assert_eq!(search_with(Limits { beam_width: 3, ..GREEDY }, [true; 5], fork).unwrap(), [2, 4]);
    }
}
