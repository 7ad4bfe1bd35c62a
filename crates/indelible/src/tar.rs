//! Several files as one: a tar archive (POSIX.1-1988, `ustar`), for whoever has a browser and no folder.

/// Bytes of a block; a header is one, and what a file holds is filled up to whole ones.
const BLOCK: usize = 512;

/// An archive that grows.
#[derive(Default)]
pub(crate) struct Tar(Vec<u8>);

impl Tar {
    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a file, whose name is our own and shorter than 100 bytes. It belongs to nobody and is from 1970: nothing of this
    /// machine is told, and the same evidence is the same bytes.
    pub(crate) fn put(&mut self, name: &str, bytes: &[u8]) {
        let mut header = [0; BLOCK];
        let mut field = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
        field(0, &name[..name.floor_char_boundary(99)]);
        field(100, "0000644");
        field(108, "0000000");
        field(116, "0000000");
        field(124, &format!("{:011o}", bytes.len()));
        field(136, "00000000000");
        // The sum is taken with spaces in its own place.
        field(148, "        ");
        field(156, "0");
        field(257, "ustar");
        field(263, "00");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
        header[154] = 0;
        self.0.extend_from_slice(&header);
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(BLOCK), 0);
    }

    /// The whole archive.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 2 * BLOCK, 0);
        self.0
    }
}
