//! `strongroom serve`: the console, until SIGTERM or SIGINT.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{fail, misconfigured};
use crate::app::{Console, StartError};
use crate::config::Settings;
use crate::postgres::Private;
use crate::telemetry;

pub fn run(settings: Settings) -> ExitCode {
    harden();
    telemetry::start_metrics();
    for notice in settings.notices() {
        tracing::warn!("{notice}");
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
    let runtime = actix_web::rt::System::new();
    let status = runtime.block_on(serve(settings, &url));
    if let Some(private) = private
        && let Err(error) = private.stop()
    {
        return fail(&error);
    }
    status
}

async fn serve(settings: Settings, url: &str) -> ExitCode {
    let console = match Console::build(settings, url) {
        Ok(console) => console,
        Err(error) if error.is_configuration() => return misconfigured(&error),
        Err(error) => return fail(&error),
    };
    match console.setup_link().await {
        Ok(Some(link)) => {
            println!("Open this link within 30 minutes to make the first administrator:");
            println!("{link}");
        }
        Ok(None) => {}
        Err(error) => return fail(&StartError::Prepare(error)),
    }
    tracing::info!(address = %console.address(), url = %console.app().public_url, "the console listens");
    let stop = CancellationToken::new();
    if let Err(error) = stop_on_signals(&stop) {
        return fail(&error);
    }
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

/// No core dump and no debugger of the same user: both would hold secrets.
fn harden() {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let limited = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    let undumpable = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    if limited.is_err() || undumpable.is_err() {
        tracing::warn!("memory cannot be kept from core dumps and debuggers on this system");
    }
}
