//! A machine in memory: disk, folders, clocks, chance, and everything that can go wrong with them.
//!
//! [`Machine::boot`] gives a process its [`Io`]. When the process crashes, its handles fail for
//! good and its locks are gone; what the disk then holds depends on whether the power went too.
//! Nothing here touches the real machine, and the same seed gives the same run.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use ledger::io::{File, Io, Lock, Open};

use crate::chance::Chance;
use crate::disk::{Contents, SECTOR, Survival};

/// What the ledger may ask of a machine, as far as it can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Open,
    Read,
    Write,
    Sync,
    Len,
    SetLen,
    List,
    CreateDir,
    Rename,
    Remove,
    SyncDir,
    Lock,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It fails. A write may have been done in part; a failed sync gives up what was dirty.
    Fail,
    /// It is done, and reported as failed.
    FailButDone,
    /// The process dies instead of it; a write may have been done in part.
    CrashBefore,
    /// The process dies when it is done.
    CrashAfter,
}

pub const MISHAPS: [Mishap; 4] = [Mishap::Fail, Mishap::FailButDone, Mishap::CrashBefore, Mishap::CrashAfter];

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// `kill -9`: the cache is still there.
    Killed,
    /// The power went.
    PowerLost,
}

/// What is to go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// The call with this number, counted by [`Machine::calls`], suffers this.
    pub at: Option<(u64, Mishap)>,
    /// One call in so many fails; 0 = none.
    pub fails_one_in: u64,
    /// Reads give less than was asked for, or are interrupted.
    pub short_reads: bool,
    /// Bytes that files may take; absent = as many as they like.
    pub capacity: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Folder,
    File(u64),
}

/// A change of names in one folder that happens whole or not at all.
type Change = Vec<(PathBuf, Option<Name>)>;

#[derive(Debug)]
struct State {
    chance: Chance,
    files: BTreeMap<u64, Contents>,
    next_file: u64,
    names: BTreeMap<PathBuf, Name>,
    durable_names: BTreeMap<PathBuf, Name>,
    pending: Vec<(PathBuf, Change)>,
    locks: BTreeMap<PathBuf, u64>,
    process: u64,
    dead: bool,
    weather: Weather,
    calls: u64,
    now_ms: u64,
    booted_ms: u64,
    wall_ms: u64,
    trace: Option<Vec<String>>,
    mishaps: u64,
}

/// A machine. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Machine(Arc<Mutex<State>>);

