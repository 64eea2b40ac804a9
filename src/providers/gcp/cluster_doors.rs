//! The endpoints of a GKE cluster: a public address, a private address in its network, and a DNS endpoint behind
//! Google's front end. <https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation>

use crate::credentials::kubeconfig::Place;
use crate::providers::ProviderError;
use crate::providers::probe::{Finding, Verdict};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Public,
    Private,
    Dns,
}

/// The endpoints of a cluster; blank if it has no such endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doors {
    pub public: String,
    pub private: String,
    pub dns: String,
    /// It has a DNS endpoint that refuses traffic from outside Google Cloud.
    pub dns_is_closed: bool,
    /// The certificate authority of both addresses, as base64-encoded PEM. The DNS endpoint has a public certificate.
    pub authority: String,
}

impl Doors {
    /// The address and certificate authority of an endpoint.
    pub fn place(&self, by: Endpoint) -> Result<Place, ProviderError> {
        let (address, authority) = match by {
            Endpoint::Public => (&self.public, self.authority.as_str()),
            Endpoint::Private => (&self.private, self.authority.as_str()),
            Endpoint::Dns => (&self.dns, ""),
        };
        if address.is_empty() {
            return Err(ProviderError::SignIn(self.closed(by).into()));
        }
        let place = Place::of(address, authority).filter(|place| by == Endpoint::Dns || place.authority.is_some());
        place.ok_or(ProviderError::BadAnswer)
    }

    fn closed(&self, by: Endpoint) -> Finding {
        if by == Endpoint::Dns && self.dns_is_closed {
            return Finding::new(
                Verdict::NotHere,
                "the cluster's DNS endpoint takes no traffic from outside of Google Cloud.",
                "Allow it: gcloud container clusters update NAME --enable-dns-access. Or choose another endpoint.",
            );
        }
        let ways = [(&self.public, "Public address"), (&self.private, "Private address"), (&self.dns, "DNS endpoint")];
        let open: Vec<&str> = ways.iter().filter(|(address, _)| !address.is_empty()).map(|(_, name)| *name).collect();
        let missing = match by {
            Endpoint::Public => "public address",
            Endpoint::Private => "private address",
            Endpoint::Dns => "DNS endpoint",
        };
        let remedy = match open[..] {
            [] => "It may still be starting: look at it in the Google Cloud console.".to_owned(),
            _ => format!("Choose another Endpoint: {}.", open.join(" or ")),
        };
        Finding::new(Verdict::NotHere, format!("the cluster has no {missing}."), remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_is_closed_names_those_that_are_open() {
        let doors = Doors { private: "10.0.0.2".to_owned(), dns_is_closed: true, ..Doors::default() };
        let told = |by| doors.place(by).unwrap_err().told("Google");
        assert!(told(Endpoint::Public).ends_with("Choose another Endpoint: Private address."));
        assert!(told(Endpoint::Dns).contains("--enable-dns-access"));
        assert_eq!(doors.place(Endpoint::Private), Err(ProviderError::BadAnswer), "an address needs its authority");
        let dns = Doors { dns: "gke-1.europe-west3.gke.goog".to_owned(), authority: "bm8=".to_owned(), ..doors };
        let place = dns.place(Endpoint::Dns).unwrap();
        assert_eq!((place.server.as_str(), place.authority), ("https://gke-1.europe-west3.gke.goog", None));
    }
}
