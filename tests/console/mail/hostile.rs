use scraper::{Html, Selector};
use serde_json::json;

use super::*;

/// Names as an enemy gives them.
fn corpus() -> Vec<String> {
    let mut names: Vec<String> = [
        "x\r\nBcc: evil@example.com",
        "x\nSubject: other\n\nbody",
        "\r\n.\r\nMAIL FROM:<evil@example.com>\r\n",
        "\r\n\r\n--boundary\r\nContent-Type: text/html\r\n\r\n<h1>other</h1>",
        "\"><img src=https://evil.example/x onerror=alert(1)>",
        "</a><a href=\"https://evil.example/\">log in</a>",
        "<script>alert(1)</script>",
        "</style><style>body{display:none}</style>",
        "<!--[if mso]>hidden<![endif]--> -->",
        "{{7*7}} {% raw %} ${7*7}",
        "javascript:alert(1)",
        "https://evil.example/login",
        "=?utf-8?q?=0d=0aBcc:_evil=40example.com?=",
        "\u{202e}gnp.exe\u{2066}\u{2069}\u{200f}",
        "שלום עולם",
        "مفتاح (prod) 42",
        "a\u{0}b\u{7f}c\u{85}d\u{2028}e\u{2029}f\u{feff}",
        "<!channel> @here *bold* `code`",
        ".",
        "..",
        "-- ",
        "🔑👩‍👩‍👧 ключ 鍵",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("x".repeat(10_000));
    names.push("é".repeat(10_000));
    names.push("x ".repeat(5_000));
    names.push("\u{202e}".repeat(10_000));
    names
}

#[tokio::test]
async fn no_name_changes_the_headers_or_the_structure_of_a_mail() {
    let server = MailServer::clear(json!({}));
    let sender = Sender::without_login(&server);
    for name in corpus() {
        let mut line = stale(&name);
        line.detail.clone_from(&name);
        line.remedy = format!("Replace {name}.");
        line.usages[0].name.clone_from(&name);
        let known = [&line.url, &line.subject_url, &line.usages[0].url].map(ToString::to_string);
        let message = message(vec![line]);
        let letter = mail::digest("ops@example.com", &name, &message, Some(&unsubscribe()), "").unwrap();
        sender.send(&letter).await.unwrap();
        let mail = server.mails().pop().unwrap();
        let shown: String = name.chars().take(40).collect();
        let headers: Vec<&str> = mail.headers.iter().map(|(name, _)| name.as_str()).collect();
        let expected = [
            "Date",
            "From",
            "To",
            "Subject",
            "Message-ID",
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "List-Id",
            "List-Unsubscribe",
            "List-Unsubscribe-Post",
            "MIME-Version",
            "Content-Type",
        ];
        assert_eq!(headers, expected, "{shown:?}");
        assert!(mail.defects.is_empty() && mail.longest <= 998 && mail.ascii, "{shown:?}: {:?}", mail.defects);
        assert!(mail.header("Subject").chars().count() <= 120, "{shown:?}");
        let kinds: Vec<&str> = mail.parts.iter().map(|part| part.kind.as_str()).collect();
        assert_eq!(kinds, ["multipart/alternative", "text/plain", "text/html"], "{shown:?}");
        let whole = [mail.header("Subject"), mail.body("text/plain"), mail.body("text/html")].join("\n");
        let turned = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}' | '\u{2067}' | '\u{200e}' | '\u{200f}');
        assert!(!whole.contains(turned), "{shown:?}");
        assert_eq!(whole.matches('\u{2068}').count(), whole.matches('\u{2069}').count(), "{shown:?}");
        assert!(!whole.contains("https://evil.example"), "{shown:?}");
        let page = Html::parse_document(mail.body("text/html"));
        let count = |css: &str| page.select(&Selector::parse(css).unwrap()).count();
        assert_eq!((count("img"), count("script"), count("style"), count("h1"), count("form")), (0, 0, 1, 1, 0));
        let anchors = Selector::parse("a").unwrap();
        let links = page.select(&anchors).map(|link| link.attr("href").unwrap().to_owned());
        let ours = [CONSOLE.to_owned(), page_of("alerts"), unsubscribe().to_string()];
        for link in links {
            assert!(known.contains(&link) || ours.contains(&link), "{shown:?}: {link}");
        }
    }
    assert!(server.recipients().iter().all(|to| to == "ops@example.com"));
    assert_eq!(server.recipients().len(), corpus().len());
}

fn page_of(path: &str) -> String {
    page(path).to_string()
}

#[test]
fn a_name_from_right_to_left_does_not_turn_what_stands_around_it() {
    let letter = letter("ops@example.com", &message(vec![stale("שלום")]));
    let expected = "The access key of “\u{2068}שלום\u{2069}” is 94 days old";
    assert!(letter.text.contains(expected), "{}", letter.text);
    assert!(letter.html.contains(expected), "{}", letter.html);
}