impl Machine {
    pub fn new(seed: u64) -> Machine {
        let root = BTreeMap::from([(PathBuf::from("/"), Name::Folder)]);
        Machine(Arc::new(Mutex::new(State {
            chance: Chance::new(seed),
            files: BTreeMap::new(),
            next_file: 1,
            names: root.clone(),
            durable_names: root,
            pending: Vec::new(),
            locks: BTreeMap::new(),
            process: 1,
            dead: false,
            weather: Weather::default(),
            calls: 0,
            now_ms: 0,
            booted_ms: 0,
            wall_ms: 1_780_000_000_000,
            trace: None,
            mishaps: 0,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic while the machine is held")
    }

    /// The machine for the process that runs now.
    pub fn boot(&self) -> Arc<dyn Io> {
        let process = self.state().process;
        Arc::new(SimIo { machine: self.clone(), process })
    }

    /// Ends the process. Its handles fail from here on, its locks are free.
    pub fn end(&self, end: End) {
        let mut guard = self.state();
        let state = &mut *guard;
        state.note(|| format!("--- {end:?}"));
        state.process += 1;
        state.dead = false;
        state.locks.clear();
        state.booted_ms = state.now_ms;
        match end {
            End::Killed => state.files.values_mut().for_each(|file| file.evict(&mut state.chance)),
            End::PowerLost => state.lose_power(),
        }
    }

    /// Whether a mishap killed the process and [`Machine::end`] is due.
    pub fn dead(&self) -> bool {
        self.state().dead
    }

    pub fn set_weather(&self, weather: Weather) {
        self.state().weather = weather;
    }

    pub fn weather(&self) -> Weather {
        self.state().weather
    }

    /// Calls that were made so far.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Calls that suffered something.
    pub fn mishaps(&self) -> u64 {
        self.state().mishaps
    }

    /// Lets time pass.
    pub fn advance(&self, ms: u64) {
        let mut state = self.state();
        state.now_ms += ms;
        state.wall_ms += ms;
    }

    /// The wall clock jumps, by so many milliseconds forward or back.
    pub fn jump(&self, ms: i64) {
        let mut state = self.state();
        state.wall_ms = state.wall_ms.saturating_add_signed(ms);
        state.note(|| format!("the wall clock jumps by {ms} ms"));
    }

    /// Bytes that files take.
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// Begins to write down every call.
    pub fn start_trace(&self) {
        self.state().trace = Some(Vec::new());
    }

    pub fn take_trace(&self) -> Vec<String> {
        self.state().trace.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Writes a line between the calls.
    pub fn remark(&self, what: impl FnOnce() -> String) {
        self.state().note(what);
    }

    /// Files and what readers see in them.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.state();
        let file = |(path, name): (&PathBuf, &Name)| match name {
            Name::File(number) => Some((path.clone(), state.files[number].bytes().to_vec())),
            Name::Folder => None,
        };
        state.names.iter().filter_map(file).collect()
    }

    /// A machine whose disk holds exactly these files.
    pub fn holding(seed: u64, files: &BTreeMap<PathBuf, Vec<u8>>) -> Machine {
        let machine = Machine::new(seed);
        {
            let mut state = machine.state();
            for (number, (path, bytes)) in (1..).zip(files) {
                for folder in path.ancestors().skip(1) {
                    state.names.insert(folder.to_owned(), Name::Folder);
                }
                state.names.insert(path.clone(), Name::File(number));
                state.files.insert(number, Contents::durable(bytes.clone()));
                state.next_file = number + 1;
            }
            state.durable_names = state.names.clone();
        }
        machine
    }

    /// Flips a bit of a file, in the cache and on the disk.
    pub fn rot(&self, path: &Path, offset: usize, bit: u8) {
        let mut state = self.state();
        if let Some(Name::File(number)) = state.names.get(path).cloned()
            && let Some(file) = state.files.get_mut(&number)
        {
            file.rot(offset, bit);
            state.note(|| format!("bit {bit} of byte {offset} of {} flips", path.display()));
        }
    }
}

fn eio() -> io::Error {
    io::Error::other("input/output error (simulated)")
}

fn not_found(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{}: not found", path.display()))
}

fn full() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "no space left on device (simulated)")
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).to_owned()
}

impl State {
    fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(what());
        }
    }

    fn used(&self) -> u64 {
        let len = |name: &Name| match name {
            Name::File(number) => self.files[number].len() as u64,
            Name::Folder => 0,
        };
        self.names.values().map(len).sum()
    }

    fn room(&self, more: u64) -> io::Result<()> {
        match self.weather.capacity {
            Some(capacity) if more > 0 && self.used() + more > capacity => Err(full()),
            _ => Ok(()),
        }
    }

    fn file(&self, path: &Path) -> Option<u64> {
        match self.names.get(path) {
            Some(Name::File(number)) => Some(*number),
            _ => None,
        }
    }

    fn change(&mut self, folder: PathBuf, change: Change) {
        apply(&mut self.names, &change);
        self.pending.push((folder, change));
    }

    fn sync_dir(&mut self, folder: &Path) {
        let (due, later) = std::mem::take(&mut self.pending).into_iter().partition(|(f, _)| f == folder);
        self.pending = later;
        for (_, change) in due {
            apply(&mut self.durable_names, &change);
        }
    }

    fn lose_power(&mut self) {
        let survival = Survival::any(&mut self.chance);
        for (_, change) in std::mem::take(&mut self.pending) {
            if survival.keeps(&mut self.chance) {
                apply(&mut self.durable_names, &change);
            }
        }
        // What lies in a folder that is gone is gone.
        let folders: Vec<PathBuf> = self.durable_names.keys().cloned().collect();
        for path in folders {
            if path != Path::new("/") && self.durable_names.get(&parent(&path)) != Some(&Name::Folder) {
                self.durable_names.remove(&path);
            }
        }
        self.names = self.durable_names.clone();
        let survival = Survival::any(&mut self.chance);
        for file in self.files.values_mut() {
            file.lose_power(survival, &mut self.chance);
        }
        let kept: Vec<u64> = self
            .names
            .values()
            .filter_map(|name| match name {
                Name::File(number) => Some(*number),
                Name::Folder => None,
            })
            .collect();
        self.files.retain(|number, _| kept.contains(number));
    }
}

