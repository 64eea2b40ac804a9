//! Why a connection to the database failed: libpq's or the server's own reason, told by meaning, with the way out. A
//! reason names hosts, users, databases and files, never a password. The server may say it in its own language; then
//! it is shown as it is.

use diesel::ConnectionError;
use diesel::result::Error;

use super::{Parameters, UrlError};
use crate::models::DbError;

/// Characters of a reason that are shown.
const LONGEST: usize = 400;

/// No connection, and why. Its text holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    #[error("DATABASE_URL cannot be read: {0}")]
    Url(#[from] UrlError),
    #[error("{} ({reason}). {}", .cause.sentence().0, .cause.sentence().1)]
    Failed { cause: Cause, reason: String },
}

/// What a reason means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Password,
    NoPassword,
    NoRole,
    NoDatabase,
    NotLetIn,
    NoTls,
    TlsNeeded,
    RootFile,
    Certificate,
    OtherName,
    Tls,
    Silent,
    NoHost,
    TimedOut,
    Full,
    Starting,
    Parameter,
    Unknown,
}

/// Words of a reason and what they mean, the first that fits. Those of libpq and PostgreSQL, then PgBouncer's.
const MEANINGS: [(&str, Cause); 38] = [
    ("password authentication failed", Cause::Password),
    ("Ident authentication failed", Cause::Password),
    ("Peer authentication failed", Cause::Password),
    ("certificate authentication failed", Cause::Password),
    ("is not permitted to log in", Cause::NoRole),
    ("no password supplied", Cause::NoPassword),
    ("no encryption", Cause::TlsNeeded),
    ("no SSL", Cause::TlsNeeded),
    ("SSL required", Cause::TlsNeeded),
    ("no pg_hba.conf entry", Cause::NotLetIn),
    ("pg_hba.conf rejects", Cause::NotLetIn),
    ("permission denied for database", Cause::NotLetIn),
    ("does not support SSL", Cause::NoTls),
    ("root certificate", Cause::RootFile),
    ("does not match host name", Cause::OtherName),
    ("certificate verify failed", Cause::Certificate),
    ("self-signed", Cause::Certificate),
    ("signature failure", Cause::Certificate),
    ("SSL error", Cause::Tls),
    ("SSL SYSCALL", Cause::Tls),
    ("certificate", Cause::Tls),
    ("private key file", Cause::Tls),
    ("too many", Cause::Full),
    ("remaining connection slots", Cause::Full),
    ("no more connections allowed", Cause::Full),
    ("the database system is", Cause::Starting),
    ("could not translate host name", Cause::NoHost),
    ("timeout expired", Cause::TimedOut),
    ("timed out", Cause::TimedOut),
    ("unreachable", Cause::TimedOut),
    ("Connection refused", Cause::Silent),
    ("No such file or directory", Cause::Silent),
    ("no such database", Cause::NoDatabase),
    ("no such user", Cause::NoRole),
    ("authentication failed", Cause::Password),
    ("invalid connection option", Cause::Parameter),
    ("invalid", Cause::Parameter),
    ("server login", Cause::Starting),
];

impl Cause {
    fn of(reason: &str) -> Self {
        let absent = |noun: &str| reason.contains(noun) && reason.contains("does not exist");
        match () {
            // Names of roles and databases come from outside and may hold any words, so these are looked at first.
            () if absent("FATAL:  role \"") => Self::NoRole,
            () if absent("FATAL:  database \"") => Self::NoDatabase,
            () => {
                let known = MEANINGS.iter().find(|(words, _)| reason.contains(words));
                known.map_or(Self::Unknown, |(_, cause)| *cause)
            }
        }
    }

    /// Whether only the operator can mend it: the same settings will fail again.
    fn is_setting(self) -> bool {
        !matches!(self, Self::Silent | Self::NoHost | Self::TimedOut | Self::Full | Self::Starting | Self::Unknown)
    }

