//! `--trust` and `--allow-unsigned`: whose model bundles a command without a daemon takes.

use std::path::{Path, PathBuf};

use crate::config::{Configuration, Models};
use crate::infer::bundle::Vouched;
use crate::models::{self, Depot, Selection, Source, Vouching};
use crate::os;

/// For a command that uses model bundles and never the daemon.
#[derive(clap::Args)]
pub struct Trusting {
    /// Public key of the vendor whose model bundles are used, or a folder of such keys
    /// (default: the configuration's, else the box's, else the vendor of this program)
    #[arg(long, value_name = "KEY|DIR")]
    trust: Option<PathBuf>,
    /// For development: use model bundles for which nobody vouches. Each result says so in
    /// the bundle's version
    #[arg(long, conflicts_with = "trust")]
    allow_unsigned: bool,
}

impl Trusting {
    /// Whose bundles are taken.
    ///
    /// # Errors
    /// There is no key where one should be.
    pub fn vouching(&self, config: Option<&Configuration>) -> anyhow::Result<Vouching> {
        if self.allow_unsigned {
            return Ok(Vouching::Anybody);
        }
        let of_the_box = Models::default().trust;
        let given = self.trust.as_deref().or(config.map(|config| config.file.models.trust.as_path()));
        Ok(match given {
            Some(path) => Vouching::load(path)?,
            None if of_the_box.is_dir() => Vouching::load(&of_the_box)?,
            None => Vouching::of_this_program()?,
        })
    }

    /// The bundles in `shipped`, with the writer that is called `writer` and of those for
    /// research the ones that are called `research`.
    ///
    /// # Errors
    /// One of them may not serve.
    pub fn select(
        &self,
        config: Option<&Configuration>,
        shipped: PathBuf,
        writer: Option<&str>,
        research: Vec<String>,
    ) -> anyhow::Result<Selection> {
        let depot = config.map(|config| Depot::of(&config.file.device.state_dir));
        let vouching = self.vouching(config)?;
        let source = Source { shipped, depot, floors: models::Floors::new(), vouching, research };
        Ok(models::select(&source, writer, os::now(), None)?)
    }

    /// The bundle in `folder`.
    ///
    /// # Errors
    /// It may not serve.
    pub fn one(&self, folder: &Path) -> anyhow::Result<Vouched> {
        let one = Selection::one(folder, &self.vouching(None)?, os::now());
        one.map_err(|e| super::exit::coded(super::exit::DATA, format!("model bundle {}: {e}", folder.display())))
    }
}
