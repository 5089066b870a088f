//! What the operating system is asked for: durable files, free space, the clock, limits.
//!
//! The only home of `unsafe` outside the int8 kernels, and of each vendor of system calls.

pub mod confine;
pub mod disk;
pub mod private;
pub mod sandbox;
mod scratch;
mod step;
pub mod terminal;
#[cfg(test)]
mod trial;
pub mod users;
pub mod witness;

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock::Moment;
pub use scratch::Scratch;
pub use step::{for_reader, step};

/// Bytes that an unprivileged writer may still use on the file system of `path`.
///
/// # Errors
/// The path does not exist.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// The file system that something lies on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Number of its device, major and minor; a major of 0 is no disk.
    pub device: (u32, u32),
    /// Bytes that an unprivileged writer may still use.
    pub free_bytes: u64,
    /// Bytes of all of it.
    pub size_bytes: u64,
    /// Files that can still be made; 0 of 0 where the file system does not count them.
    pub free_inodes: u64,
    /// Files that it was made for.
    pub inodes: u64,
    /// Nothing can be written.
    pub read_only: bool,
}

/// The file system of `path`.
///
/// # Errors
/// The path does not exist.
pub fn volume(path: &Path) -> io::Result<Volume> {
    use std::os::unix::fs::MetadataExt;
    let stat = rustix::fs::statvfs(path)?;
    let device = std::fs::metadata(path)?.dev();
    Ok(Volume {
        device: (rustix::fs::major(device), rustix::fs::minor(device)),
        free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        size_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
        free_inodes: stat.f_favail,
        inodes: stat.f_files,
        read_only: stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
    })
}

/// Mode bits of a file, e.g. `0o600`.
///
/// # Errors
/// The file cannot be read.
pub fn mode(path: &Path) -> io::Result<u32> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o7777)
}

/// CPU time that this thread has used.
#[must_use]
pub fn thread_cpu_time() -> Duration {
    read_clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Time since the machine was started: the same in every process, and nobody sets it.
#[must_use]
pub fn since_boot() -> Duration {
    read_clock(libc::CLOCK_BOOTTIME)
}

fn read_clock(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of ours; both clocks exist on every Linux.
    #[expect(unsafe_code, reason = "no safe wrapper among the dependencies")]
    unsafe {
        libc::clock_gettime(clock, &raw mut time);
    }
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Now, and whether the kernel believes it. The only place that reads the wall clock.
#[must_use]
pub fn now() -> Moment {
    let unix_ms = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    };
    let synchronised = kernel_believes_its_clock().unwrap_or_else(|| witness::believes(&witness::file(), since_boot()));
    Moment { unix_ms, synchronised }
}

/// False where the kernel says that no time source disciplines its clock (`STA_UNSYNC`);
/// `None` where this process may not ask, as in the service's sandbox.
#[expect(unsafe_code, reason = "adjtimex has no safe wrapper among our dependencies")]
#[must_use]
pub fn kernel_believes_its_clock() -> Option<bool> {
    // SAFETY: `timex` is plain data for which all zeros is a valid value (modes = 0:
    // read only), and adjtimex writes no further than the struct it is given.
    let (state, status) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut timex), timex.status)
    };
    (state != -1).then_some(state != libc::TIME_ERROR && status & libc::STA_UNSYNC == 0)
}

/// Lets this thread, and those that it starts from now on, run on these CPUs alone; those
/// that the machine lacks, or that are not ours to use, are left out.
///
/// # Errors
/// Not one of them is there.
#[expect(unsafe_code, reason = "sched_setaffinity has no safe wrapper among the features that we compile")]
pub fn run_on(cpus: &[u16]) -> io::Result<()> {
    // SAFETY: `cpu_set_t` is plain data for which all zeros is the empty set; CPU_SET checks its
    // bounds, and the call reads no further than the size that it is given.
    let done = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        for cpu in cpus {
            libc::CPU_SET((*cpu).into(), &mut set);
        }
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) == 0
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Peak resident memory of process `pid` (or this one) in KiB, from `/proc`.
///
/// # Errors
/// The process is gone or `/proc` is not there.
pub fn peak_rss_kib(pid: Option<u32>) -> io::Result<u64> {
    status_kib(pid, "VmHWM:")
}

