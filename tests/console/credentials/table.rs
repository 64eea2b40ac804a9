//! The table: search, filters, sorting, paging, unfolding.

use super::{add, add_of, execute, integrate};
use crate::support::app::{Page, TestApp, Visit};
use crate::support::signed;

pub fn names(page: &Page) -> Vec<String> {
    page.texts("#results tbody th a")
}

#[actix_web::test]
async fn a_fresh_store_has_the_iam_role_and_says_what_to_do_first() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let page = visit.get("/credentials").await;
    assert_eq!(names(&page), ["IAM Role"]);
    assert_eq!(page.text(".empty h2"), "Add the first credential");
    assert!(page.text(".empty p").contains("IAM Role came with Strongroom"));
    add(&mut visit, "robot").await;
    let page = visit.get("/credentials").await;
    assert_eq!(names(&page), ["IAM Role", "robot"]);
    assert!(!page.has(".empty"));
    assert_eq!(
        page.texts("thead th"),
        ["Name", "Type", "Identifying value", "Age", "Usages", "Last used", "Expires", "Last edited by", "Last test"]
    );
    let cells = page.texts("tbody:nth-of-type(2) td");
    assert_eq!(&cells[..5], ["Basic authentication", "robot", "0 days", "0", "never"]);
    assert!(cells[6].starts_with("ada"), "{cells:?}");
}

#[actix_web::test]
async fn search_takes_every_character_literally() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for name in ["100% sure", "under_score", "back\\slash", "plain", "Größe"] {
        add(&mut visit, name).await;
    }
    for (search, found) in [
        ("0%25%20s", vec!["100% sure"]),
        ("100%25", vec!["100% sure"]),
        ("%25", vec!["100% sure"]),
        ("_", vec!["under_score"]),
        ("r_s", vec!["under_score"]),
        ("k\\s", vec!["back\\slash"]),
        ("GR%C3%96", vec!["Größe"]),
        ("pl", vec!["plain"]),
        ("nothing%20like%20it", vec![]),
        ("'%20OR%201=1--", vec![]),
    ] {
        let page = visit.get(&format!("/credentials?q={search}")).await;
        assert_eq!(page.status, 200);
        assert_eq!(names(&page), found, "{search}");
        if found.is_empty() {
            assert_eq!(page.text(".empty h2"), "Nothing found");
            assert_eq!(page.attributes(".empty a", "href"), ["/credentials"]);
        }
    }
}

#[actix_web::test]
async fn states_and_types_filter_and_the_address_keeps_them() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let access_key = |name| {
        [
            ("kind", "aws"),
            ("name", name),
            ("method", "access_key"),
            ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
            ("secret_access_key", "wJalrXUtnFEMIzK7MDENGzbPxRfiCYEXAMPLEKEY"),
        ]
    };
    let old = add_of(&mut visit, &access_key("old key")).await;
    let edge = add_of(&mut visit, &access_key("key of ninety days")).await;
    let used = add(&mut visit, "used robot").await;
    let soon = add(&mut visit, "ends soon").await;
    integrate(&app, "scan", used);
    signed::run(
        &app,
        &format!("UPDATE credentials SET secret_set_at = now() - interval '90 days 1 second' WHERE id = '{old}'"),
    );
    signed::run(
        &app,
        &format!("UPDATE credentials SET secret_set_at = now() - interval '89 days 23 hours' WHERE id = '{edge}'"),
    );
    signed::run(&app, &format!("UPDATE credentials SET expires_at = now() + interval '20 days' WHERE id = '{soon}'"));
    let page = visit.get("/credentials?state=stale").await;
    assert_eq!(names(&page), ["old key"]);
    assert!(page.has(".age.is-bad") && page.texts(".badge").contains(&"Stale".to_owned()));
    assert!(page.has("select#state option[value=stale][selected]"));
    assert_eq!(names(&visit.get("/credentials?state=expiring").await), ["ends soon"]);
    let page = visit.get("/credentials?state=unused&kind=basic").await;
    assert_eq!(names(&page), ["ends soon"]);
    assert!(
        page.attributes("thead a", "href")
            .iter()
            .all(|href| href.contains("state=unused&") || href.ends_with("state=unused"))
    );
    assert_eq!(names(&visit.get("/credentials?kind=aws").await), ["IAM Role", "key of ninety days", "old key"]);
}

#[actix_web::test]
async fn the_bar_turns_at_the_days_that_the_operator_sets() {
    let app = TestApp::start_with(&["--stale-days=10"]);
    let mut visit = app.administrator();
    let fields = [
        ("kind", "aws"),
        ("name", "key"),
        ("method", "access_key"),
        ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
        ("secret_access_key", "wJalrXUtnFEMIzK7MDENGzbPxRfiCYEXAMPLEKEY"),
    ];
    let id = add_of(&mut visit, &fields).await;
    signed::run(&app, &format!("UPDATE credentials SET secret_set_at = now() - interval '11 days' WHERE id = '{id}'"));
    assert!(visit.get("/credentials?q=key").await.has(".age.is-bad"));
}

