//! Time, processor time and memory of this process and of others, as Linux tells them.

use std::fs;
use std::time::{Duration, Instant};

/// Wall and processor time since a moment.
pub(crate) struct Meter {
    started: Instant,
    cpu: Duration,
}

#[derive(Clone, Copy)]
pub(crate) struct Spent {
    pub(crate) wall: Duration,
    /// Of all threads.
    pub(crate) cpu: Duration,
}

impl Meter {
    pub(crate) fn start() -> Meter {
        Meter { started: Instant::now(), cpu: process_cpu() }
    }

    pub(crate) fn read(&self) -> Spent {
        Spent { wall: self.started.elapsed(), cpu: process_cpu().saturating_sub(self.cpu) }
    }
}

/// User and system time of this process, to 10 ms.
fn process_cpu() -> Duration {
    cpu_of(std::process::id())
}

/// User and system time of a process, to 10 ms; none if there is no such process.
pub(crate) fn cpu_of(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    // Fields 14 and 15 of proc_pid_stat(5), in ticks, which Linux shows as hundredths of a second everywhere.
    let ticks: u64 = after_name.split_ascii_whitespace().skip(11).take(2).filter_map(number).sum();
    Duration::from_millis(10 * ticks)
}

/// Time that the calling thread has run.
pub(crate) fn thread_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(number).unwrap_or(0))
}

/// Forgets the peak of this process, so that the next one is of what comes now.
pub(crate) fn reset_peak_memory() {
    reset_peak_memory_of(std::process::id());
}

/// The same of a process. Not every system lets us.
pub(crate) fn reset_peak_memory_of(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

/// Bytes of the largest resident set of this process since the last reset.
pub(crate) fn peak_memory() -> u64 {
    peak_memory_of(std::process::id())
}

/// The same of a process.
pub(crate) fn peak_memory_of(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    1024 * line.split_ascii_whitespace().next().and_then(number).unwrap_or(0)
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}
