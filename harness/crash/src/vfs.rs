//! A SQLite VFS that does everything through the default `unix` one and records what reaches the filesystem.
//!
//! It is registered once; a directory is recorded while a [`Watch`] of it lives. Recorded are the main file, rollback journals and the
//! write-ahead log; not temporary files, which no later open reads, nor the shared-memory index, which the first connection after a crash
//! builds anew. Where the `unix` VFS flushes a directory by itself is taken from its code (`sqlite3.c` of the bundled 3.54):
//!
//! - `unixOpen` sets `UNIXFILE_DIRSYNC` on a journal, super-journal or log opened with `SQLITE_OPEN_CREATE`, whether or not it was there,
//!   and the first `unixSync` of that handle flushes file, then directory, and clears the flag.
//! - `unixDelete` flushes the directory after the unlink if its `dirSync` has bit 0.
//! - `full_fsync` is `fdatasync` or `fsync` whatever the flags say; either persists data and size.
//! - `unixFileControl` changes a file's size only with a chunk size or memory mapping, which the store does not use.
#![allow(unsafe_code, reason = "a VFS is a table of C functions over structures that SQLite allocates")]

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rusqlite::ffi;

use crate::error::CrashError;
use crate::log::Node;
use crate::recorder::{Recorder, name_of};

/// The VFS's name.
pub(crate) const NAME: &str = "poolbench-recording";
const NAME_C: &CStr = c"poolbench-recording";
const JOURNALS: c_int = ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;

type Watched = Mutex<BTreeMap<PathBuf, Arc<Recorder>>>;

static WATCHED: Watched = Mutex::new(BTreeMap::new());

fn watched() -> MutexGuard<'static, BTreeMap<PathBuf, Arc<Recorder>>> {
    // Each change is one insert or remove, so a poisoned lock holds nothing half done.
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records SQLite's files in a directory while it lives.
pub(crate) struct Watch(PathBuf);

impl Watch {
    /// Begins to record into `recorder` what SQLite does in its directory through this VFS.
    pub(crate) fn begin(recorder: &Arc<Recorder>) -> Result<Self, CrashError> {
        register()?;
        let dir = recorder.dir().canonicalize().map_err(CrashError::system("find the directory to record"))?;
        watched().insert(dir.clone(), Arc::clone(recorder));
        Ok(Self(dir))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        watched().remove(&self.0);
    }
}

fn recorder_of(path: &Path) -> Option<Arc<Recorder>> {
    watched().get(path.parent()?).cloned()
}

/// What is recorded of an open file.
struct Handle {
    recorder: Arc<Recorder>,
    node: Node,
    /// The next flush flushes the directory too.
    dir_sync: bool,
}

/// What SQLite allocates for us, `szOsFile` bytes: ours first, as it expects, then the real VFS's file.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    /// From `Box::into_raw`, or null where nothing is recorded.
    handle: *mut Handle,
}

/// The real file behind ours.
fn real(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    file.cast::<File>().wrapping_add(1).cast()
}

/// What is recorded of a file.
///
/// # Safety
/// `file` was opened by [`open`] and is not closed; SQLite uses a file on one thread at a time.
unsafe fn handle<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a mut Handle> {
    // SAFETY: SQLite passes a file that `open` filled in, so the field is null or from `Box::into_raw` and not yet given back.
    unsafe { (*file.cast::<File>()).handle.as_mut() }
}