#[actix_web::test]
async fn every_column_sorts_both_ways_and_says_so() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let b = add(&mut visit, "b").await;
    let fields = [("kind", "api_token"), ("name", "a"), ("token", "t")];
    let a = add_of(&mut app.user("zoe", strongroom::accounts::Role::Operator), &fields).await;
    integrate(&app, "scan", b);
    signed::run(&app, &format!("UPDATE credentials SET secret_set_at = now() - interval '5 days' WHERE id = '{a}'"));
    execute(&app, &format!("UPDATE credentials SET last_used_at = now() WHERE id = '{b}'"));
    signed::run(&app, &format!("UPDATE credentials SET expires_at = now() + interval '1 year' WHERE id = '{b}'"));
    for (sort, first, last) in [
        ("name", "a", "b"),
        ("kind", "a", "b"),
        ("identity", "a", "b"),
        ("age", "b", "a"),
        ("usages", "a", "b"),
        ("used", "a", "b"),
        // What does not expire comes last.
        ("expires", "b", "a"),
        ("editor", "b", "a"),
    ] {
        for (direction, order) in [("", [first, last]), ("&dir=desc", [last, first])] {
            let page = visit.get(&format!("/credentials?sort={sort}{direction}")).await;
            let found: Vec<String> = names(&page).into_iter().filter(|name| name.len() == 1).collect();
            assert_eq!(found, order, "{sort}{direction}");
            let says = if direction.is_empty() { "ascending" } else { "descending" };
            assert_eq!(page.attributes("thead th", "aria-sort"), [says], "{sort}{direction}");
        }
    }
}

/// All names from the first page to the last by *Next*, then back by *Previous*.
pub async fn walk(visit: &mut Visit, start: &str) -> (Vec<String>, Vec<String>) {
    let mut page = visit.get(start).await;
    let (mut forth, mut back) = (names(&page), Vec::new());
    while let Some(next) = page.attributes("#next", "href").pop() {
        page = visit.get(&next).await;
        assert!(page.status == 200 && !names(&page).is_empty(), "{next}");
        forth.extend(names(&page));
    }
    back.splice(0..0, names(&page));
    while let Some(previous) = page.attributes("#previous", "href").pop() {
        page = visit.get(&previous).await;
        back.splice(0..0, names(&page));
    }
    (forth, back)
}

#[actix_web::test]
async fn pages_show_every_row_once_in_every_sort_forth_and_back() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "one").await;
    // Rows that tie in every column but the name: copies are enough for a table that opens nothing.
    let columns = "kind, note, facts, ages, created_by, edited_by, row_mac";
    execute(
        &app,
        &format!(
            "INSERT INTO credentials (id, name, name_key, identity, usage_count, expires_at, {columns})
             SELECT gen_random_uuid(), 'row ' || n, 'row ' || n, 'user ' || n % 3, n % 2,
                 CASE WHEN n % 5 > 2 THEN now() + make_interval(days => n % 4) END, {columns}
             FROM credentials, generate_series(1, 130) n WHERE id = '{id}'"
        ),
    );
    for sort in ["name", "kind", "identity", "age", "usages", "used", "expires", "editor"] {
        for direction in ["", "&dir=desc"] {
            let (forth, back) = walk(&mut visit, &format!("/credentials?sort={sort}{direction}")).await;
            assert_eq!(forth.len(), 132, "{sort}{direction}");
            assert_eq!(forth, back, "{sort}{direction}");
            let distinct: std::collections::BTreeSet<&String> = forth.iter().collect();
            assert_eq!(distinct.len(), 132, "{sort}{direction}");
        }
    }
}

#[actix_web::test]
async fn an_address_that_asks_for_what_there_is_not_is_refused() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for query in [
        "sort=secret",
        "sort=name_key",
        "dir=up",
        "state=broken",
        "kind=carrier_pigeon",
        "after=x",
        "before=e30",
        "after=eyJ0IjpbIngiXX0",
        "after=eyJuIjpbMSwiMDE5YTAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAwIl19",
        "after=a&before=b",
    ] {
        assert_eq!(visit.get(&format!("/credentials?{query}")).await.status, 422, "{query}");
    }
    for id in ["x", "00000000-0000-0000-0000-000000000000", "1%00", "..%2f"] {
        for page in ["", "/edit", "/delete"] {
            assert_eq!(visit.get(&format!("/credentials/{id}{page}")).await.status, 404, "{id}{page}");
        }
    }
}

#[actix_web::test]
async fn htmx_gets_the_results_alone() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fragment = visit.fragment("/credentials?q=IAM").await;
    assert!(fragment.has("#results") && !fragment.has("h1"));
    // The search form sends the order on, which may have been changed by a swap of the results alone.
    let fragment = visit.fragment("/credentials?q=IAM&sort=age&dir=desc").await;
    assert_eq!(fragment.attributes("#results input[form=filter]", "value"), ["age", "desc"]);
    assert_eq!(names(&fragment), ["IAM Role"]);
}

#[actix_web::test]
async fn usages_unfold_under_their_row_and_without_script_lead_to_the_page() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let integration = integrate(&app, "nightly scan", id);
    let page = visit.get("/credentials?q=robot").await;
    assert_eq!(page.attributes(".unfold", "href"), [format!("/credentials/{id}#usages")]);
    assert_eq!(page.attributes(".unfold", "aria-expanded"), ["false"]);
    let path = page.attributes(".unfold", "hx-get").remove(0);
    let row = visit.fragment(&path).await;
    assert!(row.body.contains(&format!("/integrations/{integration}")));
    assert!(row.body.contains("Registry Scan") && row.body.contains("aria-expanded=\"true\""));
    let folded = visit.fragment(&format!("{path}?folded=yes")).await;
    assert!(!folded.body.contains("Registry Scan") && folded.body.contains("aria-expanded=\"false\""));
    let page = visit.get(&path).await;
    assert_eq!((page.status, page.location()), (303, format!("/credentials/{id}#usages").as_str()));
}
