//! `SQLite` on a [`Disk`]: how its database is opened, and the VFS that joins it to a watch.
//!
//! The VFS is a shim over the one for Unix: it counts, logs and fails what changes files,
//! and passes everything on, shared memory and locks included. The `-shm` file is no part
//! of the log: `SQLite` makes it anew whenever nobody has the database open.
#![expect(unsafe_code, reason = "a VFS is a table of C functions over memory that SQLite lays out")]

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, ffi};

use super::watch::{Effect, FileId, Grant, Operation, Watch};
use super::{Disk, is_full};

/// The name of the shim among `SQLite`'s file systems.
const NAME: &CStr = c"residentd-watched";

/// How long a reader waits for a writer: with a write-ahead log it does so only while the log
/// is started anew.
const READING_WAITS: Duration = Duration::from_secs(5);
/// Between two tries of what `SQLite` does not wait for.
const PAUSE: Duration = Duration::from_millis(5);

/// Opens or makes the database at `path`.
///
/// It is told that a write may spoil the sector it is in (`psow=0`), so that a commit
/// never shares one with what is written after it: flash cards do that when the power
/// goes, and one more page a commit is what it costs.
///
/// # Errors
/// `SQLite` refused.
pub fn open(disk: &Disk, path: &Path) -> rusqlite::Result<Connection> {
    let uri = uri(path);
    match disk {
        Disk::Real => Connection::open_with_flags(uri, OpenFlags::default()),
        Disk::Watched(_) => Connection::open_with_flags_and_vfs(uri, OpenFlags::default(), registered()?),
    }
}

/// Has `connection` write ahead, every commit synced, and wait up to `patience` for another.
///
/// Whoever turns a new database to write-ahead needs it alone, and for that `SQLite` does not
/// wait by itself: two that start at once would fail one another.
///
/// # Errors
/// `SQLite` failed, or another had the database for all of `patience`.
pub fn write_ahead(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(patience)?;
    let until = Instant::now() + patience;
    while let Err(error) = connection.pragma_update(None, "journal_mode", "WAL") {
        if !is_busy(&error) || Instant::now() >= until {
            return Err(error);
        }
        std::thread::sleep(PAUSE);
    }
    connection.pragma_update(None, "synchronous", "FULL")
}

/// Opens the database at `path` to read it. `whole` says that nobody has it open and no
/// write-ahead log is left: then not even a lock is taken, and no file is made.
///
/// # Errors
/// `SQLite` refused, or there is none.
pub fn open_to_read(path: &Path, whole: bool) -> rusqlite::Result<Connection> {
    let uri = uri(path) + "&mode=ro" + if whole { "&immutable=1" } else { "" };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri, flags)?;
    connection.busy_timeout(READING_WAITS)?;
    Ok(connection)
}

/// True where a full disk is what failed. Growing the shared memory file fails under a
/// name of its own.
#[must_use]
pub fn is_full_disk(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(e, _)
        if e.code == rusqlite::ErrorCode::DiskFull || e.extended_code == ffi::SQLITE_IOERR_SHMSIZE)
}

/// True where the disk failed: what was written and is not yet synced is lost or not, and
/// a later sync that goes well says nothing about it.
#[must_use]
pub fn is_io(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::SystemIoFailure)
}

/// True where another connection is in the way for now.
#[must_use]
pub fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
}

/// Moves everything from the write-ahead log to the database, and starts the log anew.
///
/// After a sync that failed, that is the way back: the end of the log is in memory and
/// perhaps not on the disk, and what is written behind it would be lost with it.
///
/// # Errors
/// `SQLite` failed, or another process reads what is in the log.
pub fn restart_log(connection: &Connection) -> rusqlite::Result<()> {
    let busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    let code = ffi::Error::new(ffi::SQLITE_BUSY);
    if busy { Err(rusqlite::Error::SqliteFailure(code, None)) } else { Ok(()) }
}

/// `path` as a URI file name (RFC 3986 2.1), which is how `psow` can be said.
fn uri(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut uri = String::from("file:");
    for byte in super::absolute(path).as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            _ => write!(uri, "%{byte:02X}").expect("a string takes everything"),
        }
    }
    uri + "?psow=0"
}

