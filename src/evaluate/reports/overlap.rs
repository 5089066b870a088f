//! BLEU-4 and ROUGE-L: how far a text's words are those of another. For orientation only:
//! both reward the wording of a report, not its truth.

use std::collections::HashMap;

use crate::report::label::sentences;

/// Longest sequence that BLEU looks at.
const ORDER: usize = 4;

/// What one text adds to the corpus BLEU of Papineni et al. (2002), one reference each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bleu {
    /// Sequences of 1 to 4 words that the reference has too, each as often as there at most.
    shared: [usize; ORDER],
    /// All such sequences.
    all: [usize; ORDER],
    words: usize,
    reference_words: usize,
}

/// The words of a text as the labeler cuts them: lower case, without stops.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    sentences(text).concat()
}

impl Bleu {
    /// Of a text and its reference.
    #[must_use]
    pub fn of(text: &[String], reference: &[String]) -> Self {
        let mut bleu = Self { words: text.len(), reference_words: reference.len(), ..Self::default() };
        for order in 1..=ORDER {
            let (own, theirs) = (sequences(text, order), sequences(reference, order));
            bleu.all[order - 1] = own.values().sum();
            bleu.shared[order - 1] =
                own.iter().map(|(sequence, count)| (*count).min(theirs.get(sequence).copied().unwrap_or(0))).sum();
        }
        bleu
    }

    /// Corpus BLEU-4 of many, each counted `weights` times; 0 where no four words are shared.
    #[must_use]
    pub fn corpus(of: &[Self], weights: &[u32]) -> f64 {
        let mut sum = Self::default();
        for (bleu, weight) in of.iter().zip(weights.iter().map(|w| *w as usize)) {
            for k in 0..ORDER {
                sum.shared[k] += weight * bleu.shared[k];
                sum.all[k] += weight * bleu.all[k];
            }
            sum.words += weight * bleu.words;
            sum.reference_words += weight * bleu.reference_words;
        }
        if sum.shared.contains(&0) {
            return 0.0;
        }
        let precision: f64 = (0..ORDER).map(|k| (sum.shared[k] as f64 / sum.all[k] as f64).ln()).sum();
        let brevity = (1.0 - sum.reference_words as f64 / sum.words as f64).min(0.0);
        (brevity + precision / ORDER as f64).exp()
    }
}

fn sequences(words: &[String], order: usize) -> HashMap<&[String], usize> {
    let mut counts = HashMap::new();
    for sequence in words.windows(order) {
        *counts.entry(sequence).or_insert(0) += 1;
    }
    counts
}

/// ROUGE-L (Lin 2004) as F1: twice the longest common subsequence over both lengths.
#[must_use]
pub fn rouge_l(text: &[String], reference: &[String]) -> f64 {
    if text.is_empty() && reference.is_empty() {
        return 1.0;
    }
    let mut row = vec![0usize; reference.len() + 1];
    for word in text {
        let mut diagonal = 0;
        for (at, other) in reference.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if word == other { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    2.0 * row[reference.len()] as f64 / (text.len() + reference.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bleu_is_that_of_a_hand_counted_pair() {
        let (text, reference) = (words("the cat is on the mat"), words("the cat sat on the mat today"));
        let bleu = Bleu::of(&text, &reference);
        assert_eq!((bleu.shared, bleu.all), ([5, 3, 1, 0], [6, 5, 4, 3]));
        assert!(Bleu::corpus(&[bleu], &[1]).abs() < f64::EPSILON);
        // Beside a pair that is equal: 5+4, 3+3, 1+2, 0+1 of 6+4, 5+3, 4+2, 3+1; 10 words for 11.
        let equal = Bleu::of(&words("a b c d"), &words("a b c d"));
        let wanted = (9.0f64 / 10.0 * 6.0 / 8.0 * 3.0 / 6.0 * 1.0 / 4.0).powf(0.25) * (1.0f64 - 11.0 / 10.0).exp();
        assert!((Bleu::corpus(&[bleu, equal], &[1, 1]) - wanted).abs() < 1e-12);
        assert!((Bleu::corpus(&[bleu, equal], &[0, 3]) - 1.0).abs() < 1e-12);
        assert!(Bleu::corpus(&[Bleu::of(&[], &words("a"))], &[1]).abs() < f64::EPSILON);
    }

    #[test]
    fn rouge_l_is_that_of_a_hand_counted_pair() {
        let (text, reference) = (words("police killed the gunman"), words("police kill the gunman"));
        assert!((rouge_l(&text, &reference) - 0.75).abs() < 1e-12);
        assert!((rouge_l(&words("the gunman kill police"), &reference) - 0.5).abs() < 1e-12);
        assert!(rouge_l(&[], &reference).abs() < f64::EPSILON && (rouge_l(&[], &[]) - 1.0).abs() < f64::EPSILON);
    }
}
