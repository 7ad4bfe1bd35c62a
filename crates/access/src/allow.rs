//! Where a key may be used from.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// Networks that a key may be used from; empty means from anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AllowList {
    networks: Vec<IpNet>,
}

/// Why a text is no allow list. Says which entry, and does not repeat it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadAllowList {
    /// More entries than [`AllowList::MOST`].
    TooMany,
    /// The entry of this index is neither an address nor a network.
    NotANetwork(usize),
}

impl AllowList {
    /// Most entries of one list.
    pub const MOST: usize = 64;

    /// From addresses and networks: `203.0.113.7`, `10.0.0.0/8`, `2001:db8::/32`. Bits beyond the prefix are dropped.
    pub fn parse<'t>(entries: impl IntoIterator<Item = &'t str>) -> Result<AllowList, BadAllowList> {
        let mut networks = Vec::new();
        for (at, entry) in entries.into_iter().enumerate() {
            if at == AllowList::MOST {
                return Err(BadAllowList::TooMany);
            }
            let address = || entry.parse().ok().map(|address: IpAddr| IpNet::from(address.to_canonical()));
            let network = entry.parse().ok().map(|network: IpNet| network.trunc()).or_else(address);
            networks.push(network.ok_or(BadAllowList::NotANetwork(at))?);
        }
        Ok(AllowList { networks })
    }

    /// Whether a request may come from there. An IPv4 address in IPv6 form is that IPv4 address.
    pub fn allows(&self, address: IpAddr) -> bool {
        let canonical = address.to_canonical();
        self.networks.is_empty()
            // As it came, too: a list may name the mapped network.
            || self.networks.iter().any(|network| network.contains(&canonical) || network.contains(&address))
    }

    /// The networks, as text.
    pub fn entries(&self) -> impl Iterator<Item = String> + '_ {
        self.networks.iter().map(IpNet::to_string)
    }

    /// Whether it allows every address.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }
}

impl fmt::Display for BadAllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadAllowList::TooMany => write!(f, "more than {} addresses and networks", AllowList::MOST),
            BadAllowList::NotANetwork(at) => {
                write!(f, "entry {at} is no address and no network; expected 203.0.113.7 or 10.0.0.0/8")
            }
        }
    }
}

impl std::error::Error for BadAllowList {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_what_it_names() {
        let list =
            AllowList::parse(["203.0.113.7", "10.1.2.3/8", "2001:db8::/32", "::ffff:198.51.100.1"]).unwrap();
        for (address, allowed) in [
            ("203.0.113.7", true),
            ("203.0.113.8", false),
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("::ffff:10.0.0.1", true),
            ("198.51.100.1", true),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(list.allows(address.parse().unwrap()), allowed, "{address}");
        }
        assert!(AllowList::default().allows("192.0.2.1".parse().unwrap()));
        let again = list.entries().collect::<Vec<_>>();
        assert_eq!(AllowList::parse(again.iter().map(String::as_str)).unwrap(), list);
        assert_eq!(again[1], "10.0.0.0/8");
    }

    #[test]
    fn refuses_what_is_no_network() {
        for wrong in ["", "10.0.0.0/33", "10.0.0", "example.com", "10.0.0.0/8 ", "::/129", "/8"] {
            assert_eq!(AllowList::parse(["10.0.0.1", wrong]), Err(BadAllowList::NotANetwork(1)), "{wrong}");
        }
        assert_eq!(AllowList::parse(["10.0.0.1"; 65]), Err(BadAllowList::TooMany));
        assert!(AllowList::parse(["10.0.0.1"; 64]).is_ok());
    }
}