/// The shim's name, once `SQLite` knows it.
fn registered() -> rusqlite::Result<&'static CStr> {
    static REGISTERED: OnceLock<c_int> = OnceLock::new();
    let code = *REGISTERED.get_or_init(|| {
        // SAFETY: the default VFS lives as long as the process, and so does the leaked
        // copy of it, in which only functions with the right types are replaced. Those that
        // stay take nothing from their first argument but `mxPathname`, which is copied.
        unsafe {
            let unix = ffi::sqlite3_vfs_find(ptr::null());
            if unix.is_null() {
                return ffi::SQLITE_ERROR;
            }
            let mut shim = *unix;
            shim.pNext = ptr::null_mut();
            shim.zName = NAME.as_ptr();
            shim.pAppData = unix.cast();
            shim.szOsFile += c_int::try_from(size_of::<Shim>()).expect("two pointers");
            shim.xOpen = Some(open_file);
            shim.xDelete = Some(delete_file);
            ffi::sqlite3_vfs_register(Box::leak(Box::new(shim)), 0)
        }
    });
    match code {
        ffi::SQLITE_OK => Ok(NAME),
        code => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)),
    }
}

/// An open file: what `SQLite` wants first, what we know, and behind it the real file.
#[repr(C)]
struct Shim {
    base: ffi::sqlite3_file,
    /// From `Box::into_raw`, until the file is closed.
    open: *mut Open,
}

struct Open {
    watched: Option<(Arc<Watch>, FileId)>,
    /// The folder that the first sync of a new journal syncs along (`UNIXFILE_DIRSYNC`).
    folder: Option<PathBuf>,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};

/// Passes a call on to the real file. The method is there: version 3 was asked for.
macro_rules! pass {
    ($file:ident . $method:ident ( $($argument:expr),* )) => {{
        // SAFETY: SQLite calls methods only between a successful open and close, when the
        // real file stands behind the shim with its own methods set.
        unsafe {
            let real = real_file($file);
            (*(*real).pMethods).$method.expect("the Unix VFS has every method")(real $(, $argument)*)
        }
    }};
}

/// The real file of a shim.
fn real_file(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    file.cast::<Shim>().wrapping_add(1).cast()
}

/// What we know of an open file.
///
/// # Safety
/// `file` was opened by [`open_file`] and is not closed.
unsafe fn known<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Open {
    // SAFETY: as promised; SQLite uses one file from one thread at a time.
    unsafe { &mut *(*file.cast::<Shim>()).open }
}

/// The VFS below, and the path that `name` is.
///
/// # Safety
/// `vfs` is the shim; `name` is null or a C string.
unsafe fn below(vfs: *mut ffi::sqlite3_vfs, name: *const c_char) -> (*mut ffi::sqlite3_vfs, Option<PathBuf>) {
    // SAFETY: as promised; the shim's data is the VFS that it was copied from.
    unsafe {
        let path = (!name.is_null()).then(|| PathBuf::from(OsStr::from_bytes(CStr::from_ptr(name).to_bytes())));
        ((*vfs).pAppData.cast(), path)
    }
}

