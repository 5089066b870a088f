//! What the run set out to do, and what it promised, each with its place in the log.

use residentd::audit::Head;
use residentd::digest::Digest;
use residentd::instance::uid::Uid;

/// From where in the log on something may be there, and from where on it must be.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub begun: usize,
    pub promised: Option<usize>,
}

impl Span {
    /// True where a cut at `cut` may show it.
    pub fn may_show(self, cut: usize) -> bool {
        self.begun <= cut
    }

    /// True where a cut at `cut` must show it.
    pub fn must_show(self, cut: usize) -> bool {
        self.promised.is_some_and(|promised| promised <= cut)
    }
}

/// Everything that was begun.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// Instances sent: promised when the sender was answered 0x0000.
    pub accepted: Vec<(Uid, Digest, Span)>,
    /// Outcomes as they were signed, in sequence, each with its image.
    pub outcomes: Vec<(String, Digest, Span)>,
    /// Sequences that were delivered.
    pub delivered: Vec<(u64, Span)>,
    /// From where on images might be retired.
    pub retiring: Vec<(Digest, usize)>,
    /// The device's key file, and its bytes.
    pub key: Option<(Vec<u8>, Span)>,
    /// Where the audit log stood when it was durable.
    pub audited: Vec<(Head, Span)>,
    /// Checkpoints of it that were given out.
    pub checkpoints: Vec<(String, Span)>,
}

impl Ledger {
    /// How many promises bind a cut at `cut`.
    pub fn promises(&self, cut: usize) -> usize {
        let spans = self.accepted.iter().map(|(.., s)| s);
        let spans = spans.chain(self.outcomes.iter().map(|(.., s)| s)).chain(self.delivered.iter().map(|(_, s)| s));
        let spans = spans.chain(self.audited.iter().map(|(_, s)| s)).chain(self.checkpoints.iter().map(|(_, s)| s));
        spans.chain(self.key.iter().map(|(_, s)| s)).filter(|span| span.must_show(cut)).count()
    }
}

impl Ledger {
    /// From now on counts from a cut at `cut`: what was promised then is promised from
    /// the start, what was begun may be there, and what came later never was.
    pub fn bound_by(&mut self, cut: usize) {
        let rebase = |span: &mut Span| {
            let promised = span.must_show(cut).then_some(0);
            *span = Span { begun: 0, promised };
        };
        self.accepted.retain(|(.., span)| span.may_show(cut));
        self.accepted.iter_mut().for_each(|(.., span)| rebase(span));
        self.outcomes.retain(|(.., span)| span.may_show(cut));
        self.outcomes.iter_mut().for_each(|(.., span)| rebase(span));
        self.delivered.retain(|(_, span)| span.may_show(cut));
        self.delivered.iter_mut().for_each(|(_, span)| rebase(span));
        self.retiring.retain(|(_, from)| *from <= cut);
        self.retiring.iter_mut().for_each(|(_, from)| *from = 0);
        self.key.iter_mut().for_each(|(_, span)| rebase(span));
        self.audited.retain(|(_, span)| span.must_show(cut));
        self.audited.iter_mut().for_each(|(_, span)| rebase(span));
        self.checkpoints.retain(|(_, span)| span.must_show(cut));
        self.checkpoints.iter_mut().for_each(|(_, span)| rebase(span));
    }
}
