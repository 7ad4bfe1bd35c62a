//! Mapping files, and what they are applied to.

use event::Value;
use receivers::litellm::items;
use receivers::mapping::{DOCUMENT_LIMITS, Mapping, SHIPPED, shipped as by_name};
use redact::Origin;

use crate::check;

fn map(bytes: &[u8], mapping: &Mapping, document: &Value<'_>) {
    for record in mapping.records(document).into_iter().flatten() {
        if let Ok(event) = mapping.map(record, &check::fingerprint) {
            check::event(bytes, &event, Origin::Adapter);
        }
    }
}

/// A file, applied to records of many shapes.
pub fn file(bytes: &[u8]) {
    const RECORDS: &str = r#"[{"eventTime":"2026-03-01T10:00:00Z","eventName":"ConsoleLogin","user":{"name":"alice","roles":["a","b"]},
        "n":12.5,"ok":true,"ip":"203.0.113.7:443","list":[{"id":"1"},{"id":"2"}],"empty":"","nothing":null,"at":1426279439123},{},[],"x",7]"#;
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(mapping) = Mapping::parse(text) {
        mapping.fields();
        mapping.types();
        let records = event::json::parse(RECORDS.as_bytes(), &DOCUMENT_LIMITS).expect("it is JSON");
        for record in records.as_array().expect("it is a list") {
            map(bytes, &mapping, record);
        }
    }
}

pub fn file_seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = SHIPPED.iter().map(|(_, text)| text.as_bytes().to_vec()).collect();
    // The examples of its documentation.
    const README: &str = include_str!("../../crates/http/receivers/src/mapping/README.md");
    let blocks = README.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    seeds.extend(blocks.map(|block| block.as_bytes().to_vec()));
    seeds
}

/// Records, for each of the mappings that come with us. The first byte says which.
pub fn shipped(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let (name, _) = SHIPPED[usize::from(*first) % SHIPPED.len()];
    let mapping = by_name(name).expect("it is one of those");
    for item in items(body, &DOCUMENT_LIMITS).flatten() {
        map(bytes, mapping, &item.value);
    }
}

pub fn shipped_seeds() -> Vec<Vec<u8>> {
    const RECORDS: [&str; 3] = [
        r#"{"Records":[{"eventVersion":"1.08","eventID":"e1","eventTime":"2026-03-01T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"CreateAccessKey","awsRegion":"eu-central-1","sourceIPAddress":"203.0.113.7","userAgent":"aws-cli SECRET","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::1:user/a","userName":"a","accessKeyId":"SECRET"},"requestParameters":{"userName":"SECRET"},"responseElements":{"accessKey":{"accessKeyId":"x"}},"errorCode":"AccessDenied","errorMessage":"no SECRET"}]}"#,
        r#"[{"@timestamp":1772359200000,"_document_id":"d","action":"org.add_member","actor":"alice","actor_ip":"203.0.113.7","user":"bob","org":"o","repo":"o/r","country_code":"DE","hashed_token":"SECRET"}]"#,
        r#"{"uuid":"u","published":"2026-03-01T10:00:00.000Z","eventType":"user.session.start","displayMessage":"User login SECRET","severity":"WARN","actor":{"id":"a","alternateId":"a@example.com","displayName":"A"},"client":{"ipAddress":"203.0.113.7","userAgent":{"rawUserAgent":"curl"}},"outcome":{"result":"FAILURE","reason":"INVALID"},"target":[{"id":"t","type":"User"}]}"#,
    ];
    let mut seeds = Vec::new();
    for text in check::texts(&RECORDS) {
        seeds.extend((0..3u8).map(|first| [&[first], &text[..]].concat()));
    }
    seeds
}
