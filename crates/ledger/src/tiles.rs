//! The tree's hashes: one file a level, 32 bytes a hash, which is exactly what tlog-tiles serves.
//!
//! The files can be rebuilt from the segments, so they are written without ceremony, when a journal
//! is sealed. Hashes of what is not sealed yet are kept in memory and recomputed at start-up.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proof::{Hash, Nodes};

use crate::error::Error;
use crate::io::{File, Io, Open, read_full};

/// Hashes of a tile.
const WIDTH: u64 = 256;

/// All complete subtrees of 256^level leaves, by level.
pub(crate) struct Tiles {
    io: Arc<dyn Io>,
    dir: PathBuf,
    levels: Vec<Level>,
    size: u64,
}

#[derive(Default)]
struct Level {
    file: Option<Box<dyn File>>,
    /// Hashes before this one are only in the file. A multiple of 256.
    base: u64,
    memory: Vec<Hash>,
}

impl Level {
    fn len(&self) -> u64 {
        self.base + self.memory.len() as u64
    }
}

pub(crate) fn name(level: usize) -> String {
    format!("tiles-{level}")
}

impl Tiles {
    /// Opens the files for a tree of `size` sealed leaves, or `None` if they do not cover it.
    /// What they hold beyond it is not trusted.
    pub(crate) fn open(io: &Arc<dyn Io>, dir: &Path, size: u64) -> Result<Option<Tiles>, Error> {
        let mut tiles = Tiles { io: io.clone(), dir: dir.to_owned(), levels: Vec::new(), size };
        let mut count = size;
        while count > 0 {
            let path = dir.join(name(tiles.levels.len()));
            let file = match io.open(&path, Open::Read) {
                Ok(file) => file,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(e) => return Err(Error::io("open", &path, &e)),
            };
            let base = count / WIDTH * WIDTH;
            let Some(memory) = read(&*file, &path, base, count - base)? else { return Ok(None) };
            tiles.levels.push(Level { file: Some(file), base, memory });
            count /= WIDTH;
        }
        Ok(Some(tiles))
    }

    /// A tree that is filled anew.
    pub(crate) fn empty(io: &Arc<dyn Io>, dir: &Path) -> Tiles {
        Tiles { io: io.clone(), dir: dir.to_owned(), levels: Vec::new(), size: 0 }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub(crate) fn append(&mut self, leaf_hash: Hash) {
        self.size += 1;
        let mut hash = leaf_hash;
        for at in 0.. {
            if self.levels.len() == at {
                self.levels.push(Level::default());
            }
            let level = &mut self.levels[at];
            level.memory.push(hash);
            if !level.len().is_multiple_of(WIDTH) {
                return;
            }
            // A tile is full: its root goes one level up.
            hash = fold(&level.memory[level.memory.len() - WIDTH as usize..]);
        }
    }

    /// Hash of the leaf at `position`.
    pub(crate) fn leaf_hash(&self, position: u64) -> Result<Hash, Error> {
        if let Some(level) = self.levels.first()
            && let Some(hash) = position.checked_sub(level.base).and_then(|at| level.memory.get(at as usize))
        {
            return Ok(*hash);
        }
        Ok(self.read(0, position, 1)?[0])
    }

    /// Whether the leaves from `first` on have these hashes.
    pub(crate) fn leaves_are(&self, first: u64, hashes: &[Hash]) -> Result<bool, Error> {
        let (mut at, end) = (first, first + hashes.len() as u64);
        while at < end {
            let next = (at / WIDTH * WIDTH + WIDTH).min(end);
            let ours = &hashes[(at - first) as usize..(next - first) as usize];
            if self.read(0, at, next - at)? != ours {
                return Ok(false);
            }
            at = next;
        }
        Ok(true)
    }

    /// Root of the tree of the first `size` leaves.
    pub(crate) fn root(&self, size: u64) -> Result<Hash, Error> {
        proof::tree::root(size, self)
    }

    /// `count` hashes of a level from `start` on, all of one tile.
    pub(crate) fn read(&self, level: usize, start: u64, count: u64) -> Result<Vec<Hash>, Error> {
        let missing = || Error::Incomplete(format!("{}: hash {start} is missing", name(level)));
        let at = self.levels.get(level).filter(|l| start + count <= l.len()).ok_or_else(missing)?;
        if start >= at.base {
            let from = (start - at.base) as usize;
            return Ok(at.memory[from..from + count as usize].to_vec());
        }
        let path = self.dir.join(name(level));
        let file = at.file.as_deref().ok_or_else(missing)?;
        read(file, &path, start, count)?.ok_or_else(missing)
    }

    /// Writes what is not in the files yet, up to the tree of `size` leaves.
    pub(crate) fn flush(&mut self, size: u64) -> Result<(), Error> {
        let mut count = size;
        for (number, level) in self.levels.iter_mut().enumerate() {
            let path = self.dir.join(name(number));
            let failed = |e: std::io::Error| Error::io("write", &path, &e);
            let mut bytes = Vec::with_capacity(level.memory.len() * 32);
            for hash in &level.memory[..count.saturating_sub(level.base) as usize] {
                bytes.extend(hash.as_bytes());
            }
            let file = match self.io.open(&path, Open::Write) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => self.io.open(&path, Open::Create),
                other => other,
            };
            let file = file.map_err(failed)?;
            file.write_at(&bytes, level.base * 32).map_err(failed)?;
            file.sync().map_err(failed)?;
            level.file = Some(file);
            let base = count / WIDTH * WIDTH;
            level.memory.drain(..base.saturating_sub(level.base) as usize);
            level.base = level.base.max(base);
            count /= WIDTH;
        }
        self.io.sync_dir(&self.dir).map_err(|e| Error::io("sync", &self.dir, &e))
    }
}

/// Reads hashes from a file; `None` if it is too short.
fn read(file: &dyn File, path: &Path, start: u64, count: u64) -> Result<Option<Vec<Hash>>, Error> {
    let mut bytes = vec![0; count as usize * 32];
    let got = read_full(file, &mut bytes, start * 32).map_err(|e| Error::io("read", path, &e))?;
    Ok((got == bytes.len()).then(|| bytes.as_chunks::<32>().0.iter().map(|h| Hash(*h)).collect()))
}

/// Root of a complete subtree from its 2^k hashes.
pub(crate) fn fold(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.chunks_exact(2).map(|pair| proof::node_hash(&pair[0], &pair[1])).collect();
    }
    row[0]
}

impl Nodes for Tiles {
    type Error = Error;

    /// Levels between the stored ones are folded from the tile below.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Error> {
        let (stored, above) = ((level / 8) as usize, level % 8);
        Ok(fold(&self.read(stored, index << above, 1 << above)?))
    }
}
