//! The preview of a deployment: the login's rights, what would change in the cluster, and the questions to agree to.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::panel::Row;
use crate::integrations::Family;
use crate::integrations::deployments::{Access, Change, ChangeKind, Options, Preview};
use crate::models::IntegrationId;
use crate::services::Services;
use crate::usecases::integrations::deployments::{self, Previewed};
use crate::web::error::Error;
use crate::web::numbers::counted;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up;

#[derive(Template)]
#[template(path = "deployments/preview.html")]
struct Page {
    shell: Shell,
    page: String,
    name: String,
    row_version: i64,
    /// `Deploy`, `Apply`
    verb: &'static str,
    /// Why there is no preview.
    failed: Option<String>,
    found: Option<Found>,
}

/// The result of the preview.
struct Found {
    /// `v1.36.2`; blank if the cluster does not report it.
    cluster_version: String,
    /// `3 nodes`; blank if the login may not list them.
    nodes: String,
    objections: Vec<String>,
    warnings: Vec<String>,
    verbs: [&'static str; 5],
    access: Vec<Access>,
    /// The login has every right that is needed.
    may_all: bool,
    changes: Vec<Object>,
    is_same: bool,
    /// All answers, one per line, for the button that agrees to all; blank if there are no questions.
    all: String,
    asked: usize,
}

/// What would happen to an object.
struct Object {
    name: String,
    tone: &'static str,
    word: &'static str,
    reason: String,
    rows: Vec<Row>,
    /// The questions to agree to: the word of the answer, and the question.
    questions: Vec<(String, String)>,
    /// There is a question, or something would change.
    is_open: bool,
}

impl Object {
    fn new(change: Change) -> Self {
        let tone = match change.kind {
            ChangeKind::New => "good",
            ChangeKind::Changed | ChangeKind::Replace => "warn",
            ChangeKind::Foreign | ChangeKind::Removed => "bad",
            ChangeKind::Same => "neutral",
        };
        let questions = questions(&change);
        let rows: Vec<Row> = change.lines.into_iter().map(Row::new).collect();
        Self {
            name: change.object.to_string(),
            tone,
            word: change.kind.label(),
            reason: change.reason,
            is_open: !questions.is_empty() || change.kind == ChangeKind::Changed,
            rows,
            questions,
        }
    }
}

fn questions(change: &Change) -> Vec<(String, String)> {
    let word = |options: Options| options.to_words().pop().unwrap_or_default();
    let object = || change.object.clone();
    let take = |field: &str| Options { take_over: vec![(object(), field.to_owned())], replace: Vec::new() };
    let mut asked = Vec::new();
    match change.kind {
        ChangeKind::Foreign => {
            asked.push((word(take("")), format!("Take over {}, which this integration did not create", change.object)));
        }
        ChangeKind::Replace => {
            let replace = Options { take_over: Vec::new(), replace: vec![object()] };
            asked.push((word(replace), format!("Delete {} and create it again", change.object)));
        }
        _ => {}
    }
    let conflicts = change.conflicts.iter();
    asked
        .extend(conflicts.map(|one| (word(take(&one.field)), format!("Take over {} from {}", one.field, one.manager))));
    asked
}

impl Found {
    fn new(preview: Preview) -> Self {
        let all = preview.take_all().to_words();
        Self {
            nodes: preview.nodes.map(|nodes| counted(nodes.into(), "node")).unwrap_or_default(),
            is_same: preview.is_same(),
            verbs: Access::VERBS,
            may_all: preview.access.iter().flat_map(|row| row.verbs).all(|may| may != Some(false)),
            asked: all.len(),
            all: all.join("\n"),
            cluster_version: preview.cluster_version,
            objections: preview.objections,
            warnings: preview.warnings,
            access: preview.access,
            changes: preview.changes.into_iter().map(Object::new).collect(),
        }
    }

    fn can_deploy(&self) -> bool {
        self.objections.is_empty()
    }
}

/// `POST`, because it opens and uses the credentials.
pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let done = deployments::preview(&services, &visitor.principal(), *id).await;
    let back = format!("/integrations/{id}");
    let Previewed { row, found } = done.map_err(step_up::on_its_page(&request, &back))?;
    let (found, failed) = match found {
        Ok(preview) => (Some(Found::new(preview)), None),
        Err(why) => (None, Some(why)),
    };
    page::html(&Page {
        shell: Shell::new(&request, &visitor, "integrations"),
        page: format!("/integrations/{}", row.id),
        name: row.name,
        row_version: row.row_version,
        verb: if row.family == Family::SecretSync.slug() { "Apply" } else { "Deploy" },
        failed,
        found,
    })
}
