//! `exec`: a program runs with the credentials it needs. Clouds' SDKs get an endpoint, which renews what they use; for
//! everything else there are environment variables, or files in memory.

use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::endpoints::{self, Endpoints};
use super::settings::Connection;
use super::source::Source;
use super::trouble::Result;

mod changes;
mod configuration;
mod files;
mod options;
mod placed;
mod plan;
mod program;
mod signals;
mod supervise;
mod variables;

pub use options::Options;
use program::{command, not_started};
use signals::Signals;

pub async fn run(connection: &Connection, options: Options) -> Result<ExitCode> {
    let source = Arc::new(Source::of(connection));
    let mut signals = Signals::watch()?;
    let plan = tokio::select! {
        biased;
        status = signals.end() => return Ok(ExitCode::from(status)),
        plan = plan::make(&source, &options) => plan?,
    };
    let mut environment = variables::without_ours();
    if !plan.clouds.is_empty() {
        let (listener, address) = endpoints::listen(([127, 0, 0, 1], 0).into()).await?;
        endpoints::must_know_users(&plan.clouds, address)?;
        let secret = endpoints::new_secret()?;
        environment.extend(variables::of_clouds(&plan, &address, &secret));
        let (source, clouds) = (source.clone(), plan.clouds.clone());
        tokio::spawn(endpoints::serve(listener, Arc::new(Endpoints { source, clouds, secret, every_rule: false })));
    }
    let files = files::Folder::make(&plan, options.directory.as_deref())?;
    let placed = placed::Placed::make(&plan, &options.allow_folder)?;
    let stays = options.restart || plan.reacts() || std::process::id() == 1;
    if plan.clouds.is_empty() && files.is_none() && placed.is_none() && !stays {
        // Nothing is left for us to do.
        environment.extend(variables::of_fields(&plan, None)?);
        let error = command(&options.command, &environment).exec();
        return Ok(not_started(&options.command, &error));
    }
    let times = supervise::Times {
        check: Duration::from_secs(options.check.max(1)),
        grace: Duration::from_secs(options.grace),
    };
    let (command, restart) = (options.command, options.restart);
    let job = supervise::Job { source, plan, files, placed, environment, command, restart, times };
    job.run(signals).await
}
