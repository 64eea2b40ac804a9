//! Jira's wiki markup, taken away from what people typed.

/// Wiki markup with its meaning taken away: a backslash in front of each sign, and addresses parted so that none
/// becomes a link. A backslash of the text itself, which cannot be escaped, becomes its look-alike.
/// <https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all>
pub(super) fn neutral(text: &str) -> String {
    let mut said = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\\' => said.push('＼'),
            '{' | '}' | '[' | ']' | '*' | '_' | '-' | '+' | '^' | '~' | '?' | '|' | '!' | '#' | '@' => {
                said.push('\\');
                said.push(c);
            }
            _ => said.push(c),
        }
    }
    said.replace("://", ":\u{2060}//").replace("www.", "www\u{2060}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_mentions_and_links_in_a_name_mean_nothing() {
        let said = neutral("[~admin] {noformat} !http://x/y.png! h1. \\{a\\} https://evil.example www.evil.example");
        let characters: Vec<char> = said.chars().collect();
        for pair in characters.windows(2).filter(|pair| "{}[]*_-+^~?|!#@\\".contains(pair[1])) {
            assert_eq!(pair[0] == '\\', pair[1] != '\\', "{pair:?}: {said}");
        }
        assert!(!said.contains("://") && !said.contains("www."), "{said}");
        assert!(said.contains("\\[\\~admin\\]"));
    }
}
