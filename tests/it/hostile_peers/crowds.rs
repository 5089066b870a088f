//! Many at once: bursts, storms, and more silence than there are seats.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::address;
use super::script::connect;
use super::speech::{Request, abort, responses};
use crate::site::LIMIT;

/// How many crowds there are.
pub const COUNT: usize = 6;
/// A crowd.
const MANY: usize = 1_000;
/// Longer than the gateway waits for a first word (10 s) and for a last one.
const SILENCE: Duration = Duration::from_secs(15);
/// First address of crowds: the single peers have lower ones.
const FIRST: usize = 1_000;

/// Plays the crowds of one peer, which take its seats and nobody else's; what was wrong.
pub async fn of_one_peer(gateway: SocketAddr) -> Vec<String> {
    wrong([
        ("1,000 connections of one peer, closed at once", burst(gateway, |_| FIRST).await),
        ("1,000 associations, each aborted", aborts(gateway).await),
        ("a third association of one peer", third(gateway).await),
        ("1,000 silent connections of one peer", silence(gateway, |_| FIRST).await),
    ])
}

/// Plays the crowds of many peers, which take all seats; what was wrong.
pub async fn of_many_peers(gateway: SocketAddr) -> Vec<String> {
    wrong([
        ("1,000 connections of 1,000 peers, closed at once", burst(gateway, |n| FIRST + n).await),
        ("1,000 silent connections of 1,000 peers", silence(gateway, |n| FIRST + n).await),
    ])
}

fn wrong<const N: usize>(crowds: [(&str, Result<(), String>); N]) -> Vec<String> {
    crowds.into_iter().filter_map(|(name, result)| Some(format!("{name}: {}", result.err()?))).collect()
}

async fn burst(gateway: SocketAddr, from: impl Fn(usize) -> usize) -> Result<(), String> {
    let mut crowd = JoinSet::new();
    for n in 0..MANY {
        let from = address(from(n));
        crowd.spawn(async move { connect(gateway, from).await.map(drop) });
    }
    while let Some(result) = crowd.join_next().await {
        // The system may refuse some of so many; that is no fault of the gateway's.
        let _ = result.map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// All at once, none says a word; each is ended.
async fn silence(gateway: SocketAddr, from: impl Fn(usize) -> usize) -> Result<(), String> {
    let mut crowd = JoinSet::new();
    for n in 0..MANY {
        let from = address(from(n));
        crowd.spawn(async move {
            let Ok(mut stream) = connect(gateway, from).await else { return true };
            let ended = async { while matches!(stream.read(&mut [0; 64]).await, Ok(n) if n > 0) {} };
            if timeout(SILENCE, ended).await.is_ok() {
                return true;
            }
            // The system may have dropped what the gateway never saw: then a word is reset.
            let ended = async {
                while stream.write_all(&[0]).await.is_ok() {
                    sleep(Duration::from_millis(100)).await;
                }
            };
            timeout(SILENCE, ended).await.is_ok()
        });
    }
    let ended = crowd.join_all().await.into_iter().filter(|ended| *ended).count();
    if ended == MANY { Ok(()) } else { Err(format!("{} were never ended", MANY - ended)) }
}

async fn aborts(gateway: SocketAddr) -> Result<(), String> {
    for _ in 0..MANY {
        let mut stream = connect(gateway, address(FIRST)).await.map_err(|e| e.to_string())?;
        let said = [Request::new().bytes(), abort()].concat();
        let _ = stream.write_all(&said).await;
    }
    Ok(())
}

/// The bounds list: two associations a peer, beyond it a rejection that says to try later.
async fn third(gateway: SocketAddr) -> Result<(), String> {
    let mut open = Vec::new();
    for n in 1..=3 {
        let mut stream = connect(gateway, address(FIRST + MANY)).await.map_err(|e| e.to_string())?;
        stream.write_all(&Request::new().bytes()).await.map_err(|e| e.to_string())?;
        let answer = first_pdu(&mut stream).await?;
        match (n, &answer[..]) {
            (1 | 2, [2, ..]) => open.push(stream),
            // A-ASSOCIATE-RJ: transient, by the provider, local limit exceeded (PS3.8 9.3.4).
            (3, [3, 0, 0, 0, 0, 4, 0, 2, 3, 2]) => {}
            _ => return Err(format!("association {n} was answered with {answer:02X?}")),
        }
    }
    Ok(())
}

async fn first_pdu(stream: &mut TcpStream) -> Result<Vec<u8>, String> {
    let mut heard = Vec::new();
    while responses(&heard).0.is_empty() {
        let mut buffer = [0; 4096];
        match timeout(LIMIT, stream.read(&mut buffer)).await {
            Ok(Ok(n)) if n > 0 => heard.extend(&buffer[..n]),
            other => return Err(format!("{other:?} instead of an answer")),
        }
    }
    Ok(heard)
}
