//! Clusters, against a real control plane.

use crate::support::app::{Page, Visit};

mod drift;
mod few_rights;
mod hostile;
mod kills;
mod kubeconfigs;
mod network;
mod owners;
mod rig;
mod rights;
mod screens;

/// Stores a kubeconfig and returns the path of its page.
async fn store(visit: &mut Visit, name: &str, kubeconfig: &str) -> String {
    let fields = [("kind", "kubeconfig"), ("name", name), ("kubeconfig", kubeconfig)];
    let page = visit.post("/credentials", &fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary, .field__error"));
    page.location().to_owned()
}

/// The cells of the test's table, row by row.
fn table(page: &Page) -> Vec<Vec<String>> {
    let heads = page.texts("#test-result .finding__table thead th").len();
    let cells = page.texts("#test-result .finding__table tbody :is(th, td)");
    assert_eq!(cells.len(), 7 * heads, "seven kinds: {}", page.text("#test-result"));
    cells.chunks(heads).map(<[String]>::to_vec).collect()
}
