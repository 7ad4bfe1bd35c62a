//! What must hold between settings, and of the secrets they refer to.

use std::collections::BTreeSet;

use access::Reach;

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

    for (path, places) in
        [("syslog.listen", &config.syslog.listen), ("syslog.tls_listen", &config.syslog.tls_listen)]
    {
        if !effective.are_sound(&[path]) {
            continue;
        }
        for place in places {
            if let Err(why) = indelible::check_organisation(&place.organisation) {
                problems.push(effective.problem(path, why));
            } else if place.organisation == indelible::SYSTEM {
                problems.push(effective.problem(path, "\"system\" is ours; name another organisation"));
            }
            let is_producer = |b: u8| b.is_ascii_alphanumeric() || b"._:/-".contains(&b);
            if !place.producer.bytes().all(is_producer) {
                let what = "a producer's name has only A-Z a-z 0-9 . _ : / -";
                problems.push(effective.problem(path, what));
            }
            let is_plain = path == "syslog.listen";
            if is_plain
                && effective.are_sound(&["server.insecure"])
                && !place.address.ip().is_loopback()
                && !server.insecure
            {
                let what = format!(
                    "{} can be reached from other machines, over plain TCP; use syslog.tls_listen, or say \
                         server.insecure = true",
                    place.address
                );
                problems.push(effective.problem(path, what));
            }
        }
        if path == "syslog.tls_listen"
            && !places.is_empty()
            && server.tls.is_none()
            && effective.are_sound(&tls)
        {
            problems.push(effective.problem(path, "needs server.tls.certificate and server.tls.key"));
        }
    }

    single_sign_on(effective, config, &mut problems);

    let mut names = BTreeSet::new();
    for mapping in &config.ingest.mappings {
        let name = mapping.name.as_str();
        let what = match name {
            "litellm" => "litellm is understood without a mapping; give this one another name".to_owned(),
            name if !receivers::mapping::is_name(name) => {
                format!("{name:?} is no name of a mapping: 1 to 40 of a-z 0-9 _ -")
            }
            name if !names.insert(name) => format!("two mappings of the name {name:?}"),
            _ => continue,
        };
        problems.push(effective.problem("ingest.mappings", what));
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

/// Whether there is all that single sign-on needs, at places that may be called, and organisations that may be.
fn single_sign_on(effective: &Effective, config: &Config, problems: &mut Vec<Problem>) {
    let needed = ["oidc.issuer", "oidc.client_id", "oidc.public_url"];
    if effective.are_sound(&needed) {
        let is_set = |path: &&&str| effective.entry(path).held.is_some();
        let set: Vec<&str> = needed.iter().filter(is_set).copied().collect();
        let missing = needed.iter().find(|path| effective.entry(path).held.is_none());
        if let (Some(one), Some(missing)) = (set.first(), missing) {
            problems
                .push(effective.problem(one, format!("is set and {missing} is not; set all three, or none")));
        }
        for path in ["oidc.issuer", "oidc.public_url"] {
            if let Some(Held::Text(place)) = &effective.entry(path).held
                && let Err(why) = oidc::check_place(place)
            {
                problems.push(effective.problem(path, why));
            }
        }
    }
    let mappings = config.oidc.iter().flat_map(|oidc| &oidc.roles);
    for mapping in mappings.filter(|_| effective.are_sound(&["oidc.roles"])) {
        if let Reach::One(name) = &mapping.organisation
            && let Err(why) = indelible::check_organisation(name)
        {
            problems.push(effective.problem("oidc.roles", why));
        }
    }
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
    for mapping in &config.ingest.mappings {
        if let Err(error) = crate::input::mapping(&mapping.file) {
            let lines = format!("{error:#}");
            problems.extend(lines.lines().map(|line| effective.problem("ingest.mappings", line)));
        }
    }
    if let Some(oidc) = &config.oidc
        && problems.is_empty()
        && let Err(what) = oidc.provider(env)
    {
        let (path, what) = what.split_once(": ").unwrap_or(("oidc.issuer", &what));
        problems.push(effective.problem(path, what));
    }
    if let Some(tls) = &config.server.tls
        && let Err(what) = env.tls(&tls.certificate, &tls.key)
    {
        problems.push(effective.problem("server.tls.certificate", what));
    }
    problems
}
