//! What a refused form held: the page that says why carries it back into the form, so that nothing is typed twice.
//! Secrets are not among it, nor what looks like one. A form takes it back by the field `redraw`, and is drawn with it
//! as with its errors; a further form with text is a line in [`FORMS`].

use actix_web::http::{Method, header};
use actix_web::{HttpMessage, HttpRequest};
use url::Url;

use super::{Route, page};
use crate::credentials::KINDS;
use crate::form::{Field, Values, shown_again};
use crate::integrations::Family;
use crate::integrations::alerts::TRIGGER_FIELDS;

/// The routes of forms that know `redraw`. *Test* posts the fields of a form to a route of its own.
const FORMS: [&str; 10] = [
    "/credentials",
    "/credentials/test",
    "/credentials/{id}/edit",
    "/credentials/{id}/test",
    "/credentials/{id}/rotate",
    "/integrations",
    "/integrations/{id}/edit",
    "/users/new",
    "/integrations/{id}/recipients",
    "/alerts/settings",
];

/// Fields that no list declares.
const PLAIN: [&str; 17] = [
    "kind",
    "for",
    "version",
    "credential",
    "schedule",
    "name",
    "description",
    "owner",
    "tags",
    "row_version",
    "username",
    "role",
    "address",
    "stale_days",
    "ahead",
    "remind",
    "failed_scans",
];
/// Passwords, and answers to a question that is asked again.
const SECRET: [Field; 3] = [
    Field::secret("password", "Password"),
    Field::secret("password_again", "Password again"),
    Field::secret("your_password", "Your password"),
];

/// Bytes of the longest value that goes back: more than any field takes.
const LONGEST: usize = 64 * 1024;

/// Names and values of a posted form that may be shown again.
pub struct Kept(Vec<(String, String)>);

/// The way back to a form, filled in.
pub struct Back {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Kept {
    pub fn of(posted: &Values) -> Self {
        let specs = Family::ALL.iter().flat_map(|family| family.providers());
        let fields = || KINDS.iter().flat_map(|kind| kind.fields);
        let secret: Vec<Field> = fields().filter(|field| field.control.is_secret()).chain(&SECRET).cloned().collect();
        let declared = fields().chain(specs.flat_map(|spec| spec.fields)).chain(&TRIGGER_FIELDS);
        let open: Vec<&str> = declared.map(|field| field.name).chain(PLAIN).collect();
        let limits = |name: &str| name.strip_prefix("days_").is_some_and(|kind| KINDS.iter().any(|k| k.slug == kind));
        let may = |name: &str| (open.contains(&name) || limits(name)) && secret.iter().all(|field| field.name != name);
        let told = posted.names().filter(|name| may(name)).map(|name| (name, posted.get(name)));
        let told = told.filter(|(_, value)| (1..=LONGEST).contains(&value.len()));
        let told = told.filter(|(_, value)| shown_again(&secret, posted, value, false));
        Self(told.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// The way back, for a request whose form was read and that is answered by an error.
pub fn back(request: &HttpRequest) -> Option<Back> {
    let route = request.app_data::<Route>()?.0;
    let kept = request.extensions_mut().remove::<Kept>()?;
    // The button on a page posts nothing.
    let told = kept.0.iter().any(|(name, _)| name != "row_version");
    let action = match request.path().strip_suffix("/test") {
        Some("/credentials") => "/credentials".to_owned(),
        Some(page) => format!("{page}/edit"),
        None => request.path().to_owned(),
    };
    Some(Back { action, fields: kept.0 }).filter(|_| told && FORMS.contains(&route))
}

/// The page that a refused form was posted from, as the browser names it: one of ours, else none.
pub fn page_of_form(request: &HttpRequest) -> Option<String> {
    let header = request.headers().get(header::REFERER).filter(|_| request.method() == Method::POST)?;
    let url = Url::parse(header.to_str().ok()?).ok()?;
    let own = url.host_str()? == request.full_url().host_str()?;
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    Some(page::local_path(&path).to_owned()).filter(|path| own && path != "/")
}
