//! The walls around the gateway: it gives up, before its first thread and for good, what it
//! will never need, so that whoever takes it over through a socket gains little.
//!
//! 1. Files (landlock): it writes below its state folder, reads what its configuration
//!    names, and starts no program but itself, as the reader.
//! 2. Network (landlock): it listens on its own ports and connects to its broker's.
//! 3. System calls (seccomp, a list of what is denied): tracing and reading other
//!    processes, mounting, loading code into the kernel, namespaces, `io_uring`.
//! 4. Capabilities, where it was started as root: all but that of listening on low ports.
//! 5. Nobody without root reads its memory or makes it dump core: the key is in there.
//!
//! The reader inherits all of it and adds its own, narrower walls (`sandbox`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, NetPort, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
    path_beneath_rules,
};
use rustix::process::{DumpableBehavior, Resource, set_dumpable_behavior};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

use super::sandbox::{Walls, limit};

/// Files open at once: 64 associations, each with a file, the store, the broker, and room.
const MAX_OPEN_FILES: u64 = 1024;
/// What name resolution and the facts about the machine are read from: folders, since
/// files such as `resolv.conf` are replaced while we run.
const SYSTEM: [&str; 7] =
    ["/etc", "/proc", "/sys", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", super::witness::FOLDER];
/// A name whose answer is too long for UDP is asked for over TCP (RFC 7766).
const DNS_PORT: u16 = 53;

/// What the gateway will need.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Folders that it writes below; they exist.
    pub writable: Vec<PathBuf>,
    /// Files and folders that it, or the reader, reads.
    pub readable: Vec<PathBuf>,
    /// TCP ports that it listens on.
    pub listens: Vec<u16>,
    /// TCP ports that it connects to.
    pub connects: Vec<u16>,
}

/// Gives up everything but `reach`. Call it while this process has one thread: what the
/// kernel takes from a thread, it takes from those that come after, not from others.
///
/// # Errors
/// The kernel refused a limit; what it merely lacks is in [`Walls::missing`].
pub fn raise(reach: &Reach) -> std::io::Result<Walls> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    super::sandbox::forbid_core_dumps()?;
    limit(Resource::Nofile, MAX_OPEN_FILES)?;
    drop_capabilities()?;
    let mut missing = Vec::new();
    missing.extend(fence(reach).err());
    missing.extend(deny_calls().err());
    Ok(Walls { missing })
}

