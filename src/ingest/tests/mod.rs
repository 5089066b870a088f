//! Ingest against real clients: a gateway on a free port, images made here.

mod associations;
mod instances;
mod peers;
mod secured;

use std::future::Future;
use std::net::IpAddr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use dicom_ul::association::client::{AsyncClientAssociation, ClientAssociationOptions};
use dicom_ul::pdu::{PDataValue, PDataValueType, Pdu};
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::*;
use crate::audit::Audit;
use crate::config::Seconds;
use crate::instance::uid::Uid;

pub(super) const SECONDARY_CAPTURE: &str = "1.2.840.10008.5.1.4.1.1.7";
pub(super) const EXPLICIT_LE: &str = "1.2.840.10008.1.2.1";
pub(super) const AE: &str = "RESIDENTD";

/// Longest wait for anything; only a failing test waits that long.
pub(super) async fn within<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_mins(1), what).await.expect("in time")
}

/// Waits until `counter` is `n`: it is counted after the peer was answered.
pub(super) async fn counted(counter: &AtomicU64, n: u64) {
    within(async {
        while counter.load(Relaxed) != n {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

pub(super) struct Gateway {
    pub address: SocketAddr,
    pub store: Store,
    pub bell: Arc<Notify>,
    pub counters: Arc<Counters>,
    pub stop: watch::Sender<bool>,
    pub task: tokio::task::JoinHandle<()>,
    pub folder: TempDir,
}

pub(super) fn settings() -> Dicom {
    let free_port = SocketAddr::from(([127, 0, 0, 1], 0));
    Dicom { listen: free_port, min_free_mib: 0, max_associations_per_peer: 8, ..Dicom::default() }
}

pub(super) fn gateway(settings: &Dicom) -> Gateway {
    gateway_at(settings, || Moment { unix_ms: 1_800_000_000_000, synchronised: true })
}

/// A gateway whose clock is `now`.
pub(super) fn gateway_at(settings: &Dicom, now: fn() -> Moment) -> Gateway {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let listener = Listener::bind(settings, now).unwrap();
    let (address, counters) = (listener.local_addr(), listener.counters());
    let bell = Arc::new(Notify::new());
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(listener.serve(store.clone(), Arc::clone(&bell), Audit::nowhere(), stopped));
    Gateway { address, store, bell, counters, stop, task, folder }
}

impl Gateway {
    /// Waits until nothing is left of what was being received.
    pub async fn incoming_is_empty(&self) {
        let empty = || std::fs::read_dir(self.store.incoming()).unwrap().next().is_none();
        within(async {
            while !empty() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    pub fn files(&self) -> usize {
        std::fs::read_dir(self.store.spool()).unwrap().filter(|e| e.as_ref().unwrap().path().is_file()).count()
    }
}

pub(super) type Client = AsyncClientAssociation<TcpStream>;

pub(super) fn options() -> ClientAssociationOptions<'static> {
    ClientAssociationOptions::new()
        .calling_ae_title("CART7")
        .called_ae_title(AE)
        .with_presentation_context(SECONDARY_CAPTURE, vec![EXPLICIT_LE])
        .with_presentation_context(VERIFICATION, vec!["1.2.840.10008.1.2"])
}

pub(super) const VERIFICATION: &str = offers::VERIFICATION;

pub(super) async fn connect(gateway: &Gateway) -> Client {
    within(options().establish_async(gateway.address)).await.unwrap()
}

fn put(bytes: &mut Vec<u8>, tag: (u16, u16), value: &[u8]) {
    bytes.extend(tag.0.to_le_bytes());
    bytes.extend(tag.1.to_le_bytes());
    bytes.extend(u32::try_from(value.len()).unwrap().next_multiple_of(2).to_le_bytes());
    bytes.extend(value);
    bytes.extend(std::iter::repeat_n(0, value.len() % 2));
}

/// A request's command set.
pub(super) fn command(field: u16, class: &str, instance: Option<&str>, dataset: bool) -> Vec<u8> {
    let mut body = Vec::new();
    put(&mut body, (0, 0x0002), class.as_bytes());
    put(&mut body, (0, 0x0100), &field.to_le_bytes());
    put(&mut body, (0, 0x0110), &9u16.to_le_bytes());
    put(&mut body, (0, 0x0800), &if dataset { 1u16 } else { 0x0101 }.to_le_bytes());
    if let Some(instance) = instance {
        put(&mut body, (0, 0x1000), instance.as_bytes());
    }
    let mut bytes = Vec::new();
    put(&mut bytes, (0, 0), &u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend(body);
    bytes
}

/// An element in explicit little endian.
pub(super) fn element(group: u16, element: u16, vr: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = [group.to_le_bytes(), element.to_le_bytes()].concat();
    bytes.extend(vr.as_bytes());
    let padded = value.len().next_multiple_of(2);
    if vr == "OW" {
        bytes.extend([0, 0]);
        bytes.extend(u32::try_from(padded).unwrap().to_le_bytes());
    } else {
        bytes.extend(u16::try_from(padded).unwrap().to_le_bytes());
    }
    bytes.extend(value);
    bytes.extend(std::iter::repeat_n(0, padded - value.len()));
    bytes
}

/// An image of 64 rows whose every byte is `grey`.
pub(super) fn image(class: &str, instance: &str, columns: u16, grey: u8) -> Vec<u8> {
    [
        element(0x0008, 0x0016, "UI", class.as_bytes()),
        element(0x0008, 0x0018, "UI", instance.as_bytes()),
        element(0x0028, 0x0002, "US", &1u16.to_le_bytes()),
        element(0x0028, 0x0010, "US", &64u16.to_le_bytes()),
        element(0x0028, 0x0011, "US", &columns.to_le_bytes()),
        element(0x0028, 0x0100, "US", &16u16.to_le_bytes()),
        element(0x7FE0, 0x0010, "OW", &vec![grey; 64 * usize::from(columns) * 2]),
    ]
    .concat()
}

pub(super) fn fragment(context: u8, value_type: PDataValueType, is_last: bool, data: &[u8]) -> Pdu {
    Pdu::PData { data: vec![PDataValue { presentation_context_id: context, value_type, is_last, data: data.to_vec() }] }
}

/// Sends a message, each part in fragments of at most `size` bytes.
pub(super) async fn send(client: &mut Client, context: u8, command: &[u8], dataset: &[u8], size: usize) {
    for (value_type, bytes) in [(PDataValueType::Command, command), (PDataValueType::Data, dataset)] {
        let mut chunks = bytes.chunks(size).peekable();
        while let Some(chunk) = chunks.next() {
            let pdu = fragment(context, value_type.clone(), chunks.peek().is_none(), chunk);
            within(client.send(&pdu)).await.unwrap();
        }
    }
}

/// Waits for a response: its status and error comment.
pub(super) async fn answer(client: &mut Client) -> (u16, String) {
    let Ok(Pdu::PData { data }) = within(client.receive()).await else { panic!("no response") };
    status(&data[0].data)
}

/// Status and error comment of a response's command set.
pub(super) fn status(mut bytes: &[u8]) -> (u16, String) {
    let (mut status, mut comment) = (None, String::new());
    while !bytes.is_empty() {
        let length = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
        let value = &bytes[8..8 + length];
        match (bytes[2], bytes[3]) {
            (0x00, 0x09) => status = Some(u16::from_le_bytes(value.try_into().unwrap())),
            (0x02, 0x09) => comment = String::from_utf8(value.to_vec()).unwrap(),
            _ => {}
        }
        bytes = &bytes[8 + length..];
    }
    (status.expect("a status"), comment)
}

pub(super) const C_STORE: u16 = 0x0001;

/// Sends one Secondary Capture image and returns the status.
pub(super) async fn store(client: &mut Client, instance: &str, dataset: &[u8]) -> (u16, String) {
    send(client, 1, &command(C_STORE, SECONDARY_CAPTURE, Some(instance), true), dataset, 16_000).await;
    answer(client).await
}

pub(super) fn seconds(n: u32) -> Seconds {
    Seconds::try_from(n).unwrap()
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_names_the_address() {
    let first = Listener::bind(&settings(), crate::os::now).unwrap();
    let error =
        Listener::bind(&Dicom { listen: first.local_addr(), ..settings() }, crate::os::now).err().unwrap().to_string();
    assert!(error.contains(&first.local_addr().to_string()) && error.contains("[dicom] listen"), "{error}");
}
