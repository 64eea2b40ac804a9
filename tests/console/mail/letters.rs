use scraper::{Html, Selector};

use strongroom::integrations::alerts::email;

use super::*;

fn links(html: &str) -> Vec<String> {
    let (page, linked) = (Html::parse_document(html), Selector::parse("[href]").unwrap());
    page.select(&linked).map(|link| link.attr("href").unwrap().to_owned()).collect()
}

fn texts(html: &str, css: &str) -> Vec<String> {
    let (page, wanted) = (Html::parse_document(html), Selector::parse(css).unwrap());
    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    page.select(&wanted).map(|element| words(element.text().collect())).collect()
}

#[test]
fn a_digest_says_what_how_old_where_used_and_what_to_do() {
    let mut line = stale("prod-ci");
    line.more_usages = 3;
    let letter = letter("ops@example.com", &message(vec![line.clone()]));
    for (part, form) in [("text", &letter.text), ("html", &texts(&letter.html, "body").join(" "))] {
        for words in [
            "1 alert needs attention",
            "22 November 2026, 06:00 UTC",
            "The access key of “prod-ci” is 94 days old; its limit is 90 days.",
            "AWS · ID ends in 6QXA",
            "open for 4 days, since 18 November 2026",
            "scan of prod-ci",
            "Registry Scan",
            "and 3 more",
            "Make a new access key in IAM",
            "ops@example.com",
            "“On call”",
        ] {
            assert!(form.contains(words), "{words:?} in the {part}: {form}");
        }
    }
    for url in [&line.url, &line.subject_url, &line.usages[0].url, &unsubscribe(), &page("alerts")] {
        assert!(letter.text.contains(url.as_str()), "{url} in {}", letter.text);
        assert!(links(&letter.html).contains(&url.to_string()), "{url}");
    }
}

#[test]
fn alerts_are_grouped_by_what_raised_them_and_what_is_over_comes_last() {
    let mut expiring = stale("tls");
    (expiring.trigger, expiring.event, expiring.severity) = (Trigger::Expiring, Event::Ahead, Severity::Info);
    let mut closed = stale("rotated");
    closed.event = Event::Closed;
    closed.title = "The access key of “rotated” was replaced.".to_owned();
    let mut scan = stale("eu images");
    (scan.trigger, scan.event, scan.severity) = (Trigger::FailedScan, Event::Reminder, Severity::Error);
    let letter = letter("ops@example.com", &message(vec![closed, expiring, stale("a"), scan, stale("b")]));
    let groups = ["Old secrets · 2", "Expiring credentials · 1", "Failed scans · 1", "Closed · 1"];
    assert_eq!(texts(&letter.html, "h2"), groups);
    assert_eq!(texts(&letter.html, "td.body > .pill"), ["New", "New", "Soon", "Still open", "Closed"]);
    let counts = ["2 old secrets", "1 expiring credential", "1 failed scan", "1 closed"];
    assert_eq!(texts(&letter.html, ".counts .pill"), counts);
    assert_eq!(letter.subject, format!("3 alerts need attention: {}", counts.join(", ")));
    assert_eq!(texts(&letter.html, "td.body .remedy").len(), 4, "what is over asks for nothing");
}

#[test]
fn a_thousand_alerts_are_all_listed_once_and_the_rest_is_counted() {
    let mut message = message((0..1000).map(|number| stale(&format!("key-{number:04}"))).collect());
    message.more = 9000;
    let letter = letter("ops@example.com", &message);
    let titles = texts(&letter.html, ".title");
    assert_eq!(titles.len(), 1000);
    for line in &message.lines {
        assert_eq!(titles.iter().filter(|title| **title == line.title).count(), 1, "{}", line.title);
        assert_eq!(letter.text.matches(&line.title).count(), 1, "{}", line.title);
        assert_eq!(letter.text.matches(line.url.as_str()).count(), 1, "{}", line.url);
    }
    assert_eq!(letter.subject, "10000 alerts need attention: 1000 old secrets, 9000 more");
    for form in [&letter.text, &letter.html] {
        assert!(form.contains("9000 more alerts are listed in the console."));
        assert!(form.contains(page("alerts").as_str()));
    }
}

#[test]
fn what_was_only_closed_or_comes_up_is_said_so() {
    let only = |event| {
        let mut line = stale("prod-ci");
        line.event = event;
        letter("ops@example.com", &message(vec![line]))
    };
    assert_eq!(texts(&only(Event::Closed).html, "h1"), ["1 alert was closed"]);
    assert_eq!(texts(&only(Event::Ahead).html, "h1"), ["1 alert is coming up"]);
    assert_eq!(texts(&only(Event::Reminder).html, "h1"), ["1 alert needs attention"]);
}

#[test]
fn a_test_says_that_it_is_one() {
    let mut message = message(vec![stale("example")]);
    message.test = true;
    let letter = letter("ops@example.com", &message);
    assert_eq!(letter.subject, "Test alert from Strongroom");
    assert_eq!(texts(&letter.html, "h1"), ["This is a test"]);
    assert!(texts(&letter.html, ".notice")[0].contains("no such credential exists"));
    assert!(letter.text.contains("no such credential exists"));
}

#[test]
fn a_letter_fetches_nothing_and_links_to_nothing_but_the_console() {
    let asked = mail::Confirmation {
        id: Uuid::new_v4(),
        at: now(),
        to: "ops@example.com",
        profile: "On call",
        by: "ada",
        triggers: &[Trigger::Stale, Trigger::Expiring],
        console: &page(""),
        link: &page("recipients/confirm/abc"),
        until: now() + TimeDelta::days(7),
    };
    let letters = [letter("ops@example.com", &message(vec![stale("a")])), mail::confirmation(&asked).unwrap()];
    for letter in letters {
        assert!(links(&letter.html).iter().all(|link| link.starts_with(CONSOLE)), "{:?}", links(&letter.html));
        for banned in ["<img", "<link", "<script", "<form", "@import", "url(", " src="] {
            assert!(!letter.html.contains(banned), "{banned}");
        }
    }
}

#[test]
fn a_confirmation_says_who_asks_for_what_and_until_when() {
    let asked = mail::Confirmation {
        id: Uuid::new_v4(),
        at: now(),
        to: "ops@example.com",
        profile: "On call",
        by: "ada",
        triggers: &[Trigger::Stale, Trigger::Lockout],
        console: &page(""),
        link: &page("recipients/confirm/abc"),
        until: now() + TimeDelta::days(7),
    };
    let letter = mail::confirmation(&asked).unwrap();
    assert_eq!(letter.subject, "Confirm that you want alerts from console.example.com");
    assert_eq!(letter.unsubscribe, None, "there is nothing to unsubscribe from yet");
    assert_eq!(texts(&letter.html, "li"), ["Old secret", "Login lockout"]);
    for form in [&letter.text, &letter.html] {
        assert!(!form.contains("once"), "the link opens its page as often as it is followed: {form}");
        for words in ["ada", "On call", "29 November 2026", "recipients/confirm/abc", "you get nothing more"] {
            assert!(form.contains(words), "{words} in {form}");
        }
    }
}

#[test]
fn ids_are_the_consoles_own_wherever_it_is() {
    let host = |url: &str| email::host(&Url::parse(url).unwrap());
    assert_eq!(host("https://console.example.com./"), "console.example.com");
    assert_eq!(host("http://127.0.0.1:8080/"), "127.0.0.1");
    assert_eq!(host("http://[::1]:8080/"), "0-0-0-0-0-0-0-1.ipv6");
}
