//! Who is the client? The peer of the connection, unless that is a proxy we were told to trust.
//!
//! `X-Forwarded-For` and `Forwarded` (RFC 7239) are lists to which each proxy adds whom it was asked by. Anybody can send
//! one along, so it is read from the right, for as long as trusted proxies wrote it: the first address that is none of
//! theirs is the client.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;

/// The other end of the connection; put into every request by the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Steps that are followed at most. Longer chains than this are made up.
const STEPS_MOST: usize = 32;

/// The client's address. It is the proxy's own where the headers cannot be believed: if they are not well formed, or if
/// both are there and say different things (a proxy writes one of them, and passes the other on as it came).
pub(crate) fn client(extensions: &Extensions, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    let peer = peer.to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    if !is_trusted(peer) {
        return peer;
    }
    let follow = |name: &str, read: fn(&str) -> Option<IpAddr>| -> Option<IpAddr> {
        let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?"));
        let values: Vec<&str> = values.collect();
        let steps = values.iter().rev().flat_map(|value| value.rsplit(','));
        let mut client = None;
        for step in steps.take(STEPS_MOST) {
            // What a trusted proxy wrote and we cannot read tells nothing: not even who is trusted from here on.
            let Some(address) = read(step.trim()) else { return Some(peer) };
            client = Some(address);
            if !is_trusted(address) {
                break;
            }
        }
        client
    };
    match (follow("x-forwarded-for", bare), follow("forwarded", element)) {
        (Some(one), Some(other)) if one != other => peer,
        (Some(address), _) | (None, Some(address)) => address,
        (None, None) => peer,
    }
}

/// Whether the client came by `https`: to us, or to a proxy of ours that says so (`X-Forwarded-Proto`, or `proto` of
/// `Forwarded`). The proxy nearest to us has the last word.
pub(crate) fn is_https(
    extensions: &Extensions,
    headers: &HeaderMap,
    trusted: &[IpNet],
    is_secure: bool,
) -> bool {
    let peer = extensions.get::<Peer>().map(|peer| peer.0.ip().to_canonical());
    if is_secure || !peer.is_some_and(|peer| trusted.iter().any(|net| net.contains(&peer))) {
        return is_secure;
    }
    let last = |name: &str| {
        let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
        Some(value.rsplit(',').next()?.trim())
    };
    let of_element = |element: &str| {
        let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
        let mut proto = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("proto"));
        proto.any(|(_, value)| value.trim_matches('"').eq_ignore_ascii_case("https"))
    };
    last("x-forwarded-proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https"))
        || last("forwarded").is_some_and(of_element)
}

/// `203.0.113.7`, `203.0.113.7:80`, `2001:db8::1` or `[2001:db8::1]:80`.
fn bare(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    address.ok().or_else(bracketed).map(|address| address.to_canonical())
}

/// `for="[2001:db8::1]:80";proto=https;by=…`. Names such as `unknown` and `_hidden` are no addresses.
fn element(text: &str) -> Option<IpAddr> {
    let mut found = None;
    for (name, value) in text.split(';').filter_map(|pair| pair.split_once('=')) {
        if name.trim().eq_ignore_ascii_case("for") {
            if found.is_some() {
                return None;
            }
            let value = value.trim();
            let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
            found = Some(bare(value)?);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn check(peer: &str, given: &[(&str, &str)], expect: &str) {
        let trusted: Vec<IpNet> =
            ["10.0.0.0/8", "2001:db8:ffff::/48"].iter().map(|net| net.parse().unwrap()).collect();
        let mut extensions = Extensions::new();
        extensions.insert(Peer(SocketAddr::new(peer.parse().unwrap(), 1)));
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        assert_eq!(client(&extensions, &headers, &trusted).to_string(), expect, "{peer} {given:?}");
    }

    #[test]
    fn a_stranger_is_who_he_is() {
        check("203.0.113.1", &[], "203.0.113.1");
        check("203.0.113.1", &[("x-forwarded-for", "1.1.1.1")], "203.0.113.1");
        check("203.0.113.1", &[("forwarded", "for=1.1.1.1")], "203.0.113.1");
        check("::ffff:203.0.113.1", &[], "203.0.113.1");
    }

    #[test]
    fn the_right_most_stranger_is_the_client() {
        let xff =
            |value: &'static str, expect: &str| check("10.0.0.1", &[("x-forwarded-for", value)], expect);
        xff("1.1.1.1", "1.1.1.1");
        xff("6.6.6.6, 1.1.1.1", "1.1.1.1");
        xff("6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1");
        xff("6.6.6.6,1.1.1.1:8080 ,  10.0.0.2", "1.1.1.1");
        xff("[2001:db8::1]:443, 10.0.0.2", "2001:db8::1");
        xff("::ffff:1.1.1.1", "1.1.1.1");
        xff("10.0.0.9, 10.0.0.2", "10.0.0.9");
        check("10.0.0.1", &[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.1.1.1")], "1.1.1.1");
        check("::ffff:10.0.0.1", &[("x-forwarded-for", "1.1.1.1")], "1.1.1.1");
        let fwd = |value: &'static str, expect: &str| check("10.0.0.1", &[("forwarded", value)], expect);
        fwd("for=6.6.6.6, For=\"[2001:db8::1]:80\";proto=https", "2001:db8::1");
        fwd("proto=http;for=1.1.1.1;by=10.0.0.1", "1.1.1.1");
    }

    #[test]
    fn only_our_proxy_says_that_it_was_asked_by_https() {
        let check = |peer: &str, given: &[(&str, &str)], expect: bool| {
            let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
            let mut extensions = Extensions::new();
            extensions.insert(Peer(SocketAddr::new(peer.parse().unwrap(), 1)));
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
            }
            assert_eq!(is_https(&extensions, &headers, &trusted, false), expect, "{peer} {given:?}");
            assert!(is_https(&extensions, &headers, &trusted, true));
        };
        check("10.0.0.1", &[], false);
        check("10.0.0.1", &[("x-forwarded-proto", "https")], true);
        check("10.0.0.1", &[("x-forwarded-proto", "https, http")], false);
        check("10.0.0.1", &[("forwarded", "for=1.1.1.1;proto=http, for=2.2.2.2; Proto=\"https\"")], true);
        check("203.0.113.1", &[("x-forwarded-proto", "https")], false);
        check("203.0.113.1", &[("forwarded", "proto=https")], false);
    }

    #[test]
    fn what_cannot_be_believed_is_the_proxy() {
        for value in ["", "unknown", "1.1.1.1, nonsense", "1.1.1.1,", "1.1.1", "1.1.1.1:99999"] {
            check("10.0.0.1", &[("x-forwarded-for", value)], "10.0.0.1");
        }
        for value in ["for=unknown", "for=_hidden", "proto=https", "for=1.1.1.1;for=2.2.2.2", "for=\"1.1.1.1"]
        {
            check("10.0.0.1", &[("forwarded", value)], "10.0.0.1");
        }
        check("10.0.0.1", &[("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "1.1.1.1")], "10.0.0.1");
        check("10.0.0.1", &[("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "1.1.1.1")], "1.1.1.1");
        let long = vec!["10.0.0.2"; 10_000].join(",");
        check("10.0.0.1", &[("x-forwarded-for", &long)], "10.0.0.2");
    }
}
