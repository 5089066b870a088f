//! C-STORE and C-ECHO as SCU (PS3.4 B and A): sends Part 10 files as they are, transfer
//! syntax untouched.
//!
//! Used by `demo`, `doctor` and `accept`, and by whatever delivers to a PACS later.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use dicom_core::{DataElement, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTable, InMemDicomObject};
use dicom_transfer_syntax_registry::entries::IMPLICIT_VR_LITTLE_ENDIAN;
use dicom_ul::association::client::{AsyncClientAssociation, ClientAssociationOptions};
use dicom_ul::pdu::{PDataValue, PDataValueType, Pdu};
use tokio::net::TcpStream;

use crate::instance::uid::AeTitle;

/// Bytes of a file handed to the network at once.
const PIECE_BYTES: usize = 64 * 1024;
/// Item length, context id and message control header of a PDV (PS3.8 9.3.5.1, E.2).
const PDV_HEADER_BYTES: usize = 6;
/// Verification SOP class (PS3.4 A.4).
const VERIFICATION: &str = "1.2.840.10008.1.1";
/// Longest wait for a peer's answer.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// Why files could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Not a Part 10 file, or unreadable.
    #[error("{path}: {message}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Nobody answers there.
    #[error("nobody answers at {address}: {message}")]
    Unreachable {
        /// The peer.
        address: String,
        /// What the system said.
        message: String,
    },
    /// The peer refused, or the association broke.
    #[error("association with {address}: {message}")]
    Association {
        /// The peer.
        address: String,
        /// What happened.
        message: String,
    },
    /// The peer takes neither this SOP class nor transfer syntax.
    #[error("{path}: the peer does not accept SOP class {sop_class} in transfer syntax {transfer_syntax}")]
    NotAccepted {
        /// Which file.
        path: PathBuf,
        /// Its SOP class.
        sop_class: String,
        /// Its transfer syntax.
        transfer_syntax: String,
    },
}

/// Sends `path` to the storage SCP `called` at `address` in an association of its own
/// and releases it; gives the C-STORE status (PS3.7 C), 0x0000 for success.
///
/// # Errors
/// See [`SendError`].
pub async fn send(address: &str, calling: &AeTitle, called: &AeTitle, path: &Path) -> Result<u16, SendError> {
    let broken = |message: String| SendError::Association { address: address.to_owned(), message };
    let file_error = |message: String| SendError::File { path: path.to_owned(), message };
    let mut file = BufReader::new(File::open(path).map_err(|e| file_error(e.to_string()))?);
    let mut preamble = [0; 128];
    let not_dicom =
        |e: &dyn std::fmt::Display| file_error(format!("not a DICOM file with preamble and file meta ({e})"));
    file.read_exact(&mut preamble).map_err(|e| not_dicom(&e))?;
    let meta = FileMetaTable::from_reader(&mut file).map_err(|e| not_dicom(&e))?;
    let class = meta.media_storage_sop_class_uid();
    let mut peer = associate(address, calling, called, class, meta.transfer_syntax()).await?;
    let Some(context) = peer.presentation_contexts().first().map(|c| c.id) else {
        return Err(SendError::NotAccepted {
            path: path.to_owned(),
            sop_class: meta.media_storage_sop_class_uid().to_owned(),
            transfer_syntax: meta.transfer_syntax().to_owned(),
        });
    };
    let status = store(&mut peer, context, &meta, &mut file).await.map_err(broken)?;
    peer.release().await.map_err(|e| broken(e.to_string()))?;
    Ok(status)
}

/// Asks the SCP `called` at `address` for a sign of life (C-ECHO, PS3.7 9.1.5); gives its
/// status, 0x0000 for success.
///
/// # Errors
/// See [`SendError`].
pub async fn echo(address: &str, calling: &AeTitle, called: &AeTitle) -> Result<u16, SendError> {
    let broken = |message: String| SendError::Association { address: address.to_owned(), message };
    let mut peer = associate(address, calling, called, VERIFICATION, IMPLICIT_VR_LITTLE_ENDIAN.uid()).await?;
    let Some(context) = peer.presentation_contexts().first().map(|c| c.id) else {
        return Err(broken("the peer does not accept Verification".to_owned()));
    };
    let command = InMemDicomObject::command_from_element_iter([
        DataElement::new(tags::AFFECTED_SOP_CLASS_UID, VR::UI, dicom_value!(Str, VERIFICATION)),
        DataElement::new(tags::COMMAND_FIELD, VR::US, dicom_value!(U16, [0x0030])),
        DataElement::new(tags::MESSAGE_ID, VR::US, dicom_value!(U16, [1])),
        DataElement::new(tags::COMMAND_DATA_SET_TYPE, VR::US, dicom_value!(U16, [0x0101])),
    ]);
    send_command(&mut peer, context, encoded(&command).map_err(broken)?).await.map_err(broken)?;
    let status = answer(&mut peer).await.map_err(broken)?;
    peer.release().await.map_err(|e| broken(e.to_string()))?;
    Ok(status)
}

