//! A proxy between a console and the API server that decides the fate of each request: passed on, delayed, lost on its
//! way there or back, or answered as a busy server would. The cluster's CA signed its certificate.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use reqwest::{Certificate, Client, Method};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::super::peers::receiver::{Call, Receiver, Said};
use super::Lab;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Passes,
    Late(Duration),
    /// The connection ends before the request reaches the server.
    LostThere,
    /// The server carries out the request, but the connection ends before the answer.
    LostBack,
    /// The server is busy: 429 with a second to wait, or an error of its own.
    Answered(u16),
}

pub struct Between {
    receiver: Receiver,
}

type Asked = (Call, mpsc::Sender<Said>);

impl Between {
    /// `fate` is called with the number of the request, starting at 1.
    pub fn before(lab: &Lab, fate: impl Fn(usize, &Call) -> Fate + Send + Sync + 'static) -> Self {
        let (counted, forward) = (AtomicUsize::new(0), forwarder(lab));
        let receiver = Receiver::start_tls(lab.signer(), move |call| {
            let pass = || {
                let (reply, answer) = mpsc::channel();
                forward.send((call.clone(), reply)).expect("the forwarder lives");
                answer.recv().unwrap_or(Said::Gone)
            };
            match fate(counted.fetch_add(1, Ordering::SeqCst) + 1, call) {
                Fate::Passes => pass(),
                Fate::Late(by) => {
                    std::thread::sleep(by);
                    pass()
                }
                Fate::LostThere => Said::Gone,
                Fate::LostBack => {
                    pass();
                    Said::Gone
                }
                Fate::Answered(status) => busy(status),
            }
        });
        Self { receiver }
    }

    pub fn url(&self) -> String {
        self.receiver.url()
    }

    /// All requests so far, including lost ones.
    pub fn calls(&self) -> Vec<Call> {
        self.receiver.calls()
    }
}

fn busy(status: u16) -> Said {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status,
        "reason": if status == 429 { "TooManyRequests" } else { "InternalError" }, "message": "of the tests' proxy"});
    Said::json(status, &body).with("Retry-After", "1")
}

/// A separate thread that calls the real server, since the test's own thread may be blocked.
fn forwarder(lab: &Lab) -> UnboundedSender<Asked> {
    let (send, mut asked) = unbounded_channel::<Asked>();
    let (authority, server) = (lab.authority().to_owned(), lab.server().to_owned());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let authority = Certificate::from_pem(authority.as_bytes()).expect("a certificate");
            let client = Client::builder().no_proxy().tls_certs_only([authority]).build().expect("a client");
            while let Some((call, reply)) = asked.recv().await {
                let (client, server) = (client.clone(), server.clone());
                tokio::spawn(async move {
                    // The caller may be gone.
                    let _ = reply.send(ask(&client, &server, &call).await.unwrap_or(Said::Gone));
                });
            }
        });
    });
    send
}

async fn ask(client: &Client, server: &str, call: &Call) -> reqwest::Result<Said> {
    let method = Method::from_bytes(call.method.as_bytes()).expect("a method");
    let mut request = client.request(method, format!("{server}{}", call.target)).body(call.body.clone());
    for (name, value) in call.headers.iter().filter(|(name, _)| !OWN.contains(&name.as_str())) {
        request = request.header(name, value);
    }
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    let mut headers = Vec::new();
    for name in ["Content-Type", "Retry-After", "Audit-Id"] {
        let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
        headers.extend(value.map(|value| (name, value.to_owned())));
    }
    Ok(Said::Answer { status, headers, body: answer.bytes().await?.to_vec() })
}

/// Headers that belong to the connection, not to the request.
const OWN: [&str; 5] = ["host", "connection", "content-length", "transfer-encoding", "accept-encoding"];
