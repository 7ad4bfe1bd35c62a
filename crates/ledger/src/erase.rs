//! Erasing sections: body and salt go, the commitment stays, no proof changes.
//!
//! The order is: say so in the ledger, under a signed head; note what is to be done in `erasing`,
//! so that a crash does not leave it half done; rewrite each segment without the erased bodies,
//! with a new data key and with the survivors' salts written out; destroy the old keys.

use crate::error::Error;
use crate::io;
use crate::keys::{Reader, crc_around};
use crate::open::Ledger;
use crate::record::{Batch, Part, SECTIONS};
use crate::segment::Segment;

const MAGIC: &[u8; 8] = b"IDLERAS1";
const NAME: &str = "erasing";

/// What to erase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// First position.
    pub first: u64,
    /// Last position, included.
    pub last: u64,
    /// Which of [`SECTIONS`], by number.
    pub sections: Vec<usize>,
    /// The request by which it can be found in the operator's files. No personal data.
    pub request: String,
}

impl Ledger {
    /// Erases sections of a range of positions, and returns when their bytes can no longer be read.
    /// The ledger records that it was done, by which request, and of which positions.
    pub fn erase(&self, erasure: &Erasure) -> Result<(), Error> {
        if erasure.first > erasure.last || erasure.last >= self.size() {
            return Err(Error::NotFound(format!(
                "positions {} to {} are not in the ledger, which has {}",
                erasure.first,
                erasure.last,
                self.size()
            )));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "._:/-".contains(c);
        if erasure.request.is_empty() || erasure.request.len() > 128 || !erasure.request.chars().all(plain) {
            return Err(Error::Io("request: expected 1 to 128 letters, digits and any of ._:/-".into()));
        }
        let mut names: Vec<&str> =
            erasure.sections.iter().filter_map(|slot| SECTIONS.get(*slot)).copied().collect();
        names.sort_unstable();
        names.dedup();
        let names: Vec<String> = names.iter().map(|n| format!("{n:?}")).collect();
        let body = format!(
            r#"{{"first":"{}","last":"{}","request":"{}","sections":[{}]}}"#,
            erasure.first,
            erasure.last,
            erasure.request,
            names.join(",")
        );
        // One that could not be done before must not be forgotten over this one.
        self.finish_erasure()?;
        self.note("ledger.erased", body)?;
        let inner = &*self.0;
        let mut file = MAGIC.to_vec();
        file.extend([0; 4]);
        file.extend(erasure.first.to_le_bytes());
        file.extend(erasure.last.to_le_bytes());
        file.push(erasure.sections.iter().fold(0, |mask, slot| mask | 1 << slot));
        let crc = crc_around(&file);
        file[8..12].copy_from_slice(&crc.to_le_bytes());
        io::replace(&*inner.io, &inner.dir, NAME, &file)
            .map_err(|e| Error::io("write", &inner.dir.join(NAME), &e))?;
        self.finish_erasure()
    }

    /// Does what `erasing` says, if it is there.
    pub(crate) fn finish_erasure(&self) -> Result<(), Error> {
        let inner = &*self.0;
        let path = inner.dir.join(NAME);
        let file = match io::read_all(&*inner.io, &path, 64) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(Error::io("read", &path, &e)),
        };
        let damaged = || Error::Damaged(format!("{}: does not match its checksum", path.display()));
        let crc = file.get(8..12).ok_or_else(damaged)?;
        if file[..8] != *MAGIC || crc_around(&file).to_le_bytes() != crc {
            return Err(damaged());
        }
        let mut at = Reader(&file[12..]);
        let (first, last) = (at.u64().ok_or_else(damaged)?, at.u64().ok_or_else(damaged)?);
        let mask = at.u8().ok_or_else(damaged)?;
        if last >= inner.shape().sealed() {
            self.seal()?;
        }
        let segments = inner.shape().segments.clone();
        for (n, segment) in segments.iter().enumerate() {
            if segment.first > last || segment.end() <= first {
                continue;
            }
            let _one = inner.sealing.lock().expect("sealing does not panic");
            let batches = (0..segment.blocks()).map(|block| {
                let mut batch = segment.read(block)?;
                without(&mut batch, first, last, mask);
                Ok(batch)
            });
            Segment::write(
                &*inner.io,
                &inner.dir,
                &inner.places,
                (segment.first, segment.count),
                None,
                batches,
            )?;
            let written = self.open_written(segment.first)?;
            inner.shape_mut().segments[n] = written;
            inner.forget_blocks();
        }
        let gone = inner.io.remove(&path).and_then(|()| inner.io.sync_dir(&inner.dir));
        gone.map_err(|e| Error::io("remove", &path, &e))
    }
}

/// Takes the bodies out of a batch, leaving what the leaves say of them.
fn without(batch: &mut Batch, first: u64, last: u64, mask: u8) {
    for at in 0..batch.rows.len() {
        if !(first..=last).contains(&(batch.first + at as u64)) {
            continue;
        }
        for slot in (0..SECTIONS.len()).filter(|slot| mask & 1 << slot != 0) {
            if let Part::Present { salt, body } = batch.rows[at].parts[slot] {
                let commitment = proof::commitment(&salt, SECTIONS[slot], batch.slice(body));
                batch.rows[at].parts[slot] = Part::Erased { commitment };
            }
        }
    }
}
