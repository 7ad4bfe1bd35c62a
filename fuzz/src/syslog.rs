//! Syslog: messages in a stream, their heads, and CEF and LEEF in them.

use receivers::syslog::{Decoder, Framed, MESSAGE_MOST, Mapped, map};
use redact::Origin;

use crate::check;

fn mapped(bytes: &[u8], framed: &Framed) {
    match map(framed, "syslog", Some("203.0.113.7"), &check::fingerprint) {
        Ok(Mapped::Sent(event)) => check::event(bytes, &event, Origin::Sender),
        Ok(Mapped::Made(event)) => check::event(bytes, &event, Origin::Adapter),
        Err(_) => {}
    }
}

/// However a stream is cut into pieces, the same messages are in it. The first byte says how it is cut.
pub fn stream(bytes: &[u8]) {
    let Some((first, stream)) = bytes.split_first() else { return };
    let size = usize::from(*first) + 1;
    for most in [MESSAGE_MOST, 100] {
        let whole = messages(stream.chunks(stream.len().max(1)), most);
        assert_eq!(whole, messages(stream.chunks(size), most), "cut into pieces of {size}");
        let sum: usize = whole.iter().map(|framed| framed.bytes.len()).sum();
        assert!(sum <= stream.len() && whole.iter().all(|framed| framed.bytes.len() <= most));
        if most == MESSAGE_MOST {
            whole.iter().for_each(|framed| mapped(bytes, framed));
        }
    }
}

fn messages<'s>(pieces: impl Iterator<Item = &'s [u8]>, most: usize) -> Vec<Framed> {
    let mut decoder = Decoder::new(most);
    let mut all = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        all.extend(std::iter::from_fn(|| decoder.message()));
    }
    all.extend(decoder.end());
    all
}

pub fn stream_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        "\x0742 <165>1 2026-03-01T10:00:00Z h app - - - hi<34>Oct 11 22:14:15 host su[7]: SECRET\r\nnext line\n\0 7 <1>abcd9999999 x",
        "\x0012345678 no count\n5 ab\n",
    ])
}

pub fn message(bytes: &[u8]) {
    mapped(bytes, &Framed { bytes: bytes.to_vec(), cut: 0 });
}

pub fn message_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        "<165>1 2026-03-01T10:00:00.123456+02:00 host app 77 ID47 [ex@32473 iut=\"3\" note=\"SECRET \\\" \\] \\\\\" iut=\"4\"][b@1] \u{feff}An SECRET",
        "<34>1 - - - - - - {\"type\":\"auth.login\",\"actor\":{\"id\":\"SECRET\"},\"attributes\":{\"a\":1}}",
        "<34>Oct 11 22:14:15 mymachine su[77]: 'su root' failed for SECRET",
        "<13>2026-03-01T10:00:00.5Z host tag: CEF:0|v|p|1|key.created|n|5|suser=a",
        "no head at all",
    ])
}

/// A body in CEF behind a fixed head.
pub fn cef(bytes: &[u8]) {
    message(&[b"<134>1 2026-03-01T10:00:00.5Z h a - - - CEF:0|", bytes].concat());
}

pub fn cef_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        r"Vendor|Product|1.0|key.created|Key created|8|rt=1426279439123 suser=alice src=203.0.113.7:443 msg=SECRET and \= more\n cs1Label=Team cs1=ops reason=SECRET outcome=failure act=create duser=bob",
        r"A\|B|C\\D|1|100|n|Very-High|deviceCustomDate1=Mar 01 2026 10:00:00 end=Mar 01 2026 10:00:00.123 UTC src=::1",
        "a|b|c|d|e|f|",
    ])
}

/// A body in LEEF behind a fixed head.
pub fn leef(bytes: &[u8]) {
    message(&[b"<134>1 2026-03-01T10:00:00.5Z h a - - - LEEF:", bytes].concat());
}

pub fn leef_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        "1.0|Vendor|Product|1.0|key.created|devTime=Mar 01 2026 10:00:00\tusrName=alice\tsrc=203.0.113.7\tsev=8\treason=SECRET\tresource=r",
        "2.0|Vendor|Product|1.0|100|^|usrName=bob^note=SECRET^outcome=success",
        "2.0|v|p|1|id|x5E|a=b^c=d",
    ])
}
