//! Cutting a draft into sentences, and telling which could be one at all.

/// Longest sentence, in characters: no finding needs more, and what the labeler cuts is
/// far above.
const MAX_CHARS: usize = 240;
/// Most pieces of one drafted text that are looked at: more is a decoder that loops.
const MAX_PIECES: usize = 256;

/// The pieces of `text` between stops, as they stand; empty ones are left out.
pub fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '!', '?', ';', ':', '\n', '\r']).map(str::trim).filter(|piece| !piece.is_empty()).take(MAX_PIECES)
}

/// True for letters of English, digits, spaces and what stands between words.
pub fn is_readable(sentence: &str) -> bool {
    sentence.len() <= MAX_CHARS
        && sentence.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | ',' | '-'))
        && sentence.chars().any(|c| c.is_ascii_alphabetic())
}

/// As it stands in the report: one space between words, a capital, the hedge where there is
/// one, a stop.
pub fn written(sentence: &str, hedge: Option<&str>) -> String {
    let words = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = words.trim_matches([',', '-', ' ']);
    let mut letters = words.chars();
    let first: String = letters.next().map(|c| c.to_ascii_uppercase()).into_iter().collect();
    let hedge = hedge.map(|hedge| format!(" ({hedge})")).unwrap_or_default();
    format!("{first}{}{hedge}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_cut_at_stops_and_a_loop_has_an_end() {
        let cut = |text| sentences(text).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cut(" A. b; c\n1. d.. "), ["A", "b", "c", "1", "d"]);
        assert!(cut(" .. ").is_empty());
        assert_eq!(sentences(&"again. ".repeat(100_000)).count(), MAX_PIECES);
    }

    #[test]
    fn what_is_no_english_is_unreadable() {
        for bad in ["", "123", "effusion\u{7}", "épanchement", "a (b)", "<b>x</b>", "x\u{202e}y", &"x ".repeat(200)] {
            assert!(!is_readable(bad), "{bad}");
        }
        assert!(is_readable("No left-sided effusion, or edema"));
        assert_eq!(written("  no   effusion, ", None), "No effusion.");
        assert_eq!(written("cardiomegaly", Some("likely")), "Cardiomegaly (likely).");
    }
}
