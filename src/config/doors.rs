//! Why a port cannot be opened, and which setting chooses another.

use std::io;
use std::net::SocketAddr;

/// An address that the console cannot listen on.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot listen on {at} for {what}: {}. {remedy}", because(*.kind))]
pub struct CannotListen {
    at: SocketAddr,
    kind: io::ErrorKind,
    what: &'static str,
    remedy: &'static str,
}

impl CannotListen {
    /// The console's own address.
    pub fn pages(at: SocketAddr, error: &io::Error) -> Self {
        let remedy = "Choose another address or port with --listen (STRONGROOM_LISTEN)";
        Self { at, kind: error.kind(), what: "the console", remedy }
    }

    /// The address of the metrics.
    pub fn metrics(at: SocketAddr, error: &io::Error) -> Self {
        let remedy = "Choose another address or port with --metrics-listen (STRONGROOM_METRICS_LISTEN), or off";
        Self { at, kind: error.kind(), what: "the metrics", remedy }
    }
}

fn because(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::AddrInUse => "another program listens there".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        io::ErrorKind::PermissionDenied => "this user may not open that port".to_owned(),
        other => other.to_string(),
    }
}
