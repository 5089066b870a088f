//! A language file, compiled: the only file that names Fluent.

use std::collections::HashMap;

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use unic_langid::LanguageIdentifier;

use super::Template;

/// Names that arguments may have.
const ARGUMENTS: [&str; 24] = [
    "a",
    "b",
    "date",
    "device",
    "finding",
    "image",
    "kind",
    "list",
    "mm",
    "n",
    "name",
    "place",
    "probability",
    "reason",
    "region",
    "share",
    "text",
    "time",
    "title",
    "value",
    "version",
    "view",
    "what",
    "words",
];
/// What stands for the first of them while a message is compiled: private use characters,
/// which no language file has.
const FIRST_ARGUMENT: u32 = 0xe000;

/// The messages of one language.
pub(super) struct Dictionary {
    templates: HashMap<String, Template>,
}

/// Why a language file is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("`{0}` is no language code")]
    Code(&'static str),
    #[error("line {0} is no Fluent")]
    Syntax(usize),
    #[error("a message stands twice: {0}")]
    Twice(String),
    #[error("`{0}` has an argument that is unknown or stands twice, or a selector")]
    Message(String),
}

impl Dictionary {
    pub(super) fn of(code: &'static str, text: &str) -> Result<Self, Unusable> {
        let language: LanguageIdentifier = code.parse().map_err(|_| Unusable::Code(code))?;
        let resource = FluentResource::try_new(text.to_owned()).map_err(|(_, errors)| {
            let at = errors.first().map_or(0, |e| e.pos.start);
            Unusable::Syntax(text.get(..at).unwrap_or(text).matches('\n').count() + 1)
        })?;
        let mut bundle = FluentBundle::new(vec![language]);
        // No marks of direction around arguments: they would stand in every sentence.
        bundle.set_use_isolating(false);
        bundle.add_resource(resource).map_err(|errors| Unusable::Twice(format!("{errors:?}")))?;
        let mut arguments = FluentArgs::new();
        for (name, stand_in) in ARGUMENTS.iter().zip((FIRST_ARGUMENT..).filter_map(char::from_u32)) {
            arguments.set(*name, stand_in.to_string());
        }
        let mut templates = HashMap::new();
        for id in ids(text) {
            let refused = || Unusable::Message(id.to_owned());
            let pattern = bundle.get_message(id).and_then(|message| message.value()).ok_or_else(refused)?;
            let mut errors = Vec::new();
            let rendered = bundle.format_pattern(pattern, Some(&arguments), &mut errors);
            let template = Template::of(&rendered, &ARGUMENTS, FIRST_ARGUMENT).filter(|_| errors.is_empty());
            templates.insert(id.to_owned(), template.ok_or_else(refused)?);
        }
        if let Some(selector) = text.lines().position(|line| line.contains("->")) {
            let before = text.lines().take(selector + 1).collect::<Vec<_>>().join("\n");
            return Err(Unusable::Message(ids(&before).last().unwrap_or_default().to_owned()));
        }
        Ok(Self { templates })
    }

    pub(super) fn get(&self, id: &str) -> Option<&Template> {
        self.templates.get(id)
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Template)> {
        self.templates.iter().map(|(id, template)| (id.as_str(), template))
    }
}

/// The names of the messages in `text`: a message starts at the start of a line
/// (Fluent syntax 1.0, `Message`).
fn ids(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
        .filter_map(|line| line.split_once('=').map(|(id, _)| id.trim()))
}
