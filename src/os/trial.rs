//! For the tests of the walls: raises them in a process of its own and tries them.

use std::io;
use std::path::Path;
use std::process::Command;

/// Set, to its folder, in the process that raises walls.
const APART: &str = "RESIDENTD_TEST_WALLED";

/// What was possible that must not be, or the other way round.
pub struct Trial {
    pub breaches: Vec<String>,
    /// Asked for before the walls stand: behind some even that is refused.
    pub parent: i64,
}

impl Trial {
    pub fn before_the_walls() -> Self {
        Self { breaches: Vec::new(), parent: std::os::unix::process::parent_id().into() }
    }

    pub fn must(&mut self, what: &str, holds: bool) {
        if !holds {
            self.breaches.push(format!("can {what}"));
        }
    }

    pub fn allows(&mut self, what: &str, result: io::Result<()>) {
        if let Err(e) = result {
            self.breaches.push(format!("cannot {what}: {e}"));
        }
    }

    /// Holds where `result` is the refusal of a wall: of permission, not of anything else.
    pub fn denies(&mut self, what: &str, result: io::Result<()>) {
        match result {
            Ok(()) => self.breaches.push(format!("can {what}")),
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {}
            Err(e) => self.breaches.push(format!("{what} fails for another reason: {e}")),
        }
    }

    /// Tries the calls that neither gateway nor reader may make: each would fail for its
    /// arguments, or succeed, where no filter stopped it before.
    pub fn kernel_refuses(&mut self) {
        let parent = self.parent;
        let path = c"/tmp/residentd-breach".as_ptr() as i64;
        for (what, number, arguments) in [
            ("trace itself", libc::SYS_ptrace, [0, 0, 0, 0]),
            ("attach to its parent", libc::SYS_ptrace, [libc::PTRACE_SEIZE.into(), parent, 0, 0]),
            ("read its parent's memory", libc::SYS_process_vm_readv, [parent, 0, 0, 0]),
            ("write its parent's memory", libc::SYS_process_vm_writev, [parent, 0, 0, 0]),
            ("take its parent's descriptors", libc::SYS_pidfd_getfd, [0, 0, 0, 0]),
            ("make a device", libc::SYS_mknodat, [libc::AT_FDCWD.into(), path, libc::S_IFCHR.into(), 0x103]),
            ("mount", libc::SYS_mount, [path, path, path, 0]),
            ("open a mount tree", libc::SYS_open_tree, [libc::AT_FDCWD.into(), path, 0, 0]),
            ("change its root", libc::SYS_chroot, [c"/".as_ptr() as i64, 0, 0, 0]),
            ("use io_uring", libc::SYS_io_uring_setup, [8, 0, 0, 0]),
            ("load a program into the kernel", libc::SYS_bpf, [0, 0, 0, 0]),
            ("handle its own page faults", libc::SYS_userfaultfd, [0, 0, 0, 0]),
            ("enter a namespace", libc::SYS_setns, [-1, 0, 0, 0]),
            ("make a namespace", libc::SYS_unshare, [libc::CLONE_NEWUSER.into(), 0, 0, 0]),
            ("watch the processor", libc::SYS_perf_event_open, [0, 0, 0, 0]),
            ("open a file by its handle", libc::SYS_open_by_handle_at, [-1, 0, 0, 0]),
            ("load a module", libc::SYS_finit_module, [-1, 0, 0, 0]),
            ("use the kernel's keys", libc::SYS_keyctl, [0, 0, 0, 0]),
        ] {
            self.denies(what, call(number, arguments));
        }
        for file in ["mem", "environ", "maps"] {
            let read = std::fs::File::open(format!("/proc/{parent}/{file}"))
                .and_then(|mut file| io::Read::read(&mut file, &mut [0; 16]));
            self.denies(&format!("read /proc/parent/{file}"), read.map(drop));
        }
    }
}

/// The bare system call, as whoever took the process over would make it.
#[expect(unsafe_code, reason = "the tests need system calls that have no wrapper on purpose")]
pub fn call(number: i64, arguments: [i64; 4]) -> io::Result<()> {
    let [a, b, c, d] = arguments;
    // SAFETY: every caller passes integers, or pointers to static strings that the call
    // only reads; a null pointer is refused by the kernel with EFAULT.
    let result = unsafe { libc::syscall(number, a, b, c, d, 0) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Runs `inside`, which raises walls and gets an empty folder, in a process that runs only
/// the calling test; fails with what it gives back.
pub fn apart(inside: impl FnOnce(&Path) -> Vec<String>) {
    if let Some(folder) = std::env::var_os(APART) {
        let breaches = inside(Path::new(&folder));
        eprintln!("breaches: {breaches:?}");
        std::process::exit(i32::from(!breaches.is_empty()));
    }
    let folder = tempfile::tempdir().unwrap();
    let name = std::thread::current().name().unwrap().to_owned();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture", "--test-threads", "1"])
        .env(APART, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("breaches: []"), "{said}");
}