fn apply(names: &mut BTreeMap<PathBuf, Name>, change: &Change) {
    for (path, name) in change {
        match name {
            Some(name) => names.insert(path.clone(), name.clone()),
            None => names.remove(path),
        };
    }
}

/// What the ledger is given.
struct SimIo {
    machine: Machine,
    process: u64,
}

struct SimFile {
    machine: Machine,
    process: u64,
    number: u64,
    path: PathBuf,
    writable: bool,
}

struct SimLock {
    machine: Machine,
    process: u64,
    path: PathBuf,
}

impl Lock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.machine.state();
        if state.locks.get(&self.path) == Some(&self.process) {
            state.locks.remove(&self.path);
        }
    }
}

impl Machine {
    /// Makes a call: `act` does it, `spoil` is what is left when it fails half-way.
    fn call<T>(
        &self,
        process: u64,
        call: Call,
        what: impl FnOnce() -> String,
        spoil: impl FnOnce(&mut State),
        act: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut guard = self.state();
        let state = &mut *guard;
        if state.dead || state.process != process {
            return Err(io::Error::other("the process is dead (simulated)"));
        }
        state.calls += 1;
        let mishap = match state.weather.at {
            Some((at, mishap)) if at == state.calls => Some(mishap),
            _ if state.weather.fails_one_in > 0 && state.chance.one_in(state.weather.fails_one_in) => {
                Some(if state.chance.one_in(2) { Mishap::Fail } else { Mishap::FailButDone })
            }
            _ => None,
        };
        if state.trace.is_some() {
            let (number, what) = (state.calls, what());
            state.note(|| {
                let suffers = mishap.map(|m| format!(" {m:?}")).unwrap_or_default();
                format!("{number} {call:?} {what}{suffers}")
            });
        }
        state.mishaps += u64::from(mishap.is_some());
        match mishap {
            None => act(state),
            Some(Mishap::Fail) => {
                spoil(state);
                Err(eio())
            }
            Some(Mishap::FailButDone) => act(state).and(Err(eio())),
            Some(Mishap::CrashBefore) => {
                if call == Call::Write {
                    spoil(state);
                }
                state.dead = true;
                Err(eio())
            }
            Some(Mishap::CrashAfter) => {
                let _ = act(state);
                state.dead = true;
                Err(eio())
            }
        }
    }
}

fn nothing(_: &mut State) {}

impl SimIo {
    fn call<T>(
        &self,
        call: Call,
        path: &Path,
        act: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        self.machine.call(self.process, call, || path.display().to_string(), nothing, act)
    }
}

