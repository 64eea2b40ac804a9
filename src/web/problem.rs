//! What an error looks like: a notice for htmx, a page by itself for strangers, and in the frame of the console for who
//! is logged in and asked for what there is not, or is not theirs.

use actix_web::HttpRequest;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use askama::Template;

use super::error::Problem;
use super::kept::{self, Back};
use super::page::Shell;
use super::{htmx, session};

#[derive(Template)]
#[template(path = "error.html")]
struct ProblemPage<'a> {
    status: u16,
    title: &'a str,
    text: &'a str,
    /// The page of the form that was posted.
    back: Option<String>,
    /// The form itself, with what was typed.
    form: Option<Back>,
    request_id: &'a str,
}

#[derive(Template)]
#[template(path = "error_in_shell.html")]
struct InShell<'a> {
    shell: Shell,
    status: u16,
    title: &'a str,
    text: &'a str,
    request_id: &'a str,
}

#[derive(Template)]
#[template(path = "shared/problem_notice.html")]
struct ProblemNotice<'a> {
    title: &'a str,
    text: &'a str,
}

/// The answer with a body that says what is wrong. `id` is that of the request.
pub async fn shown(response: ServiceResponse<BoxBody>, problem: &Problem, id: &str) -> ServiceResponse<BoxBody> {
    let (request, response) = response.into_parts();
    let (status, title, text) = (response.status(), problem.title, problem.text.as_str());
    let asked = htmx::asked(&request);
    let shell = if asked { None } else { shell(&request, status).await };
    let body = match shell {
        _ if asked => ProblemNotice { title, text }.render(),
        Some(shell) => InShell { shell, status: status.as_u16(), title, text, request_id: id }.render(),
        None => {
            let form = kept::back(&request);
            let back = kept::page_of_form(&request).filter(|_| form.is_none());
            ProblemPage { status: status.as_u16(), title, text, back, form, request_id: id }.render()
        }
    };
    let mut response = response.set_body(BoxBody::new(body.unwrap_or_default()));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    if asked {
        htmx::into_notices(&mut response);
    }
    ServiceResponse::new(request, response)
}

/// The frame for somebody who is logged in; a form that was posted has another way back.
async fn shell(request: &HttpRequest, status: StatusCode) -> Option<Shell> {
    let of_a_page = matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) && request.method() == Method::GET;
    if !of_a_page {
        return None;
    }
    let visitor = session::visitor(request).await.ok().flatten()?;
    let free = !visitor.must_choose_password && !visitor.must_enrol;
    free.then(|| Shell::new(request, &visitor, ""))
}

/// The page for a fault that nobody foresaw.
pub fn last_resort() -> String {
    let page = ProblemPage {
        status: 500,
        title: "Something went wrong",
        text: "It has been logged. Nothing was changed. Try again.",
        back: None,
        form: None,
        request_id: "",
    };
    page.render().unwrap_or_default()
}
