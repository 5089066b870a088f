//! What a power cut may leave of a disk.
//!
//! Model, deliberately harsher than any one file system (cf. rule 3 of `os::disk`):
//! 1. What was synced is there. So is an entry of a folder that was synced since.
//! 2. Of the changes to the entries of folders that are not synced, any may be lost: the
//!    last ones, the last ones of each folder, or any at all. A rename is two changes.
//! 3. Of the writes to a file since its last sync, any may be lost, whole or by sectors of
//!    512 bytes; a torn one may leave garbage in the whole sectors (of 512 or 4096 bytes)
//!    that it touched, also where older bytes of the file stood.
//! 4. A file that grew has any length up to the one that it had; what was not written
//!    of it is zeros, or garbage.
//! 5. A write whose sync failed is decided then, and never synced later.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use residentd::os::disk::watch::{FileId, Operation};

use crate::random::Random;

const SECTOR: usize = 512;
/// Of flash.
const LARGE_SECTOR: usize = 4096;
/// Up to so many changes that are not synced, every subset of them is a state.
const EXHAUSTIVE: u32 = 6;

/// The files and folders that are left.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct State {
    pub folders: BTreeSet<PathBuf>,
    pub files: BTreeMap<PathBuf, Rc<Vec<u8>>>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Folder,
    File(FileId),
}

/// One change to the entries of a folder.
#[derive(Debug, Clone)]
struct Change {
    path: PathBuf,
    entry: Option<Entry>,
}

#[derive(Debug, Clone)]
enum Update {
    Write { offset: usize, bytes: Vec<u8> },
    Resize(usize),
}

#[derive(Debug, Clone, Default)]
struct Inode {
    synced: Rc<Vec<u8>>,
    updates: Vec<Update>,
}

/// The disk as far as the log was followed.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    synced: BTreeMap<PathBuf, Entry>,
    changes: Vec<Change>,
    now: BTreeMap<PathBuf, Entry>,
    inodes: BTreeMap<FileId, Inode>,
    /// What was there before the log began; its files are found by name.
    before: State,
}

/// How one state is chosen.
struct Choice<'a> {
    random: &'a mut Random,
    /// Which changes and writes stay, where each is decided.
    subset: Option<u64>,
    next: u32,
    tearing: Tearing,
}

/// What happens to writes that are not lost as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tearing {
    Never,
    Sometimes,
}

impl Disk {
    /// A disk that holds `before`, all of it synced.
    pub fn holding(before: State) -> Self {
        let entries: BTreeMap<PathBuf, Entry> =
            before.folders.iter().map(|path| (path.clone(), Entry::Folder)).collect();
        Self { synced: entries.clone(), now: entries, before, ..Self::default() }
    }

    /// Follows the log one operation further.
    pub fn follow(&mut self, operation: &Operation, random: &mut Random) {
        match operation {
            Operation::Folder { path } => self.change(path, Some(Entry::Folder)),
            Operation::Create { path, file } => {
                self.inodes.insert(*file, Inode::default());
                self.change(path, Some(Entry::File(*file)));
            }
            Operation::Found { path, file } => {
                let synced = self.before.files.get(path).cloned().unwrap_or_default();
                self.before.files.remove(path);
                self.inodes.insert(*file, Inode { synced, updates: Vec::new() });
                self.synced.insert(path.clone(), Entry::File(*file));
                self.now.insert(path.clone(), Entry::File(*file));
            }
            Operation::Write { file, offset, bytes } => {
                let offset = usize::try_from(*offset).unwrap();
                self.inode(*file).updates.push(Update::Write { offset, bytes: bytes.clone() });
            }
            Operation::Resize { file, size_bytes } => {
                let size = usize::try_from(*size_bytes).unwrap();
                self.inode(*file).updates.push(Update::Resize(size));
            }
            Operation::Sync { file } => {
                let inode = self.inode(*file);
                if !inode.updates.is_empty() {
                    let content = Rc::make_mut(&mut inode.synced);
                    for update in std::mem::take(&mut inode.updates) {
                        update.whole(content);
                    }
                }
            }
            Operation::SyncFailed { file } => {
                let inode = self.inode(*file);
                let content = Rc::make_mut(&mut inode.synced);
                for update in std::mem::take(&mut inode.updates) {
                    if random.once_in(2) {
                        update.whole(content);
                    }
                }
            }
            Operation::Rename { from, to } => {
                let entry = self.entry(from);
                self.change(to, entry);
                self.change(from, None);
            }
            Operation::Link { from, to } => {
                let entry = self.entry(from);
                self.change(to, entry);
            }
            Operation::Remove { path } => {
                self.entry(path);
                self.change(path, None);
            }
            Operation::SyncFolder { path } => {
                let (here, elsewhere) = std::mem::take(&mut self.changes)
                    .into_iter()
                    .partition(|change| change.path.parent() == Some(path));
                self.changes = elsewhere;
                let here: Vec<Change> = here;
                for change in here {
                    change.apply(&mut self.synced);
                }
            }
        }
    }

