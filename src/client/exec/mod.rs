//! `exec`: a program runs with the credentials it needs. Clouds' SDKs get an endpoint, which renews what they use; for
//! everything else there are environment variables, or files in memory.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::endpoints::{self, Endpoints};
use super::settings::Connection;
use super::source::Source;
use super::trouble::{Result, Trouble};

mod configuration;
mod files;
mod plan;
mod supervise;
mod variables;

const HELP: &str = "For each RULE, the program gets:
  AWS session    AWS_CONTAINER_CREDENTIALS_FULL_URI: an endpoint that AWS's SDKs and CLI ask
  Azure token    IDENTITY_ENDPOINT and IDENTITY_HEADER: the same for Azure
  Google token   GCE_METADATA_HOST: the same for Google
  cluster token  KUBECONFIG: a kubeconfig for kubectl and others
  registry login DOCKER_CONFIG, REGISTRY_AUTH_FILE: a login for Docker, Podman and skopeo
  anything else  a variable for each field: `db` with a field `password` is DB_PASSWORD;
                 with --as file, DB_PASSWORD_FILE is the path of a file in memory

Signals go to the program, and its exit status is ours: 128+n if signal n ended it, 126 or 127 if it cannot start. \
In an image:

  ENTRYPOINT [\"strongroom-client\", \"exec\", \"app\", \"--\"]";

#[derive(Args)]
#[command(after_help = HELP)]
pub struct Options {
    /// Rules to fetch
    #[arg(value_name = "RULE")]
    rules: Vec<String>,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
    /// How the program gets what a RULE gives
    #[arg(long = "as", value_enum, default_value = "auto", value_name = "HOW")]
    how: How,
    /// Set a variable to one field: NAME=rule.field
    #[arg(long, value_name = "NAME=RULE.FIELD")]
    env: Vec<String>,
    /// Write one field to a file and set a variable to its path: NAME=rule.field
    #[arg(long, value_name = "NAME=RULE.FIELD")]
    file: Vec<String>,
    /// Folder in memory (tmpfs) for files [default: a new one in $XDG_RUNTIME_DIR, /dev/shm or /run]
    #[arg(long, value_name = "FOLDER")]
    directory: Option<PathBuf>,
    /// Restart the program when a value changes
    #[arg(long)]
    restart: bool,
    /// Seconds between two looks whether a value has changed
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    check: u64,
    /// Seconds that the program has to end before it is killed and restarted
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    grace: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum How {
    /// An endpoint or a configuration file where there is one, else variables
    Auto,
    /// An endpoint, or nothing
    Endpoint,
    /// Variables
    Env,
    /// Files in memory, and variables with their paths
    File,
}

/// What the child's environment becomes: set, or removed.
pub type Environment = BTreeMap<String, Option<OsString>>;

pub async fn run(connection: &Connection, options: Options) -> Result<ExitCode> {
    let source = Arc::new(Source::of(connection));
    let plan = plan::make(&source, &options).await?;
    let mut environment = variables::without_ours();
    if !plan.clouds.is_empty() {
        let (listener, address) = endpoints::listen(([127, 0, 0, 1], 0).into()).await?;
        let secret = endpoints::new_secret()?;
        environment.extend(variables::of_clouds(&plan, &address, &secret));
        let (source, clouds) = (source.clone(), plan.clouds.clone());
        tokio::spawn(endpoints::serve(listener, Arc::new(Endpoints { source, clouds, secret, every_rule: false })));
    }
    let files = files::Folder::make(&plan, options.directory.as_deref())?;
    let is_first = std::process::id() == 1;
    if plan.clouds.is_empty() && files.is_none() && !options.restart && !is_first {
        // Nothing is left for us to do.
        environment.extend(variables::of_fields(&plan, None)?);
        let error = command(&options.command, &environment).exec();
        return Ok(not_started(&options.command, &error));
    }
    let times = supervise::Times {
        check: Duration::from_secs(options.check.max(1)),
        grace: Duration::from_secs(options.grace),
    };
    let job =
        supervise::Job { source, plan, files, environment, command: options.command, restart: options.restart, times };
    job.run().await
}

fn command(words: &[OsString], environment: &Environment) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    for (name, value) in environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// As shells have it.
fn not_started(words: &[OsString], error: &std::io::Error) -> ExitCode {
    eprintln!("strongroom-client: cannot run {}: {error}", words[0].to_string_lossy());
    ExitCode::from(if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 })
}

fn local(text: String) -> Trouble {
    Trouble::Local(text)
}
