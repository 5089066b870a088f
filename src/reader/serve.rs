//! The reader's process: conversation on its standard input, one image at a time.
//!
//! It raises the walls before it opens anything, holds no key and no network, and
//! leaves when the gateway is gone.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use serde::Serialize;

use super::resident::Resident;
use super::wire::{Answer, Request, WireError, claimed_len, frame};
use super::write::Serving;
use crate::infer::bundle::{Bundle, BundleError, Vouched};
use crate::infer::route::Asleep;
use crate::infer::writer::Writer;
use crate::os::{self, sandbox};
use crate::quality::Fitness;

/// Serves the gateway at the other end of standard input until it closes.
///
/// # Errors
/// Standard input is no socket, or the conversation broke.
pub fn serve() -> Result<(), WireError> {
    // A gateway that was killed leaves no reader behind.
    os::end_with_parent()?;
    os::close_inherited()?;
    let mut socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let Some(Request::Start { bundles, asleep, fitness, image_dirs, memory_bytes, cpus, writer }) = next(&mut socket)?
    else {
        return Err(WireError::Io(ErrorKind::UnexpectedEof.into()));
    };
    // Before the walls, which deny it. A board that lacks them all lets the kernel choose.
    if !cpus.is_empty() {
        let _ = os::run_on(&cpus);
    }
    let writer = writer.map(|writer| *writer);
    let folders = bundles.iter().chain(&asleep).chain(&fitness).chain(&writer).map(|vouched| vouched.folder.clone());
    let readable: Vec<_> = image_dirs.into_iter().chain(folders).collect();
    let walls = sandbox::raise(&readable, memory_bytes)?;
    os::step("reader-walled");
    let loaded = load(&bundles, Bundle::load).and_then(|bundles| Ok((bundles, load(&fitness, Fitness::load)?)));
    let (bundles, fitness) = match loaded {
        Ok(loaded) => loaded,
        Err((bundle, e)) => {
            return answer(&mut socket, &Answer::Unusable { bundle: Some(bundle), why: e.to_string() });
        }
    };
    // One that sleeps is only named: where it cannot be, nothing is lost.
    let asleep = asleep.iter().filter_map(|vouched| Asleep::load(vouched).ok()).collect();
    // A writer that may not serve takes nothing from the reading: the grammar writes.
    let writer = writer.map(|vouched| Writer::load(&vouched).map_err(|e| e.to_string()));
    let serving = writer.as_ref().map(|writer| match writer {
        Ok(writer) => Serving::Ready(writer.identity().clone()),
        Err(why) => Serving::Unusable(why.clone()),
    });
    answer(&mut socket, &Answer::Ready { walls, writer: serving })?;
    os::step("reader-loaded");
    let mut resident = Resident::new(bundles, asleep, fitness, writer.and_then(Result::ok));
    while let Some(request) = next(&mut socket)? {
        os::step("reader-asked");
        let answered = match request {
            Request::Read { path, sha256 } => Answer::Read(Box::new(resident.read(&path, sha256))),
            Request::Write(facts) => Answer::Written(resident.write(&facts)),
            Request::Start { .. } => continue,
        };
        os::step("reader-answering");
        answer(&mut socket, &answered)?;
        os::step("reader-answered");
    }
    Ok(())
}

/// Loads each of `bundles`; the first that may not serve is named.
fn load<T>(
    bundles: &[Vouched],
    one: impl Fn(&Vouched) -> Result<T, BundleError>,
) -> Result<Vec<T>, (String, BundleError)> {
    bundles.iter().map(|vouched| one(vouched).map_err(|e| (vouched.identity.name.clone(), e))).collect()
}

/// The next request, or `None` where the gateway closed the socket between frames.
fn next(socket: &mut UnixStream) -> Result<Option<Request>, WireError> {
    let mut head = [0; 4];
    match socket.read_exact(&mut head) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut body = vec![0; claimed_len(head)?];
    socket.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body)?))
}

fn answer<T: Serialize>(socket: &mut UnixStream, message: &T) -> Result<(), WireError> {
    Ok(socket.write_all(&frame(message)?)?)
}
