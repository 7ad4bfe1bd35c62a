//! What to measure.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

pub(crate) const USAGE: &str = "\
bench [append|recover|verify|read|size|all] [options]
bench data [--events N] [--seed N]   prints the events, one a line, for `indelible append`

  --events N     events of the ledger that is recovered, verified and read (1 000 000)
  --append N     events of one append run; fewer for small batches (200 000)
  --batch N      only append runs with batches of N
  --callers N    only append runs with N callers
  --rounds N     rounds to take the median of, after one that is dropped (5)
  --dir DIR      where to write; a folder of its own in it is removed afterwards (the system's temporary folder)
  --seed N       seed of the data (1)
  --write-docs   write docs/performance.md (with `all`)";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Append,
    Recover,
    Verify,
    Read,
    Size,
    Data,
    All,
}

pub(crate) struct Args {
    pub(crate) what: What,
    pub(crate) events: usize,
    pub(crate) append: usize,
    pub(crate) batch: Option<usize>,
    pub(crate) callers: Option<usize>,
    pub(crate) rounds: usize,
    pub(crate) dir: PathBuf,
    pub(crate) seed: u64,
    pub(crate) write_docs: bool,
}

impl Args {
    /// Reads the command line; `None` if only help was wanted.
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Option<Args>> {
        let mut args = Args {
            what: What::All,
            events: 1_000_000,
            append: 200_000,
            batch: None,
            callers: None,
            rounds: 5,
            dir: std::env::temp_dir(),
            seed: 1,
            write_docs: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} wants a value"));
            match word.as_str() {
                "append" => args.what = What::Append,
                "recover" => args.what = What::Recover,
                "verify" => args.what = What::Verify,
                "read" => args.what = What::Read,
                "size" => args.what = What::Size,
                "data" => args.what = What::Data,
                "all" => args.what = What::All,
                "--events" => args.events = value()?.parse()?,
                "--append" => args.append = value()?.parse()?,
                "--batch" => args.batch = Some(value()?.parse()?),
                "--callers" => args.callers = Some(value()?.parse()?),
                "--rounds" => args.rounds = value()?.parse()?,
                "--dir" => args.dir = value()?.into(),
                "--seed" => args.seed = value()?.parse()?,
                "--write-docs" => args.write_docs = true,
                "--help" | "-h" => return Ok(None),
                _ => bail!("{word:?} is not understood\n\n{USAGE}"),
            }
        }
        if args.write_docs && args.what != What::All {
            bail!("--write-docs wants every measurement: leave the word out, or say `all`");
        }
        if args.events == 0 || args.append == 0 || args.rounds == 0 {
            bail!("nothing would be measured");
        }
        Ok(Some(args))
    }
}