    fn inode(&mut self, file: FileId) -> &mut Inode {
        self.inodes.get_mut(&file).expect("a file that was opened")
    }

    /// What `path` stands for now; a file of before becomes one of ours.
    fn entry(&mut self, path: &Path) -> Option<Entry> {
        if let Some(synced) = self.before.files.remove(path) {
            // Ids from above: the log counts from below.
            let file = FileId::MAX - FileId::try_from(self.inodes.len()).unwrap();
            self.inodes.insert(file, Inode { synced, updates: Vec::new() });
            self.synced.insert(path.to_owned(), Entry::File(file));
            self.now.insert(path.to_owned(), Entry::File(file));
        }
        self.now.get(path).copied()
    }

    fn change(&mut self, path: &Path, entry: Option<Entry>) {
        let change = Change { path: path.to_owned(), entry };
        change.clone().apply(&mut self.now);
        self.changes.push(change);
    }

    /// How many things are not synced.
    fn loose(&self) -> u32 {
        let updates: usize = self.inodes.values().map(|inode| inode.updates.len()).sum();
        u32::try_from(updates + self.changes.len()).unwrap()
    }

    /// Calls `each` with about `count` states that a cut here may leave; every subset of
    /// what is not synced where that is little.
    pub fn states(&self, count: u64, random: &mut Random, mut each: impl FnMut(State)) {
        let loose = self.loose();
        let mut choose = |subset, tearing, random: &mut Random| {
            each(self.state(&mut Choice { random, subset, next: 0, tearing }));
        };
        let mut left = count;
        if loose <= EXHAUSTIVE {
            for subset in 0..1 << loose {
                choose(Some(subset), Tearing::Never, random);
            }
            left = left.saturating_sub(1 << loose);
        } else {
            // All kept, none kept, and the first ones kept, as an orderly disk would.
            let keep_first = |n: u32| if n >= 64 { u64::MAX } else { (1 << n) - 1 };
            for n in [0, loose, u32::try_from(random.below(loose.into())).unwrap()] {
                choose(Some(keep_first(n)), Tearing::Never, random);
            }
            left = left.saturating_sub(3);
        }
        if loose > 0 {
            for _ in 0..left {
                choose(None, Tearing::Sometimes, random);
            }
        }
    }

    fn state(&self, choice: &mut Choice) -> State {
        let mut entries = self.synced.clone();
        let kept = self.kept_changes(choice);
        for change in kept {
            change.clone().apply(&mut entries);
        }
        let mut contents: BTreeMap<FileId, Rc<Vec<u8>>> = BTreeMap::new();
        for (id, inode) in &self.inodes {
            // In order of file and write, so that a subset means the same each time.
            contents.insert(*id, inode.content(choice));
        }
        let mut state = State { folders: BTreeSet::new(), files: self.before.files.clone() };
        for (path, entry) in &entries {
            // What is in a folder that is lost is lost.
            let home = path.parent().unwrap_or(Path::new(""));
            if !home.as_os_str().is_empty() && !state.folders.contains(home) {
                continue;
            }
            match entry {
                Entry::Folder => drop(state.folders.insert(path.clone())),
                Entry::File(file) => drop(state.files.insert(path.clone(), Rc::clone(&contents[file]))),
            }
        }
        state
    }

