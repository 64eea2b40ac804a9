//! Subcommands and arguments of `strongroom audit`.

use clap::{Args, Subcommand};

use crate::config::StoreSettings;

#[derive(Args, Debug)]
pub struct AuditArgs {
    #[command(subcommand)]
    pub action: AuditAction,
    #[command(flatten)]
    pub store: StoreSettings,
}

#[derive(Debug, Subcommand)]
pub enum AuditAction {
    /// Follow the chain of audit events, and name where each lane was altered or cut (exit status 1)
    Verify {
        /// A log of the console or a saved alert mail: compare the heads of the trail in it with the trail, which shows
        /// whether it was rolled back since
        #[arg(long, value_name = "FILE")]
        anchor: Option<std::path::PathBuf>,
        /// A file of exported events: check that it holds exactly what was removed
        #[arg(long, value_name = "FILE")]
        export: Option<std::path::PathBuf>,
    },
    /// Move old routine events (uses of credentials, logins, scans) from the database to files
    #[command(after_help = "\
Changes of credentials, integrations and users stay: rows that somebody puts back are found by them.
The chain stays whole, and strongroom audit verify --export FILE checks a file. The console does the
same once a day if STRONGROOM_AUDIT_EXPORT_DIR is set.")]
    Export {
        /// An existing directory; each file holds up to 20,000 events as JSON lines
        #[arg(long, value_name = "DIR")]
        to: std::path::PathBuf,
        /// Events that are older than this
        #[arg(long, value_name = "DAYS", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=36500))]
        older_than: u32,
    },
    /// Accept the breaks of the audit trail that keep the console from using secrets and changing anything
    #[command(after_help = "\
Without --yes it only prints where the trail is broken. Compare the store with a backup first, and
with heads of the trail that were kept elsewhere (strongroom audit verify --anchor FILE): what was
changed there counts from then on. The trail records that it was accepted, and where.")]
    Accept {
        /// Accept what is printed
        #[arg(long)]
        yes: bool,
    },
}
