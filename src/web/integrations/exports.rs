//! What the page of an integration offers to take its inventory away: the files, and what is done with the plain list.

use super::export::references_of;
use crate::integrations::Family;
use crate::models::integrations::Integration;
use crate::web::params::Params;

/// Addresses of the files, and commands.
pub struct Exports {
    pub csv: String,
    pub json: String,
    /// The plain list, by tags and by digests.
    pub references: Option<(String, String)>,
    pub has_images: bool,
    /// Id for the button that copies, caption, command.
    pub commands: [(&'static str, &'static str, &'static str); 3],
}

/// As the tools' own pages have it: <https://trivy.dev/docs/latest/target/container_image/>,
/// <https://github.com/anchore/grype>, <https://github.com/containers/skopeo/blob/main/docs/skopeo-inspect.1.md>
const COMMANDS: [(&str, &str, &str); 3] = [
    ("command-trivy", "Trivy", "sort -u images.txt | xargs -n1 trivy image"),
    ("command-grype", "Grype", "sort -u images.txt | xargs -n1 grype"),
    ("command-skopeo", "Skopeo", "sort -u images.txt | xargs -I{} skopeo inspect docker://{}"),
];

impl Exports {
    /// `path`: the page's own address.
    pub fn new(row: &Integration, path: &str, params: &Params) -> Self {
        let search = params.get("q");
        let file = |name: &str, by: &str| {
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("q", search), ("by", by)].into_iter().filter(|(_, value)| !value.is_empty()))
                .finish();
            let query = if query.is_empty() { query } else { format!("?{query}") };
            format!("{path}/{name}{query}")
        };
        Self {
            csv: file("items.csv", ""),
            json: file("items.json", ""),
            references: references_of(row).map(|_| (file("images.txt", ""), file("images.txt", "digest"))),
            has_images: row.family == Family::RegistryScan.slug(),
            commands: COMMANDS,
        }
    }
}
