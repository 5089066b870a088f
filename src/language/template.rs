//! A message as a pattern: text with holes, filled in one way and matched in the other.

/// A compiled message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole(&'static str),
}

/// What stands in the holes of a matched text, in the order of the text.
pub type Filled<'t> = Vec<(&'static str, &'t str)>;

impl Template {
    /// The pattern of `rendered`, in which the argument `names[i]` is the character
    /// `first + i`. `None` where an argument stands twice.
    pub(super) fn of(rendered: &str, names: &[&'static str], first: u32) -> Option<Self> {
        let hole = |c: char| names.get((c as u32).checked_sub(first)? as usize).copied();
        let mut parts = Vec::new();
        let mut text = String::new();
        for c in rendered.chars() {
            let Some(name) = hole(c) else {
                text.push(c);
                continue;
            };
            if parts.contains(&Part::Hole(name)) {
                return None;
            }
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(Part::Hole(name));
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Some(Self { parts })
    }

    /// Names of its arguments.
    pub fn arguments(&self) -> impl Iterator<Item = &'static str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Hole(name) => Some(*name),
            Part::Text(_) => None,
        })
    }

    /// The text with `arguments` in its holes.
    ///
    /// # Panics
    /// An argument is missing.
    #[must_use]
    pub fn fill(&self, arguments: &[(&str, &str)]) -> String {
        let mut text = String::with_capacity(128);
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Hole(name) => {
                    let given = arguments.iter().find(|(given, _)| given == name);
                    text.push_str(given.unwrap_or_else(|| panic!("argument `{name}` is missing")).1);
                }
            }
        }
        text
    }

    /// True where `text` is this message, and nothing is to be filled in.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        matches!(self.parts.as_slice(), [Part::Text(only)] if only == text)
    }

    /// Every way in which `text` is this message with holes that `accepts` their content.
    pub fn matches<'t>(&self, text: &'t str, accepts: &dyn Fn(&str, &str) -> bool) -> Vec<Filled<'t>> {
        let mut found = Vec::new();
        let ends_alike = match self.parts.last() {
            Some(Part::Text(end)) => text.ends_with(end.as_str()),
            _ => true,
        };
        if ends_alike {
            walk(&self.parts, text, accepts, &mut Vec::new(), &mut found);
        }
        found
    }
}

fn walk<'t>(
    parts: &[Part],
    text: &'t str,
    accepts: &dyn Fn(&str, &str) -> bool,
    filled: &mut Filled<'t>,
    found: &mut Vec<Filled<'t>>,
) {
    let Some((first, rest)) = parts.split_first() else {
        if text.is_empty() {
            found.push(filled.clone());
        }
        return;
    };
    let name = match first {
        Part::Text(literal) => {
            if let Some(after) = text.strip_prefix(literal.as_str()) {
                walk(rest, after, accepts, filled, found);
            }
            return;
        }
        Part::Hole(name) => *name,
    };
    let mut fill = |at: usize| {
        if accepts(name, &text[..at]) {
            filled.push((name, &text[..at]));
            walk(rest, &text[at..], accepts, filled, found);
            filled.pop();
        }
    };
    match rest.first() {
        None => fill(text.len()),
        // All occurrences of what follows, overlapping ones too.
        Some(Part::Text(literal)) => {
            let mut from = 0;
            while let Some(at) = text[from..].find(literal.as_str()) {
                fill(from + at);
                from += at + text[from + at..].chars().next().map_or(1, char::len_utf8);
            }
        }
        // Two holes side by side: any border.
        Some(Part::Hole(_)) => text.char_indices().map(|(at, _)| at).chain([text.len()]).for_each(fill),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::of(&text.replace('A', "\u{e000}").replace('B', "\u{e001}"), &["a", "b"], 0xe000).unwrap()
    }

    #[test]
    fn what_was_filled_in_is_matched_again() {
        let template = template("x A is B.");
        let text = template.fill(&[("a", "one"), ("b", "two")]);
        assert_eq!(text, "x one is two.");
        assert_eq!(template.matches(&text, &|_, _| true), [vec![("a", "one"), ("b", "two")]]);
        assert!(template.matches("x one is two", &|_, _| true).is_empty());
        assert!(template.matches("y one is two.", &|_, _| true).is_empty());
    }

    #[test]
    fn every_way_to_match_is_found() {
        let template = template("A, B");
        assert_eq!(template.matches("1, 2, 3", &|_, _| true).len(), 2);
        let only = template.matches("1, 2, 3", &|name, content| name == "b" || !content.contains(','));
        assert_eq!(only, [vec![("a", "1"), ("b", "2, 3")]]);
        assert_eq!(Template::of("\u{e000}\u{e000}", &["a"], 0xe000), None);
    }
}
