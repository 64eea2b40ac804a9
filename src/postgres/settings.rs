//! The settings of the private cluster: who may connect, how durable it is, what it logs.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::Path;

use super::place::{PORT, Place};
use super::{PostgresError, io, owner};

impl Place {
    /// Has a fresh cluster read our settings after those that initdb found to work on this machine.
    pub fn include_settings(&self, cluster: &Path) -> Result<(), PostgresError> {
        let path = cluster.join("postgresql.conf");
        let file = OpenOptions::new().append(true).open(&path);
        file.and_then(|mut file| file.write_all(b"include = 'strongroom.conf'\n")).map_err(io("write", &path))
    }

    /// Writes the cluster's settings anew, so that an upgrade of Strongroom brings its own along. An administrator's
    /// `ALTER SYSTEM` wins over them.
    pub fn configure(&self) -> Result<(), PostgresError> {
        let socket = self.make_socket()?;
        let settings = format!(
            "# Written by Strongroom at every start. Use ALTER SYSTEM for settings of your own.\n\
             listen_addresses = ''\nport = {PORT}\nmax_connections = 100\n\
             unix_socket_directories = '\"{}\"'\nunix_socket_permissions = 0700\n\
             shared_buffers = 128MB\njit = off\n\
             fsync = on\nsynchronous_commit = on\nfull_page_writes = on\n\
             timezone = 'UTC'\nlog_timezone = 'UTC'\nlc_messages = 'C'\n\
             # A week of logs; terse, since details would quote rows.\n\
             logging_collector = on\nlog_directory = 'log'\nlog_filename = 'postgres-%a.log'\n\
             log_truncate_on_rotation = on\nlog_rotation_age = 1d\nlog_rotation_size = 0\n\
             log_statement = none\nlog_error_verbosity = terse\nlog_line_prefix = '%m [%p] '\n",
            socket.to_string_lossy().replace('"', "\"\"").replace('\'', "''").replace('\\', "\\\\"),
        );
        self.write("strongroom.conf", &settings)?;
        // The kernel says who is at the other end: nobody but root and the owner is let in, and no password exists.
        self.write("pg_hba.conf", "local all all peer map=strongroom\n")?;
        let users: Vec<_> = [owner::user_name(0), Some(self.owner.name.clone())].into_iter().flatten().collect();
        let map: String = users.iter().map(|user| format!("strongroom \"{user}\" strongroom\n")).collect();
        self.write("pg_ident.conf", &map)
    }

    /// Writes a file of the cluster by renaming a fresh one into place: its directory belongs to the owner, who could
    /// otherwise have root follow a link.
    fn write(&self, name: &str, text: &str) -> Result<(), PostgresError> {
        let (path, fresh) = (self.cluster.join(name), self.cluster.join(format!("{name}.new")));
        if let Err(error) = fs::remove_file(&fresh)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(io("remove", &fresh)(error));
        }
        let mut options = OpenOptions::new();
        let mut file = options.create_new(true).write(true).mode(0o600).open(&fresh).map_err(io("make", &fresh))?;
        file.write_all(text.as_bytes())
            .and_then(|()| fchown(&file, Some(self.owner.uid), Some(self.owner.gid)))
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&fresh, &path))
            .map_err(io("write", &path))
    }
}
