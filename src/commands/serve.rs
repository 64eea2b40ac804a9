//! `strongroom serve`: the console, until SIGTERM or SIGINT.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{fail, harden, misconfigured, refused, say};
use crate::config::Settings;
use crate::console::Console;
use crate::postgres::{Private, Watch};
use crate::store::StartError;
use crate::telemetry;

pub fn run(settings: Settings) -> ExitCode {
    harden();
    telemetry::start_metrics();
    for notice in settings.notices() {
        tracing::warn!("{notice}");
    }
    if let Some(line) =
        settings.unused_proxy(|name| std::env::vars_os().any(|(n, value)| n == name && !value.is_empty()))
    {
        tracing::warn!("{line}");
    }
    let private = match settings.store.database_url() {
        Some(_) => None,
        None => match Private::start(&settings.store.data_dir, settings.store.postgres_programs.as_deref()) {
            Ok(private) => Some(private),
            Err(error) => return misconfigured(&error),
        },
    };
    let url = match (&private, settings.store.database_url()) {
        (Some(private), _) => private.url(),
        (None, url) => url.unwrap_or_default().to_owned(),
    };
    let watch = match private.map(Watch::over).transpose() {
        Ok(watch) => watch,
        Err(error) => return fail(&error),
    };
    let runtime = actix_web::rt::System::new();
    let status = runtime.block_on(serve(settings, &url));
    if let Some(watch) = watch
        && let Err(error) = watch.stop()
    {
        return fail(&error);
    }
    status
}

async fn serve(settings: Settings, url: &str) -> ExitCode {
    // From here on a signal ends the console in order, also while it starts.
    let stop = CancellationToken::new();
    if let Err(error) = stop_on_signals(&stop) {
        return fail(&error);
    }
    let console = match Console::build(settings, url) {
        Ok(console) => console,
        Err(error) => return refused(&error),
    };
    match console.setup_link().await {
        Ok(Some(link)) => {
            say(&"Open this link within 30 minutes to create the first administrator:");
            say(&link);
        }
        Ok(None) => {}
        Err(error) => return fail(&StartError::Prepare(error)),
    }
    if let Some(proxy) = console.services().egress.proxy() {
        tracing::info!(%proxy, "https leaves through the proxy of STRONGROOM_EGRESS_PROXY");
    }
    tracing::info!(address = %console.address(), url = %console.services().public_url, "the console listens");
    match console.run_until_stopped(stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn stop_on_signals(stop: &CancellationToken) -> std::io::Result<()> {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let (mut signals, stop) = (signal(kind)?, stop.clone());
        actix_web::rt::spawn(async move {
            signals.recv().await;
            stop.cancel();
        });
    }
    Ok(())
}