unsafe extern "C" fn open_file(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    const JOURNALS: c_int = ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;
    let makes = flags & ffi::SQLITE_OPEN_CREATE != 0;
    // SAFETY: SQLite calls this with the shim, a path or null, and `szOsFile` bytes for the
    // file, which hold a `Shim` and the real file behind it.
    unsafe {
        let (unix, path) = below(vfs, name);
        (*file).pMethods = ptr::null();
        let watch = path.as_deref().and_then(Watch::of);
        let is_new = path.as_ref().is_some_and(|path| !path.exists());
        if let Some(watch) = watch.as_ref().filter(|_| makes && is_new)
            && watch.admit(Effect::Grow).is_err()
        {
            return ffi::SQLITE_CANTOPEN;
        }
        let open = (*unix).xOpen.expect("a VFS opens files");
        let code = open(unix, name, real_file(file), flags, out_flags);
        if code != ffi::SQLITE_OK {
            return code;
        }
        let watched = watch.zip(path.as_deref()).map(|(watch, path)| {
            let id = watch.opened(path, is_new);
            (watch, id)
        });
        let folder = path.filter(|_| makes && flags & JOURNALS != 0).map(|path| super::parent(&path).to_owned());
        (*file.cast::<Shim>()).open = Box::into_raw(Box::new(Open { watched, folder }));
        (*file).pMethods = &raw const METHODS;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete_file(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: SQLite calls this with the shim and a path.
    let (unix, path) = unsafe { below(vfs, name) };
    let watch = path.as_deref().and_then(Watch::of);
    if watch.as_ref().is_some_and(|watch| watch.admit(Effect::Shrink).is_err()) {
        return ffi::SQLITE_IOERR_DELETE;
    }
    // SAFETY: as above, for the VFS below.
    let code = unsafe { (*unix).xDelete.expect("a VFS deletes files")(unix, name, sync_folder) };
    if let (Some(watch), Some(path), ffi::SQLITE_OK) = (watch, path, code) {
        watch.log(Operation::Remove { path: watch.relative(&path) });
        if sync_folder & 1 != 0 {
            watch.log(Operation::SyncFolder { path: watch.relative(super::parent(&path)) });
        }
    }
    code
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: an open file, whose box is taken back exactly here.
    drop(unsafe { Box::from_raw((*file.cast::<Shim>()).open) });
    pass!(file.xClose())
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, bytes: *const c_void, count: c_int, offset: i64) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { known(file) };
    let Some((watch, id)) = &open.watched else { return pass!(file.xWrite(bytes, count, offset)) };
    let mut size = 0;
    let code = pass!(file.xFileSize(&raw mut size));
    if code != ffi::SQLITE_OK {
        return code;
    }
    let length = usize::try_from(count).expect("SQLite writes no negative counts");
    let effect = if offset + i64::from(count) > size { Effect::Grow } else { Effect::Keep };
    let (granted, failed) = match watch.admit_write(effect, length) {
        // The Unix VFS goes on after a short write by itself.
        Ok(Grant::All | Grant::Short(_)) => (length, None),
        Ok(Grant::Last(granted)) => (granted, Some(ffi::SQLITE_FULL)),
        Err(error) if is_full(&error) => return ffi::SQLITE_FULL,
        Err(_) => return ffi::SQLITE_IOERR_WRITE,
    };
    let code = pass!(file.xWrite(bytes, c_int::try_from(granted).expect("at most count"), offset));
    if code == ffi::SQLITE_OK {
        // SAFETY: SQLite gave `count` readable bytes, of which these are the first.
        let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), granted) }.to_vec();
        watch.log(Operation::Write { file: *id, offset: offset.cast_unsigned(), bytes });
    }
    failed.unwrap_or(code)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { known(file) };
    if let Some((watch, id)) = &open.watched {
        if watch.admit(Effect::Keep).is_err() {
            return ffi::SQLITE_IOERR_TRUNCATE;
        }
        watch.log(Operation::Resize { file: *id, size_bytes: size.cast_unsigned() });
    }
    pass!(file.xTruncate(size))
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { known(file) };
    let Some((watch, id)) = &open.watched else { return pass!(file.xSync(flags)) };
    if watch.admit(Effect::Sync).is_err() {
        watch.log(Operation::SyncFailed { file: *id });
        return ffi::SQLITE_IOERR_FSYNC;
    }
    let code = pass!(file.xSync(flags));
    if code == ffi::SQLITE_OK {
        watch.log(Operation::Sync { file: *id });
        if let Some(folder) = open.folder.take() {
            watch.log(Operation::SyncFolder { path: watch.relative(&folder) });
        }
    }
    code
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    to: *mut *mut c_void,
) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { known(file) };
    if let Some((watch, _)) = open.watched.as_ref().filter(|_| extend != 0)
        && watch.admit(Effect::Grow).is_err()
    {
        return ffi::SQLITE_IOERR_SHMSIZE;
    }
    pass!(file.xShmMap(page, size, extend, to))
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, to: *mut c_void, count: c_int, offset: i64) -> c_int {
    pass!(file.xRead(to, count, offset))
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    pass!(file.xFileSize(size))
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file.xLock(level))
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file.xUnlock(level))
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, reserved: *mut c_int) -> c_int {
    pass!(file.xCheckReservedLock(reserved))
}

unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, what: c_int, argument: *mut c_void) -> c_int {
    pass!(file.xFileControl(what, argument))
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file.xSectorSize())
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file.xDeviceCharacteristics())
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    pass!(file.xShmLock(offset, count, flags))
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    pass!(file.xShmBarrier());
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    pass!(file.xShmUnmap(delete))
}

unsafe extern "C" fn fetch(file: *mut ffi::sqlite3_file, offset: i64, count: c_int, to: *mut *mut c_void) -> c_int {
    pass!(file.xFetch(offset, count, to))
}

unsafe extern "C" fn unfetch(file: *mut ffi::sqlite3_file, offset: i64, page: *mut c_void) -> c_int {
    pass!(file.xUnfetch(offset, page))
}
