//! Association establishment (PS3.8 7.1): who may, and what is spoken.

use dicom_ul::pdu::{
    AbortRQServiceProviderReason, AssociationAC, AssociationRJ, AssociationRJResult,
    AssociationRJServiceProviderPresentationReason, AssociationRJServiceUserReason, AssociationRJSource, AssociationRQ,
    Pdu, PresentationContextProposed, PresentationContextResult, PresentationContextResultReason, UserVariableItem,
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::limits::{ASSOCIATION, MAX_CONTEXTS, MAX_PDU_BYTES, MAX_REQUEST_BYTES};
use super::offers::{JPEG_LS, SOP_CLASSES, TRANSFER_SYNTAXES, find};
use super::wire::{Wire, WireError};
use super::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION};
use crate::instance::uid::{AeTitle, Uid};

/// The one application context there is (PS3.7 A.2.1).
const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";
/// Sent for a context that is refused: not significant, but must be one (PS3.8 9.3.3.2).
const NO_SYNTAX: &str = "1.2.840.10008.1.2";

/// Who may open an association.
pub(super) struct Policy<'a> {
    pub ae_title: &'a AeTitle,
    /// Empty: anyone.
    pub allow_calling: &'a [AeTitle],
    /// Takes one of the seats that associations have, if one is free.
    pub has_room: &'a (dyn Fn() -> bool + Sync),
}

/// An accepted presentation context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Context {
    pub id: u8,
    pub sop_class: &'static str,
    pub transfer_syntax: &'static str,
}

pub(super) struct Association<S> {
    pub wire: Wire<S>,
    pub calling: AeTitle,
    pub contexts: Vec<Context>,
    /// The first SOP class that was asked for and is spoken in no context, in words.
    pub unspoken: Option<String>,
}

/// Why there is no association.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAssociated {
    #[error("association request: {0}")]
    Wire(#[from] WireError),
    #[error("the first PDU was no association request")]
    NotARequest,
    #[error("presentation contexts are not numbered as the standard says")]
    BadContexts,
    #[error("there are as many associations as may be")]
    Full,
    #[error("association rejected: {by}")]
    Rejected { calling: Option<AeTitle>, by: AssociationRJSource },
    #[error("it asked for AE title {asked:?}, this is {ours}")]
    OtherAeTitle { calling: Option<AeTitle>, asked: String, ours: AeTitle },
}

/// Answers an association request: accepts, rejects or aborts.
///
/// # Errors
/// There is no association; the peer has been told.
pub(super) async fn establish<S>(mut wire: Wire<S>, policy: &Policy<'_>) -> Result<Association<S>, NotAssociated>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = match wire.read(MAX_REQUEST_BYTES, ASSOCIATION).await {
        Ok(Pdu::AssociationRQ(request)) => request,
        Ok(Pdu::AbortRQ { .. }) => return Err(NotAssociated::NotARequest),
        Ok(_) => {
            wire.abort(AbortRQServiceProviderReason::UnexpectedPdu).await;
            return Err(NotAssociated::NotARequest);
        }
        Err(error @ (WireError::TooLong { .. } | WireError::Malformed)) => {
            wire.abort(AbortRQServiceProviderReason::InvalidPduParameter).await;
            return Err(error.into());
        }
        Err(error) => return Err(error.into()),
    };
    let calling = match admit(&request, policy) {
        Ok(calling) => calling,
        Err(reason) => {
            let source = AssociationRJSource::ServiceUser(reason.clone());
            let calling = request.calling_ae_title.parse().ok();
            reject(wire, AssociationRJResult::Permanent, source.clone()).await;
            return Err(match reason {
                AssociationRJServiceUserReason::CalledAETitleNotRecognized => NotAssociated::OtherAeTitle {
                    calling,
                    asked: request.called_ae_title.trim().chars().take(16).collect(),
                    ours: policy.ae_title.clone(),
                },
                _ => NotAssociated::Rejected { calling, by: source },
            });
        }
    };
    if !(policy.has_room)() {
        reject_for_now(wire).await;
        return Err(NotAssociated::Full);
    }
    let Some((contexts, results)) = negotiate(&request.presentation_contexts) else {
        wire.abort(AbortRQServiceProviderReason::InvalidPduParameter).await;
        return Err(NotAssociated::BadContexts);
    };
    let unspoken = unspoken(&request.presentation_contexts, &contexts);
    wire.write(&acceptance(request, results), ASSOCIATION).await?;
    Ok(Association { wire, calling, contexts, unspoken })
}

/// Turns away a peer that has as many connections as it may, after reading its request.
pub(super) async fn turn_away<S: AsyncRead + AsyncWrite + Unpin>(mut wire: Wire<S>) {
    if let Ok(Pdu::AssociationRQ(_)) = wire.read(MAX_REQUEST_BYTES, ASSOCIATION).await {
        reject_for_now(wire).await;
    }
}