    fn kept_changes(&self, choice: &mut Choice) -> Vec<&Change> {
        if choice.subset.is_some() {
            return self.changes.iter().filter(|_| choice.keeps()).collect();
        }
        let all = self.changes.len() as u64;
        match choice.random.below(3) {
            0 => self.changes.iter().take(usize::try_from(choice.random.below(all + 1)).unwrap()).collect(),
            1 => {
                let mut kept: BTreeMap<PathBuf, u64> = BTreeMap::new();
                let random = &mut *choice.random;
                let keeps = |change: &&Change| {
                    let home = change.path.parent().unwrap_or(Path::new(""));
                    let left = kept.entry(home.to_owned()).or_insert_with(|| random.below(all + 1));
                    *left = left.saturating_sub(1);
                    *left > 0
                };
                self.changes.iter().filter(keeps).collect()
            }
            _ => self.changes.iter().filter(|_| choice.random.once_in(2)).collect(),
        }
    }
}

impl Change {
    fn apply(self, entries: &mut BTreeMap<PathBuf, Entry>) {
        match self.entry {
            Some(entry) => drop(entries.insert(self.path, entry)),
            None => drop(entries.remove(&self.path)),
        }
    }
}

impl Choice<'_> {
    /// Whether the next thing that is not synced stays.
    fn keeps(&mut self) -> bool {
        let Some(subset) = self.subset else { return self.random.once_in(2) };
        let bit = self.next;
        self.next += 1;
        bit >= 64 && subset == u64::MAX || bit < 64 && subset >> bit & 1 == 1
    }
}

impl Inode {
    fn content(&self, choice: &mut Choice) -> Rc<Vec<u8>> {
        if self.updates.is_empty() {
            return Rc::clone(&self.synced);
        }
        let mut content = self.synced.as_ref().clone();
        let mut longest = content.len();
        let garbage = choice.tearing == Tearing::Sometimes && choice.random.once_in(2);
        for update in &self.updates {
            longest = longest.max(update.end());
            match (choice.keeps(), choice.tearing) {
                (true, Tearing::Sometimes) if choice.random.once_in(3) => {
                    update.torn(&mut content, garbage, choice.random);
                }
                (true, _) => update.whole(&mut content),
                (false, _) => {}
            }
        }
        // The length may be on the disk without the bytes, or the other way round.
        if choice.tearing == Tearing::Sometimes && longest > self.synced.len() && choice.random.once_in(2) {
            let cut_to = self.updates.iter().filter_map(|update| match update {
                Update::Resize(size) => Some(*size),
                Update::Write { .. } => None,
            });
            let least = cut_to.fold(self.synced.len(), usize::min);
            let length = match choice.random.below(3) {
                0 => longest,
                1 => least,
                _ => least + usize::try_from(choice.random.below((longest - least) as u64 + 1)).unwrap(),
            };
            let was = content.len();
            content.resize(length, 0);
            if garbage && length > was {
                fill(&mut content[was..], choice.random);
            }
        }
        Rc::new(content)
    }
}

impl Update {
    fn end(&self) -> usize {
        match self {
            Self::Write { offset, bytes } => offset + bytes.len(),
            Self::Resize(size) => *size,
        }
    }

    fn whole(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                if content.len() < self.end() {
                    content.resize(self.end(), 0);
                }
                content[*offset..self.end()].copy_from_slice(bytes);
            }
            Self::Resize(size) => content.resize(*size, 0),
        }
    }

    /// Some of its sectors; the others keep what was there, or hold garbage.
    fn torn(&self, content: &mut Vec<u8>, garbage: bool, random: &mut Random) {
        let Self::Write { offset, bytes } = self else { return self.whole(content) };
        let (start, end) = (*offset, self.end());
        let sector = if random.once_in(4) { LARGE_SECTOR } else { SECTOR };
        if content.len() < end {
            content.resize(end, 0);
        }
        let mut at = start;
        while at < end {
            let (first, next) = (at / sector * sector, (at / sector + 1) * sector);
            let upto = next.min(end);
            match random.below(if garbage { 3 } else { 2 }) {
                0 => content[at..upto].copy_from_slice(&bytes[at - start..upto - start]),
                1 => {}
                _ => {
                    let last = next.min(content.len());
                    fill(&mut content[first..last], random);
                }
            }
            at = upto;
        }
    }
}

fn fill(bytes: &mut [u8], random: &mut Random) {
    for chunk in bytes.chunks_mut(8) {
        let number = random.number().to_le_bytes();
        chunk.copy_from_slice(&number[..chunk.len()]);
    }
}
