//! What to measure.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

pub(crate) const USAGE: &str = "\
bench [append|recover|verify|read|size|all] [options]
bench http [options]      sends events to a server over HTTP
bench queries [options]   asks a server the questions that the peers are asked, and for its pages
bench receivers [options] others' ways of sending beside ours, over HTTP and alone
bench data [--events N] [--seed N]        prints the events, one a line
bench questions [--events N] [--seed N]   prints the questions for them and their answers, as JSON
bench docs                writes what was saved into docs/performance.md

  --events N     events of the ledger that is recovered, verified and read (1 000 000)
  --append N     events of one append run; fewer for small batches (200 000)
  --batch N      only append runs with batches of N
  --callers N    only append runs with N callers
  --rounds N     rounds to take the median of, after one that is dropped (5)
  --dir DIR      where to write; a folder of its own in it is removed afterwards (the system's temporary folder)
  --seed N       seed of the data (1)
  --write-docs   write docs/performance.md (with `all`)

http, queries and receivers start a server of their own, unless they are told of one:
  --server FILE  the program (`indelible` beside this one)
  --url URL      a server that runs, http://ADDRESS:PORT, with --token TOKEN
  --pid N        its process, for its processor time and memory
  --data DIR     its data; with queries and no --url: a folder to start the server on
  --batch N      events of a request (500)
  --connections N            (4)
  --rate N       events a second that are due, instead of as many as go
  --overload S   afterwards offer ten times as much for S seconds
  --overload-connections N   (256)
  --runs N       times that a question is asked (100)
  --save FILE    write the figures as JSON, for `bench docs`: bench/figures/NAME.json";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Append,
    Recover,
    Verify,
    Read,
    Size,
    Data,
    Http,
    Queries,
    Receivers,
    Questions,
    Docs,
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
    server: Option<PathBuf>,
    pub(crate) url: Option<String>,
    token: Option<String>,
    pub(crate) pid: Option<u32>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) connections: usize,
    pub(crate) rate: Option<f64>,
    pub(crate) overload: Option<u64>,
    pub(crate) overload_connections: usize,
    pub(crate) runs: usize,
    pub(crate) save: Option<PathBuf>,
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
            server: None,
            url: None,
            token: None,
            pid: None,
            data: None,
            connections: 4,
            rate: None,
            overload: None,
            overload_connections: 256,
            runs: 100,
            save: None,
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
                "http" => args.what = What::Http,
                "queries" => args.what = What::Queries,
                "receivers" => args.what = What::Receivers,
                "questions" => args.what = What::Questions,
                "docs" => args.what = What::Docs,
                "all" => args.what = What::All,
                "--events" => args.events = value()?.parse()?,
                "--append" => args.append = value()?.parse()?,
                "--batch" => args.batch = Some(value()?.parse()?),
                "--callers" => args.callers = Some(value()?.parse()?),
                "--rounds" => args.rounds = value()?.parse()?,
                "--dir" => args.dir = value()?.into(),
                "--seed" => args.seed = value()?.parse()?,
                "--write-docs" => args.write_docs = true,
                "--server" => args.server = Some(value()?.into()),
                "--url" => args.url = Some(value()?),
                "--token" => args.token = Some(value()?),
                "--pid" => args.pid = Some(value()?.parse()?),
                "--data" => args.data = Some(value()?.into()),
                "--connections" => args.connections = value()?.parse()?,
                "--rate" => args.rate = Some(value()?.parse()?),
                "--overload" => args.overload = Some(value()?.parse()?),
                "--overload-connections" => args.overload_connections = value()?.parse()?,
                "--runs" => args.runs = value()?.parse()?,
                "--save" => args.save = Some(value()?.into()),
                "--help" | "-h" => return Ok(None),
                _ => bail!("{word:?} is not understood\n\n{USAGE}"),
            }
        }
        if args.write_docs && args.what != What::All {
            bail!("--write-docs wants every measurement: leave the word out, or say `all`");
        }
        let counts =
            [args.events, args.append, args.rounds, args.connections, args.overload_connections, args.runs];
        if counts.contains(&0) || args.batch == Some(0) || args.rate.is_some_and(|rate| rate <= 0.0) {
            bail!("nothing would be measured");
        }
        if args.rate.is_some() && args.overload.is_some() {
            bail!("what the server can take is measured without --rate; only then can more be offered");
        }
        Ok(Some(args))
    }

    /// The program that is measured.
    pub(crate) fn server(&self) -> Result<PathBuf> {
        let path = match &self.server {
            Some(path) => path.clone(),
            None => std::env::current_exe()?.with_file_name("indelible"),
        };
        if !path.is_file() {
            bail!(
                "there is no {}; build it with `cargo build --release -p cli`, or name it with --server",
                path.display()
            );
        }
        Ok(path)
    }

    /// Where the server says what it does, for whoever wonders about a figure.
    pub(crate) fn log(&self) -> PathBuf {
        self.dir.join("indelible-bench-server.log")
    }

    pub(crate) fn token(&self) -> Result<String> {
        self.token.clone().context("--url wants a --token")
    }
}
