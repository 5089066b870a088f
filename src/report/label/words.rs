//! Cutting text into sentences and words, whatever was typed or redacted in it.

/// Longest sentence that is looked at, in words; what follows is another sentence. Far
/// above any human sentence, and what keeps the phrase search bounded.
pub const MAX_WORDS: usize = 120;

/// The sentences of `text`, each as lower-case words. `,` and `/` are words of their own;
/// other punctuation is dropped. `3.5` is one word, `right-sided` are two.
#[must_use]
pub fn sentences(text: &str) -> Vec<Vec<String>> {
    let (mut found, mut sentence) = (Vec::new(), Vec::new());
    for (words, ends) in text.split_whitespace().flat_map(pieces) {
        for word in words {
            if sentence.len() == MAX_WORDS {
                found.push(std::mem::take(&mut sentence));
            }
            sentence.push(word);
        }
        if ends {
            found.push(std::mem::take(&mut sentence));
        }
    }
    found.push(sentence);
    found.retain(|sentence| !sentence.is_empty());
    found
}

/// The words of a piece without white space, cut where a sentence ends inside or after it:
/// `clear.There` is two sentences, `3.5` none.
fn pieces(piece: &str) -> Vec<(Vec<String>, bool)> {
    let letters: Vec<char> = piece.chars().filter(|c| *c != '\'' && *c != '’').collect();
    let (mut cut, mut words, mut word) = (Vec::new(), Vec::new(), String::new());
    let take = |word: &mut String, words: &mut Vec<String>| {
        if !word.is_empty() {
            words.push(std::mem::take(word));
        }
    };
    for (at, &letter) in letters.iter().enumerate() {
        let next = letters.get(at + 1);
        let is_decimal = letter == '.'
            && word.ends_with(|c: char| c.is_ascii_digit())
            && next.is_some_and(char::is_ascii_digit)
            && !word.contains('.');
        if letter.is_alphanumeric() || is_decimal {
            word.extend(letter.to_lowercase());
            continue;
        }
        take(&mut word, &mut words);
        match letter {
            ',' | '/' => words.push(letter.to_string()),
            '.' | '!' | '?' | ';' if next.is_none_or(|c| c.is_uppercase()) => {
                cut.push((std::mem::take(&mut words), true));
            }
            ':' if next.is_none() => cut.push((std::mem::take(&mut words), true)),
            _ => {}
        }
    }
    take(&mut word, &mut words);
    cut.push((words, false));
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<String> {
        sentences(text).iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn sentences_end_at_stops_and_not_at_decimals_or_redactions() {
        assert_eq!(
            cut("1. The XXXX is 3.5 cm, right-sided.No effusion.. \n Impression: Clear; patient's heart/lungs"),
            ["1", "the xxxx is 3.5 cm , right sided", "no effusion", "impression", "clear", "patients heart / lungs"]
        );
        assert!(cut(" .;: \u{7}").is_empty());
    }

    #[test]
    fn a_sentence_without_end_is_cut() {
        let cut = sentences(&"word ".repeat(1000));
        assert!(cut.iter().all(|sentence| sentence.len() <= MAX_WORDS));
        assert_eq!(cut.iter().map(Vec::len).sum::<usize>(), 1000);
    }
}
