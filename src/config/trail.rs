//! What becomes of old events of the audit trail.

use std::path::PathBuf;

use clap::{Args, value_parser};

#[derive(Args, Clone, Debug)]
pub struct TrailSettings {
    /// A directory to which old routine events of the audit trail (uses, logins, scans) are moved once a day
    #[arg(
        long,
        env = "STRONGROOM_AUDIT_EXPORT_DIR",
        hide_env_values = true,
        value_name = "DIR",
        help_heading = "Console"
    )]
    pub audit_export_dir: Option<PathBuf>,

    /// Days after which such events are old
    #[arg(long, env = "STRONGROOM_AUDIT_KEEP_DAYS", hide_env_values = true, value_name = "DAYS",
          default_value_t = 400, value_parser = value_parser!(u32).range(1..=36500), help_heading = "Console")]
    pub audit_keep_days: u32,
}