/// Resident memory of process `pid` (or this one) in KiB now, from `/proc`.
///
/// # Errors
/// The process is gone, not ours to see, or `/proc` is not there.
pub fn resident_kib(pid: Option<u32>) -> io::Result<u64> {
    status_kib(pid, "VmRSS:")
}

fn status_kib(pid: Option<u32>, field: &str) -> io::Result<u64> {
    let path = pid.map_or_else(|| "/proc/self/status".to_owned(), |pid| format!("/proc/{pid}/status"));
    std::fs::read_to_string(path)?
        .lines()
        .find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB")?.trim().parse().ok())
        .ok_or_else(|| io::Error::other(format!("no {field} in /proc status")))
}

/// Lets `backlog` connections wait to be accepted; the standard library's 128 are full
/// within a millisecond of a flood, and then a scanner's first packet is dropped.
///
/// # Errors
/// The kernel refused.
#[expect(unsafe_code, reason = "listen has no safe wrapper among the features that we compile")]
pub fn listen_backlog(socket: &std::net::TcpListener, backlog: i32) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: takes a descriptor that is open while it is borrowed, and a number.
    let done = unsafe { libc::listen(socket.as_raw_fd(), backlog) } == 0;
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Becomes the user and group that own `path`, where this process is root and they are not: what
/// it makes from here on is theirs, and what it may do is what they may. Call it while this
/// process has one thread.
///
/// # Errors
/// The path cannot be looked at, or the kernel refused.
#[expect(unsafe_code, reason = "no safe wrapper of ours changes all three ids of a process")]
pub fn become_owner(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path)?;
    let (user, group) = (metadata.uid(), metadata.gid());
    if user == 0 || !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    // SAFETY: each takes numbers, or no list at all; groups go first, while that is allowed.
    let done = unsafe {
        libc::setgroups(0, std::ptr::null()) == 0
            && libc::setresgid(group, group, group) == 0
            && libc::setresuid(user, user, user) == 0
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Ends this process with SIGKILL when its parent ends.
///
/// # Errors
/// The kernel refused.
pub fn end_with_parent() -> io::Result<()> {
    Ok(rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?)
}

/// Closes every descriptor beyond the three standard ones: what our parent left open for us,
/// and what it was given itself. Call before this process opens anything.
///
/// # Errors
/// `/proc` cannot be read on a kernel older than 5.9.
#[expect(unsafe_code, reason = "no safe wrapper closes a range")]
pub fn close_inherited() -> io::Result<()> {
    // SAFETY: nothing in this process owns a descriptor yet, so none is closed under an owner.
    if unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) } == 0 {
        return Ok(());
    }
    let open = std::fs::read_dir("/proc/self/fd")?.flatten();
    let numbers: Vec<i32> = open.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // SAFETY: as above; the listing's own descriptor is closed already, which is harmless.
        unsafe {
            libc::close(number);
        }
    }
    Ok(())
}

/// From here on, files and folders that this process makes are its user's alone.
pub fn keep_files_private() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// Lets `residentd read … | head` end as other programs do, by SIGPIPE, which Rust's
/// start-up code ignores. Not for the daemon: a peer that leaves must not end it.
#[expect(unsafe_code, reason = "signal has no safe wrapper among our dependencies")]
pub fn end_quietly_on_a_closed_pipe() {
    // SAFETY: restores a default disposition; no handler of ours is involved.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

/// Process ids of the children of process `pid`, from `/proc`.
///
/// # Errors
/// The process is gone, or the kernel does not list children.
pub fn children(pid: u32) -> io::Result<Vec<u32>> {
    let mut children = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let listed = std::fs::read_to_string(task?.path().join("children"))?;
        children.extend(listed.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
    }
    Ok(children)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_runs_on_the_cpus_that_are_there_and_on_any_where_none_is() {
        let allowed = || {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim().to_owned()
        };
        // A thread of its own: others must not be held to it.
        let seen = std::thread::spawn(move || {
            let before = allowed();
            let first: u16 = before.split(['-', ',']).next().unwrap().parse().unwrap();
            let refused = run_on(&[1023]).is_err();
            let untouched = allowed() == before;
            run_on(&[first, 1023]).unwrap();
            (refused, untouched, allowed() == first.to_string())
        });
        assert_eq!(seen.join().unwrap(), (true, true, true));
    }
}
