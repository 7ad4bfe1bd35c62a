//! CloudEvents, in JSON and in headers.

use event::Limits;
use receivers::cloudevents::{in_headers, read, read_binary};
use redact::Origin;

use crate::check;

/// An envelope, or an array of them: the door cuts a batch at its items before it reads them.
pub fn structured(bytes: &[u8]) {
    let one = |slice: &[u8]| {
        if let Ok(event) = read(slice, &Limits::default()) {
            check::event(bytes, &event, Origin::Sender);
        }
    };
    match event::json::parse(bytes, &Limits::default()) {
        Ok(event::Value::Array(items)) => items.iter().for_each(|item| one(&item.to_jcs())),
        _ => one(bytes),
    }
}

pub fn structured_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        r#"{"specversion":"1.0","type":"com.example.login","source":"/auth/eu","id":"A1","time":"2026-03-01T10:00:00Z","subject":"SECRET","datacontenttype":"application/json","partitionkey":"p","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":{"x":["SECRET"]}}"#,
        r#"[{"specversion":"1.0","type":"auth.login","source":"gateway","id":"1","dataschema":"urn:indelible:event:1","data":{"status":"failed","actor":{"id":"alice"},"attributes":{"a":"SECRET"}},"ext":true},{"specversion":"1.0","type":"a","source":"https://u:p@example.com/?q=1","id":"2","data_base64":"AA=="}]"#,
    ])
}

/// Headers, a line each, an empty line, and the body.
pub fn headers(bytes: &[u8]) {
    let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap_or(bytes.len());
    let (head, body) = (&bytes[..end], bytes.get(end + 2..).unwrap_or_default());
    let said: Vec<(String, &[u8])> = head
        .split(|b| *b == b'\n')
        .filter_map(|line| {
            let colon = line.iter().position(|b| *b == b':')?;
            let name = std::str::from_utf8(&line[..colon]).ok()?;
            // As HTTP's parser lets it through.
            let is_name = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            let is_value = line[colon + 1..].iter().all(|b| *b == b'\t' || (*b >= 0x20 && *b != 0x7f));
            (is_name && is_value).then(|| (name.to_owned(), &line[colon + 1..]))
        })
        .collect();
    let said: Vec<_> = said.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    if let Some(Ok(envelope)) = in_headers(&said)
        && let Ok(event) = read_binary(envelope, body, &Limits::default())
    {
        check::event(bytes, &event, Origin::Sender);
    }
}

pub fn headers_seeds() -> Vec<Vec<u8>> {
    check::texts(&[
        "ce-specversion:1.0\nce-type:com.example.thing\nce-id:1\nce-source:/a/b\nce-subject:Gr%C3%B6%C3%9Fe%20SECRET\ncontent-type:application/json; charset=utf-8\n\n{\"a\":\"SECRET\"}",
        "ce-specversion:1.0\nce-type:auth.login\nce-id:2\nce-source:g\nce-dataschema:urn:indelible:event:1\nce-ext:\"100%\"\ncontent-type:application/json\n\n{\"status\":\"failed\"}",
        "ce-specversion:1.0\nce-type:a\nce-id:3\nce-source:s\nce-traceparent:00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n\nplain SECRET",
    ])
}
