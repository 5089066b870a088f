//! Asking a person: one question at a time, each answer held to the configuration's own types at
//! once, with what stands if nothing is typed. On plain standard input: nine questions are no
//! reason for a library that redraws the screen of a serial console.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::answers::{Answers, ClientCertificate};
use super::sources;
use crate::config::{HostPort, Name};
use crate::os::terminal;

/// Wrong answers to one question before it is given up: then nobody is there.
const MAX_TRIES: usize = 10;
/// Longest answer.
const MAX_ANSWER_BYTES: u64 = 4096;

/// What a person answered.
#[derive(Debug, Default)]
pub struct Asked {
    pub answers: Answers,
    /// The broker's password, which is typed and stands in no file yet.
    pub password: Option<Zeroizing<String>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The input ended.
    #[error("nobody answered: nothing was written; give the answers as flags or by --answers FILE")]
    Nobody,
    /// Said no to the summary.
    #[error("nothing was written, as you wished")]
    Declined,
    /// The terminal failed.
    #[error("terminal: {0}")]
    Terminal(#[from] io::Error),
}

/// Where is asked and answered.
pub struct Dialogue<'a> {
    pub input: &'a mut dyn BufRead,
    pub output: &'a mut dyn Write,
}

impl Dialogue<'_> {
    /// Asks for what `known` does not say.
    pub fn ask(&mut self, known: Answers) -> Result<Asked, Unanswered> {
        let mut password = None;
        let mut answers = known;
        writeln!(
            self.output,
            "A few questions. An empty answer takes what stands in brackets; Ctrl-C leaves everything as it is."
        )?;
        if answers.site.is_none() {
            answers.site = Some(self.question("Site", "as it stands in every MQTT topic", None, name)?);
        }
        if answers.device.is_none() {
            answers.device = Some(self.question("Device name", "unique in the site", None, name)?);
        }
        if answers.ae_title.is_none() {
            let parsed = |text: &str| text.parse().map_err(|e| format!("{e}"));
            answers.ae_title =
                Some(self.question("AE title", "what the scanner calls this box", Some("RESIDENTD"), parsed)?);
        }
        if answers.listen.is_none() {
            let parsed = |text: &str| match text.parse::<u16>() {
                Ok(0) | Err(_) => text.parse().map_err(|_| "write PORT or ADDRESS:PORT".to_owned()),
                Ok(port) => Ok(([0, 0, 0, 0], port).into()),
            };
            answers.listen = Some(self.question("DICOM port", "PORT or ADDRESS:PORT", Some("11112"), parsed)?);
        }
        if answers.broker.is_none() && answers.broker_listen.is_none() {
            answers.broker = self.question(
                "Broker",
                "HOST or HOST:PORT of the site's own; none: one on this box",
                Some("none"),
                or_none(|text| text.parse::<HostPort>().map_err(|e| e.to_string())),
            )?;
            if answers.broker.is_some() {
                password = self.ask_about_the_broker(&mut answers)?;
            }
        }
        if answers.receivers.is_none() {
            let keys = self.question(
                "Receivers' public keys",
                "files, with spaces between; none: the broker's word counts",
                Some("none"),
                files(|path| sources::public_key(path).map(drop)),
            )?;
            answers.receivers = Some(keys);
        }
        if answers.model_anchors.is_none() {
            let keys = self.question(
                "Keys that may sign models",
                "files, with spaces between; none: those that are shipped",
                Some("none"),
                files(|path| sources::public_key(path).map(drop)),
            )?;
            answers.model_anchors = Some(keys);
        }
        Ok(Asked { answers, password })
    }

    fn ask_about_the_broker(&mut self, answers: &mut Answers) -> Result<Option<Zeroizing<String>>, Unanswered> {
        if answers.broker_ca.is_none() {
            let ca = or_none(|text| sources::certificates(&PathBuf::from(text)).map(|_| PathBuf::from(text)));
            answers.broker_ca = self.question(
                "Authority of its certificate",
                "a PEM file; none: NO TLS, reports travel in clear",
                Some("none"),
                ca,
            )?;
        }
        if answers.broker_ca.is_some() && answers.client_certificate.is_none() {
            let wanted = self.yes_or_no("Does it ask for a certificate of ours?", "no")?;
            answers.client_certificate =
                Some(if wanted { ClientCertificate::Request } else { ClientCertificate::None });
        }
        if answers.broker_user.is_some() {
            return Ok(None);
        }
        let user = or_none(|text| Ok(text.to_owned()));
        answers.broker_user = self.question("User name there", "none: it asks for none", Some("none"), user)?;
        if answers.broker_user.is_none() {
            return Ok(None);
        }
        write!(self.output, "Password (not shown): ")?;
        self.output.flush()?;
        let line = terminal::without_echo(|| self.line())?;
        writeln!(self.output)?;
        if line.is_empty() { Err(Unanswered::Nobody) } else { Ok(Some(line)) }
    }

    /// Shows `summary` and asks whether it is right.
    pub fn confirm(&mut self, summary: &str) -> Result<(), Unanswered> {
        writeln!(self.output, "\n{summary}")?;
        if self.yes_or_no("Write this?", "yes")? { Ok(()) } else { Err(Unanswered::Declined) }
    }

    fn yes_or_no(&mut self, what: &str, default: &str) -> Result<bool, Unanswered> {
        self.question(what, "yes or no", Some(default), |text| match text.to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(true),
            "n" | "no" => Ok(false),
            _ => Err("answer yes or no".to_owned()),
        })
    }

    /// Asks until the answer can be `parsed`.
    fn question<T>(
        &mut self,
        what: &str,
        hint: &str,
        default: Option<&str>,
        parsed: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Unanswered> {
        for _ in 0..MAX_TRIES {
            match default {
                Some(default) => write!(self.output, "{what} ({hint}) [{default}]: ")?,
                None => write!(self.output, "{what} ({hint}): ")?,
            }
            self.output.flush()?;
            let line = self.line()?;
            let text = match (line.trim(), default) {
                ("", Some(default)) => default,
                ("", None) => {
                    writeln!(self.output, "  this needs an answer")?;
                    continue;
                }
                (text, _) => text,
            };
            match parsed(text) {
                Ok(answer) => return Ok(answer),
                Err(why) => writeln!(self.output, "  {why}")?,
            }
        }
        Err(Unanswered::Nobody)
    }

    fn line(&mut self) -> Result<Zeroizing<String>, Unanswered> {
        let mut line = Zeroizing::new(String::new());
        if io::Read::take(&mut *self.input, MAX_ANSWER_BYTES).read_line(&mut line)? == 0 {
            return Err(Unanswered::Nobody);
        }
        while line.ends_with(['\n', '\r']) {
            line.pop();
        }
        Ok(line)
    }
}

