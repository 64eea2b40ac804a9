//! All pages of the help, made once, and the search over them. A new type of credentials or provider of integrations has
//! its page by being in its list.

use std::sync::LazyLock;

use super::topic::Topic;
use super::{clouds, concepts, kinds, machines, running, specs};
use crate::credentials::KINDS;
use crate::integrations::Family;

static TOPICS: LazyLock<Vec<Topic>> = LazyLock::new(|| {
    let of_family = |family: &Family| family.providers().iter().map(|spec| specs::topic(spec));
    let concepts = concepts::all().into_iter().chain(clouds::all()).chain(machines::all()).chain(running::all());
    let integrations = Family::ALL.iter().flat_map(of_family);
    concepts.chain(KINDS.iter().map(|kind| kinds::topic(kind))).chain(integrations).collect()
});

/// Every page, in the order of the index.
pub fn all() -> &'static [Topic] {
    &TOPICS
}

pub fn find(href: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| topic.href == href)
}

/// A page that has every word of a search, and a sentence of it that has one of them.
pub struct Found {
    pub topic: &'static Topic,
    pub excerpt: String,
}

/// The pages whose titles have all words come first.
pub fn search(words: &str) -> Vec<Found> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let has = |text: &str, word: &String| text.to_lowercase().contains(word.as_str());
    let mut found = Vec::new();
    for topic in all() {
        let texts: Vec<&str> = topic.texts().collect();
        if words.iter().all(|word| texts.iter().any(|text| has(text, word))) {
            let in_title = words.iter().all(|word| has(&topic.title, word));
            let most = |text: &&&str| words.iter().filter(|word| has(text, word)).count();
            let best = texts.iter().skip(1).rev().max_by_key(most).copied();
            found.push((in_title, Found { topic, excerpt: shortened(best.unwrap_or_default(), &words) }));
        }
    }
    found.sort_by_key(|(in_title, _)| !in_title);
    found.into_iter().map(|(_, found)| found).collect()
}

/// Most characters of an excerpt.
const EXCERPT: usize = 160;

/// The line of a text that has a word, and no more than fits.
fn shortened(text: &str, words: &[String]) -> String {
    let has = |line: &&str| words.iter().any(|word| line.to_lowercase().contains(word.as_str()));
    let line = text.lines().find(has).or_else(|| text.lines().next()).unwrap_or_default().trim();
    let cut: String = line.chars().take(EXCERPT).collect();
    if cut.len() < line.len() { format!("{cut}…") } else { cut }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::paths;
    use super::*;

    #[test]
    fn every_type_and_provider_has_a_page_of_its_own() {
        let hrefs: BTreeSet<&str> = all().iter().map(|topic| topic.href.as_str()).collect();
        assert_eq!(hrefs.len(), all().len(), "two pages at one address");
        for kind in KINDS {
            assert!(hrefs.contains(paths::of_kind(kind.slug).as_str()), "{}", kind.slug);
        }
        for spec in Family::ALL.iter().flat_map(|family| family.providers()) {
            assert!(hrefs.contains(paths::of_spec(spec.slug).as_str()), "{}", spec.slug);
        }
    }

    #[test]
    fn no_page_is_without_words_and_no_anchor_is_there_twice() {
        for topic in all() {
            assert!(topic.lead.ends_with('.') && !topic.sections.is_empty(), "{}", topic.href);
            let ids: BTreeSet<&str> = topic.sections.iter().map(|section| section.id).collect();
            assert_eq!(ids.len(), topic.sections.len(), "{}", topic.href);
            assert!(topic.sections.iter().all(|section| !section.blocks.is_empty()), "{}", topic.href);
        }
    }

    #[test]
    fn a_search_wants_every_word_and_prefers_titles() {
        let found = search("amazon ecr");
        assert_eq!(found[0].topic.href, "/help/integrations/ecr");
        assert!(search("GetDownloadUrlForLayer").iter().any(|found| found.excerpt.contains("GetDownloadUrlForLayer")));
        assert!(search("ecr no-such-word").is_empty());
    }
}
