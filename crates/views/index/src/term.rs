//! The terms of an event: one byte string for each thing that can be asked of it.
//!
//! All terms are in one field of bytes. A term begins with its class; those about a field go on with a hash of its path,
//! so that the terms of a field lie together in the dictionary, in the order of their values.
//!
//! Each string, number and so on at a path gives a term of the class by which it can be compared, written so that bytes
//! compare as the values do. What is too long, unique, or not of the form that its field should have gives [`OPAQUE`]
//! instead: an event with it may match, and only the event itself can tell.

use std::hash::Hasher;
use std::net::{IpAddr, Ipv6Addr};

use siphasher::sip::SipHasher13;

/// A string, folded.
pub(crate) const STRING: u8 = b'S';
/// `true` or `false`.
pub(crate) const BOOL: u8 = b'B';
/// A number.
pub(crate) const NUMBER: u8 = b'N';
/// The value of a string that is a decimal; the string has its own term too.
pub(crate) const DECIMAL: u8 = b'D';
/// A string that is a time, just as we write it; it has no term of class [`STRING`].
pub(crate) const TIME: u8 = b'T';
/// The time that a string says which we would write otherwise; the string has its own term too.
pub(crate) const TIME_OF: u8 = b't';
/// A string that is an address, just as we write it; it has no term of class [`STRING`].
pub(crate) const ADDRESS: u8 = b'A';
/// The address that a string says which we would write otherwise; the string has its own term too.
pub(crate) const ADDRESS_OF: u8 = b'a';
/// There is a value that only the event itself tells.
pub(crate) const OPAQUE: u8 = b'X';
/// There is a value at the path or below it.
pub(crate) const PRESENT: u8 = b'P';
/// A word of free text.
pub(crate) const WORD: u8 = b'W';

/// The longest folded string, in bytes, that becomes a term.
pub(crate) const LONGEST: usize = 200;

/// Eight bytes that stand for a path. The key is fixed: a collision would cost a look at the event, no more, and in the
/// open blocks only.
pub(crate) fn path_hash(path: &str) -> [u8; 8] {
    let mut hasher = SipHasher13::new_with_keys(0x696e_6465_6c69_626c, 0x652f_7061_7468_2f31);
    hasher.write(path.as_bytes());
    hasher.finish().to_be_bytes()
}

/// `class path value`.
pub(crate) fn term(class: u8, path: [u8; 8], value: &[u8]) -> Vec<u8> {
    let mut term = Vec::with_capacity(9 + value.len());
    push(&mut term, class, path, value);
    term
}

pub(crate) fn push(to: &mut Vec<u8>, class: u8, path: [u8; 8], value: &[u8]) {
    to.push(class);
    to.extend_from_slice(&path);
    to.extend_from_slice(value);
}

/// `W word`.
pub(crate) fn word(word: &str) -> Vec<u8> {
    let mut term = Vec::with_capacity(1 + word.len());
    term.push(WORD);
    term.extend_from_slice(word.as_bytes());
    term
}

/// A double as bytes that compare as doubles do.
pub(crate) fn number(n: f64) -> [u8; 8] {
    // -0 and 0 are one number.
    let bits = (n + 0.0).to_bits() as i64;
    ((bits ^ (((bits >> 63) as u64) >> 1) as i64) ^ i64::MIN).to_be_bytes()
}

/// The way back.
pub(crate) fn number_of(bytes: [u8; 8]) -> f64 {
    let bits = i64::from_be_bytes(bytes) ^ i64::MIN;
    f64::from_bits((bits ^ (((bits >> 63) as u64) >> 1) as i64) as u64)
}

/// A time as bytes that compare as times do.
pub(crate) fn time(ns: i64) -> [u8; 8] {
    (ns ^ i64::MIN).to_be_bytes()
}

/// The way back.
pub(crate) fn time_of(bytes: [u8; 8]) -> i64 {
    i64::from_be_bytes(bytes) ^ i64::MIN
}

/// An address as sixteen bytes; version 4 as the mapped ones of version 6.
pub(crate) fn address(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// The way back.
pub(crate) fn address_of(bytes: [u8; 16]) -> IpAddr {
    Ipv6Addr::from(bytes).to_canonical()
}
