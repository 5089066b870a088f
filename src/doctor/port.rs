//! The port for DICOM: free, or held by our own daemon; who holds it otherwise.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use super::finding::Found;
use super::service_user::ServiceUser;
use crate::config::Dicom;
use crate::ingest::{IngestError, Listener};
use crate::os;

/// Ports below this are the kernel's to give where it does not say otherwise.
const FIRST_FREE_PORT: u16 = 1024;

/// Whether `dicom` can be listened on; `running` says that our daemon is up.
#[must_use]
pub fn look(root: &Path, dicom: &Dicom, user: &ServiceUser, running: bool) -> Found {
    let listen = dicom.listen;
    let found = match Listener::bind(dicom, os::now) {
        Ok(_) if running => Found::failed(
            format!("the daemon runs, but nobody listens on {listen}"),
            "the daemon was started with another configuration, or is still starting: `journalctl -u residentd`, then restart it",
        ),
        Ok(_) => Found::ok(format!("{listen} is free")),
        Err(IngestError::Listen { source, .. }) if source.kind() == std::io::ErrorKind::AddrInUse => {
            if running {
                Found::ok(format!("{listen} is ours: the daemon listens there"))
            } else {
                taken(root, listen)
            }
        }
        Err(IngestError::Listen { source, .. }) if source.kind() == std::io::ErrorKind::PermissionDenied => {
            Found::not_checked(format!("{listen}: {source}; run the doctor as root"))
        }
        Err(e @ IngestError::Listen { .. }) => Found::failed(
            e.to_string(),
            "set [dicom] listen to an address of this box, or to 0.0.0.0:11112 for all of them",
        ),
        Err(e @ IngestError::Tls(_)) => Found::failed(e.to_string(), "correct the files of [dicom.tls]"),
    };
    found.and(open_to_all(dicom)).and(low_port(root, listen.port(), user))
}

fn taken(root: &Path, listen: SocketAddr) -> Found {
    let who = holder(root, listen.port()).unwrap_or_else(|| "another program".to_owned());
    Found::failed(
        format!("{listen} is taken by {who}"),
        format!(
            "stop {who}, or set [dicom] listen to another port and tell the scanners; `ss -ltnp sport = :{}` shows who holds it",
            listen.port()
        ),
    )
}

fn open_to_all(dicom: &Dicom) -> Found {
    if dicom.listen.ip().is_loopback() || !(dicom.allow_calling.is_empty() && dicom.allow_addresses.is_empty()) {
        return Found { what: Vec::new(), ..Found::ok("") };
    }
    Found::warning(
        "everybody who can connect may send",
        "set [dicom] allow_calling and allow_addresses to the scanners of this site",
    )
}

/// Only root, or who was given the right, listens on a low port.
fn low_port(root: &Path, port: u16, user: &ServiceUser) -> Found {
    let file = root.join("proc/sys/net/ipv4/ip_unprivileged_port_start");
    let first = std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(FIRST_FREE_PORT);
    if port == 0 || port >= first || user.uid == 0 {
        return Found { what: Vec::new(), ..Found::ok("") };
    }
    Found::warning(
        format!("port {port} is below {first}, where {} may not listen of itself", user.name),
        "use a port from 1024 up, or let the unit have `AmbientCapabilities=CAP_NET_BIND_SERVICE` and the same in CapabilityBoundingSet (`systemctl edit residentd`)",
    )
}

/// Name and number of the process that listens on `port`, as far as we may see.
fn holder(root: &Path, port: u16) -> Option<String> {
    let sockets: Vec<String> = ["proc/net/tcp", "proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(root.join(table)).ok())
        .flat_map(|table| table.lines().filter_map(|line| listening(line, port)).collect::<Vec<_>>())
        .collect();
    let numbered =
        |entry: &std::fs::DirEntry| entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok());
    for entry in std::fs::read_dir(root.join("proc")).ok()?.flatten().filter(numbered) {
        let open = std::fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten();
        let mut links = open.filter_map(|fd| std::fs::read_link(fd.path()).ok()?.to_str().map(str::to_owned));
        if links.any(|link| sockets.iter().any(|socket| link == format!("socket:[{socket}]"))) {
            let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (process {})", name.trim(), entry.file_name().display()));
        }
    }
    None
}

/// Inode of the socket of a line of `/proc/net/tcp` that listens (state 0A) on `port`.
fn listening(line: &str, port: u16) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (_, local) = fields.get(1)?.rsplit_once(':')?;
    let ours = u16::from_str_radix(local, 16).ok()? == port && *fields.get(3)? == "0A";
    if ours { fields.get(9).map(|inode| (*inode).to_owned()) } else { None }
}

/// Where a peer on this machine finds who listens on `address`.
#[must_use]
pub fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(a) if a.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, a.port()).into(),
        SocketAddr::V6(a) if a.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, a.port()).into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    fn user(uid: u32) -> ServiceUser {
        ServiceUser { uid, groups: vec![uid], name: "residentd".to_owned() }
    }

    #[test]
    fn a_port_that_is_taken_names_who_holds_it() {
        let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let dicom = Dicom { listen: held.local_addr().unwrap(), ..Dicom::default() };
        let found = look(Path::new("/"), &dicom, &user(0), false);
        let us = format!("(process {})", std::process::id());
        assert!(found.state == State::Failed && found.what[0].contains(&us), "{found:?}");
        assert!(found.todo[0].contains("[dicom] listen"), "{found:?}");
        assert_eq!(look(Path::new("/"), &dicom, &user(0), true).state, State::Ok);
        drop(held);
        assert_eq!(look(Path::new("/"), &dicom, &user(0), false).state, State::Ok);
        assert_eq!(look(Path::new("/"), &dicom, &user(0), true).state, State::Failed, "the daemon does not listen");
    }

    #[test]
    fn a_low_port_and_a_box_that_is_open_to_all_are_warnings_with_advice() {
        let root = Path::new("/nowhere");
        assert_eq!(low_port(root, 104, &user(990)).state, State::Warning);
        assert_eq!(
            (low_port(root, 104, &user(0)).state, low_port(root, 11112, &user(990)).state),
            (State::Ok, State::Ok)
        );
        let open = open_to_all(&Dicom::default());
        assert!(open.state == State::Warning && open.todo[0].contains("allow_calling"));
    }
}