impl Io for SimIo {
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>> {
        let number = self.call(Call::Open, path, |state| {
            if let Some(number) = state.file(path) {
                if how == Open::Create
                    && let Some(file) = state.files.get_mut(&number)
                {
                    file.set_len(0);
                }
                return Ok(number);
            }
            if how != Open::Create || state.names.get(&parent(path)) != Some(&Name::Folder) {
                return Err(not_found(path));
            }
            let number = state.next_file;
            state.next_file += 1;
            state.files.insert(number, Contents::default());
            state.change(parent(path), vec![(path.to_owned(), Some(Name::File(number)))]);
            Ok(number)
        })?;
        Ok(Box::new(SimFile {
            machine: self.machine.clone(),
            process: self.process,
            number,
            path: path.to_owned(),
            writable: how != Open::Read,
        }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.call(Call::List, dir, |state| {
            if state.names.get(dir) != Some(&Name::Folder) {
                return Err(not_found(dir));
            }
            let within = state.names.keys().filter(|path| path.parent() == Some(dir));
            Ok(within.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
        })
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.call(Call::CreateDir, dir, |state| {
            let mut missing: Vec<&Path> =
                dir.ancestors().filter(|folder| !state.names.contains_key(*folder)).collect();
            missing.reverse();
            for folder in missing {
                state.change(parent(folder), vec![(folder.to_owned(), Some(Name::Folder))]);
            }
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(Call::Rename, from, |state| {
            let number = state.file(from).ok_or_else(|| not_found(from))?;
            let change = vec![(from.to_owned(), None), (to.to_owned(), Some(Name::File(number)))];
            state.change(parent(to), change);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(Call::Remove, path, |state| {
            state.file(path).ok_or_else(|| not_found(path))?;
            state.change(parent(path), vec![(path.to_owned(), None)]);
            Ok(())
        })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.call(Call::SyncDir, dir, |state| {
            state.sync_dir(dir);
            Ok(())
        })
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let got = self.call(Call::Lock, path, |state| {
            if state.locks.contains_key(path) {
                return Ok(false);
            }
            if state.names.get(&parent(path)) != Some(&Name::Folder) {
                return Err(not_found(path));
            }
            if state.file(path).is_none() {
                let number = state.next_file;
                state.next_file += 1;
                state.files.insert(number, Contents::default());
                state.change(parent(path), vec![(path.to_owned(), Some(Name::File(number)))]);
            }
            state.locks.insert(path.to_owned(), state.process);
            Ok(true)
        });
        if got.is_err() {
            // A call that failed after it was done leaves no descriptor, and so no lock.
            let mut state = self.machine.state();
            if state.locks.get(path) == Some(&self.process) && !state.dead {
                state.locks.remove(path);
            }
        }
        Ok(got?.then(|| {
            let lock =
                SimLock { machine: self.machine.clone(), process: self.process, path: path.to_owned() };
            Box::new(lock) as Box<dyn Lock>
        }))
    }

    fn wall_ms(&self) -> u64 {
        self.machine.state().wall_ms
    }

    fn monotonic_ms(&self) -> u64 {
        let state = self.machine.state();
        state.now_ms - state.booted_ms
    }

    fn random(&self, out: &mut [u8]) {
        self.machine.state().chance.fill(out);
    }

    fn pause(&self, ms: u64) {
        self.machine.advance(ms);
    }
}

impl SimFile {
    fn call<T>(
        &self,
        call: Call,
        offset: u64,
        len: usize,
        spoil: impl FnOnce(&mut State),
        act: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        let what = || format!("{} at {offset}, {len} bytes", self.path.display());
        self.machine.call(self.process, call, what, spoil, act)
    }
}

fn gone() -> io::Error {
    io::Error::other("the file did not survive (simulated)")
}

impl File for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.call(Call::Read, offset, buf.len(), nothing, |state| {
            let mut want = buf.len();
            if state.weather.short_reads && want > 1 && state.chance.one_in(4) {
                if state.chance.one_in(4) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                want = state.chance.within(1, want as u64) as usize;
            }
            let file = state.files.get(&self.number).ok_or_else(gone)?;
            Ok(file.read(&mut buf[..want], offset as usize))
        })
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        if !self.writable {
            return Err(io::Error::other("opened for reading only (simulated)"));
        }
        let spoil = |state: &mut State| {
            let sectors = (buf.len() / SECTOR) as u64;
            let done = state.chance.below(sectors + 1) as usize * SECTOR;
            if let Some(file) = state.files.get_mut(&self.number) {
                file.write(&buf[..done], offset as usize);
            }
        };
        self.call(Call::Write, offset, buf.len(), spoil, |state| {
            let len = state.files.get(&self.number).ok_or_else(gone)?.len();
            let more = (offset as usize + buf.len()).saturating_sub(len);
            state.room(more as u64)?;
            state.files.get_mut(&self.number).ok_or_else(gone)?.write(buf, offset as usize);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        let spoil = |state: &mut State| {
            let survival = Survival::any(&mut state.chance);
            if let Some(file) = state.files.get_mut(&self.number) {
                file.fail_sync(survival, &mut state.chance);
            }
        };
        self.call(Call::Sync, 0, 0, spoil, |state| {
            state.files.get_mut(&self.number).ok_or_else(gone)?.sync();
            Ok(())
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.call(Call::Len, 0, 0, nothing, |state| {
            Ok(state.files.get(&self.number).ok_or_else(gone)?.len() as u64)
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.call(Call::SetLen, len, 0, nothing, |state| {
            let now = state.files.get(&self.number).ok_or_else(gone)?.len() as u64;
            state.room(len.saturating_sub(now))?;
            state.files.get_mut(&self.number).ok_or_else(gone)?.set_len(len as usize);
            Ok(())
        })
    }
}
