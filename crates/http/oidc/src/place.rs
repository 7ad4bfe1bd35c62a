//! Addresses of the provider: encrypted, or on this machine.

use std::net::IpAddr;

use hyper::Uri;

const LONGEST: usize = 2048;

/// An address that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) text: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) is_encrypted: bool,
    /// Path and query, as a request has them.
    pub(crate) path: String,
    /// Host and port as the header has them.
    pub(crate) authority: String,
}

impl Place {
    /// `https` to anywhere, or `http` to this machine: a password that goes unencrypted is everybody's.
    pub(crate) fn parse(text: &str) -> Result<Place, String> {
        let expected = "an address such as https://login.example.com is expected";
        if text.len() > LONGEST || !text.bytes().all(|b| b.is_ascii_graphic()) || text.contains('#') {
            return Err(expected.to_owned());
        }
        let uri: Uri = text.parse().map_err(|_| expected.to_owned())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(expected.to_owned());
        };
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(expected.to_owned());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_local =
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let is_encrypted = match scheme {
            "https" => true,
            "http" if is_local => false,
            "http" => return Err("http is taken only for an address of this machine; use https".to_owned()),
            _ => return Err(expected.to_owned()),
        };
        Ok(Place {
            port: authority.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 }),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            authority: authority.as_str().to_owned(),
            text: text.to_owned(),
            host,
            is_encrypted,
        })
    }

    /// The address with these parameters added.
    pub(crate) fn with(&self, pairs: &[(&str, &str)]) -> String {
        let mut text = self.text.clone();
        let mut sign = if text.contains('?') { '&' } else { '?' };
        for (name, value) in pairs {
            text.push(sign);
            text.push_str(name);
            text.push('=');
            text.push_str(&encode(value));
            sign = '&';
        }
        text
    }
}

/// Text in percent-encoding, all but RFC 3986's unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_encrypted_or_of_this_machine() {
        for (text, host, port, path) in [
            ("https://login.example.com", "login.example.com", 443, "/"),
            ("https://login.example.com:8443/realms/a?x=1", "login.example.com", 8443, "/realms/a?x=1"),
            ("http://127.0.0.1:4000/", "127.0.0.1", 4000, "/"),
            ("http://localhost/a", "localhost", 80, "/a"),
            ("http://[::1]:99/a", "::1", 99, "/a"),
        ] {
            let place = Place::parse(text).unwrap();
            assert_eq!((place.host.as_str(), place.port, place.path.as_str()), (host, port, path));
        }
        for text in [
            "",
            "login.example.com",
            "http://login.example.com/",
            "http://localhost.evil.example/",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
            "https://user:password@login.example.com/",
            "https:///path",
            "https://login.example.com/#a",
            "https://login.example.com/\u{a0}",
            "https://login.example.com/ a",
            "javascript:alert(1)",
        ] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
        assert!(Place::parse(&format!("https://a/{}", "a".repeat(LONGEST))).is_err());
    }

    #[test]
    fn parameters_are_encoded() {
        let place = Place::parse("https://a/b?c=d").unwrap();
        assert_eq!(place.with(&[("e", "f g&h"), ("i", "é")]), "https://a/b?c=d&e=f%20g%26h&i=%C3%A9");
        assert_eq!(Place::parse("https://a/b").unwrap().with(&[("e", "f")]), "https://a/b?e=f");
    }
}