/// Keeps, of the capabilities that there are, the one to listen below port 1024.
#[expect(unsafe_code, reason = "capset has no safe wrapper among our dependencies")]
fn drop_capabilities() -> std::io::Result<()> {
    /// `_LINUX_CAPABILITY_VERSION_3` of linux/capability.h: two words of 32 capabilities.
    const VERSION: u32 = 0x2008_0522;
    const NET_BIND_SERVICE: u32 = 1 << 10;
    let mut header = [VERSION, 0];
    // Effective, permitted, inheritable; the first 32 capabilities, then the rest.
    let mut sets = [[0u32; 3]; 2];
    // SAFETY: both pointers are to arrays of ours of the size that the version says, and
    // neither call keeps them; pid 0 is this thread.
    let done = unsafe {
        libc::syscall(libc::SYS_capget, header.as_mut_ptr(), sets.as_mut_ptr()) == 0 && {
            let kept = sets[0][1] & NET_BIND_SERVICE;
            let wanted = [[kept, kept, 0], [0; 3]];
            // A service manager that gave none does not let us call capset either.
            sets == wanted || libc::syscall(libc::SYS_capset, header.as_mut_ptr(), wanted.as_ptr()) == 0
        }
    };
    if done { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

fn fence(reach: &Reach) -> Result<(), String> {
    let abi = ABI::V4;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = AccessFs::from_all(abi) & !unwanted();
    let ports =
        |ports: &[u16], access| ports.iter().map(move |port| Ok(NetPort::new(*port, access))).collect::<Vec<_>>();
    let system = SYSTEM.iter().map(Path::new);
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))
        .and_then(|r| r.handle_access(AccessNet::from_all(abi)))
        .and_then(Ruleset::create)
        .and_then(|r| r.add_rules(path_beneath_rules(&reach.writable, write)))
        .and_then(|r| r.add_rules(path_beneath_rules(reach.readable.iter().map(PathBuf::as_path).chain(system), read)))
        .and_then(|r| r.add_rules(path_beneath_rules(["/dev/null"], AccessFs::ReadFile | AccessFs::WriteFile)))
        // What it maps is what it needs to start again as the reader.
        .and_then(|r| r.add_rules(path_beneath_rules(program(), AccessFs::ReadFile | AccessFs::Execute)))
        .and_then(|r| r.add_rules(ports(&reach.listens, AccessNet::BindTcp)))
        .and_then(|r| r.add_rules(ports(&reach.connects, AccessNet::ConnectTcp)))
        .and_then(|r| r.add_rule(NetPort::new(DNS_PORT, AccessNet::ConnectTcp)))
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(|e| format!("landlock failed: {e}"))?;
    match status.ruleset {
        RulesetStatus::FullyEnforced => Ok(()),
        RulesetStatus::PartiallyEnforced => {
            Err("landlock is older than asked for: files are fenced, ports are not".into())
        }
        RulesetStatus::NotEnforced => {
            Err("this kernel has no landlock: the gateway can read files beyond its own".into())
        }
    }
}

/// What nobody does in a state folder of files and folders.
fn unwanted() -> BitFlags<AccessFs> {
    AccessFs::Execute
        | AccessFs::MakeChar
        | AccessFs::MakeBlock
        | AccessFs::MakeSock
        | AccessFs::MakeFifo
        | AccessFs::MakeSym
}

/// This program, its loader and its libraries: every file that is mapped into us.
fn program() -> Vec<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut files: Vec<PathBuf> =
        maps.lines().filter_map(|line| line.find('/').map(|at| PathBuf::from(&line[at..]))).collect();
    files.extend(std::env::current_exe());
    files.dedup();
    files
}

/// Seccomp: what no gateway calls fails with EPERM; everything else stays allowed, since
/// the reader's own list of what it may is shorter than any that would fit both.
fn deny_calls() -> Result<(), String> {
    let arch =
        TargetArch::try_from(std::env::consts::ARCH).map_err(|e| format!("no system-call filter on this CPU: {e}"))?;
    let rules: BTreeMap<i64, Vec<_>> = denied_calls().map(|call| (call, Vec::new())).collect();
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32), arch)
        .and_then(BpfProgram::try_from)
        .map_err(|e| format!("system-call filter: {e}"))
        .and_then(|program| {
            seccompiler::apply_filter(&program).map_err(|e| format!("this kernel refused the system-call filter: {e}"))
        })
}

