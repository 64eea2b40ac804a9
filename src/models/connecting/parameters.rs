//! What DATABASE_URL says. It is read as libpq reads URLs, and then given to libpq by keywords, where every character
//! of a password means itself. What libpq would misread but has only one meaning is taken as well: a bare `@`, `/` or
//! `%` in the password. Never shows a value: it may be a part of a password that was misread.
//!
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>

/// libpq's keywords (of libpq 18).
const KEYWORDS: &str = "host hostaddr port dbname user password passfile require_auth channel_binding connect_timeout \
    client_encoding options application_name fallback_application_name keepalives keepalives_idle keepalives_interval \
    keepalives_count tcp_user_timeout replication gssencmode sslmode requiressl sslnegotiation sslcompression sslcert \
    sslkey sslkeylogfile sslpassword sslcertmode sslrootcert sslcrl sslcrldir sslsni requirepeer \
    ssl_min_protocol_version ssl_max_protocol_version min_protocol_version max_protocol_version krbsrvname gsslib \
    gssdelegation service servicefile target_session_attrs load_balance_hosts scram_client_key scram_server_key \
    oauth_issuer oauth_client_id oauth_client_secret oauth_scope";
/// Values that are never shown.
const SECRET: [&str; 5] = ["password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret"];

/// Why DATABASE_URL cannot be read. Each sentence is about the URL and quotes nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error(
        "give a URL such as postgresql://user@host/database?sslmode=verify-full, or leave it out to use a private \
         Postgres"
    )]
    Scheme,
    #[error(
        "host and port cannot be made out. It is postgresql://user:password@host:5432/database; in user and password, \
         write @ as %40, : as %3A, / as %2F, ? as %3F and % as %25"
    )]
    Host,
    #[error(
        "it has more than one @, so it cannot be made out where the password ends. In user, password and database, \
         write @ as %40 and / as %2F"
    )]
    Ambiguous,
    #[error(
        "after its ? stands something that is no parameter of libpq: write name=value, with & between, such as \
             sslmode=verify-full&connect_timeout=5"
    )]
    Parameter,
    #[error("it holds %00 or characters that are not UTF-8, which no name or password of PostgreSQL can have here")]
    Characters,
}

/// The parameters of a connection by libpq's keywords, each once.
#[derive(Clone, PartialEq, Eq)]
pub struct Parameters(Vec<(&'static str, String)>);

impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// A URL cut into its parts, none of them decoded.
#[derive(Clone, Copy)]
struct Parts<'a> {
    user: Option<&'a str>,
    hosts: &'a str,
    database: &'a str,
    query: &'a str,
}

impl Parameters {
    /// Reads a URL. Blanks around it do not count: files and Secrets end with a line break.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let url = url.trim();
        let rest = url.strip_prefix("postgresql://").or_else(|| url.strip_prefix("postgres://"));
        let parts = split(rest.ok_or(UrlError::Scheme)?)?;
        let mut read = Self(Vec::new());
        if let Some(user) = parts.user {
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            read.take("user", user)?;
            read.take("password", password)?;
        }
        let hosts = || parts.hosts.split(',').map(host_and_port);
        let ports: Vec<&str> = hosts().map(|(_, port)| port).collect();
        let hosts: Vec<&str> = hosts().map(|(host, _)| host).collect();
        read.take("host", &hosts.join(","))?;
        if ports.iter().any(|port| !port.is_empty()) {
            read.take("port", &ports.join(","))?;
        }
        read.take("dbname", parts.database)?;
        for pair in parts.query.split('&').filter(|pair| !pair.is_empty()) {
            // As JDBC spells it; libpq takes it too.
            let pair = if pair == "ssl=true" { "sslmode=require" } else { pair };
            let (name, value) = pair.split_once('=').ok_or(UrlError::Parameter)?;
            read.take(keyword(name).ok_or(UrlError::Parameter)?, value)?;
        }
        Ok(read)
    }

    /// A later value replaces an earlier one, as in libpq. An empty one says nothing.
    fn take(&mut self, name: &'static str, value: &str) -> Result<(), UrlError> {
        let value = decoded(value)?;
        if !value.is_empty() {
            self.0.retain(|(other, _)| *other != name);
            self.0.push((name, value));
        }
        Ok(())
    }

    pub(super) fn set_default(&mut self, name: &'static str, value: &str) {
        if !self.0.iter().any(|(other, _)| *other == name) {
            self.0.push((name, value.to_owned()));
        }
    }

    /// With one more option for the server, after those of the operator.
    pub(super) fn with_option(&self, option: &str) -> Self {
        let mut with = self.clone();
        match with.0.iter_mut().find(|(name, _)| *name == "options") {
            Some((_, options)) => options.push_str(&format!(" {option}")),
            None => with.0.push(("options", option.to_owned())),
        }
        with
    }

    /// libpq's keyword form, every value quoted.
    pub(super) fn conninfo(&self) -> String {
        let quoted = |value: &str| value.replace('\\', "\\\\").replace('\'', "\\'");
        let pairs = self.0.iter().map(|(name, value)| format!("{name}='{}'", quoted(value)));
        pairs.collect::<Vec<_>>().join(" ")
    }

    /// What no message may show.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(name, _)| SECRET.contains(name)).map(|(_, value)| value.as_str())
    }
}

fn keyword(name: &str) -> Option<&'static str> {
    KEYWORDS.split_ascii_whitespace().find(|known| *known == name)
}

