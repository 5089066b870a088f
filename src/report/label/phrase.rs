//! Phrases: the small pattern language of the table, and finding many of them at once.
//!
//! `opacit*` is any word that begins so, `(a|b c)` one of these, `(a)?` may be missing, `~3`
//! is up to three words, whatever they are. A phrase begins with a word or an alternative.

use std::collections::HashMap;
use std::ops::Range;

/// Most words that a gap may skip: more would tie together what is not said together.
const MAX_GAP: usize = 8;

/// A text that is no phrase.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no phrase: words, `word*`, `(a|b c)`, `(a)?` or `~3`, beginning with a word")]
pub struct NotAPhrase(String);

#[derive(Debug)]
enum Step {
    /// One of these, each some words.
    One(Vec<Vec<Pattern>>),
    /// One of these, or nothing.
    Maybe(Vec<Vec<Pattern>>),
    /// Up to so many words.
    Gap(usize),
}

#[derive(Debug)]
enum Pattern {
    Word(String),
    Prefix(String),
}

impl Pattern {
    fn is(&self, word: &str) -> bool {
        match self {
            Self::Word(own) => own == word,
            Self::Prefix(prefix) => word.starts_with(prefix.as_str()),
        }
    }
}

/// Where a phrase stands in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// From its first word to behind its last.
    pub range: Range<usize>,
    /// The words that the phrase names: all of the range but its gaps.
    pub named: Vec<usize>,
}

/// Phrases that mean the same, searched for together.
#[derive(Debug, Default)]
pub struct Phrases {
    steps: Vec<Vec<Step>>,
    /// Which may begin with a word.
    by_word: HashMap<String, Vec<usize>>,
    /// Which may begin with a prefix, by its first letter.
    by_prefix: HashMap<char, Vec<(String, usize)>>,
}

impl Phrases {
    /// # Errors
    /// The first text that is no phrase.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<Self, NotAPhrase> {
        let mut phrases = Self::default();
        for text in texts {
            let steps = steps(text).ok_or_else(|| NotAPhrase(text.clone()))?;
            let Some(Step::One(firsts)) = steps.first() else { return Err(NotAPhrase(text.clone())) };
            let at = phrases.steps.len();
            for first in firsts {
                match &first[0] {
                    Pattern::Word(word) => phrases.by_word.entry(word.clone()).or_default().push(at),
                    Pattern::Prefix(prefix) => {
                        let letter = prefix.chars().next().unwrap_or_default();
                        phrases.by_prefix.entry(letter).or_default().push((prefix.clone(), at));
                    }
                }
            }
            phrases.steps.push(steps);
        }
        Ok(phrases)
    }

    /// The longest phrase at each word of the sentence, where there is one.
    #[must_use]
    pub fn find(&self, words: &[String]) -> Vec<Found> {
        (0..words.len()).filter_map(|at| self.longest(words, at)).collect()
    }

    fn longest(&self, words: &[String], at: usize) -> Option<Found> {
        let by_word = self.by_word.get(&words[at]).into_iter().flatten();
        let letter = words[at].chars().next().unwrap_or_default();
        let lettered = self.by_prefix.get(&letter).into_iter().flatten();
        let by_prefix = lettered.filter(|(prefix, _)| words[at].starts_with(prefix.as_str()));
        let mut longest: Option<Found> = None;
        for phrase in by_word.chain(by_prefix.map(|(_, phrase)| phrase)) {
            let mut named = Vec::new();
            if let Some(end) = matched(&self.steps[*phrase], words, at, &mut named)
                && longest.as_ref().is_none_or(|found| found.range.end < end)
            {
                longest = Some(Found { range: at..end, named });
            }
        }
        longest
    }

    /// True where the whole sentence has such a phrase.
    #[must_use]
    pub fn any(&self, words: &[String]) -> bool {
        (0..words.len()).any(|at| self.longest(words, at).is_some())
    }
}

