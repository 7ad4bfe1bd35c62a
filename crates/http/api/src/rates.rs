//! How often one may ask: the generic cell rate algorithm (GCRA), one number per client.
//!
//! The number is the time at which the client's quota would be full again. A request moves it on by the time that one
//! request is worth, and is refused if that would move it further than the whole quota is worth.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;
use std::time::Duration;

use axum::http::HeaderValue;

/// How many requests in how much time. All of them may come at once; then they come back evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests; at least 1.
    pub quota: u32,
    /// In this time.
    pub window: Duration,
}

impl Rate {
    /// Nanoseconds that one request is worth; at least 1.
    fn interval(self) -> u64 {
        (nanoseconds(self.window) / u64::from(self.quota.max(1))).max(1)
    }
}

/// Clients that are remembered. A client is forgotten when its quota is full again, as if it had never been there.
const CLIENTS_MOST: usize = 65_536;
/// How often those are looked for, at most.
const SWEEP_EVERY: u64 = 1_000_000_000;

/// A rate for each client of one kind.
pub(crate) struct Rates<K> {
    /// The name of the policy in headers and metrics.
    pub(crate) name: &'static str,
    rate: Rate,
    clients: Mutex<Clients<K>>,
}

struct Clients<K> {
    /// Nanoseconds at which each one's quota is full again.
    full_at: HashMap<K, u64>,
    /// Of all those together for whom there was no place.
    others_full_at: u64,
    sweep_at: u64,
}

/// What became of one request, and what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) is_allowed: bool,
    pub(crate) remaining: u32,
    /// Until the quota is full again.
    pub(crate) reset: Duration,
    /// Until there is place for another request; zero if there is.
    pub(crate) retry_after: Duration,
}

impl<K: Eq + Hash + Clone> Rates<K> {
    pub(crate) fn new(name: &'static str, rate: Rate) -> Rates<K> {
        let clients = Clients { full_at: HashMap::new(), others_full_at: 0, sweep_at: 0 };
        Rates { name, rate, clients: Mutex::new(clients) }
    }

    /// Takes one request from a client's quota. `now` is any clock that does not step.
    pub(crate) fn take(&self, client: &K, now: Duration) -> Taken {
        let now = nanoseconds(now);
        let (interval, quota) = (self.rate.interval(), u64::from(self.rate.quota.max(1)));
        let whole = interval.saturating_mul(quota);
        let mut clients = self.clients.lock().unwrap_or_else(|broken| broken.into_inner());
        let full_at = clients.of(client, now);
        let next = (*full_at).max(now).saturating_add(interval);
        let is_allowed = next - now <= whole;
        if is_allowed {
            *full_at = next;
        }
        let owed = full_at.saturating_sub(now);
        Taken {
            is_allowed,
            remaining: u32::try_from(whole.saturating_sub(owed) / interval).unwrap_or(u32::MAX),
            reset: Duration::from_nanos(owed),
            retry_after: Duration::from_nanos(owed.saturating_add(interval).saturating_sub(whole)),
        }
    }

    /// `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-10.
    pub(crate) fn policy(&self) -> HeaderValue {
        let window = self.rate.window.as_secs().max(1);
        header(format!("\"{}\";q={};w={window}", self.name, self.rate.quota.max(1)))
    }

    /// `RateLimit` of the same draft.
    pub(crate) fn left(&self, taken: &Taken) -> HeaderValue {
        header(format!("\"{}\";r={};t={}", self.name, taken.remaining, seconds(taken.reset)))
    }
}

impl<K: Eq + Hash + Clone> Clients<K> {
    /// The client's number. When there are too many clients, the newest ones share a number: a flood from everywhere
    /// costs bounded memory, and makes nobody forget what another one did.
    fn of(&mut self, client: &K, now: u64) -> &mut u64 {
        if self.full_at.len() >= CLIENTS_MOST && !self.full_at.contains_key(client) {
            if self.sweep_at <= now {
                self.full_at.retain(|_, full_at| *full_at > now);
                self.sweep_at = now.saturating_add(SWEEP_EVERY);
            }
            if self.full_at.len() >= CLIENTS_MOST {
                return &mut self.others_full_at;
            }
        }
        self.full_at.entry(client.clone()).or_insert(0)
    }
}

