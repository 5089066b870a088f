//! The walls around the reader: landlock for files, seccomp for system calls, rlimits for memory.
//!
//! Raised once, before the first byte of an image is parsed, never lowered. Where the
//! kernel has less than asked for, [`Walls`] says what is missing; the gateway logs it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};
use serde::{Deserialize, Serialize};

/// Files open at once: a socket, three standard streams, a bundle's file and an image.
const MAX_OPEN_FILES: u64 = 32;
/// CPU facts that linear algebra looks at when it picks kernels on ARM.
const CPU_FACTS: [&str; 3] = ["/proc/cpuinfo", "/proc/self/auxv", "/sys/devices/system/cpu"];

/// Which walls stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Walls {
    /// What could not be raised, in words; empty where all stand.
    pub missing: Vec<String>,
}

/// Raises every wall that the kernel offers around this process: it may read `readable`,
/// write nothing, connect nowhere, start nothing, and use `memory_bytes` of address space.
///
/// # Errors
/// A resource limit or the system-call filter was refused although the kernel has it.
pub fn raise(readable: &[PathBuf], memory_bytes: u64) -> std::io::Result<Walls> {
    forbid_core_dumps()?;
    // What it holds are patients' images.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    limit(Resource::Nofile, MAX_OPEN_FILES)?;
    limit(Resource::As, memory_bytes)?;
    let mut missing = Vec::new();
    missing.extend(fence_files(readable).err());
    missing.extend(filter_calls().err());
    Ok(Walls { missing })
}

/// No core dump of this process, ever: the signing key would be in it.
///
/// # Errors
/// The limit was refused.
pub fn forbid_core_dumps() -> std::io::Result<()> {
    limit(Resource::Core, 0)
}

pub(super) fn limit(resource: Resource, to: u64) -> std::io::Result<()> {
    let lower = rustix::process::getrlimit(resource).maximum.map_or(to, |max| max.min(to));
    Ok(rustix::process::setrlimit(resource, Rlimit { current: Some(lower), maximum: Some(lower) })?)
}

/// Landlock: reading below `readable`, nothing else; no TCP where the kernel can tell.
fn fence_files(readable: &[PathBuf]) -> Result<(), String> {
    let abi = ABI::V4;
    let paths = readable.iter().map(PathBuf::as_path).chain(CPU_FACTS.iter().map(Path::new));
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))
        .and_then(|r| r.handle_access(AccessNet::from_all(abi)))
        .and_then(Ruleset::create)
        .and_then(|r| r.add_rules(path_beneath_rules(paths, AccessFs::from_read(abi))))
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(|e| format!("landlock failed: {e}"))?;
    match status.ruleset {
        RulesetStatus::FullyEnforced => Ok(()),
        RulesetStatus::PartiallyEnforced => {
            Err("landlock is older than asked for: files are fenced, TCP by seccomp only".into())
        }
        RulesetStatus::NotEnforced => {
            Err("this kernel has no landlock: the reader can read files beyond spool and models".into())
        }
    }
}

/// Seccomp: what reading and computing need; everything else, sockets, exec and
/// tracing among it, fails with EPERM.
fn filter_calls() -> Result<(), String> {
    let arch =
        TargetArch::try_from(std::env::consts::ARCH).map_err(|e| format!("no system-call filter on this CPU: {e}"))?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = allowed_calls().map(|call| (call, Vec::new())).collect();
    // Aborting is a signal to oneself; to nobody else, or the gateway could be killed.
    let own = rustix::process::getpid().as_raw_nonzero().get().unsigned_abs().into();
    let to_itself = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(|e| format!("system-call filter: {e}"))?;
    rules.insert(libc::SYS_tgkill, vec![to_itself]);
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    SeccompFilter::new(rules, refuse, SeccompAction::Allow, arch)
        .and_then(BpfProgram::try_from)
        .map_err(|e| format!("system-call filter: {e}"))
        .and_then(|program| {
            seccompiler::apply_filter(&program).map_err(|e| format!("this kernel refused the system-call filter: {e}"))
        })
}

