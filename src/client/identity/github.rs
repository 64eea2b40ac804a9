//! The identity token of a GitHub Actions job with `permissions: id-token: write`.
//! <https://docs.github.com/en/actions/reference/security/oidc>

use hyper::header::AUTHORIZATION;
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::super::environment::variable;
use super::super::net::{Ask, Place, Trust, send};
use super::super::trouble::{Result, Trouble};

pub const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

#[derive(Deserialize)]
struct Issued {
    value: Zeroizing<String>,
}

pub async fn token(audience: &str, trust: &Trust) -> Result<Zeroizing<String>> {
    let failed = |why: &str| Trouble::Local(format!("GitHub Actions gives no identity token: {why}"));
    let (url, bearer) = variable(URL).zip(variable(TOKEN)).ok_or_else(|| failed("this job lacks `id-token: write`"))?;
    let mut url: Url = url.parse().map_err(|_| failed("its address cannot be read"))?;
    url.query_pairs_mut().append_pair("audience", audience);
    let host = url.host_str().ok_or_else(|| failed("its address cannot be read"))?.to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let place = Place::Tcp { host, port, tls: url.scheme() == "https" };
    let ask = Ask::get(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .with(AUTHORIZATION, format!("Bearer {bearer}"));
    let answer = send(&place, trust, &ask).await.map_err(|why| failed(&why.reason()))?;
    if answer.status != 200 {
        return Err(failed(&format!("status {}", answer.status)));
    }
    let issued: Issued = serde_json::from_slice(&answer.body).map_err(|_| failed("its answer cannot be read"))?;
    Ok(issued.value)
}
