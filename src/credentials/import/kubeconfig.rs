//! A kubeconfig with many contexts: each becomes a kubeconfig of its own.

use super::contents::{Candidate, Contents};
use crate::credentials::kubeconfig::{Context, KIND, Kubeconfig};
use crate::form::Values;

pub fn contexts(text: &str) -> Option<Result<Contents, String>> {
    let is_one = text.contains("clusters") && text.contains("contexts") && text.contains("users");
    is_one.then(|| Kubeconfig::contexts(text).map(read))
}

fn read(contexts: Vec<Context>) -> Contents {
    let mut contents = Contents::new("Kubeconfig");
    for (name, context) in contexts {
        let place = format!("context {name}");
        match context {
            Ok(config) => {
                let values: Values = [("kubeconfig", config.to_json().as_str())].into_iter().collect();
                contents.candidates.push(Candidate { kind: &KIND, name, place, values });
            }
            Err(reason) => contents.skip(place, reason),
        }
    }
    contents
}
