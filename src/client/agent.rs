//! The agent: one login and one cache for all programs of a user, at a socket that only they can open, and if asked for
//! the endpoints of clouds on loopback.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use serde_json::json;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use super::cache::Cache;
use super::endpoints::{self, Clouds, Endpoints};
use super::net::Body;
use super::settings::Connection;
use super::source::{ANOTHER, CONSOLE, LOGIN, Source};
use super::trouble::{Result, Trouble};
use super::{hardening, private_file, wire};

#[derive(Args)]
#[command(
    after_help = "Programs find the agent by its socket: `strongroom-client exec` and the helpers use it on their \
own. With --listen, SDKs ask it at /aws/RULE and /azure/RULE; the token they send is in the file agent.token beside the \
socket, which is also the value for AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE."
)]
pub struct Options {
    /// Also serve the endpoints of clouds, at this address of loopback
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Rule to serve as Google's metadata server, to processes of this user
    #[arg(long, value_name = "RULE", requires = "listen")]
    google: Option<String>,
}

pub async fn run(connection: &Connection, options: Options) -> Result<ExitCode> {
    hardening::keep_memory_out_of_swap();
    let socket = connection.socket().ok_or_else(|| Trouble::local("where to listen? Name a socket with --agent"))?;
    let cache = Arc::new(Cache::new(connection.console()?, connection.patience()));
    let listener = bind(&socket).await?;
    if let Some(address) = options.listen {
        let clouds = Clouds { google: options.google, ..Clouds::default() };
        let secret = token(&socket.with_file_name("agent.token"))?;
        let source = Arc::new(Source::direct(cache.clone()));
        let (listener, address) = endpoints::listen(address).await?;
        endpoints::must_know_users(&clouds, address)?;
        eprintln!("strongroom-client: serving the endpoints of clouds at http://{address}");
        tokio::spawn(endpoints::serve(listener, Arc::new(Endpoints { source, clouds, secret, every_rule: true })));
    }
    eprintln!("strongroom-client: agent for {} at {}", cache.console().name(), socket.display());
    let failed = |error| Trouble::Local(format!("cannot watch for signals: {error}"));
    let (mut end, mut interrupt) =
        (signal(SignalKind::terminate()).map_err(failed)?, signal(SignalKind::interrupt()).map_err(failed)?);
    tokio::select! {
        () = serve(listener, cache) => {}
        _ = end.recv() => {}
        _ = interrupt.recv() => {}
    }
    let _ = fs::remove_file(&socket);
    Ok(ExitCode::SUCCESS)
}

/// A socket with mode 0600 in a folder that nobody else writes to.
async fn bind(socket: &Path) -> Result<UnixListener> {
    let failed = |error| Trouble::Local(format!("cannot listen at {}: {error}", socket.display()));
    let folder = socket.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let metadata = fs::metadata(folder).map_err(failed)?;
    let sticky = metadata.mode() & 0o1000 != 0;
    let others = ![0, rustix::process::geteuid().as_raw()].contains(&metadata.uid());
    if others || (metadata.mode() & 0o022 != 0 && !sticky) {
        return Err(Trouble::Local(format!(
            "others can write to {}: the agent's socket is not safe there",
            folder.display()
        )));
    }
    if UnixStream::connect(socket).await.is_ok() {
        return Err(Trouble::Local(format!("an agent runs already at {}", socket.display())));
    }
    match fs::symlink_metadata(socket) {
        Ok(metadata) if std::os::unix::fs::FileTypeExt::is_socket(&metadata.file_type()) => {
            // Left by an agent that was killed.
            fs::remove_file(socket).map_err(failed)?;
        }
        Ok(_) => return Err(Trouble::Local(format!("{} is there and is not a socket", socket.display()))),
        Err(_) => {}
    }
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(socket);
    rustix::process::umask(before);
    let listener = listener.map_err(failed)?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// The endpoints' secret; it stays the same over restarts, since programs have read it.
fn token(file: &Path) -> Result<Zeroizing<String>> {
    let failed = |error| Trouble::Local(format!("cannot keep the token in {}: {error}", file.display()));
    private_file::must_be_in_own_folder(file)?;
    if let Ok(Some(kept)) = private_file::read(file)
        && kept.len() == 64
    {
        return Ok(kept);
    }
    let _ = fs::remove_file(file);
    let secret = endpoints::new_secret()?;
    let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(failed)?;
    // No newline: AWS's SDKs would send it, or refuse it.
    std::io::Write::write_all(&mut new, secret.as_bytes()).map_err(failed)?;
    Ok(secret)
}

async fn serve(listener: UnixListener, cache: Arc<Cache>) {
    let own = rustix::process::geteuid().as_raw();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let user = stream.peer_cred().map(|peer| peer.uid());
        if user.is_ok_and(|user| user == own || user == 0) {
            let cache = cache.clone();
            let answer = move |request: Request<Incoming>| {
                let cache = cache.clone();
                async move { respond(&cache, &request).await }
            };
            tokio::spawn(endpoints::connection(stream, answer));
        }
    }
}

/// As the console answers under `/machine/v1`.
async fn respond(cache: &Arc<Cache>, request: &Request<Incoming>) -> Response<Body> {
    let meant = request.headers().get(CONSOLE).map(|name| name.as_bytes());
    if meant.is_some_and(|name| name != cache.console().name().as_bytes()) {
        return problem(ANOTHER, "This agent serves another console.");
    }
    let login = request.headers().get(LOGIN).map(|mark| mark.as_bytes());
    if login.is_some_and(|mark| cache.console().login_mark().is_ok_and(|own| own.as_bytes() != mark)) {
        return problem(ANOTHER, "This agent has another login.");
    }
    let path = request.uri().path();
    let rule = path.strip_prefix("/machine/v1/sessions/").or_else(|| path.strip_prefix("/machine/v1/values/"));
    let answered = match rule {
        _ if request.method() != Method::GET => return problem(405, "Only GET is known here."),
        Some(rule) => cache.get(rule).await.map(|fetched| json!(*fetched)),
        None if path == "/machine/v1/rules" => cache.rules().await.map(|rules| json!(rules)),
        None => return problem(404, "There is nothing at this address."),
    };
    match answered {
        Ok(body) => endpoints::json(200, &body),
        Err(trouble) => {
            let wait = matches!(trouble, Trouble::Wait { .. });
            let problem = wire::Problem { title: String::new(), detail: trouble.to_string(), wait };
            endpoints::json(trouble.status(), &json!(problem))
        }
    }
}

fn problem(status: u16, detail: &str) -> Response<Body> {
    let problem = wire::Problem { title: String::new(), detail: detail.to_owned(), wait: false };
    endpoints::json(status, &json!(problem))
}
