//! A draft for a fact sheet: asked of the writer, held to the sheet by the guard. The gateway's
//! side: nothing of what the process wrote gets past here unguarded.

use super::supervise::Supervised;
use super::write::{Drafted, Serving};
use crate::report::facts::{FactSheet, Facts};
use crate::report::guard;
use crate::report::written::{Draft, Fallback};

impl Supervised {
    /// What may be used of the writer's draft of `sheet`, which is of the file that was read
    /// last. A reader that died of it is spent, and cost nobody's report.
    pub async fn draft(&mut self, sheet: &FactSheet) -> Draft {
        if sheet.unread.is_some() {
            return Draft::None;
        }
        let writer = match &self.writer {
            None => return Draft::None,
            Some(Serving::Unusable(_)) => return Draft::Fallback(Fallback::Unusable),
            Some(Serving::Ready(writer)) => writer.clone(),
        };
        match self.write(boxed(sheet)).await {
            Ok(Drafted::Text(parts)) => {
                let draft = guard::Draft { findings: parts.findings, impression: parts.impression };
                Draft::Guarded { guarded: Box::new(guard::guard(sheet, &draft)), writer: Box::new(writer) }
            }
            Ok(Drafted::Refused(code)) => Draft::Fallback(Fallback::Refused(code)),
            Ok(Drafted::NoWriter) => Draft::Fallback(Fallback::Unusable),
            Err(_) => Draft::Fallback(Fallback::Died),
        }
    }
}

/// Boxed outside of the future, which would carry all of it otherwise.
fn boxed(sheet: &FactSheet) -> Box<Facts> {
    Box::new(sheet.clone().into())
}
