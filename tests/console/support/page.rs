//! An answer of the console as a person sees it: its texts, links and forms by selectors.

use reqwest::header::HeaderMap;
use scraper::{ElementRef, Html, Selector};

/// An answer, parsed on demand.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// Where a redirect leads.
    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// The texts of all elements that match, white space folded.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        self.select(selector, |element| folded(&element.text().collect::<String>()))
    }

    /// The text of the first match; fails the test when there is none.
    pub fn text(&self, selector: &str) -> String {
        let texts = self.texts(selector);
        texts.into_iter().next().unwrap_or_else(|| panic!("no {selector} in: {}", self.body))
    }

    pub fn has(&self, selector: &str) -> bool {
        !self.texts(selector).is_empty()
    }

    /// An attribute of all elements that match and have it.
    pub fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let values = self.select(selector, |element| element.attr(name).map(str::to_owned));
        values.into_iter().flatten().collect()
    }

    /// Action and fields of every form that is posted.
    pub fn forms(&self) -> Vec<(String, Vec<(String, String)>)> {
        let document = Html::parse_document(&self.body);
        let selector = |text: &str| Selector::parse(text).expect("a selector");
        let (fields, chosen) = (selector("input[name], select[name], textarea[name]"), selector("option[selected]"));
        let value = |element: ElementRef| match element.value().name() {
            "select" => element.select(&chosen).next().and_then(|option| option.attr("value")).unwrap_or("").to_owned(),
            "textarea" => element.text().collect(),
            _ => element.attr("value").unwrap_or("").to_owned(),
        };
        let posted = selector("form[method=post]");
        let forms = document.select(&posted).map(|form| {
            let named = form.select(&fields).map(|field| (field.attr("name").unwrap_or("").to_owned(), value(field)));
            (form.attr("action").unwrap_or("").to_owned(), named.collect())
        });
        forms.collect()
    }

    fn select<T>(&self, selector: &str, f: impl Fn(ElementRef) -> T) -> Vec<T> {
        let document = Html::parse_document(&self.body);
        let selector = Selector::parse(selector).expect("a selector");
        document.select(&selector).map(f).collect()
    }
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
