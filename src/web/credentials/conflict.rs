//! Two people edited one credential: the second sees both versions side by side, and loses nothing.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::credentials::{self, Kind};
use crate::draft::Shown;
use crate::form::{Control, Values, shown_again};
use crate::models::credentials::Credential;
use crate::models::{self, CredentialId, DbError};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell, When, when};
use crate::web::session::{As, Operator};

/// A line of both versions.
struct Pair {
    label: &'static str,
    theirs: String,
    yours: String,
}

#[derive(Template)]
#[template(path = "credentials/conflict.html", blocks = ["page"])]
struct Conflict {
    shell: Shell,
    row: Credential,
    edited: When,
    /// Where the person goes on.
    form: &'static str,
    pairs: Vec<Pair>,
    /// Name and value of what goes on into the form: nothing secret.
    carried: Vec<(String, String)>,
    secret_entered: bool,
}

/// What somebody else saved meanwhile, beside what is posted: 409. `form` is the form that was posted, `edit` or
/// `rotate`.
pub async fn show(
    services: &Services,
    request: &HttpRequest,
    visitor: &As<Operator>,
    (id, form): (CredentialId, &'static str),
    posted: &Values,
) -> Result<HttpResponse, Error> {
    let vault = services.vault.clone();
    let load = move |conn: &mut models::Conn| {
        Ok::<_, DbError>((models::credentials::find(conn, &vault, id)?.into_shown(), models::clock(conn)?))
    };
    let (row, now) = services.db.run(load).await?;
    let kind = credentials::find(&row.kind).ok_or(Error::NotFound)?;
    let secrets = || kind.fields.iter().filter(|field| field.control.is_secret());
    let carried = posted.names().filter(|name| !matches!(*name, "row_version" | "redraw" | "kind"));
    let carried = carried.filter(|name| !secrets().any(|field| field.name == *name));
    let carried = carried.filter(|name| shown_again(kind.fields, posted, posted.get(name), false));
    let page = Conflict {
        shell: Shell::new(request, visitor, "credentials"),
        edited: when(row.edited_at, now),
        form,
        pairs: pairs(kind, &row, posted),
        carried: carried.map(|name| (name.to_owned(), posted.get(name).to_owned())).collect(),
        secret_entered: secrets().any(|field| !posted.get(field.name).is_empty()),
        row,
    };
    if htmx::asked(request) {
        return page::html_with(StatusCode::CONFLICT, &page.as_page());
    }
    page::html_with(StatusCode::CONFLICT, &page)
}

fn pairs(kind: &Kind, row: &Credential, posted: &Values) -> Vec<Pair> {
    let shown = Shown::read(&row.facts).stored();
    let label = |control: Control, value: &str| match control {
        Control::Choice(options) => {
            options.iter().find(|(option, _)| *option == value).map_or("", |(_, label)| label).to_owned()
        }
        _ => value.trim().to_owned(),
    };
    let mut pairs = vec![
        Pair { label: "Name", theirs: row.name.clone(), yours: posted.get("name").trim().to_owned() },
        Pair {
            label: "Description",
            theirs: row.note.clone(),
            yours: posted.get("description").replace("\r\n", "\n").trim().to_owned(),
        },
        Pair { label: "Owner", theirs: row.owner.clone(), yours: posted.get("owner").trim().to_owned() },
        Pair { label: "Tags", theirs: row.tags.join(", "), yours: posted.get("tags").trim().to_owned() },
    ];
    for pair in &mut pairs {
        if !shown_again(kind.fields, posted, &pair.yours, false) {
            pair.yours = "Looks like a secret, not shown".to_owned();
        }
    }
    for field in kind.fields {
        let (theirs, yours) = (shown.get(field.name), posted.get(field.name));
        let pair = if field.control.is_secret() {
            let say = |there: bool, text: &str| if there { text.to_owned() } else { String::new() };
            let kept = say(!theirs.is_empty(), "As stored");
            Pair {
                label: field.label,
                yours: if yours.is_empty() { kept.clone() } else { "New value, not shown".to_owned() },
                theirs: kept,
            }
        } else {
            Pair { label: field.label, theirs: label(field.control, theirs), yours: label(field.control, yours) }
        };
        if !(pair.theirs.is_empty() && pair.yours.is_empty()) {
            pairs.push(pair);
        }
    }
    pairs
}
