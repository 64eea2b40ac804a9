//! The one service of the machine itself that has a fixed address and no resolver: Azure's. AWS's are reached by
//! [`super::aws`], through [`Egress::reaching`].

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, Request, redirect};
use url::Url;

use super::ProviderError;
use super::addresses::shown;
use super::answer::{Answer, read};
use super::egress::{BODY_LIMIT, Egress, USER_AGENT};
use super::silence::translate;
use super::tls_faults::Form;

const AZURE_IDENTITY: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

impl Egress {
    /// The Azure Instance Metadata Service, by which a machine gets its own identity. It is out of reach for every
    /// other request; its address is fixed here and the query is the only thing that a caller chooses.
    /// <https://learn.microsoft.com/en-us/azure/virtual-machines/instance-metadata-service>
    pub(super) async fn azure_identity(&self, query: &str) -> Result<Answer, ProviderError> {
        let mut url = Url::parse(AZURE_IDENTITY).map_err(|_| ProviderError::InvalidAddress)?;
        url.set_query(Some(query));
        let http = Self::direct()?;
        let mut request = Request::new(Method::GET, url.clone());
        request.headers_mut().insert("Metadata", HeaderValue::from_static("true"));
        let exchange = async {
            let failed = |error| translate(&error, &url, Form::default(), false);
            let response = http.execute(request).await.map_err(failed)?;
            read(response, &url, BODY_LIMIT, failed).await
        };
        let timeout = ProviderError::Timeout { host: shown(&url) };
        tokio::time::timeout(self.total, exchange).await.unwrap_or(Err(timeout))
    }

    /// A client for the one address that needs no resolver. The service is on the machine's own link: it answers at
    /// once or is not there.
    #[allow(clippy::disallowed_methods, reason = "this is the one place")]
    fn direct() -> Result<reqwest::Client, ProviderError> {
        let builder = reqwest::Client::builder().user_agent(USER_AGENT).redirect(redirect::Policy::none());
        let builder = builder.referer(false).no_proxy().connect_timeout(Duration::from_secs(1));
        builder.build().map_err(|_| ProviderError::NoAuthorities)
    }
}
