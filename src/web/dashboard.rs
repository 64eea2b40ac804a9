//! The first page: how many credentials of which type, how old, what needs attention, the last runs.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::error::Error;
use super::page::{self, Shell};
use super::session::{As, Auditor};

#[derive(Template)]
#[template(path = "dashboard/show.html")]
struct Show {
    shell: Shell,
}

pub async fn show(request: HttpRequest, visitor: As<Auditor>) -> Result<HttpResponse, Error> {
    page::html(&Show { shell: Shell::new(&request, &visitor, "dashboard") })
}
