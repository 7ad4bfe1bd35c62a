//! `serve`: the product over HTTP, as the configuration says.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use event::{Object, Value};
use indelible::Indelible;
use sha2::{Digest, Sha256};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::Level;

use crate::config::{Config, Effective, Environment, Given, Log, Source, Tls};
use crate::output::line;
use crate::{demo, input, io};

/// Settings that are read and checked, and that nothing obeys yet.
const WITHOUT_EFFECT: [&str; 2] = ["retention.days", "retention.classes"];

#[derive(clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    given: Given,
    /// Fill a new data folder with a week of an organisation that does not exist, and say what to try on it
    #[arg(long)]
    demo: bool,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let env = Environment::of_the_process();
        let config = Config::load(&self.given, &env)?;
        start_log(&config.log);
        let (effective, _) = Config::check(&self.given, &env, false);
        for setting in WITHOUT_EFFECT {
            if effective.entry(setting).source != Source::Default {
                tracing::warn!(setting, "this setting has no effect in this version");
            }
        }
        let mut door = config.door(&env)?;
        let syslog_tls = syslog_tls(&config, &env)?;
        let product = Arc::new(Indelible::open(io(), config.settings(&env)?)?);
        door.pages = Some(pages(&product, &config, &env)?);
        note_config(&product, &effective)?;
        if self.demo {
            demo::fill(&product)?;
        }
        let given = config.auth.bootstrap_token.as_ref().map(|token| env.token(token)).transpose();
        let given = given.map_err(|what| anyhow::anyhow!("auth.bootstrap_token: {what}"))?;
        let made = product.bootstrap(given.as_ref().map(|token| token.as_str()))?;
        if let Some(key) = &made {
            line(format_args!("The administrator's key, shown only now:\n\n    {key}\n"));
        }
        let runtime = tokio::runtime::Runtime::new().context("couldn't start the runtime")?;
        runtime.block_on(async {
            let listen = config.server.listen;
            let listener = tokio::net::TcpListener::bind(listen)
                .await
                .with_context(|| format!("couldn't listen on {listen}; is another program there?"))?;
            let syslog = &config.syslog;
            let plain = syslog.listen.iter().map(|place| (place, None));
            for (place, tls) in plain.chain(syslog.tls_listen.iter().map(|place| (place, syslog_tls.clone())))
            {
                let what = if tls.is_some() { "syslog over TLS" } else { "syslog" };
                let bound = api::Syslog::bind(place.address, tls, &place.organisation, &place.producer).await;
                let bound =
                    bound.with_context(|| format!("couldn't listen on {} for {what}", place.address))?;
                line(format_args!("{what} for {} is taken at {}", place.organisation, bound.address()?));
                door.syslog.push(bound);
            }
            let hangups = signal(SignalKind::hangup()).context("couldn't wait for SIGHUP")?;
            let tls: Vec<api::Tls> = door.tls.iter().cloned().chain(syslog_tls).collect();
            tokio::spawn(reload(hangups, config.server.tls.clone().map(|files| (files, tls)), env));
            let scheme = if door.tls.is_some() { "https" } else { "http" };
            let address = format!("{scheme}://{}", listener.local_addr()?);
            line(format_args!("Indelible listens on {address}"));
            line(format_args!("data in {}", config.data.display()));
            if self.demo {
                demo::suggest(&address, made.as_deref());
            }
            api::serve_with(listener, product, door, stop()).await.context("the server stopped")
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What syslog over TLS is opened with, if it is taken anywhere.
fn syslog_tls(config: &Config, env: &Environment) -> anyhow::Result<Option<api::Tls>> {
    match &config.server.tls {
        Some(tls) if !config.syslog.tls_listen.is_empty() => {
            env.syslog_tls(&tls.certificate, &tls.key, config.syslog.client_ca.as_deref()).map(Some)
        }
        _ => Ok(None),
    }
}

/// The pages for people, as the door takes them.
fn pages(product: &Arc<Indelible>, config: &Config, env: &Environment) -> anyhow::Result<api::Pages> {
    let stopping = Arc::new(AtomicBool::new(false));
    let sign_on = config.oidc.as_ref().map(|oidc| {
        let provider = oidc.provider(env).map_err(anyhow::Error::msg)?;
        anyhow::Ok(ui::SignOn { provider, name: oidc.name.clone() })
    });
    let desk = ui::Desk::new(product.clone(), sign_on.transpose()?, stopping.clone());
    Ok(api::Pages { router: ui::pages(desk), session: ui::session, refuse: ui::refuse, stopping })
}

fn start_log(log: &Log) {
    let level = match log.level {
        "error" => Level::ERROR,
        "warn" => Level::WARN,
        "debug" => Level::DEBUG,
        "trace" => Level::TRACE,
        _ => Level::INFO,
    };
    let log_to = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .with_max_level(level);
    match log.is_json {
        true => log_to.json().init(),
        false => log_to.init(),
    }
}

/// Records which settings are in force: those that somebody set, and a hash of all of them.
fn note_config(product: &Indelible, effective: &Effective) -> anyhow::Result<()> {
    let (mut all, mut set) = (Object::new(), Object::new());
    for entry in effective.entries() {
        let value = entry.held.as_ref().map_or(Value::Null, |held| held.value());
        if entry.source != Source::Default {
            set.insert(entry.setting.path, value.clone());
        }
        all.insert(entry.setting.path, value);
    }
    let hash: String =
        Sha256::digest(Value::Object(all).to_jcs()).iter().map(|b| format!("{b:02x}")).collect();
    product
        .note_config(&format!("sha256:{hash}"), Value::Object(set))
        .context("which configuration is in force could not be recorded")
}

/// Takes certificate and key from their files again at each SIGHUP. Unfit ones change nothing; without TLS a SIGHUP does
/// nothing, rather than end the server.
async fn reload(mut hangups: Signal, tls: Option<(Tls, Vec<api::Tls>)>, env: Environment) {
    while hangups.recv().await.is_some() {
        let Some((files, tls)) = &tls else { continue };
        // Two small files, seldom.
        let outcome = tokio::task::block_in_place(|| {
            let certificate = input::whole(&files.certificate, 256 << 10).map_err(|e| format!("{e:#}"))?;
            let key = env.secret(&files.key)?;
            tls.iter().try_for_each(|tls| tls.reload(&certificate, key.as_bytes())).map_err(|e| e.to_string())
        });
        match outcome {
            Ok(()) => tracing::info!("certificate and key were read again"),
            Err(why) => tracing::error!(why, "the certificate stays the old one"),
        }
    }
}

/// Resolves at Ctrl-C or SIGTERM.
async fn stop() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}
