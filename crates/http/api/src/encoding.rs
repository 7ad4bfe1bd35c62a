//! Bodies that come compressed: what `Content-Encoding` says, and the bytes that were meant.
//!
//! A few bytes can stand for gigabytes. So what a body may grow to is settled before the first byte is written, memory is
//! claimed before each step of growth, and the memory that zstd needs for looking back is bounded too.

use std::io::{self, Read};

use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use flate2::bufread::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use crate::problem::Problem;

/// A body may grow to this much whatever it was compressed to, and beyond it to so many times its own bytes.
const FREE_BYTES: usize = 1 << 20;
const RATIO_MOST: usize = 200;
/// How far back zstd may look: 8 MiB, as RFC 9659 has it for HTTP.
const WINDOW_LOG: u32 = 23;
/// The step by which a body grows.
const STEP: usize = 64 << 10;

/// How a body was compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Deflate,
    Zstd,
}

impl Encoding {
    /// What the headers say. One encoding is undone, never several in a row.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Encoding, Problem> {
        let mut given = headers.get_all(CONTENT_ENCODING).iter();
        let header = match (given.next(), given.next()) {
            (None, _) => return Ok(Encoding::Identity),
            (Some(header), None) => header,
            (Some(_), Some(_)) => return Err(unknown("more than one encoding")),
        };
        match header.to_str().unwrap_or("").trim().to_ascii_lowercase().as_str() {
            "identity" => Ok(Encoding::Identity),
            "gzip" | "x-gzip" => Ok(Encoding::Gzip),
            "deflate" => Ok(Encoding::Deflate),
            "zstd" => Ok(Encoding::Zstd),
            several if several.contains(',') => Err(unknown("more than one encoding")),
            _ => Err(unknown("this encoding is not taken")),
        }
    }

    /// Bytes that undoing it takes beside the result.
    pub(crate) fn work_bytes(self) -> usize {
        match self {
            Encoding::Identity => 0,
            Encoding::Gzip | Encoding::Deflate => 64 << 10,
            Encoding::Zstd => (1 << WINDOW_LOG) + (256 << 10),
        }
    }

    /// The bytes that were meant: at most `most`, and at most 200 times as many as came, after the first MiB.
    ///
    /// `claim` is asked for memory before it is used. It takes as long as it takes, and belongs on a thread that may.
    pub(crate) fn decode(
        self,
        packed: &[u8],
        most: usize,
        claim: impl FnMut(usize) -> Result<(), Problem>,
    ) -> Result<Vec<u8>, Problem> {
        let bound = most.min(packed.len().saturating_mul(RATIO_MOST).max(FREE_BYTES));
        match self {
            Encoding::Identity => Ok(packed.to_vec()),
            Encoding::Gzip => grow(&mut MultiGzDecoder::new(packed), bound, most, claim),
            Encoding::Deflate => {
                // RFC 9110 means zlib's form; some send what is inside it.
                let mut inflate =
                    Inflate { state: Decompress::new(is_zlib(packed)), packed, is_ended: false };
                let bytes = grow(&mut inflate, bound, most, claim)?;
                // Somebody else might read what goes on after its end as a part of the body.
                if inflate.packed.is_empty() { Ok(bytes) } else { Err(broken()) }
            }
            Encoding::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(|_| broken())?;
                decoder.window_log_max(WINDOW_LOG).map_err(|_| broken())?;
                grow(&mut decoder, bound, most, claim)
            }
        }
    }
}

fn grow(
    from: &mut impl Read,
    bound: usize,
    most: usize,
    mut claim: impl FnMut(usize) -> Result<(), Problem>,
) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let mut step = vec![0; STEP];
    loop {
        let len = match from.read(&mut step) {
            Ok(0) => return Ok(bytes),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return Err(broken()),
        };
        if bytes.len() + len > bound {
            return Err(Problem::too_large(match bound < most {
                true => format!("a compressed body may grow to {RATIO_MOST} times its bytes"),
                false => {
                    format!("a body may have {most} bytes when it is decompressed; send fewer events at once")
                }
            }));
        }
        if bytes.len() + len > bytes.capacity() {
            // Doubled, as it would double by itself, but with memory to stand on.
            let more = bytes.capacity().max(STEP).min(bound - bytes.len()).max(len);
            claim(more)?;
            bytes.reserve_exact(more);
        }
        bytes.extend_from_slice(&step[..len]);
    }
}

/// flate2's own readers take the end of their input for the end of the stream; what is cut off must not look whole.
struct Inflate<'p> {
    state: Decompress,
    packed: &'p [u8],
    is_ended: bool,
}

