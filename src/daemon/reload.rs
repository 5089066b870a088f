//! The configuration read again, at SIGHUP. It applies whole or not at all: an outcome names
//! the digest of the one file by which it was made.

use std::sync::Arc;

use log::{error, info};
use tokio::sync::watch;

use crate::audit::{Audit, Event};
use crate::config::{ConfigError, Configuration, Dicom};

/// Why the configuration stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum NotReloaded {
    /// The file is unreadable or wrong.
    #[error(transparent)]
    Wrong(#[from] ConfigError),
    /// It changes what was taken for good at the start.
    #[error("{}: only a start takes a change of that; `systemctl restart residentd`", .keys.join(", "))]
    Fixed {
        /// Which keys.
        keys: Vec<String>,
    },
}

/// Gives a new configuration to the parts of a running daemon that can take one.
#[derive(Clone)]
pub struct Reload {
    pub(super) config: watch::Sender<Arc<Configuration>>,
    pub(super) ingest: watch::Sender<Dicom>,
    pub(super) audit: Audit,
}

impl Reload {
    /// Reads the file again and applies it. What came of it is in the log and in the audit
    /// log; where it is an error, nothing changed.
    ///
    /// # Errors
    /// The file cannot be read or is wrong, or says something new that only a start can take.
    pub fn reload(&self) -> Result<Arc<Configuration>, NotReloaded> {
        let before = self.config.borrow().clone();
        match Self::checked(&before) {
            Ok((new, keys)) => {
                let new = Arc::new(new);
                self.audit.note(Event::Reconfigured { sha256: new.sha256, before: before.sha256 });
                self.ingest.send_replace(new.file.dicom.clone());
                self.config.send_replace(Arc::clone(&new));
                let changed = if keys.is_empty() { "no key changed".to_owned() } else { keys.join(", ") };
                info!("configuration {} from now on: {changed}", new.sha256);
                Ok(new)
            }
            Err(why) => {
                error!("the configuration was NOT reloaded, {} stays: {why}", before.sha256);
                self.audit.note(Event::ReconfigurationRefused { why: why.to_string().into(), stays: before.sha256 });
                Err(why)
            }
        }
    }

    fn checked(before: &Configuration) -> Result<(Configuration, Vec<String>), NotReloaded> {
        let new = Configuration::load(&before.path)?;
        let change = before.change_to(&new);
        if change.fixed.is_empty() {
            Ok((new, change.reloadable))
        } else {
            Err(NotReloaded::Fixed { keys: change.fixed })
        }
    }
}
