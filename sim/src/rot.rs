//! A bit flips on the disk of a stopped ledger. Truth that rotted is called damaged, never tampered;
//! views that rotted heal.

use std::path::{Path, PathBuf};

use ledger::{Error, Ledger};
use proof::Verdict;

use crate::chance::Chance;
use crate::machine::End;
use crate::world::{Told, World};

/// What a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Cannot be made anew.
    Truth,
    /// Can be made from the truth.
    View,
    /// Holds nothing: the lock, and zeros that become the next journal.
    Empty,
}

pub fn class(path: &Path) -> Class {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    match name.split('-').next().unwrap_or_default() {
        "tiles" | "ids" => Class::View,
        "lock" | "spare" => Class::Empty,
        _ => Class::Truth,
    }
}

/// Bytes of a file that mean something: what follows the last frame of a journal is zeros, and a
/// flipped bit there is as good as a torn frame that nobody was promised.
pub fn used(path: &Path, bytes: &[u8]) -> usize {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    match name.starts_with("journal-") {
        true => bytes.iter().rposition(|b| *b != 0).map_or(0, |at| (at + 1).next_multiple_of(4096)),
        false => bytes.len(),
    }
}

/// Flips a bit or two of one file and looks what the ledger says.
pub fn strike(world: &mut World, chance: &mut Chance) -> Told {
    if chance.one_in(2) {
        // Something that is not sealed, too.
        world.append(5, false)?;
        world.sign()?;
    }
    world.end(Some(End::Killed))?;
    let files: Vec<(PathBuf, Vec<u8>)> = world
        .machine
        .files()
        .into_iter()
        .filter(|(path, bytes)| {
            path.starts_with(world.dir()) && !bytes.is_empty() && class(path) != Class::Empty
        })
        .collect();
    let (path, bytes) = &files[chance.below(files.len() as u64) as usize];
    let offset = chance.below(used(path, bytes) as u64) as usize;
    world.machine.rot(path, offset, chance.below(8) as u8);
    let what = format!("byte {offset} of {} rotted", path.display());
    let report = world.verdict();
    let verdict = report.verdict();
    match class(path) {
        Class::View => {
            if verdict != Verdict::Verified {
                return Err(format!("{what}, and the verdict is {verdict}: {:?}", report.findings));
            }
            heal(world).map_err(|e| format!("{what}: {e}"))
        }
        _ => {
            if !matches!(verdict, Verdict::Damaged | Verdict::Incomplete | Verdict::CannotCheck) {
                return Err(format!("{what}, and the verdict is {verdict}: {:?}", report.findings));
            }
            match world.open_quietly() {
                Ok(ledger) => read_all(world, &ledger).map_err(|e| format!("{what}: {e}")),
                Err(e) => never_accused(&what, &e),
            }
        }
    }
}

/// With a view that rotted everything goes on, and in the end it is whole again.
fn heal(world: &mut World) -> Told {
    world.start()?;
    for _ in 0..10 {
        world.read()?;
        world.compare_heads()?;
    }
    let last = world.model.floor() / 2;
    world.erase(0, last, 1)?;
    world.recover()?;
    world.provoke()?;
    world.check_duplicates(20)?;
    world.finish()
}

fn never_accused(what: &str, error: &Error) -> Told {
    match error {
        Error::Tampered(_) | Error::RolledBack(_) => Err(format!("{what}, and opening says: {error}")),
        _ => Ok(()),
    }
}

/// A read gives the right bytes or an error.
fn read_all(world: &mut World, ledger: &Ledger) -> Told {
    for position in 0..ledger.size() {
        match ledger.record(position) {
            Ok(record) => world.model.check_record(&record)?,
            Err(e) => never_accused(&format!("position {position}"), &e)?,
        }
    }
    Ok(())
}
