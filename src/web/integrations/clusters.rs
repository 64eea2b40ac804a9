//! *List clusters* on the form of a deployment: a table above the fields from which the user chooses a cluster. Like
//! the form's other buttons, it works without a script.

use url::form_urlencoded::{Serializer, parse};

use crate::integrations::deployments::{Clusters, Seen};
use crate::web::error::Error;
use crate::web::posted::Posted;

/// The names of the *List clusters* button and of each cluster's *Choose* button.
pub const LIST: &str = "list";
pub const PICK: &str = "pick";

/// The fields that choosing a cluster can fill in.
const FILLED: [&str; 2] = ["project", "cluster"];

/// The list, or why there is none.
pub struct Listed {
    pub rows: Vec<Row>,
    /// Why the list may be incomplete.
    pub missing: Vec<String>,
    /// Why there is no list.
    pub failed: Option<String>,
}

pub struct Row {
    pub seen: Seen,
    /// The value of its *Choose* button: the fields to fill in, as a query string.
    pub picks: String,
}

impl Listed {
    pub fn new(found: Result<Clusters, String>) -> Self {
        match found {
            Ok(Clusters { found, missing }) => {
                Self { rows: found.into_iter().map(Row::new).collect(), missing, failed: None }
            }
            Err(why) => Self { rows: Vec::new(), missing: Vec::new(), failed: Some(why) },
        }
    }
}

impl Row {
    fn new(seen: Seen) -> Self {
        let picks = Serializer::new(String::new()).extend_pairs(&seen.fills).finish();
        Self { seen, picks }
    }
}

/// The form with the chosen cluster filled in.
pub fn picked(mut posted: Posted) -> Result<Posted, Error> {
    let pairs: Vec<(String, String)> = parse(posted.get(PICK).as_bytes()).into_owned().collect();
    for (name, value) in pairs {
        let field = FILLED.into_iter().find(|field| *field == name).ok_or(Error::Malformed)?;
        posted.0.set(field, value);
    }
    Ok(posted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_cluster_fills_in_its_own_fields_alone() {
        let fills = vec![("project", "shop".to_owned()), ("cluster", "europe-west3/a&b".to_owned())];
        let row = Row::new(Seen { fills, ..Seen::default() });
        let form = |pick: &str| Posted([("cluster", "old"), ("image", "r/a:1"), (PICK, pick)].into_iter().collect());
        let posted = picked(form(&row.picks)).unwrap();
        let values = ["project", "cluster", "image"].map(|name| posted.get(name).to_owned());
        assert_eq!(values, ["shop", "europe-west3/a&b", "r/a:1"]);
        assert_eq!(picked(form("")).unwrap().get("cluster"), "old");
        assert!(picked(form("image=evil")).is_err());
    }
}
