//! The terminal: whether there is one, and a line of it that nobody reads over the shoulder.

use std::io::{self, IsTerminal as _};

/// True where a person can be asked.
#[must_use]
pub fn is_there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Does `work` while the terminal does not show what is typed.
#[expect(unsafe_code, reason = "the terminal's settings have no safe wrapper among the features that we compile")]
pub fn without_echo<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: `termios` is plain data for which all zeros is a valid value, and tcgetattr
    // writes no further than the struct it is given.
    let (known, before) = unsafe {
        let mut termios: libc::termios = std::mem::zeroed();
        (libc::tcgetattr(libc::STDIN_FILENO, &raw mut termios) == 0, termios)
    };
    if !known {
        return work();
    }
    let mut silent = before;
    silent.c_lflag &= !libc::ECHO;
    // SAFETY: reads a struct of ours that tcgetattr filled.
    unsafe {
        libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, &raw const silent);
    }
    let done = work();
    // SAFETY: as above.
    unsafe {
        libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, &raw const before);
    }
    done
}
