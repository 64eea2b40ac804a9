//! What can be asked of `exec`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

const HELP: &str = "For each RULE, the program gets:
  AWS session    AWS_CONTAINER_CREDENTIALS_FULL_URI: an endpoint that AWS's SDKs and CLI ask
  Azure token    IDENTITY_ENDPOINT and IDENTITY_HEADER: the same for Azure
  Google token   GCE_METADATA_HOST: the same for Google
  cluster token  KUBECONFIG: a kubeconfig for kubectl and others
  registry login DOCKER_CONFIG, REGISTRY_AUTH_FILE: a login for Docker, Podman and skopeo
  anything else  a variable for each field: `db` with a field `password` is DB_PASSWORD;
                 with --as file, DB_PASSWORD_FILE is the path of a file in memory

A rule may say itself whether a value is a variable or a file, its name, folder and owner, how often it is read again,
and whether a change restarts the program or sends it a signal. --as goes before what the rule says.

Signals go to the program, and its exit status is ours: 128+n if signal n ended it, 126 or 127 if it cannot start. \
In an image:

  ENTRYPOINT [\"strongroom-client\", \"exec\", \"app\", \"--\"]";

#[derive(Args)]
#[command(after_help = HELP)]
pub struct Options {
    /// Rules to fetch
    #[arg(value_name = "RULE")]
    pub rules: Vec<String>,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
    /// How the program gets what a RULE gives
    #[arg(long = "as", value_enum, default_value = "auto", value_name = "HOW")]
    pub how: How,
    /// Set a variable to one field: NAME=rule.field
    #[arg(long, value_name = "NAME=RULE.FIELD")]
    pub env: Vec<String>,
    /// Write one field to a file and set a variable to its path: NAME=rule.field
    #[arg(long, value_name = "NAME=RULE.FIELD")]
    pub file: Vec<String>,
    /// Folder in memory (tmpfs) for files [default: a new one in $XDG_RUNTIME_DIR, /dev/shm or /run]
    #[arg(long, value_name = "FOLDER")]
    pub directory: Option<PathBuf>,
    /// Folder in which rules may want files, with all below it
    #[arg(long, env = "STRONGROOM_ALLOW_FOLDER", value_name = "FOLDER", default_value = "/run/secrets")]
    pub allow_folder: Vec<PathBuf>,
    /// Restart the program when a value changes
    #[arg(long)]
    pub restart: bool,
    /// Seconds between two looks whether a value has changed
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub check: u64,
    /// Seconds that the program has to end before it is killed and restarted
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    pub grace: u64,
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
