//! `serve`: the product over HTTP.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;

use crate::Data;
use crate::output::line;

/// A token given by the operator must be as hard to guess as one of ours.
const SHORTEST_TOKEN: usize = 32;
const BOOTSTRAP: &str = "INDELIBLE_BOOTSTRAP_TOKEN";

#[derive(clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    data: Data,
    /// Address and port
    #[arg(long, value_name = "ADDR", env = "INDELIBLE_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
        let product = Arc::new(self.data.open()?);
        let given = std::env::var(BOOTSTRAP).ok();
        if let Some(token) = &given {
            anyhow::ensure!(
                token.len() >= SHORTEST_TOKEN,
                "{BOOTSTRAP} has {} characters; use at least {SHORTEST_TOKEN} random ones",
                token.len()
            );
        }
        if let Some(key) = product.bootstrap(given.as_deref())? {
            line(format_args!("The administrator's key, shown only now:\n\n    {key}\n"));
        }
        let runtime = tokio::runtime::Runtime::new().context("couldn't start the runtime")?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(self.listen)
                .await
                .with_context(|| format!("couldn't listen on {}; is another program there?", self.listen))?;
            let address = listener.local_addr()?;
            line(format_args!("Indelible listens on http://{address}"));
            line(format_args!("data in {}", self.data.data.display()));
            api::serve(listener, product, stop()).await.context("the server stopped")
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Resolves at Ctrl-C or SIGTERM.
async fn stop() {
    use tokio::signal::unix::{SignalKind, signal};
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