/// Where `steps` end if they begin at `at`: gaps as short as they can be. Depth is bounded
/// by the phrase, width by [`MAX_GAP`].
fn matched(steps: &[Step], words: &[String], at: usize, named: &mut Vec<usize>) -> Option<usize> {
    let Some((step, rest)) = steps.split_first() else { return Some(at) };
    match step {
        Step::Gap(most) => (0..=*most).take_while(|gap| at + gap <= words.len()).find_map(|gap| {
            let depth = named.len();
            matched(rest, words, at + gap, named).or_else(|| {
                named.truncate(depth);
                None
            })
        }),
        Step::One(alternatives) | Step::Maybe(alternatives) => {
            let taken = alternatives.iter().find_map(|alternative| {
                let here = words.get(at..at + alternative.len())?;
                if !alternative.iter().zip(here).all(|(pattern, word)| pattern.is(word)) {
                    return None;
                }
                let depth = named.len();
                named.extend(at..at + alternative.len());
                matched(rest, words, at + alternative.len(), named).or_else(|| {
                    named.truncate(depth);
                    None
                })
            });
            let skipped = |named: &mut Vec<usize>| match step {
                Step::Maybe(_) => matched(rest, words, at, named),
                _ => None,
            };
            taken.or_else(|| skipped(named))
        }
    }
}

fn steps(text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let step;
        (step, rest) = if let Some(open) = rest.strip_prefix('(') {
            let (inside, rest) = open.split_once(')')?;
            let alternatives: Vec<Vec<Pattern>> = inside.split('|').map(patterns).collect::<Option<_>>()?;
            match rest.strip_prefix('?') {
                Some(rest) => (Step::Maybe(alternatives), rest),
                None => (Step::One(alternatives), rest),
            }
        } else {
            let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            match word.strip_prefix('~') {
                Some(count) => (Step::Gap(count.parse().ok().filter(|gap| (1..=MAX_GAP).contains(gap))?), rest),
                None => (Step::One(vec![patterns(word)?]), rest),
            }
        };
        if !(rest.is_empty() || rest.starts_with(' ') || !matches!(step, Step::Maybe(_))) {
            return None;
        }
        rest = rest.trim_start();
        steps.push(step);
    }
    (!steps.is_empty()).then_some(steps)
}

fn patterns(words: &str) -> Option<Vec<Pattern>> {
    let patterns: Vec<Pattern> = words.split_whitespace().map(pattern).collect::<Option<_>>()?;
    (!patterns.is_empty()).then_some(patterns)
}

fn pattern(word: &str) -> Option<Pattern> {
    let (stem, is_prefix) = word.strip_suffix('*').map_or((word, false), |stem| (stem, true));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
    let fits = stem == "," || stem == "/" || (!stem.is_empty() && stem.chars().all(plain));
    fits.then(|| if is_prefix { Pattern::Prefix(stem.to_owned()) } else { Pattern::Word(stem.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(phrases: &[&str], sentence: &str) -> Vec<Found> {
        let texts: Vec<String> = phrases.iter().map(|&p| p.to_owned()).collect();
        let words: Vec<String> = sentence.split_whitespace().map(str::to_owned).collect();
        Phrases::new(&texts).unwrap().find(&words)
    }

    #[test]
    fn gaps_alternatives_and_optional_words_match_and_the_longest_wins() {
        let found = find(&["(heart|cardiac shadow) ~2 (very)? enlarg*"], "the heart is very enlarged");
        assert_eq!(found, [Found { range: 1..5, named: vec![1, 3, 4] }]);
        let found = find(&["no", "no change"], "no change here");
        assert_eq!(found, [Found { range: 0..2, named: vec![0, 1] }]);
        assert!(find(&["heart ~2 enlarged"], "heart a b c enlarged").is_empty());
        assert_eq!(find(&["may (well)? be"], "it may be").len(), 1);
    }

    #[test]
    fn what_is_no_phrase_is_refused() {
        for wrong in
            ["", " ", "~3 a", "(a|b", "(a)?", "(a)? b", "a ~9", "a ~0", "Upper", "a (|b)", "a*b", "(a)b?", "a ~x"]
        {
            assert!(Phrases::new(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
