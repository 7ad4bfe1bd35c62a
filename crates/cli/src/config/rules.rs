//! What must hold between settings, and of the secrets they refer to.

use std::collections::BTreeSet;

use crate::config::load::{Effective, Problem};
use crate::config::secret::Environment;
use crate::config::shape::{Held, Reference};
use crate::config::typed::{Config, redaction};

/// What contradicts itself or would be unsafe. A rule is left out if one of its settings could not be read.
pub(crate) fn between(effective: &Effective, config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    let server = &config.server;

    let tls = ["server.tls.certificate", "server.tls.key"];
    if effective.are_sound(&tls) {
        let [certificate, key] = tls.map(|path| effective.entry(path).held.is_some());
        if certificate && !key {
            problems
                .push(effective.problem(tls[0], "is set and server.tls.key is not; set both, or neither"));
        }
        if key && !certificate {
            problems.push(
                effective.problem(tls[1], "is set and server.tls.certificate is not; set both, or neither"),
            );
        }
        if effective.are_sound(&["server.listen", "server.insecure"])
            && !server.listen.ip().is_loopback()
            && !(certificate || key || server.insecure)
        {
            let what = format!(
                "{} can be reached from other machines, over plain HTTP; set server.tls, or listen on 127.0.0.1, \
                 or say server.insecure = true if something in front ends TLS",
                server.listen
            );
            problems.push(effective.problem("server.listen", what));
        }
    }

    for body in ["server.limits.events_body_bytes", "server.limits.litellm_body_bytes"] {
        let bodies = "server.limits.bodies_bytes";
        if effective.are_sound(&[body, bodies]) && bytes(effective, body) > bytes(effective, bodies) {
            let what = "is more than server.limits.bodies_bytes, so that such a body would never be taken";
            problems.push(effective.problem(body, what));
        }
    }

    if let Err(error) = redaction(effective).and_then(|policy| redact::Redactor::new(&policy)) {
        problems.push(Problem { place: String::new(), path: "redaction".into(), what: error.to_string() });
    }

    if let Err(error) = config.recording.best_effort() {
        let what = format!("with recording.must_record, too much for one filter: {error}");
        problems.push(effective.problem("recording.classes", what));
    }

    for path in ["recording.classes", "retention.classes"] {
        let Some(Held::Rows(rows)) = &effective.entry(path).held else { continue };
        let mut names = BTreeSet::new();
        let twice = rows
            .iter()
            .flatten()
            .filter(|(column, _)| *column == "name")
            .find(|(_, held)| !names.insert(held.to_string()));
        if let Some((_, name)) = twice {
            problems.push(effective.problem(path, format!("two classes of the name {name}")));
        }
    }
    problems
}

fn bytes(effective: &Effective, path: &str) -> u64 {
    match effective.entry(path).held {
        Some(Held::Bytes(n)) => n,
        _ => unreachable!("{path} is a size and has a default"),
    }
}

/// Whether every secret is there and fit for its use. No secret is in what is told.
pub(crate) fn secrets(effective: &Effective, config: &Config, env: &Environment) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut check = |path: &str, fit: &dyn Fn(&Reference) -> Result<(), String>| {
        if let Some(Held::Reference(reference)) = &effective.entry(path).held
            && let Err(what) = fit(reference)
        {
            problems.push(effective.problem(path, what));
        }
    };
    check("keys.key_file", &|reference| env.key_source(reference).map(drop));
    check("keys.hmac_key", &|reference| env.mac_key(reference).map(drop));
    check("auth.bootstrap_token", &|reference| env.token(reference).map(drop));
    if let Some(tls) = &config.server.tls
        && let Err(what) = env.tls(&tls.certificate, &tls.key)
    {
        problems.push(effective.problem("server.tls.certificate", what));
    }
    problems
}
