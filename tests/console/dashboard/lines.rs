//! The lines beside the figures: from days that were counted, and from no others.

use strongroom::models::daily_figures::{self, Figures};

use crate::support::app::TestApp;
use crate::support::sql;

/// Counts today, as the job does.
fn count(app: &TestApp) -> Figures {
    let limits = app.services.limits();
    app.transaction(|conn| {
        let figures = daily_figures::now(conn, &limits)?;
        daily_figures::keep(conn, &figures)?;
        Ok(figures)
    })
}

#[actix_web::test]
async fn a_figure_has_a_line_once_another_day_was_counted() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    assert_eq!(count(&app).credentials, 1);
    assert!(!visit.get("/").await.has("[data-line]"), "one day is no line");
    sql::run(&app, "UPDATE daily_figures SET day = day - 1");
    assert_eq!(visit.get("/").await.texts("[data-figure] [data-line]").len(), 5);
    let fields = [("kind", "basic"), ("name", "robot"), ("username", "robot"), ("password", "a secret")];
    assert_eq!(visit.post("/credentials", &fields).await.status, 303);
    let path = visit.get("/").await.attributes("[data-figure=credentials] path", "d");
    assert_eq!(path, ["M61 12L71 8"]);
}

#[actix_web::test]
async fn a_day_is_kept_once_and_forgotten_after_a_year() {
    let app = TestApp::start();
    for _ in 0..2 {
        count(&app);
    }
    assert_eq!(sql::count(&app, "daily_figures"), 1);
    sql::run(&app, "UPDATE daily_figures SET day = day - 400");
    count(&app);
    assert_eq!(sql::count(&app, "daily_figures"), 1);
    assert_eq!(sql::count(&app, "daily_figures WHERE day = (now() AT TIME ZONE 'UTC')::date"), 1);
}
