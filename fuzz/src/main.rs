//! Fuzz targets, one for each decoder that strangers reach. `fuzz/run` builds and runs them, and says how.
//!
//! A target takes bytes, decodes them as the door would, and holds every event that comes of it to [`check::event`]. Which one
//! it is, the environment says: one program has all of them, since each would be linked with all of the product anyway.
#![no_main]

mod asked;
mod check;
mod cloudevents;
mod collector;
mod filter;
mod litellm;
mod mapped;
mod otlp;
mod ours;
mod protobuf;
mod syslog;

use std::sync::OnceLock;
use std::{env, fs, process};

use libfuzzer_sys::fuzz_target;

/// A decoder, and inputs to begin with.
struct Target {
    name: &'static str,
    run: fn(&[u8]),
    seeds: fn() -> Vec<Vec<u8>>,
}

const fn target(name: &'static str, run: fn(&[u8]), seeds: fn() -> Vec<Vec<u8>>) -> Target {
    Target { name, run, seeds }
}

const TARGETS: &[Target] = &[
    target("event", ours::event, ours::event_seeds),
    target("guide", ours::guide, ours::guide_seeds),
    target("litellm_callback", litellm::callback, litellm::callback_seeds),
    target("litellm_audit", litellm::audit, litellm::audit_seeds),
    target("litellm_notice", litellm::notice, litellm::notice_seeds),
    target("otlp_protobuf", otlp::protobuf, otlp::protobuf_seeds),
    target("otlp_json", otlp::json, otlp::json_seeds),
    target("grpc", otlp::grpc, otlp::grpc_seeds),
    target("hec_event", collector::event, collector::event_seeds),
    target("hec_raw", collector::raw, collector::raw_seeds),
    target("cloudevents", cloudevents::structured, cloudevents::structured_seeds),
    target("cloudevents_headers", cloudevents::headers, cloudevents::headers_seeds),
    target("syslog_stream", syslog::stream, syslog::stream_seeds),
    target("syslog_message", syslog::message, syslog::message_seeds),
    target("cef", syslog::cef, syslog::cef_seeds),
    target("leef", syslog::leef, syslog::leef_seeds),
    target("mapping_file", mapped::file, mapped::file_seeds),
    target("mapped", mapped::shipped, mapped::shipped_seeds),
    target("ask_litellm", asked::litellm, asked::litellm_seeds),
    target("ask_bifrost", asked::bifrost, asked::bifrost_seeds),
    target("ask_bifrost_body", asked::bifrost_body, asked::bifrost_body_seeds),
    target("filter", filter::filter, filter::filter_seeds),
];

fuzz_target!(
    init: {
        // `list` and `seeds` are for `fuzz/run`, which knows no target by name.
        if env::var_os("FUZZ_LIST").is_some() {
            TARGETS.iter().for_each(|target| println!("{}", target.name));
            process::exit(0);
        }
        if let Some(folder) = env::var_os("FUZZ_SEEDS") {
            for (n, seed) in (chosen().seeds)().iter().enumerate() {
                fs::write(std::path::Path::new(&folder).join(format!("seed-{n:03}")), seed).expect("the folder is there");
            }
            process::exit(0);
        }
    },
    |bytes: &[u8]| (chosen().run)(bytes)
);

fn chosen() -> &'static Target {
    static CHOSEN: OnceLock<&'static Target> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let name = env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
        TARGETS.iter().find(|target| target.name == name).expect("there is a target of that name")
    })
}