/// Whom an address stands for: an IPv6 customer has a whole /64, and may take another address for each request.
pub(crate) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 => v4,
    }
}

/// Whole seconds, up; then up to half as many more, differently for each client and moment, so that those who were
/// turned away together do not come back together.
pub(crate) fn jittered(seconds: u64, client: IpAddr, now: Duration) -> u64 {
    let mut hasher = DefaultHasher::new();
    (client, now.as_secs()).hash(&mut hasher);
    seconds + hasher.finish() % (seconds / 2 + 1)
}

pub(crate) fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("names and digits")
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_quota_may_be_used_at_once_and_comes_back_evenly() {
        let rates = Rates::new("key", Rate { quota: 4, window: ms(2000) });
        let left: Vec<u32> = (0..4).map(|_| rates.take(&"a", ms(10_000)).remaining).collect();
        assert_eq!(left, [3, 2, 1, 0]);
        let refused = rates.take(&"a", ms(10_000));
        assert_eq!((refused.is_allowed, refused.retry_after, refused.reset), (false, ms(500), ms(2000)));
        assert!(!rates.take(&"a", ms(10_499)).is_allowed);
        assert!(rates.take(&"b", ms(10_499)).is_allowed, "another client has a quota of its own");
        assert!(rates.take(&"a", ms(10_500)).is_allowed);
        assert!(!rates.take(&"a", ms(10_500)).is_allowed);
        // Refused requests cost nothing, and what is not used is not saved up.
        assert_eq!((0..9).filter(|_| rates.take(&"a", ms(60_000)).is_allowed).count(), 4);
        // Over a long time the rate is kept to.
        let allowed = (0..100_000).filter(|n| rates.take(&"c", ms(100_000 + n)).is_allowed).count();
        assert_eq!(allowed, 4 + 199);
    }

    #[test]
    fn a_flood_of_clients_is_bounded_and_forgets_nobody() {
        let rates = Rates::new("address", Rate { quota: 1, window: ms(1000) });
        assert!(rates.take(&u64::MAX, ms(900)).is_allowed);
        let allowed = (0..200_000u64).filter(|n| rates.take(n, ms(1000)).is_allowed).count();
        assert_eq!(allowed, CLIENTS_MOST, "those beyond share one quota, and one had a place already");
        assert_eq!(rates.clients.lock().unwrap().full_at.len(), CLIENTS_MOST);
        assert!(!rates.take(&u64::MAX, ms(1000)).is_allowed);
        assert!(!rates.take(&7, ms(1000)).is_allowed);
        assert!(rates.take(&300_000, ms(2001)).is_allowed);
        assert!(rates.clients.lock().unwrap().full_at.len() < 10, "forgotten when the quota is full");
    }

    #[test]
    fn headers_are_structured_fields() {
        let rates = Rates::new("key", Rate { quota: 100, window: ms(60_000) });
        let taken = rates.take(&1, ms(0));
        assert_eq!(rates.policy(), "\"key\";q=100;w=60");
        assert_eq!(rates.left(&taken), "\"key\";r=99;t=1");
    }

    #[test]
    fn neighbours_share_and_jitter_spreads() {
        let of = |text: &str| neighbourhood(text.parse().unwrap()).to_string();
        assert_eq!(of("203.0.113.7"), "203.0.113.7");
        assert_eq!(of("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        let waits: Vec<u64> = (0..100).map(|n| jittered(10, IpAddr::from([10, 0, 0, n]), ms(5))).collect();
        assert!(waits.iter().all(|wait| (10..=15).contains(wait)));
        assert!((10..=15).all(|wait| waits.contains(&wait)), "{waits:?}");
    }

    #[test]
    fn senseless_rates_do_not_panic() {
        for (quota, window) in [(0, ms(0)), (u32::MAX, ms(0)), (1, Duration::MAX), (u32::MAX, Duration::MAX)]
        {
            let rates = Rates::new("key", Rate { quota, window });
            for now in [Duration::ZERO, Duration::MAX] {
                rates.take(&1, now);
                rates.left(&rates.take(&1, now));
            }
        }
    }
}
