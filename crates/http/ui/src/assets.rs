//! The style sheet, the scripts and the icon: one table, compiled in. Their address holds a hash of all of them, so that
//! browsers keep them for as long as they like, and a new version is never mixed with an old one.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use sha2::{Digest, Sha256};

use crate::answer::written;

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Name, media type, bytes.
pub(crate) const ASSETS: &[(&str, &str, &str)] = &[
    ("app.css", "text/css; charset=utf-8", include_str!("../assets/app.css")),
    ("icon.svg", "image/svg+xml", include_str!("../assets/icon.svg")),
    ("app.js", SCRIPT, include_str!("../assets/app.js")),
    ("search.js", SCRIPT, include_str!("../assets/search.js")),
    ("complete.js", SCRIPT, include_str!("../assets/complete.js")),
    ("live.js", SCRIPT, include_str!("../assets/live.js")),
    ("integrity.js", SCRIPT, include_str!("../assets/integrity.js")),
    ("event.js", SCRIPT, include_str!("../assets/event.js")),
    ("verify.js", SCRIPT, include_str!("../assets/verify.js")),
];

/// The beginning of their addresses.
pub(crate) fn prefix() -> &'static str {
    static PREFIX: LazyLock<String> = LazyLock::new(|| {
        let mut hasher = Sha256::new();
        for (name, _, text) in ASSETS {
            hasher.update((name.len() as u64).to_be_bytes());
            hasher.update(name);
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        }
        let hash: String = hasher.finalize()[..6].iter().map(|b| format!("{b:02x}")).collect();
        format!("/assets/{hash}")
    });
    &PREFIX
}

/// `GET /assets/{version}/{name}`
pub(crate) async fn asset(Path((version, name)): Path<(String, String)>) -> Response {
    let is_ours = prefix().strip_prefix("/assets/") == Some(version.as_str());
    let found = ASSETS.iter().find(|(known, ..)| is_ours && *known == name);
    let Some((_, media, text)) = found else {
        return written(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "there is no such file");
    };
    let mut response = written(StatusCode::OK, media, *text);
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(CACHE_CONTROL, forever);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_it_is_small() {
        let bytes: usize = ASSETS.iter().map(|(.., text)| text.len()).sum();
        assert!(bytes <= 150_000, "{bytes} bytes of script and style; 150 kB were promised");
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for (name, _, text) in ASSETS {
            let own = text.replace("http://www.w3.org/2000/svg", "");
            for foreign in ["http://", "https://", "url(//", "@import"] {
                assert!(!own.contains(foreign), "{name} holds {foreign}");
            }
        }
    }
}