fn name(text: &str) -> Result<Name, String> {
    Name::try_from(text.to_owned()).map_err(|e| e.to_string())
}

fn or_none<T>(parsed: impl Fn(&str) -> Result<T, String>) -> impl Fn(&str) -> Result<Option<T>, String> {
    move |text| if text == "none" { Ok(None) } else { parsed(text).map(Some) }
}

fn files(check: impl Fn(&std::path::Path) -> Result<(), String>) -> impl Fn(&str) -> Result<Vec<PathBuf>, String> {
    move |text| {
        let named = text.split_whitespace().filter(|_| text != "none").map(PathBuf::from).collect::<Vec<_>>();
        named.iter().try_for_each(|path| check(path))?;
        Ok(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(typed: &str, known: Answers) -> (Result<Asked, Unanswered>, String) {
        let mut output = Vec::new();
        let asked = Dialogue { input: &mut typed.as_bytes(), output: &mut output }.ask(known);
        (asked, String::from_utf8(output).unwrap())
    }

    #[test]
    fn defaults_are_shown_and_taken_and_wrong_answers_are_asked_again() {
        let (asked, page) = talk("\nSt. Mary\nclinic\ncart-7\n\n70000\n104\n\n\n\n", Answers::default());
        let answers = asked.unwrap().answers;
        assert_eq!(answers.site.unwrap().as_str(), "clinic");
        assert_eq!(answers.ae_title.unwrap().as_str(), "RESIDENTD");
        assert_eq!(answers.listen.unwrap(), "0.0.0.0:104".parse().unwrap());
        assert_eq!((answers.broker, answers.receivers), (None, Some(Vec::new())));
        for said in
            ["this needs an answer", "\"St. Mary\" is not a name", "[RESIDENTD]", "PORT or ADDRESS:PORT", "[none]"]
        {
            assert!(page.contains(said), "{said}: {page}");
        }
    }

    #[test]
    fn what_is_known_is_not_asked_and_an_end_of_input_writes_nothing() {
        let known: Answers = toml::from_str(
            "site = \"a\"\ndevice = \"b\"\nae_title = \"C\"\nlisten = \"0.0.0.0:1\"\nreceivers = []\nmodel_anchors = []\n",
        )
        .unwrap();
        let (asked, page) = talk("broker:8883\nnone\ncart\nsecret\n", known.clone());
        let Asked { answers, password } = asked.unwrap();
        assert_eq!(
            (answers.broker_user.as_deref(), password.as_deref().map(String::as_str)),
            (Some("cart"), Some("secret"))
        );
        assert!(!page.contains("Site") && !page.contains("secret"), "{page}");
        let (asked, _) = talk("broker:8883\n", known);
        assert!(matches!(asked, Err(Unanswered::Nobody)));
        let (asked, _) = talk(&"x y\n".repeat(MAX_TRIES), Answers::default());
        assert!(matches!(asked, Err(Unanswered::Nobody)), "a machine that answers nonsense for ever is nobody");
    }

    #[test]
    fn a_file_that_is_no_key_is_said_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("r.pem");
        std::fs::write(&file, "hello").unwrap();
        let known: Answers = toml::from_str(
            "site = \"a\"\ndevice = \"b\"\nae_title = \"C\"\nlisten = \"0.0.0.0:1\"\nmodel_anchors = []\nbroker_listen = \"127.0.0.1:1\"\n",
        )
        .unwrap();
        let (asked, page) = talk(&format!("{}\nnone\n", file.display()), known);
        assert_eq!(asked.unwrap().answers.receivers, Some(Vec::new()));
        assert!(page.contains("not an Ed25519 public key"), "{page}");
    }
}