impl Read for Inflate<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while !self.is_ended {
            let (used, written) = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(self.packed, into, FlushDecompress::None)?;
            let used = (self.state.total_in() - used) as usize;
            let written = (self.state.total_out() - written) as usize;
            self.packed = &self.packed[used..];
            self.is_ended = status == Status::StreamEnd;
            if written > 0 {
                return Ok(written);
            }
            if used == 0 && !self.is_ended {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}

/// RFC 1950: method 8, and a check over the first two bytes.
fn is_zlib(packed: &[u8]) -> bool {
    matches!(packed, [cmf, flg, ..] if cmf & 15 == 8 && (u16::from(*cmf) << 8 | u16::from(*flg)) % 31 == 0)
}

fn broken() -> Problem {
    Problem::bad("encoding", "the body is not what its content encoding says, or is cut off")
}

fn unknown(what: &str) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "encoding",
        format!("{what}; send gzip, zstd, deflate, or the body as it is"),
    )
    .with_header(ACCEPT_ENCODING, HeaderValue::from_static("gzip, zstd, deflate"))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    pub(crate) fn zstd(bytes: &[u8], window_log: u32) -> Vec<u8> {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(window_log).unwrap();
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(encoding: Encoding, packed: &[u8], most: usize) -> Result<Vec<u8>, String> {
        encoding.decode(packed, most, |_| Ok(())).map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn every_encoding_gives_back_what_went_in() {
        let text: Vec<u8> =
            (0..300_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for bytes in [&b""[..], b"{}", &text] {
            for (encoding, packed) in [
                (Encoding::Identity, bytes.to_vec()),
                (Encoding::Gzip, gzip(bytes)),
                (Encoding::Deflate, zlib(bytes)),
                (Encoding::Deflate, deflate(bytes)),
                (Encoding::Zstd, zstd(bytes, 20)),
                // Members and frames may follow one another.
                (Encoding::Gzip, [gzip(&bytes[..bytes.len() / 2]), gzip(&bytes[bytes.len() / 2..])].concat()),
                (
                    Encoding::Zstd,
                    [zstd(&bytes[..bytes.len() / 2], 20), zstd(&bytes[bytes.len() / 2..], 20)].concat(),
                ),
            ] {
                assert_eq!(decode(encoding, &packed, 4 << 20).unwrap(), bytes, "{encoding:?}");
                if encoding == Encoding::Identity {
                    continue;
                }
                let longer = [&packed[..], b"more"].concat();
                decode(encoding, &longer, 4 << 20).unwrap_err();
                if bytes.is_empty() {
                    continue;
                }
                // Not between two members, where the first would be whole.
                for cut in [1, 2, packed.len() / 2 - 1, packed.len() - 1] {
                    assert!(decode(encoding, &packed[..cut], 4 << 20).is_err(), "{encoding:?} cut at {cut}");
                }
            }
        }
    }

    #[test]
    fn a_body_does_not_grow_beyond_what_was_settled() {
        let most = 64 << 20;
        let zeros = vec![0; 32 << 20];
        for (encoding, packed) in [
            (Encoding::Gzip, gzip(&zeros)),
            (Encoding::Deflate, zlib(&zeros)),
            (Encoding::Zstd, zstd(&zeros, 20)),
        ] {
            assert!(packed.len() * 200 < zeros.len());
            let mut claimed = 0;
            let refused = encoding.decode(&packed, most, |more| {
                claimed += more;
                Ok(())
            });
            assert!(format!("{:?}", refused.unwrap_err()).contains("413"));
            assert!(claimed <= (packed.len() * 200).max(1 << 20), "{claimed} bytes were claimed");
        }
        // Small ones may grow as they like.
        assert_eq!(decode(Encoding::Gzip, &gzip(&zeros[..1 << 20]), most).unwrap().len(), 1 << 20);
        assert!(decode(Encoding::Gzip, &gzip(&zeros[..1 << 20]), (1 << 20) - 1).unwrap_err().contains("413"));
    }

    #[test]
    fn memory_is_claimed_before_it_is_used() {
        let text: Vec<u8> = (0..300_000u32).flat_map(|n| n.to_le_bytes()).collect();
        let mut left = 200_000usize;
        let refused = Encoding::Zstd.decode(&zstd(&text, 20), 4 << 20, |more| match left.checked_sub(more) {
            Some(rest) => {
                left = rest;
                Ok(())
            }
            None => Err(Problem::busy("full", 1000)),
        });
        assert!(format!("{:?}", refused.unwrap_err()).contains("503"));
    }

    #[test]
    fn zstd_may_not_look_back_further_than_eight_mebibytes() {
        // Incompressible, so that the window of the frame is what was asked for, and no ratio stops it.
        let text: Vec<u8> =
            (0..(5u32 << 20)).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        assert_eq!(decode(Encoding::Zstd, &zstd(&text, 23), 64 << 20).unwrap().len(), text.len());
        assert!(decode(Encoding::Zstd, &zstd(&text, 24), 64 << 20).unwrap_err().contains("400"));
    }

    #[test]
    fn one_encoding_or_none() {
        let check = |values: &[&str], expect: Option<Encoding>| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, value.parse().unwrap());
            }
            assert_eq!(Encoding::of(&headers).ok(), expect, "{values:?}");
        };
        check(&[], Some(Encoding::Identity));
        check(&["identity"], Some(Encoding::Identity));
        check(&["GZIP"], Some(Encoding::Gzip));
        check(&["x-gzip"], Some(Encoding::Gzip));
        check(&["deflate"], Some(Encoding::Deflate));
        check(&[" zstd "], Some(Encoding::Zstd));
        check(&["gzip, zstd"], None);
        check(&["gzip", "gzip"], None);
        check(&["identity", "gzip"], None);
        check(&["br"], None);
        check(&[""], None);
    }
}