/// Registers the VFS, once for the process; it is never taken away, so that no file outlives it.
fn register() -> Result<(), CrashError> {
    static DONE: OnceLock<Result<(), c_int>> = OnceLock::new();
    let done = DONE.get_or_init(|| {
        // SAFETY: initialising is idempotent and thread-safe; a null name asks for the default VFS, which is never unregistered.
        let real = unsafe {
            ffi::sqlite3_initialize();
            ffi::sqlite3_vfs_find(ptr::null())
        };
        if real.is_null() {
            return Err(ffi::SQLITE_NOTFOUND);
        }
        // The functions that are kept ignore their VFS argument in the `unix` VFS, so they may be called with ours. Version 2 leaves out
        // the table of system calls, which only the real one has.
        // SAFETY: `real` points to the registered VFS, which is plain data.
        let copy = unsafe { *real };
        let own = c_int::try_from(size_of::<File>()).unwrap_or(c_int::MAX);
        let vfs = Box::leak(Box::new(ffi::sqlite3_vfs {
            iVersion: copy.iVersion.min(2),
            szOsFile: own + copy.szOsFile,
            pNext: ptr::null_mut(),
            zName: NAME_C.as_ptr(),
            pAppData: real.cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            ..copy
        }));
        // SAFETY: the structure is leaked, so it lives as long as the process, and its name is static.
        match unsafe { ffi::sqlite3_vfs_register(vfs, 0) } {
            ffi::SQLITE_OK => Ok(()),
            code => Err(code),
        }
    });
    done.map_err(CrashError::Vfs)
}

/// The default VFS.
///
/// # Safety
/// `vfs` is the one that [`register`] made.
unsafe fn real_vfs(vfs: *mut ffi::sqlite3_vfs) -> *mut ffi::sqlite3_vfs {
    // SAFETY: as the caller promises, so its data is the address of the default VFS.
    unsafe { (*vfs).pAppData.cast() }
}

/// # Safety
/// `name` is null or a C string.
unsafe fn path_of(name: *const c_char) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    if name.is_null() {
        return None;
    }
    // SAFETY: not null, and a C string as the caller promises.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes();
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let ours = file.cast::<File>();
    // SAFETY: the VFS is ours. SQLite allocated `szOsFile` bytes at `file`: a `File` and behind it what the real VFS needs; the other arguments are its own.
    unsafe {
        let real_vfs = real_vfs(vfs);
        ours.write(File { base: ffi::sqlite3_file { pMethods: ptr::null() }, handle: ptr::null_mut() });
        let Some(open_real) = (*real_vfs).xOpen else { return ffi::SQLITE_CANTOPEN };
        let code = open_real(real_vfs, name, real(file), flags, out);
        if (*real(file)).pMethods.is_null() {
            return code;
        }
        // From here on SQLite closes the file, even if opening it failed.
        (*ours).base.pMethods = &raw const METHODS;
        let kept = flags & (ffi::SQLITE_OPEN_MAIN_DB | JOURNALS) != 0 && flags & ffi::SQLITE_OPEN_READWRITE != 0;
        if code == ffi::SQLITE_OK
            && kept
            && let Some(path) = path_of(name)
            && let Some(recorder) = recorder_of(&path)
        {
            let node = recorder.opened(&name_of(&path), false);
            let dir_sync = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & JOURNALS != 0;
            (*ours).handle = Box::into_raw(Box::new(Handle { recorder, node, dir_sync }));
        }
        code
    }
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_dir: c_int) -> c_int {
    // SAFETY: the VFS is ours; the arguments are SQLite's own, for a function of the same table of the real VFS.
    let (code, path) = unsafe {
        let real_vfs = real_vfs(vfs);
        let Some(delete_real) = (*real_vfs).xDelete else { return ffi::SQLITE_IOERR_DELETE };
        (delete_real(real_vfs, name, sync_dir), path_of(name))
    };
    if code == ffi::SQLITE_OK
        && let Some(path) = path
        && let Some(recorder) = recorder_of(&path)
    {
        recorder.unlinked(&name_of(&path));
        if sync_dir & 1 != 0 {
            recorder.synced_dir();
        }
    }
    code
}

