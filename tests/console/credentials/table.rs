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
    let heads = ["Name", "Type", "Identity", "Tags", "Owner", "Age", "Usages", "Used", "State"];
    assert_eq!(page.texts("thead th"), heads);
    let cells = page.texts("tbody:nth-of-type(2) td:not(.is-tick)");
    assert_eq!(cells, ["Basic", "robot", "", "", "0 d", "0", "never", "Not tested"]);
    assert_eq!(page.texts(".pager span"), ["2 credentials"]);
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
    assert!(page.has(".age.is-bad") && page.texts("#results .state") == ["Rotate"]);
    assert!(page.has("#state input[value=stale][checked]"));
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
    let fields = [("kind", "api_token"), ("name", "a"), ("token", "t"), ("owner", "Zoe's team")];
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
        ("owner", "b", "a"),
    ] {
        for (direction, order) in [("", [first, last]), ("&dir=desc", [last, first])] {
            let page = visit.get(&format!("/credentials?sort={sort}{direction}")).await;
            let found: Vec<String> = names(&page).into_iter().filter(|name| name.len() == 1).collect();
            assert_eq!(found, order, "{sort}{direction}");
            let says = if direction.is_empty() { "ascending" } else { "descending" };
            let shown = !["expires", "editor"].contains(&sort);
            assert_eq!(page.attributes("thead th", "aria-sort"), [says][..usize::from(shown)], "{sort}{direction}");
            assert_eq!(page.attributes("#sort option[selected]", "value"), [sort]);
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
    for sort in ["name", "kind", "identity", "age", "usages", "used", "expires", "editor", "owner"] {
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
    assert_eq!(fragment.attributes("#results select[form=filter] option[selected]", "value"), ["age", "desc"]);
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
    let folded = visit.fragment(&format!("{path}&folded=yes")).await;
    assert!(!folded.body.contains("Registry Scan") && folded.body.contains("aria-expanded=\"false\""));
    let page = visit.get(&path).await;
    assert_eq!((page.status, page.location()), (303, format!("/credentials/{id}#usages").as_str()));
}

#[actix_web::test]
async fn chips_tags_and_owners_filter_and_say_how_many_there_are() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for (name, tags, owner) in [("a", "prod, ci", "Platform"), ("b", "prod", "Data"), ("c", "", "")] {
        let fields = [("kind", "basic"), ("name", name), ("username", "robot"), ("password", "p")];
        add_of(&mut visit, &[&fields[..], &[("tags", tags), ("owner", owner)]].concat()).await;
    }
    let used = add(&mut visit, "d").await;
    integrate(&app, "scan", used);
    execute(
        &app,
        &format!(
            "UPDATE credentials SET tested_at = now(), test_verdict = 'refused', test_sentence = 'no',
        tested_by = 'ada', test_failed = true WHERE id = '{used}'"
        ),
    );
    let page = visit.get("/credentials").await;
    assert_eq!(page.texts("#tag option"), ["Tag", "ci", "prod"]);
    assert_eq!(page.texts("#owner option"), ["Owner", "Data", "Platform"]);
    let chips = ["Any state", "Test failed 1", "Not tested 3", "Not used 3"];
    assert_eq!(page.texts("#state label"), chips);
    for (query, found, says) in [
        ("tag=prod", vec!["a", "b"], "2 of 2 (5 in all)"),
        ("tag=prod&owner=Platform", vec!["a"], "1 of 1 (5 in all)"),
        ("owner=Data", vec!["b"], "1 of 1 (5 in all)"),
        ("state=failed", vec!["d"], "1 of 1 (5 in all)"),
        ("state=untested", vec!["a", "b", "c"], "3 of 3 (5 in all)"),
        ("state=unused&tag=ci", vec!["a"], "1 of 1 (5 in all)"),
    ] {
        let page = visit.get(&format!("/credentials?{query}")).await;
        assert_eq!(names(&page), found, "{query}");
        assert_eq!(page.text(".pager span"), says, "{query}");
    }
    assert_eq!(names(&visit.get("/credentials?tag=gone").await), [""; 0]);
    assert_eq!(visit.get("/credentials?tag=gone").await.texts("#tag option[selected]"), ["gone"]);
}

#[actix_web::test]
async fn the_pager_says_where_a_page_stands_and_how_many_match() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "one").await;
    let columns = "kind, note, facts, ages, created_by, edited_by, row_mac, identity";
    execute(
        &app,
        &format!(
            "INSERT INTO credentials (id, name, name_key, owner, {columns})
             SELECT gen_random_uuid(), 'row ' || n, 'row ' || n, CASE WHEN n <= 60 THEN 'Data' ELSE '' END, {columns}
             FROM credentials, generate_series(1, 1130) n WHERE id = '{id}'"
        ),
    );
    let mut says = Vec::new();
    let mut page = visit.get("/credentials?owner=Data").await;
    for link in ["#next", "#previous"] {
        says.push(page.text(".pager span"));
        page = visit.get(&page.attributes(link, "href")[0]).await;
    }
    says.push(page.text(".pager span"));
    assert_eq!(says, ["1–50 of 60 (1,132 in all)", "51–60 of 60 (1,132 in all)", "1–50 of 60 (1,132 in all)"]);
    let page = visit.get("/credentials").await;
    assert_eq!(page.text(".pager span"), "1–50 of 1,132");
    let page = visit.get(&page.attributes("#next", "href")[0]).await;
    assert_eq!(page.text(".pager span"), "51–100 of 1,132");
    // A total is counted up to a bound, whatever the size of the table.
    assert_eq!(visit.get("/credentials?kind=basic").await.text(".pager span"), "1–50 of 1,000+ (1,132 in all)");
    assert!(page.body.len() <= 60 * 1024, "{} bytes", page.body.len());
}

#[actix_web::test]
async fn what_is_filtered_can_be_taken_away_as_a_file_without_secrets() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for (name, owner) in [("=1+1", "Data"), ("b", "Platform"), ("c", "Data")] {
        let fields = [("kind", "basic"), ("name", name), ("username", "robot"), ("password", "first secret")];
        add_of(&mut visit, &[&fields[..], &[("owner", owner), ("tags", "prod, ci")]].concat()).await;
    }
    let page = visit.get("/credentials?owner=Data&sort=name&dir=desc").await;
    let csv = visit.get(&page.attributes("#csv", "href")[0]).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.header("content-disposition").contains("credentials.csv"));
    let lines: Vec<&str> = csv.body.lines().collect();
    assert!(lines[0].starts_with("name,type,identity,tags,owner,age_days,limit_days,usages,state,"), "{}", csv.body);
    assert!(lines[1].starts_with("c,Basic authentication,robot,\"prod, ci\",Data,0,,0,Not tested,"), "{}", csv.body);
    assert!(lines[2].starts_with("'=1+1,") && lines.len() == 3, "{}", csv.body);
    assert!(!csv.body.contains("first secret"));
    let all = app.user("otto", strongroom::accounts::Role::Auditor).get("/credentials.csv?q=prod+data").await;
    assert_eq!(all.body.lines().count(), 3);
}