fn allowed_calls() -> impl Iterator<Item = i64> {
    let common = [
        // files and the socket that is already open
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_pread64,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_recvfrom,
        libc::SYS_sendto,
        libc::SYS_close,
        libc::SYS_openat,
        libc::SYS_fstat,
        libc::SYS_newfstatat,
        libc::SYS_statx,
        libc::SYS_lseek,
        libc::SYS_getdents64,
        libc::SYS_readlinkat,
        libc::SYS_getcwd,
        libc::SYS_faccessat,
        libc::SYS_ppoll,
        // memory
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_mprotect,
        libc::SYS_madvise,
        libc::SYS_brk,
        // itself
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_futex,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_set_robust_list,
        libc::SYS_rseq,
        libc::SYS_uname,
        libc::SYS_sysinfo,
        libc::SYS_restart_syscall,
    ];
    #[cfg(target_arch = "x86_64")]
    let own = [libc::SYS_open, libc::SYS_stat, libc::SYS_lstat, libc::SYS_poll, libc::SYS_readlink, libc::SYS_access];
    #[cfg(not(target_arch = "x86_64"))]
    let own: [i64; 0] = [];
    common.into_iter().chain(own)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::UnixStream;
    use std::process::Command;

    use super::*;
    use crate::os::trial::{self, Trial, call};

    /// What the walled process tries, in a process of its own.
    fn try_what_is_forbidden(allowed: &Path) -> Vec<String> {
        let secret = allowed.with_file_name("secret");
        let mut trial = Trial::before_the_walls();
        let walls = raise(&[allowed.to_owned()], 1 << 30).unwrap();
        assert!(walls.missing.is_empty(), "{:?}", walls.missing);
        trial.allows("read its image", std::fs::read(allowed.join("image")).map(drop));
        trial.denies("read the key", std::fs::read(&secret).map(drop));
        trial.denies("write into the spool", std::fs::write(allowed.join("new"), b"x"));
        trial.denies("change its image", std::fs::write(allowed.join("image"), b"x"));
        trial.denies("write elsewhere", std::fs::write("/tmp/residentd-breach", b"x"));
        trial.denies("delete the image", std::fs::remove_file(allowed.join("image")));
        trial.denies("move the image", std::fs::rename(allowed.join("image"), allowed.join("moved")));
        trial.denies("make a folder", std::fs::create_dir(allowed.join("folder")));
        trial.denies("make a link", std::os::unix::fs::symlink(&secret, allowed.join("link")));
        trial.denies("listen", TcpListener::bind("127.0.0.1:0").map(drop));
        trial.denies("connect", TcpStream::connect("127.0.0.1:9").map(drop));
        trial.denies("open UDP", UdpSocket::bind("127.0.0.1:0").map(drop));
        trial.denies("open a socket pair", UnixStream::pair().map(drop));
        trial.denies("start a program", Command::new("/bin/true").status().map(drop));
        trial.denies("start a process", call(libc::SYS_clone, [libc::SIGCHLD.into(), 0, 0, 0]));
        trial.denies("change its limits", call(libc::SYS_prlimit64, [0, libc::RLIMIT_AS.into(), 0, 0]));
        trial.denies("take more descriptors", call(libc::SYS_dup3, [0, 9, 0, 0]));
        trial.kernel_refuses();
        let pid = rustix::process::getpid();
        trial.must("signal", rustix::process::kill_process(pid, rustix::process::Signal::CONT).is_err());
        let parent = trial.parent;
        // Signal 0 sends nothing and says whether it could.
        trial.denies("signal another process by thread id", call(libc::SYS_tgkill, [parent, parent, 0, 0]));
        trial.must("use 2 GiB of memory", Vec::<u8>::new().try_reserve_exact(2 << 30).is_err());
        trial.breaches
    }

    /// Promise 6: the reader reaches neither the network nor the key.
    #[test]
    fn the_reader_reaches_neither_the_network_nor_the_key() {
        trial::apart(|folder| {
            let allowed = folder.join("spool");
            std::fs::create_dir(&allowed).unwrap();
            std::fs::write(allowed.join("image"), b"pixels").unwrap();
            std::fs::write(folder.join("secret"), b"key").unwrap();
            try_what_is_forbidden(&allowed)
        });
    }
}
