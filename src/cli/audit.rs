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
