//! Where a tree's hashes and leaves lie: the arithmetic of C2SP tlog-tiles, with tiles of height 8.
//!
//! A tile at level L holds up to 256 adjacent roots of complete subtrees of 256^L leaves. Everything
//! between those levels is computed from a tile.

use crate::error::{Error, malformed};
use crate::hash::{Hash, empty_root, node_hash};
use crate::inclusion::inclusion_proof;
use crate::tree::Nodes;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::convert::Infallible;

/// Hashes in a full tile, and leaves in a full entry bundle.
pub const TILE_WIDTH: u64 = 256;

/// Levels a tree of fewer than 2^64 leaves can have: 0 to 7.
pub const TILE_LEVELS: u32 = 8;

/// A tile of hashes: `width` hashes from number `index * 256` on, at `level`.
///
/// Ordered by level, then index, then width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// 0 for leaf hashes, L for roots of complete subtrees of 256^L leaves. At most 7.
    pub level: u32,
    /// Which tile of its level, from 0.
    pub index: u64,
    /// Number of hashes, 1 to 256; below 256 the tile is partial.
    pub width: u32,
}

impl Tile {
    /// The tile at `level` and `index` as a tree of `size` leaves has it, full or partial;
    /// `None` if the tree has no hash there.
    pub fn in_tree(size: u64, level: u32, index: u64) -> Option<Tile> {
        let hashes = hashes_at_level(size, level);
        let width = hashes.saturating_sub(index.checked_mul(TILE_WIDTH)?).min(TILE_WIDTH) as u32;
        (width > 0).then_some(Tile { level, index, width })
    }

    /// Number of the tile's first hash at its level.
    pub fn first_hash(&self) -> u64 {
        self.index.saturating_mul(TILE_WIDTH)
    }

    /// `tile/<L>/<N>` or `tile/<L>/<N>.p/<W>` (C2SP tlog-tiles, “Merkle tree”).
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, index_path(self.index, self.width))
    }

    /// Reads what [`Tile::path`] writes, and nothing else.
    pub fn parse(path: &str) -> Result<Tile, Error> {
        let bad = || malformed("not the path of a hash tile");
        let (level, rest) =
            path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or_else(bad)?;
        let (index, width) = parse_index_path(rest).ok_or_else(bad)?;
        let level = decimal(level).filter(|level| *level < TILE_LEVELS.into()).ok_or_else(bad)? as u32;
        Ok(Tile { level, index, width })
    }
}

/// An entry bundle: the bytes of `width` leaves from position `index * 256` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bundle {
    /// Which bundle, from 0.
    pub index: u64,
    /// Number of leaves, 1 to 256; below 256 the bundle is partial.
    pub width: u32,
}

impl Bundle {
    /// The bundle that holds `position` in a tree of `size` leaves; `None` if the tree ends before it.
    pub fn of_position(position: u64, size: u64) -> Option<Bundle> {
        let tile = Tile::in_tree(size, 0, position / TILE_WIDTH)?;
        (position < size).then_some(Bundle { index: tile.index, width: tile.width })
    }

    /// Position of the bundle's first leaf.
    pub fn first_position(&self) -> u64 {
        self.index.saturating_mul(TILE_WIDTH)
    }

    /// `tile/entries/<N>` or `tile/entries/<N>.p/<W>` (C2SP tlog-tiles, “Log entries”).
    pub fn path(&self) -> String {
        format!("tile/entries/{}", index_path(self.index, self.width))
    }

    /// Reads what [`Bundle::path`] writes, and nothing else.
    pub fn parse(path: &str) -> Result<Bundle, Error> {
        let (index, width) = path
            .strip_prefix("tile/entries/")
            .and_then(parse_index_path)
            .ok_or_else(|| malformed("not the path of an entry bundle"))?;
        Ok(Bundle { index, width })
    }
}

/// Adds a leaf's bytes to an entry bundle: `u16 len || leaf`. Refused above 65 535 bytes.
pub fn push_entry(bundle: &mut Vec<u8>, leaf: &[u8]) -> Result<(), Error> {
    let len = u16::try_from(leaf.len()).map_err(|_| malformed("a leaf is longer than 65535 bytes"))?;
    bundle.extend_from_slice(&len.to_be_bytes());
    bundle.extend_from_slice(leaf);
    Ok(())
}

/// The leaves in an entry bundle, in order. Refused if the last one is cut off or there are more
/// than 256.
pub fn entries(bundle: &[u8]) -> Result<Vec<&[u8]>, Error> {
    let mut leaves = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let cut = || malformed("an entry bundle ends inside a leaf");
        let (len, after) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
        let (leaf, after) = after.split_at_checked(u16::from_be_bytes(*len).into()).ok_or_else(cut)?;
        if leaves.len() as u64 == TILE_WIDTH {
            return Err(malformed("an entry bundle holds more than 256 leaves"));
        }
        leaves.push(leaf);
        rest = after;
    }
    Ok(leaves)
}

/// The hashes in a tile's bytes. Refused if their number is not `width`.
pub fn tile_hashes(bytes: &[u8], width: u32) -> Result<Vec<Hash>, Error> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || hashes.len() != width as usize {
        return Err(malformed(format!("a tile of {width} hashes has {} bytes", bytes.len())));
    }
    Ok(hashes.iter().copied().map(Hash).collect())
}

