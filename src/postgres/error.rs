//! Why there is no private Postgres, and what to do about it.

use std::path::{Path, PathBuf};

/// Why there is no private Postgres. Every sentence ends with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    #[error(
        "PostgreSQL's programs (initdb, postgres, pg_ctl) were not found. Install them (on Debian: apt-get install \
         postgresql), name their directory with STRONGROOM_POSTGRES_PROGRAMS, or set DATABASE_URL to a server of yours"
    )]
    NoPrograms,
    #[error(
        "the private Postgres in {} was made by PostgreSQL {made_by}, whose programs are not installed. Install \
         PostgreSQL {made_by}, or move the cluster to a newer version with pg_upgrade", .cluster.display()
    )]
    WrongVersion { cluster: PathBuf, made_by: String },
    #[error(
        "another Strongroom (process {pid}) is using the data directory {}. Stop it first, or give this one its own \
         STRONGROOM_DATA_DIR; several consoles share one database through DATABASE_URL", .data_dir.display()
    )]
    Taken { data_dir: PathBuf, pid: String },
    #[error(
        "{} is closed to the user {user}, who has to own the private Postgres because PostgreSQL refuses to run as \
         root. Choose another STRONGROOM_DATA_DIR, such as /var/lib/strongroom, or run Strongroom as an ordinary user",
        .directory.display()
    )]
    Unreachable { directory: PathBuf, user: String },
    #[error(
        "there is no unprivileged user (postgres or nobody) to run the private Postgres as. Create the user postgres, \
         run Strongroom as an ordinary user, or set DATABASE_URL"
    )]
    NoUser,
    #[error(
        "{} belongs to another user. Run Strongroom as that user or as root, or choose another STRONGROOM_DATA_DIR",
        .directory.display()
    )]
    Foreign { directory: PathBuf },
    #[error(
        "the user id {uid} has no name in /etc/passwd, and PostgreSQL's initdb needs one: add an entry for it, or set \
         DATABASE_URL to a server of yours"
    )]
    Nameless { uid: u32 },
    #[error("{program} failed: {said}. More may stand in {}", .log.display())]
    Program { program: &'static str, said: String, log: PathBuf },
    #[error(
        "the private Postgres in {} neither became ready nor went away within 90 seconds (processes {processes}). Look \
         into its log beside it, and end these processes if they hang", .cluster.display()
    )]
    Stuck { cluster: PathBuf, processes: String },
    #[error(
        "cannot {action} {}: {source}. Choose a STRONGROOM_DATA_DIR that Strongroom may write to, or set DATABASE_URL to \
         a server of yours", .path.display()
    )]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
}

/// Turns an I/O error into one that names what was tried and where.
pub(super) fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> PostgresError + 'a {
    move |source| PostgresError::Io { action, path: path.to_owned(), source }
}