/// Cuts a URL after its scheme. First as libpq does; where that reading is none, at the last `@`.
fn split(text: &str) -> Result<Parts<'_>, UrlError> {
    let parts = as_libpq(text);
    let sound = are_hosts(parts.hosts);
    match parts.user {
        Some(_) if sound && parts.database.contains('@') => Err(UrlError::Ambiguous),
        _ if sound && !(parts.hosts.contains(':') && parts.database.contains('@')) => Ok(parts),
        _ => at_the_last(text).filter(|parts| are_hosts(parts.hosts)).ok_or(UrlError::Host),
    }
}

fn as_libpq(text: &str) -> Parts<'_> {
    let user = text.find(['@', '/']).filter(|at| text[*at..].starts_with('@'));
    let rest = user.map_or(text, |at| &text[at + 1..]);
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, database) = before.split_once('/').unwrap_or((before, ""));
    Parts { user: user.map(|at| &text[..at]), hosts, database, query }
}

/// The user ends at the last `@` before the query, which is all parameters that libpq knows.
fn at_the_last(text: &str) -> Option<Parts<'_>> {
    let is_query = |at: &usize| {
        text[at + 1..].split('&').all(|pair| pair.split_once('=').is_some_and(|(name, _)| keyword(name).is_some()))
    };
    let query = text.match_indices('?').map(|(at, _)| at).find(is_query);
    let (before, query) = query.map_or((text, ""), |at| (&text[..at], &text[at + 1..]));
    let (user, rest) = before.rsplit_once('@')?;
    let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
    Some(Parts { user: Some(user), hosts, database, query })
}

/// `[address]:port` or `host:port`, the port maybe missing.
fn host_and_port(text: &str) -> (&str, &str) {
    if let Some((address, after)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, after.strip_prefix(':').unwrap_or(after));
    }
    text.split_once(':').unwrap_or((text, ""))
}

/// Whether a list of hosts and ports is one.
fn are_hosts(text: &str) -> bool {
    text.split(',').map(host_and_port).all(|(host, port)| {
        let odd = |character: char| character.is_whitespace() || character.is_control() || "@/?#".contains(character);
        !host.contains(odd) && port.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Percent-decoded. A `%` that begins no code means itself.
fn decoded(text: &str) -> Result<String, UrlError> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, others)) = rest.split_first() {
        let code = others.get(..2).filter(|code| *first == b'%' && code.iter().all(u8::is_ascii_hexdigit));
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &others[2..] } else { others };
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or(UrlError::Characters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Vec<(&'static str, String)> {
        Parameters::parse(url).unwrap_or_else(|error| panic!("{url}: {error}")).0
    }

    fn parts(url: &str) -> [String; 4] {
        let read = read(url);
        ["user", "password", "host", "dbname"].map(|name| {
            read.iter().find(|(other, _)| *other == name).map(|(_, value)| value.clone()).unwrap_or_default()
        })
    }

    #[test]
    fn field_d02_a_password_may_hold_any_character() {
        for password in
            ["p?w&x1", "a:b:c", "a#b", "100%", "%zz", "a b", "a=b&c=d", "p@ss", "p/w", "p?w/x@y", "12/w", "é'\\"]
        {
            let url = format!("postgres://app:{password}@db.example:5432/owned?sslmode=disable");
            assert_eq!(parts(&url), ["app", password, "db.example", "owned"].map(str::to_owned), "{url}");
        }
        assert_eq!(parts("postgres://app:p%40%2F%25@[::1]:5432/d")[1..3], ["p@/%".to_owned(), "::1".to_owned()]);
        assert_eq!(parts("postgres://app:sslmode=x?port=1@db/d")[1], "sslmode=x?port=1");
    }

    #[test]
    fn urls_mean_what_libpq_reads_in_them() {
        assert_eq!(
            parts("postgresql://strongroom@/strongroom?host=/run/x&port=5432"),
            ["strongroom", "", "/run/x", "strongroom"]
        );
        assert_eq!(parts("postgresql://%2Frun%2Fx/d"), ["", "", "/run/x", "d"]);
        let many = read("postgresql://u@a:1,b/d?target_session_attrs=read-write&ssl=true");
        assert!(many.contains(&("host", "a,b".to_owned())) && many.contains(&("port", "1,".to_owned())), "{many:?}");
        assert!(many.contains(&("sslmode", "require".to_owned())), "{many:?}");
        assert_eq!(parts("  postgresql://u@h/d\n")[3], "d");
        assert_eq!(
            Parameters::parse("postgresql://u:it's@h/d").expect("read").conninfo(),
            r"user='u' password='it\'s' host='h' dbname='d'"
        );
    }

    #[test]
    fn a_url_that_cannot_be_made_out_is_refused_without_being_quoted() {
        for (url, error) in [
            ("mysql://u@h/d", UrlError::Scheme),
            ("postgres://u:hunter22@h:port/d", UrlError::Host),
            ("postgres://u:p@ss/hunter22@h/d", UrlError::Ambiguous),
            ("postgres://u@h/d?hunter22=1", UrlError::Parameter),
            ("postgres://u@h/d?hunter22", UrlError::Parameter),
            ("postgres://u:hunter22%00@h/d", UrlError::Characters),
        ] {
            assert_eq!(Parameters::parse(url), Err(error), "{url}");
            assert!(!error.to_string().contains("hunter22"));
        }
    }
}