    /// What happened, and the way out.
    const fn sentence(self) -> (&'static str, &'static str) {
        match self {
            Self::Password => (
                "the database does not accept the user or the password",
                "Set both right in DATABASE_URL. In them, write @ as %40, : as %3A, / as %2F and % as %25",
            ),
            Self::NoPassword => (
                "the database asks for a password, and DATABASE_URL has none",
                "Write postgresql://user:password@host/database, or name a password file with passfile=…",
            ),
            Self::NoRole => (
                "the database does not know the user, or the user may not log in",
                "Create it with CREATE ROLE … LOGIN PASSWORD '…', or name another user in DATABASE_URL",
            ),
            Self::NoDatabase => (
                "the server runs, and has no database of that name",
                "Create it with CREATE DATABASE … OWNER …, or name another database in DATABASE_URL",
            ),
            Self::NotLetIn => (
                "the server does not let this user into this database from here",
                "Add a line to its pg_hba.conf, or ask its administrator to; and check user and database in DATABASE_URL",
            ),
            Self::NoTls => (
                "DATABASE_URL asks for TLS, and the server has none",
                "Switch TLS on there (ssl = on), or use sslmode=disable where nobody can listen on the way",
            ),
            Self::TlsNeeded => (
                "the server lets nobody in without TLS",
                "Put sslmode=verify-full into DATABASE_URL, or sslmode=require to skip the check of the certificate",
            ),
            Self::RootFile => (
                "there is no certificate of an authority to check the server's by",
                "Name the file with sslrootcert=… in DATABASE_URL, or write sslrootcert=system for public authorities",
            ),
            Self::Certificate => (
                "the server's certificate is not one of the authority that DATABASE_URL trusts",
                "Name the right authority's file with sslrootcert=… in DATABASE_URL",
            ),
            Self::OtherName => (
                "the server's certificate is for another host name",
                "Use a name of the certificate as the host in DATABASE_URL",
            ),
            Self::Tls => (
                "TLS with the database fails",
                "Check sslmode, sslrootcert, sslcert and sslkey in DATABASE_URL, and the server's certificate",
            ),
            Self::Silent => (
                "the database cannot be reached: nothing listens there",
                "Start it, or set host and port right in DATABASE_URL",
            ),
            Self::NoHost => (
                "the database cannot be reached: its host name has no address",
                "Check the host in DATABASE_URL, and the name servers of this machine",
            ),
            Self::TimedOut => (
                "the database cannot be reached: no answer comes from there",
                "Check host and port in DATABASE_URL, and the firewalls between",
            ),
            Self::Full => (
                "the database has no connection left",
                "Raise its max_connections, or lower STRONGROOM_DB_POOL on each console",
            ),
            Self::Starting => ("the database cannot be used at the moment", "Try again when it has started"),
            Self::Parameter => {
                ("a parameter in DATABASE_URL has a value that libpq does not take", "Set it right after the ?")
            }
            Self::Unknown => ("the database cannot be reached", "Check DATABASE_URL and that the server runs"),
        }
    }
}

impl ConnectError {
    pub(in crate::models) fn new(error: &ConnectionError, parameters: &Parameters) -> Self {
        let reason = match error {
            ConnectionError::BadConnection(reason) => reason.as_str(),
            // A pooler lets everybody in, and says no to the first statement.
            ConnectionError::CouldntSetupConfiguration(Error::DatabaseError(_, said)) => said.message(),
            _ => "the connection broke",
        };
        Self::Failed { cause: Cause::of(reason), reason: shown(reason, parameters) }
    }

    /// Whether the cause may be an option that the way to the server does not take.
    pub(super) fn may_be_about_an_option(&self) -> bool {
        matches!(self, Self::Failed { cause: Cause::Unknown | Cause::Parameter, .. })
    }

    /// Whether the settings are wrong, and not only the moment.
    pub fn is_setting(&self) -> bool {
        match self {
            Self::Url(_) => true,
            Self::Failed { cause, .. } => cause.is_setting(),
        }
    }
}

/// On one line, each attempt once, without a secret.
fn shown(reason: &str, parameters: &Parameters) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in reason.lines() {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if !line.is_empty() && !lines.contains(&line) {
            lines.push(line);
        }
    }
    let mut text = lines.join("; ");
    // libpq never quotes one. Should it ever, it is taken out; one so short would be found in any text.
    for secret in parameters.secrets().filter(|secret| secret.len() > 3) {
        text = text.replace(secret, "…");
    }
    text.chars().filter(|character| !character.is_control()).take(LONGEST).collect()
}

impl From<ConnectError> for DbError {
    fn from(_: ConnectError) -> Self {
        Self::Unavailable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(reason: &str) -> ConnectError {
        let parameters = Parameters::parse("postgres://app:hunter22@h/d").expect("a URL");
        ConnectError::new(&ConnectionError::BadConnection(reason.to_owned()), &parameters)
    }

    fn cause(reason: &str) -> Cause {
        match failed(reason) {
            ConnectError::Failed { cause, .. } => cause,
            ConnectError::Url(_) => panic!("{reason}"),
        }
    }

    #[test]
    fn field_d03a_reasons_of_libpq_and_servers_are_told_by_meaning() {
        for (reason, expected) in [
            (
                "connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",
                Cause::Silent,
            ),
            (
                "connection to server at \"h\", port 5432 failed: FATAL:  database \"no pg_hba.conf entry\" does not exist",
                Cause::NoDatabase,
            ),
            ("connection to server at \"h\", port 5432 failed: FATAL:  role \"nobody9\" does not exist", Cause::NoRole),
            (
                "FATAL:  no pg_hba.conf entry for host \"10.0.0.9\", user \"app\", database \"owned\", no encryption",
                Cause::TlsNeeded,
            ),
            ("root certificate file \"/root/.postgresql/root.crt\" does not exist", Cause::RootFile),
            ("could not translate host name \"db\" to address: Name or service not known", Cause::NoHost),
            ("server certificate for \"a\" does not match host name \"b\"", Cause::OtherName),
            ("FATAL:  sorry, too many clients already", Cause::Full),
            ("FATAL:  Passwort-Authentifizierung für Benutzer »app« fehlgeschlagen", Cause::Unknown),
            ("invalid sslmode value: \"x\"", Cause::Parameter),
        ] {
            assert_eq!(cause(reason), expected, "{reason}");
        }
    }

    #[test]
    fn a_reason_is_one_line_without_the_password() {
        let text = failed("one hunter22\n\ttwo\none hunter22\n").to_string();
        assert!(text.contains("(one …; two)"), "{text}");
    }
}