async fn reject_for_now<S: AsyncRead + AsyncWrite + Unpin>(wire: Wire<S>) {
    let reason = AssociationRJServiceProviderPresentationReason::LocalLimitExceeded;
    reject(wire, AssociationRJResult::Transient, AssociationRJSource::ServiceProviderPresentation(reason)).await;
}

async fn reject<S: AsyncRead + AsyncWrite + Unpin>(
    wire: Wire<S>,
    result: AssociationRJResult,
    source: AssociationRJSource,
) {
    wire.say_last(&Pdu::AssociationRJ(AssociationRJ { result, source })).await;
}

/// Whether the caller may (PS3.8 9.3.4); of the version only bit 0 counts (PS3.8 9.3.2).
fn admit(request: &AssociationRQ, policy: &Policy<'_>) -> Result<AeTitle, AssociationRJServiceUserReason> {
    use AssociationRJServiceUserReason as Reason;
    if request.protocol_version & 1 == 0 {
        return Err(Reason::NoReasonGiven);
    }
    if request.application_context_name.trim_matches([' ', '\0']) != APPLICATION_CONTEXT {
        return Err(Reason::ApplicationContextNameNotSupported);
    }
    if request.called_ae_title.trim() != policy.ae_title.as_str() {
        return Err(Reason::CalledAETitleNotRecognized);
    }
    let calling: AeTitle = request.calling_ae_title.parse().map_err(|_| Reason::CallingAETitleNotRecognized)?;
    let allowed = policy.allow_calling.is_empty() || policy.allow_calling.contains(&calling);
    if allowed { Ok(calling) } else { Err(Reason::CallingAETitleNotRecognized) }
}

/// What is accepted of what is proposed; `None` where ids are even, or used twice.
fn negotiate(proposed: &[PresentationContextProposed]) -> Option<(Vec<Context>, Vec<PresentationContextResult>)> {
    use PresentationContextResultReason as Reason;
    if proposed.len() > MAX_CONTEXTS {
        return None;
    }
    let mut accepted = Vec::new();
    let mut results: Vec<PresentationContextResult> = Vec::new();
    for context in proposed {
        let id = context.id;
        if id % 2 == 0 || results.iter().any(|result| result.id == id) {
            return None;
        }
        let sop_class = find(&SOP_CLASSES, &context.abstract_syntax);
        let syntax = context.transfer_syntaxes.iter().find_map(|theirs| find(TRANSFER_SYNTAXES, theirs));
        let (reason, transfer_syntax) = match (sop_class, syntax) {
            (None, _) => (Reason::AbstractSyntaxNotSupported, NO_SYNTAX),
            (_, None) => (Reason::TransferSyntaxesNotSupported, NO_SYNTAX),
            (Some(sop_class), Some(transfer_syntax)) => {
                accepted.push(Context { id, sop_class, transfer_syntax });
                (Reason::Acceptance, transfer_syntax)
            }
        };
        results.push(PresentationContextResult { id, reason, transfer_syntax: transfer_syntax.to_owned() });
    }
    Some((accepted, results))
}

/// The first SOP class of `proposed` that no accepted context speaks: what a site must
/// mend at the sender, or what this build was made without.
fn unspoken(proposed: &[PresentationContextProposed], accepted: &[Context]) -> Option<String> {
    let bare = |text: &str| text.parse::<Uid>().map_or_else(|_| "an invalid UID".to_owned(), |uid| uid.to_string());
    let context = proposed.iter().find(|proposed| {
        let class = find(&SOP_CLASSES, &proposed.abstract_syntax);
        !accepted.iter().any(|accepted| Some(accepted.sop_class) == class)
    })?;
    let class = bare(&context.abstract_syntax);
    if find(&SOP_CLASSES, &context.abstract_syntax).is_none() {
        return Some(format!("SOP class {class} is not received here"));
    }
    let syntax = context.transfer_syntaxes.first().map_or_else(|| "none".to_owned(), |syntax| bare(syntax));
    let remedy =
        if JPEG_LS.contains(&syntax.as_str()) { " (JPEG-LS needs a build with the jpeg-ls feature)" } else { "" };
    Some(format!("SOP class {class} is not received in transfer syntax {syntax}{remedy}"))
}

fn acceptance(request: AssociationRQ, presentation_contexts: Vec<PresentationContextResult>) -> Pdu {
    Pdu::AssociationAC(AssociationAC {
        protocol_version: 1,
        calling_ae_title: request.calling_ae_title,
        called_ae_title: request.called_ae_title,
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts,
        user_variables: vec![
            UserVariableItem::MaxLength(MAX_PDU_BYTES),
            UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS_UID.to_owned()),
            UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION.to_owned()),
        ],
    })
}