/// An association for one SOP class in one transfer syntax.
async fn associate(
    address: &str,
    calling: &AeTitle,
    called: &AeTitle,
    sop_class: &str,
    transfer_syntax: &str,
) -> Result<AsyncClientAssociation<TcpStream>, SendError> {
    let mut peer = ClientAssociationOptions::new()
        .calling_ae_title(calling.as_str())
        .called_ae_title(called.as_str())
        .with_presentation_context(sop_class, vec![transfer_syntax])
        .read_timeout(ANSWER_LIMIT)
        .establish_async(address)
        .await
        .map_err(|e| match e {
            dicom_ul::association::Error::Connect { source, .. } => {
                SendError::Unreachable { address: address.to_owned(), message: source.to_string() }
            }
            other => SendError::Association {
                address: address.to_owned(),
                message: format!("{other} (SOP class {sop_class}, transfer syntax {transfer_syntax})"),
            },
        })?;
    // Nagle would hold the dataset back for the peer's delayed acknowledgement of the command.
    let _ = peer.inner_stream().set_nodelay(true);
    Ok(peer)
}

async fn store(
    peer: &mut AsyncClientAssociation<TcpStream>,
    context: u8,
    meta: &FileMetaTable,
    dataset: &mut impl Read,
) -> Result<u16, String> {
    send_command(peer, context, request(meta)?).await?;
    send_dataset(peer, context, dataset).await?;
    answer(peer).await
}

async fn send_command(
    peer: &mut AsyncClientAssociation<TcpStream>,
    context: u8,
    command: Vec<u8>,
) -> Result<(), String> {
    let command = PDataValue {
        presentation_context_id: context,
        value_type: PDataValueType::Command,
        is_last: true,
        data: command,
    };
    peer.send(&Pdu::PData { data: vec![command] }).await.map_err(|e| e.to_string())
}

/// The status that the peer answers with.
async fn answer(peer: &mut AsyncClientAssociation<TcpStream>) -> Result<u16, String> {
    match peer.receive().await.map_err(|e| e.to_string())? {
        Pdu::PData { data } => status(&data.iter().flat_map(|d| d.data.iter().copied()).collect::<Vec<_>>()),
        other => Err(format!("the peer answered {}", other.short_description())),
    }
}

/// The dataset as P-DATA-TF PDUs of at most what the peer takes (PS3.8 9.3.5). Not by
/// `send_pdata`: its writer blocks when dropped, which only some runtimes allow.
async fn send_dataset(
    peer: &mut AsyncClientAssociation<TcpStream>,
    context: u8,
    dataset: &mut impl Read,
) -> Result<(), String> {
    let most = (peer.acceptor_max_pdu_length() as usize).saturating_sub(PDV_HEADER_BYTES).clamp(1, PIECE_BYTES);
    let mut piece = read_up_to(dataset, most)?;
    loop {
        let next = read_up_to(dataset, most)?;
        let is_last = next.is_empty();
        let value = PDataValue {
            presentation_context_id: context,
            value_type: PDataValueType::Data,
            is_last,
            data: std::mem::replace(&mut piece, next),
        };
        peer.send(&Pdu::PData { data: vec![value] }).await.map_err(|e| e.to_string())?;
        if is_last {
            return Ok(());
        }
    }
}

fn read_up_to(dataset: &mut impl Read, most: usize) -> Result<Vec<u8>, String> {
    let mut piece = Vec::with_capacity(most);
    dataset.take(most as u64).read_to_end(&mut piece).map_err(|e| e.to_string())?;
    Ok(piece)
}

/// C-STORE-RQ (PS3.7 9.3.1.1).
fn request(meta: &FileMetaTable) -> Result<Vec<u8>, String> {
    let uid = |text: &str| dicom_value!(Str, text.trim_end_matches('\0').to_owned());
    let command = InMemDicomObject::command_from_element_iter([
        DataElement::new(tags::AFFECTED_SOP_CLASS_UID, VR::UI, uid(&meta.media_storage_sop_class_uid)),
        DataElement::new(tags::COMMAND_FIELD, VR::US, dicom_value!(U16, [0x0001])),
        DataElement::new(tags::MESSAGE_ID, VR::US, dicom_value!(U16, [1])),
        DataElement::new(tags::PRIORITY, VR::US, dicom_value!(U16, [0])),
        DataElement::new(tags::COMMAND_DATA_SET_TYPE, VR::US, dicom_value!(U16, [0x0000])),
        DataElement::new(tags::AFFECTED_SOP_INSTANCE_UID, VR::UI, uid(&meta.media_storage_sop_instance_uid)),
    ]);
    encoded(&command)
}

fn encoded(command: &InMemDicomObject) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    command.write_dataset_with_ts(&mut bytes, &IMPLICIT_VR_LITTLE_ENDIAN.erased()).map_err(|e| e.to_string())?;
    Ok(bytes)
}

/// Status (0000,0900) of a C-STORE-RSP or C-ECHO-RSP (PS3.7 9.3.1.2, 9.3.5.2).
fn status(response: &[u8]) -> Result<u16, String> {
    InMemDicomObject::read_dataset_with_ts(response, &IMPLICIT_VR_LITTLE_ENDIAN.erased())
        .map_err(|e| e.to_string())?
        .element(tags::STATUS)
        .map_err(|e| e.to_string())?
        .to_int()
        .map_err(|e| e.to_string())
}
