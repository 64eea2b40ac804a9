//! Deployments of the agent as the vendor lists them. They are made in the console, where each is looked at before.

use actix_web::HttpResponse;
use serde_json::json;

use super::answer::Bad;
use super::caller::Caller;
use super::registries::settings;
use crate::integrations::Family;
use crate::usecases::integrations::listed::List;

const LIST: List = List { family: Family::DaemonSet, versions: &["kubernetes", "eks", "gke", "aks"] };

pub async fn index(caller: Caller) -> Result<HttpResponse, Bad> {
    let asked = caller.asked("credentialID");
    let rows = LIST.named(&caller.services).await?;
    let meant = rows.iter().filter(|(_, credential)| asked.is_empty() || *credential == asked);
    let written = meant.map(|(row, credential)| {
        let values = settings(row);
        json!({
            "name": row.name,
            "cluster": row.host,
            "credentialID": credential,
            "namespace": values.get("namespace"),
            "image": values.get("image"),
            "enabled": row.active,
        })
    });
    Ok(HttpResponse::Ok().json(written.collect::<Vec<_>>()))
}