fn denied_calls() -> impl Iterator<Item = i64> {
    let common = [
        // other processes
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        libc::SYS_kcmp,
        libc::SYS_perf_event_open,
        // the kernel
        libc::SYS_bpf,
        libc::SYS_userfaultfd,
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_kexec_load,
        libc::SYS_reboot,
        libc::SYS_swapon,
        libc::SYS_swapoff,
        libc::SYS_acct,
        libc::SYS_quotactl,
        libc::SYS_fanotify_init,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_keyctl,
        // where it stands
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_chroot,
        libc::SYS_pivot_root,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_mount_setattr,
        libc::SYS_move_mount,
        libc::SYS_open_tree,
        libc::SYS_fsopen,
        libc::SYS_fsconfig,
        libc::SYS_fsmount,
        libc::SYS_fspick,
        libc::SYS_open_by_handle_at,
        libc::SYS_mknodat,
        libc::SYS_personality,
        // the time, which is the time source's
        libc::SYS_settimeofday,
        libc::SYS_clock_settime,
        // names
        libc::SYS_sethostname,
        libc::SYS_setdomainname,
    ];
    #[cfg(target_arch = "x86_64")]
    let own = [
        libc::SYS_mknod,
        libc::SYS_iopl,
        libc::SYS_ioperm,
        libc::SYS_modify_ldt,
        libc::SYS_kexec_file_load,
        libc::SYS_uselib,
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let own: [i64; 0] = [];
    common.into_iter().chain(own)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::process::Command;

    use super::*;
    use crate::os::trial::{self, Trial, call};

    /// Tries what is needed and what is forbidden, in a process of its own.
    fn try_everything(folder: &Path) -> Vec<String> {
        let [own, foreign] = [(), ()].map(|()| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
        let broker = TcpListener::bind("127.0.0.1:0").unwrap();
        let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = folder.join("state");
        let mut trial = Trial::before_the_walls();
        let walls = raise(&Reach {
            writable: vec![state.clone()],
            readable: vec![folder.join("config")],
            listens: vec![own],
            connects: vec![broker.local_addr().unwrap().port()],
        })
        .unwrap();
        assert!(walls.missing.is_empty(), "{:?}", walls.missing);

        trial.allows("read its configuration", fs::read(folder.join("config")).map(drop));
        trial.allows("write its state", fs::write(state.join("incoming/new"), b"x"));
        trial.allows("move it between its folders", fs::rename(state.join("incoming/new"), state.join("kept")));
        trial.allows("delete it", fs::remove_file(state.join("kept")));
        trial.allows("resolve names", fs::read("/etc/hosts").map(drop));
        trial.allows("listen on its port", TcpListener::bind(("127.0.0.1", own)).map(drop));
        trial.allows("connect to its broker", TcpStream::connect(broker.local_addr().unwrap()).map(drop));
        let itself = Command::new("/proc/self/exe").arg("--list").stdin(std::process::Stdio::null()).output();
        trial.allows("start itself", itself.map(drop));

        trial.denies("read a file of others", fs::read(folder.join("secret")).map(drop));
        trial.denies("write its configuration", fs::write(folder.join("config"), b"x"));
        trial.denies("write elsewhere", fs::write(folder.join("new"), b"x"));
        trial.denies("delete elsewhere", fs::remove_file(folder.join("secret")));
        trial.denies("make a link to a file of others", std::os::unix::fs::symlink("../secret", state.join("link")));
        trial.denies("start a program", Command::new("/bin/true").status().map(drop));
        trial.denies("start the shell", Command::new("/bin/sh").arg("-c").arg(":").status().map(drop));
        trial.denies("listen on another port", TcpListener::bind(("127.0.0.1", foreign)).map(drop));
        trial.denies("connect elsewhere", TcpStream::connect(stranger.local_addr().unwrap()).map(drop));
        trial.kernel_refuses();
        trial.denies("set the clock", call(libc::SYS_clock_settime, [libc::CLOCK_REALTIME.into(), 0, 0, 0]));

        let dumpable = rustix::process::dumpable_behavior().unwrap();
        trial.must("be dumped", dumpable == DumpableBehavior::NotDumpable);
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        trial.must("gain privileges", status.contains("NoNewPrivs:\t1"));
        // Not TCP, so not landlock's; name resolution needs it.
        trial.allows("send a datagram", UdpSocket::bind("127.0.0.1:0").map(drop));
        trial.breaches
    }

    #[test]
    fn the_gateway_gives_up_what_it_does_not_need_and_keeps_what_it_does() {
        trial::apart(|folder| {
            fs::create_dir_all(folder.join("state/incoming")).unwrap();
            fs::write(folder.join("config"), b"config").unwrap();
            fs::write(folder.join("secret"), b"key").unwrap();
            try_everything(folder)
        });
    }
}
