//! *Add deployment* for a discovered cluster: the fields with which its form is filled in.

use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::cloud::resource::Facts;
use crate::models::discovery::Line;

/// `None` for anything but a cluster to which the cloud's own credential can sign in.
pub fn fields(facts: &Facts, line: &Line) -> Option<Vec<(String, String)>> {
    let parts: Vec<&str> = line.name.split('/').collect();
    let own = match parts[..] {
        ["eks", region, cluster] => {
            let settings = Values::from_json(line.settings.as_bytes()).unwrap_or_default();
            let role = Spec::find("aws_account").and_then(|spec| spec.role(&settings)).unwrap_or_default();
            vec![
                ("version", "eks".to_owned()),
                ("region", region.to_owned()),
                ("cluster", cluster.to_owned()),
                ("role", role),
            ]
        }
        ["gke", location, cluster] => vec![
            ("version", "gke".to_owned()),
            ("project", line.place.clone()),
            ("cluster", format!("{location}/{cluster}")),
            ("endpoint", endpoint(&facts.access).to_owned()),
        ],
        ["aks", _, group, cluster] => {
            vec![("version", "aks".to_owned()), ("cluster", format!("{}/{group}/{cluster}", line.place))]
        }
        _ => return None,
    };
    Some(own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The endpoint of a GKE cluster to use, according to the access that the scan reported.
fn endpoint(access: &str) -> &'static str {
    match access {
        access if access.starts_with("Public") => "public",
        access if access.contains("DNS") => "dns",
        _ => "private",
    }
}
