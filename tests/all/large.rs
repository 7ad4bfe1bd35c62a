//! A ledger of a million generated events, by the real binary: `INDELIBLE_LONG=1`, some minutes.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use bench::data::Generator;

use crate::program::{Place, files, number, text};

const EVENTS: u64 = 1_000_000;
const FLIPS: usize = 64;

/// Flips one bit, in place: copies of such a ledger take too long.
fn flip(path: &Path, at: u64) {
    let mut file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    byte[0] ^= 1 << (at % 8);
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&byte).unwrap();
}

#[test]
fn a_million_events_are_verified_and_no_change_goes_unseen() {
    if std::env::var_os("INDELIBLE_LONG").is_none() {
        eprintln!("skipped: INDELIBLE_LONG=1 is not set");
        return;
    }
    let events = std::env::var("INDELIBLE_LARGE_EVENTS").map_or(EVENTS, |n| n.parse().unwrap());
    let place = Place::optimised();
    let mut out = BufWriter::new(File::create(place.path("events")).unwrap());
    let mut generator = Generator::new(1);
    let mut line = Vec::new();
    let mut bytes = 0;
    for _ in 0..events {
        line.clear();
        generator.next(&mut line);
        line.push(b'\n');
        bytes += line.len() as u64;
        out.write_all(&line).unwrap();
    }
    out.into_inner().unwrap();
    let file = place.arg("events");

    let started = Instant::now();
    let summary = place.run(&["append", "--json", &file]).is(0).json();
    let appended = started.elapsed();
    assert_eq!((number(&summary, "/recorded"), number(&summary, "/refused")), (events, 0));
    std::fs::remove_file(&file).unwrap();
    let known = place.keep_checkpoint("known");
    let verdict = |known: &str| place.verify(&["--organisation", "default", "--known", known]);
    let started = Instant::now();
    let (code, value) = verdict(&known);
    let verified = started.elapsed();
    assert_eq!(code, 0, "{}", text(&value, ""));
    assert!(number(&value, "/checked/0/leaves") > events);
    let stats = place.run(&["stats", "--json", "--organisation", "default"]).is(0).json();
    eprintln!(
        "{events} events of {} bytes appended in {appended:.1?} and verified in {verified:.1?}; {} bytes an event sealed",
        bytes / events,
        text(&stats, "/0/bytes_per_event"),
    );

    // A bit anywhere in the truth, spread over all of it. Zeros that no frame reached yet are no part of it.
    let truth: Vec<(PathBuf, u64)> = files(&place.ledger())
        .into_iter()
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            ["segment-", "heads", "keys"].iter().any(|start| name.starts_with(start))
        })
        .map(|path| (path.clone(), path.metadata().unwrap().len()))
        .collect();
    let all: u64 = truth.iter().map(|(_, len)| len).sum();
    let mut codes = Vec::new();
    for n in 0..FLIPS as u64 {
        // Fractions of the golden ratio cover evenly and follow no structure of the files.
        let share = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut at = ((u128::from(share) * u128::from(all)) >> 64) as u64;
        let (path, _) = truth
            .iter()
            .find(|(_, len)| match at.checked_sub(*len) {
                Some(rest) => {
                    at = rest;
                    false
                }
                None => true,
            })
            .expect("it is within all of them");
        flip(path, at);
        let (code, value) = verdict(&known);
        assert_ne!(code, 0, "{} at {at}: {}", path.display(), text(&value, ""));
        codes.push(code);
        flip(path, at);
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes, [11], "all of it is damage");

    // A record deleted: the middle of a segment closed up, so that everything after it moves.
    let (segment, len) = truth.iter().find(|(path, _)| path.to_str().unwrap().contains("segment-")).unwrap();
    let whole = std::fs::read(segment).unwrap();
    let middle = *len as usize / 2;
    std::fs::write(segment, [&whole[..middle], &whole[middle + 300..]].concat()).unwrap();
    assert_eq!(verdict(&known).0, 11);
    // A file of records deleted.
    std::fs::remove_file(segment).unwrap();
    assert_eq!(verdict(&known).0, 20);
    std::fs::write(segment, &whole).unwrap();
    assert_eq!(verdict(&known).0, 0);

    // The tail cut, with the heads that would tell: the copy that has them is outside.
    let (ledger, yesterday) = (place.data(), place.path("yesterday"));
    crate::program::copy(&ledger, &yesterday);
    place.append(1..=1000);
    let newer = place.keep_checkpoint("newer");
    assert_eq!(verdict(&newer).0, 0);
    crate::program::restore(&yesterday, &ledger);
    assert_eq!(verdict(&known).0, 0);
    assert_eq!(verdict(&newer).0, 40);
    place.append(2001..=4000);
    assert_eq!(verdict(&known).0, 0);
    assert_eq!(verdict(&newer).0, 50);
}
