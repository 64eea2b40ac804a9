//! The settings that every command takes.

use std::path::PathBuf;

use clap::{Args, value_parser};
use tracing_subscriber::filter::Targets;

use super::values::{DatabaseUrl, LogFormat, log_filter};

/// Where the data and the keys are, and what is said about the work: what every command needs.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Store and log")]
pub struct StoreSettings {
    /// PostgreSQL server to use, as a libpq URL; TLS by its sslmode. Without it, Strongroom runs a private Postgres
    /// under its data directory
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", global = true)]
    database_url: Option<DatabaseUrl>,

    /// Directory for the private Postgres and the key ring, made if missing
    #[arg(
        long,
        env = "STRONGROOM_DATA_DIR",
        hide_env_values = true,
        value_name = "DIRECTORY",
        default_value = "data",
        global = true
    )]
    pub data_dir: PathBuf,

    /// File with the master keys; it must be writable by its owner only, such as a mounted secret, and backed up apart
    /// from the database [default: keyring in the data directory]
    #[arg(long, env = "STRONGROOM_KEYRING_FILE", hide_env_values = true, value_name = "FILE", global = true)]
    keyring_file: Option<PathBuf>,

    /// Most connections to the database at once
    #[arg(long, env = "STRONGROOM_DB_POOL", hide_env_values = true, value_name = "NUMBER", default_value_t = 8, global = true,
          value_parser = value_parser!(u32).range(1..=90))]
    pub db_pool: u32,

    /// Directory of PostgreSQL's initdb, postgres and pg_ctl, for the private Postgres [default: looked up]
    #[arg(long, env = "STRONGROOM_POSTGRES_PROGRAMS", hide_env_values = true, value_name = "DIRECTORY", global = true)]
    pub postgres_programs: Option<PathBuf>,

    /// How log lines look, on standard error
    #[arg(
        long,
        env = "STRONGROOM_LOG_FORMAT",
        hide_env_values = true,
        value_name = "FORMAT",
        default_value = "human",
        global = true
    )]
    pub log_format: LogFormat,

    /// Level of the log, or levels by module, such as info,strongroom::runs=debug. Other libraries never log
    /// more than warnings, since their details could hold secrets
    #[arg(long, env = "STRONGROOM_LOG", hide_env_values = true, value_name = "FILTER", default_value = "info", global = true,
          value_parser = log_filter)]
    pub log: Targets,
}

impl StoreSettings {
    /// The server to use; `None`: the private Postgres. An empty variable counts as none.
    pub fn database_url(&self) -> Option<&str> {
        self.database_url.as_ref().map(|url| url.0.as_str()).filter(|url| !url.is_empty())
    }

    pub fn keyring_file(&self) -> PathBuf {
        self.keyring_file.clone().unwrap_or_else(|| self.data_dir.join("keyring"))
    }
}