/// Calls the real file's method of that name, or gives `$missing` where it has none.
macro_rules! forward {
    ($file:ident.$method:ident($($argument:expr),*) else $missing:expr) => {{
        let real = real($file);
        // SAFETY: SQLite passes a file that `open` filled in, so the real file behind it is open and has methods; the arguments are its own.
        unsafe {
            match (*(*real).pMethods).$method {
                Some(method) => method(real $(, $argument)*),
                None => $missing,
            }
        }
    }};
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let code = forward!(file.xClose() else ffi::SQLITE_OK);
    // SAFETY: the file is ours and is closed only once; the handle came from `Box::into_raw` and is forgotten here.
    let handle = unsafe {
        let ours = file.cast::<File>();
        let handle = ptr::replace(&raw mut (*ours).handle, ptr::null_mut());
        (!handle.is_null()).then(|| Box::from_raw(handle))
    };
    if let Some(handle) = handle {
        handle.recorder.closed(handle.node);
    }
    code
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, to: *mut c_void, amount: c_int, offset: i64) -> c_int {
    forward!(file.xRead(to, amount, offset) else ffi::SQLITE_IOERR_READ)
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, amount: c_int, offset: i64) -> c_int {
    let code = forward!(file.xWrite(from, amount, offset) else ffi::SQLITE_IOERR_WRITE);
    // SAFETY: the file is ours and open.
    if let (ffi::SQLITE_OK, Some(handle)) = (code, unsafe { handle(file) })
        && let (Ok(amount), Ok(offset)) = (usize::try_from(amount), u64::try_from(offset))
        && !from.is_null()
    {
        // SAFETY: SQLite gives `amount` bytes at `from` for the length of this call.
        handle.recorder.wrote(handle.node, offset, unsafe { std::slice::from_raw_parts(from.cast(), amount) });
    }
    code
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    let code = forward!(file.xTruncate(size) else ffi::SQLITE_IOERR_TRUNCATE);
    // SAFETY: the file is ours and open.
    if let (ffi::SQLITE_OK, Some(handle), Ok(size)) = (code, unsafe { handle(file) }, u64::try_from(size)) {
        handle.recorder.truncated(handle.node, size);
    }
    code
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    let code = forward!(file.xSync(flags) else ffi::SQLITE_IOERR_FSYNC);
    // SAFETY: the file is ours and open.
    if let (ffi::SQLITE_OK, Some(handle)) = (code, unsafe { handle(file) }) {
        handle.recorder.synced(handle.node);
        if std::mem::take(&mut handle.dir_sync) {
            handle.recorder.synced_dir();
        }
    }
    code
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    forward!(file.xFileSize(size) else ffi::SQLITE_IOERR_FSTAT)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    forward!(file.xLock(level) else ffi::SQLITE_IOERR_LOCK)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    forward!(file.xUnlock(level) else ffi::SQLITE_IOERR_UNLOCK)
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, held: *mut c_int) -> c_int {
    forward!(file.xCheckReservedLock(held) else ffi::SQLITE_IOERR_CHECKRESERVEDLOCK)
}

unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, what: c_int, argument: *mut c_void) -> c_int {
    forward!(file.xFileControl(what, argument) else ffi::SQLITE_NOTFOUND)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    forward!(file.xSectorSize() else 0)
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    forward!(file.xDeviceCharacteristics() else 0)
}

unsafe extern "C" fn shm_map(file: *mut ffi::sqlite3_file, page: c_int, size: c_int, extend: c_int, to: *mut *mut c_void) -> c_int {
    forward!(file.xShmMap(page, size, extend, to) else ffi::SQLITE_IOERR_SHMMAP)
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    forward!(file.xShmLock(offset, count, flags) else ffi::SQLITE_IOERR_SHMLOCK)
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    forward!(file.xShmBarrier() else ());
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, remove: c_int) -> c_int {
    forward!(file.xShmUnmap(remove) else ffi::SQLITE_OK)
}

unsafe extern "C" fn fetch(file: *mut ffi::sqlite3_file, offset: i64, amount: c_int, to: *mut *mut c_void) -> c_int {
    forward!(file.xFetch(offset, amount, to) else ffi::SQLITE_IOERR_MMAP)
}

unsafe extern "C" fn unfetch(file: *mut ffi::sqlite3_file, offset: i64, from: *mut c_void) -> c_int {
    forward!(file.xUnfetch(offset, from) else ffi::SQLITE_OK)
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
