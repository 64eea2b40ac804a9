//! The table of users: a line each, searched, a page at a time.

use super::*;

#[actix_web::test]
async fn users_are_searched_by_name_and_address_and_come_in_pages() {
    let all = Mailing::start();
    let mut ada = all.app.administrator();
    assert!(!ada.get("/users").await.has("#q"), "everybody is in sight");
    for number in 0..60 {
        all.app.add_user(&format!("person {number:02}"), Role::Auditor);
    }
    all.user_at("zoe", Role::Auditor, "Zoe@ops.example.com");
    let page = ada.get("/users").await;
    assert_eq!((page.texts("tbody tr").len(), page.has("#q"), page.has("#previous")), (50, true, false));
    let next = page.attributes("#next", "href").remove(0);
    let second = ada.get(&next).await;
    assert_eq!((second.texts("tbody tr").len(), second.has("#next")), (12, false));
    let back = ada.get(&second.attributes("#previous", "href")[0]).await;
    assert_eq!(back.texts("tbody th a"), page.texts("tbody th a"));
    for (search, found) in
        [("OPS+zoe", vec!["zoe"]), ("07+person", vec!["person 07"]), ("%25", vec![]), ("ops+ada", vec![])]
    {
        let page = ada.fragment(&format!("/users?q={search}")).await;
        assert_eq!(page.texts("tbody th a"), found, "{search}");
        assert!(!page.has("h1"), "htmx gets the table alone");
    }
}

#[actix_web::test]
async fn the_users_that_a_search_leaves_are_a_csv_file() {
    let all = Mailing::start();
    let mut ada = all.app.administrator();
    for number in 0..3 {
        all.app.add_user(&format!("=person {number}"), Role::Auditor);
    }
    let link = ada.get("/users?q=person").await.attributes("#csv", "href").remove(0);
    let file = ada.get(&link).await;
    assert_eq!((file.status, file.header("content-type")), (200, "text/csv; charset=utf-8"));
    let lines: Vec<&str> = file.body.lines().collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[0].starts_with("name,email,role") && lines[1].starts_with("'=person 0,"), "{lines:?}");
    assert_eq!(all.app.user("otto", Role::Auditor).get("/users.csv").await.status, 403);
}