/// Number of hashes at a tile level of a tree of `size` leaves: `floor(size / 256^level)`.
pub fn hashes_at_level(size: u64, level: u32) -> u64 {
    size.checked_shr(level.saturating_mul(8)).unwrap_or(0)
}

/// All tiles of a tree of `size` leaves, level by level, in order; the last of a level may be partial.
pub fn tiles(size: u64) -> impl Iterator<Item = Tile> {
    (0..TILE_LEVELS).flat_map(move |level| {
        (0..hashes_at_level(size, level).div_ceil(TILE_WIDTH))
            .filter_map(move |index| Tile::in_tree(size, level, index))
    })
}

/// The tiles to read for the inclusion proof of the leaf at `index` in a tree of `size` leaves.
pub fn tiles_for_inclusion(index: u64, size: u64) -> Vec<Tile> {
    recorded(size, |nodes| {
        let Ok(_) = inclusion_proof(index, size, nodes);
    })
}

/// The tiles to read for the consistency proof from `old` to `new` leaves, as a tree of `new`
/// leaves has them.
pub fn tiles_for_consistency(old: u64, new: u64) -> Vec<Tile> {
    recorded(new, |nodes| {
        let Ok(_) = crate::consistency::consistency_proof(old, new, nodes);
    })
}

/// The tiles that tie the leaves from `first` to `last`, both included, to the root of a tree of
/// `size` leaves: those that cover the leaves at every level, and the right edge. Inclusion proofs
/// of any of the leaves can be made from them. Empty if the range is not in the tree.
pub fn tiles_for_range(first: u64, last: u64, size: u64) -> Vec<Tile> {
    if first > last || last >= size {
        return Vec::new();
    }
    let mut tiles: BTreeSet<Tile> = recorded(size, |nodes| {
        let Ok(_) = crate::tree::root(size, nodes);
    })
    .into_iter()
    .collect();
    for level in 0..TILE_LEVELS {
        let shift = 8 * (level + 1);
        let (from, to) = (first.checked_shr(shift).unwrap_or(0), last.checked_shr(shift).unwrap_or(0));
        tiles.extend((from..=to).filter_map(|index| Tile::in_tree(size, level, index)));
    }
    tiles.into_iter().collect()
}

/// Runs a generator over a tree of dummies and returns the tiles it would have read.
fn recorded<F>(size: u64, generate: F) -> Vec<Tile>
where
    F: FnOnce(&dyn Fn(u32, u64) -> Result<Hash, Infallible>),
{
    let seen = RefCell::new(BTreeSet::new());
    generate(&|level, index| {
        let first_hash = index << (level % 8);
        seen.borrow_mut().extend(Tile::in_tree(size, level / 8, first_hash / TILE_WIDTH));
        Ok(empty_root())
    });
    seen.into_inner().into_iter().collect()
}

/// [`Nodes`] out of tile hashes: only the levels that tiles store need to be read, the levels in
/// between are computed.
///
/// The closure is asked for `(tile level, number of the first hash at that level, count)`, count a
/// power of two up to 128, never across a tile's end, and must return exactly `count` hashes.
#[derive(Clone, Copy, Debug)]
pub struct TileNodes<F>(pub F);

impl<F, E> Nodes for TileNodes<F>
where
    F: Fn(u32, u64, u64) -> Result<Vec<Hash>, E>,
{
    type Error = E;

    fn node(&self, level: u32, index: u64) -> Result<Hash, E> {
        let within = level % 8;
        let hashes = (self.0)(level / 8, index << within, 1 << within)?;
        Ok(complete_root(hashes))
    }
}

/// The root over a power of two of hashes.
fn complete_root(mut hashes: Vec<Hash>) -> Hash {
    while hashes.len() > 1 {
        let half = hashes.len() / 2;
        for i in 0..half {
            hashes[i] = node_hash(&hashes[2 * i], &hashes[2 * i + 1]);
        }
        hashes.truncate(half);
    }
    hashes.first().copied().unwrap_or(empty_root())
}

/// `x001/x234/067` or `x001/x234/067.p/7`.
fn index_path(index: u64, width: u32) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path.insert_str(0, &format!("x{:03}/", rest % 1000));
        rest /= 1000;
    }
    if u64::from(width) < TILE_WIDTH {
        path.push_str(&format!(".p/{width}"));
    }
    path
}

fn parse_index_path(path: &str) -> Option<(u64, u32)> {
    let (groups, width) = match path.split_once(".p/") {
        None => (path, TILE_WIDTH as u32),
        Some((groups, width)) => {
            let width = decimal(width).filter(|width| (1..TILE_WIDTH).contains(width))?;
            (groups, width as u32)
        }
    };
    let mut index = 0u64;
    let mut parts = groups.split('/').peekable();
    while let Some(part) = parts.next() {
        let digits = if parts.peek().is_some() { part.strip_prefix('x')? } else { part };
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    // One number, one path: `x000/001` is not another way to write `001`.
    (index_path(index, width) == path).then_some((index, width))
}

/// A decimal number without sign or leading zero.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}
