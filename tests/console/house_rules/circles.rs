//! Circles of files. A file stands on another if it uses what that one defines, by whatever way the name comes to it; to
//! hand a name on is no use of it.

use std::collections::{BTreeMap, BTreeSet};

use super::sources;

type Path = Vec<String>;

/// A name in a file's scope.
struct Import {
    name: String,
    path: Path,
    handed_on: bool,
}

#[derive(Default)]
struct File {
    module: Path,
    items: BTreeSet<String>,
    imports: Vec<Import>,
    /// All but the imports.
    body: String,
}

fn path(text: &str) -> Path {
    text.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The paths of `a::{b, c::{D, E as F}}`, each with the name that it gets.
fn expand(tree: &str, before: &[String], into: &mut Vec<(String, Path)>) {
    let (head, list) = tree.split_once('{').map_or((tree, None), |(head, rest)| (head, rest.rsplit_once('}')));
    let (head, renamed) = head.split_once(" as ").map_or((head, None), |(head, name)| (head, Some(name.trim())));
    let mut whole = [before, &path(head)].concat();
    let Some((list, _)) = list else {
        whole.pop_if(|last| last == "self");
        let name = renamed.map(str::to_owned).or_else(|| whole.last().cloned()).unwrap_or_default();
        return into.push((name, whole));
    };
    let mut depth = 0;
    let outer = list.split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    outer.filter(|part| !part.trim().is_empty()).for_each(|part| expand(part.trim(), &whole, into));
}

/// The item that a line at the margin begins.
fn item(line: &str) -> Option<String> {
    const KINDS: [&str; 7] = ["fn", "struct", "enum", "trait", "static", "type", "const"];
    let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub") || *word == "async").peekable();
    let kind = words.next().filter(|word| KINDS.contains(word))?;
    if kind == "const" && words.peek() == Some(&"fn") {
        words.next();
    }
    Some(words.next()?.split(|c: char| !c.is_alphanumeric() && c != '_').next()?.to_owned())
}

fn read(name: &str, text: &str) -> File {
    let inner = name.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("mod").trim_end_matches('/');
    let module = inner.split('/').filter(|part| *part != "lib").map(str::to_owned).collect();
    let mut file = File { module, ..File::default() };
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let start = line.trim_start();
        let used = start.split_once("use ").filter(|(before, _)| before.is_empty() || before.starts_with("pub"));
        let Some((before, rest)) = used else {
            file.items.extend(item(line).filter(|_| start == line));
            file.body.push_str(line);
            file.body.push('\n');
            continue;
        };
        let mut statement = rest.to_owned();
        while !statement.contains(';') {
            statement.push_str(lines.next().unwrap_or(";"));
        }
        let mut found = Vec::new();
        expand(statement.trim_end_matches(';'), &[], &mut found);
        let handed_on = !before.is_empty();
        file.imports.extend(found.into_iter().map(|(name, path)| Import { name, path, handed_on }));
    }
    file
}

struct House(BTreeMap<Path, File>);

impl House {
    /// A path as from the root; `None` for one of another crate.
    fn whole(&self, from: &[String], path: &[String]) -> Option<Path> {
        let supers = path.iter().take_while(|part| *part == "super").count();
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([from, &path[1..]].concat()),
            "super" => Some([&from[..from.len().checked_sub(supers)?], &path[supers..]].concat()),
            first => {
                let child = [from, &[first.to_owned()]].concat();
                self.0.contains_key(&child).then(|| [from, path].concat())
            }
        }
    }

    /// The module that defines what a whole path names; `None` for a module itself.
    fn definer(&self, path: &[String], hops: u8) -> Option<Path> {
        let depth = (0..path.len()).rev().find(|depth| self.0.contains_key(&path[..*depth]))?;
        let (file, name) = (&self.0[&path[..depth]], &path[depth]);
        if self.0.contains_key(path) {
            return None;
        }
        let handed = file.imports.iter().find(|import| import.name == *name && !file.items.contains(name));
        let further = handed.and_then(|import| self.whole(&file.module, &import.path)).filter(|_| hops > 0);
        match further {
            Some(further) => self.definer(&[&further, &path[depth + 1..]].concat(), hops - 1),
            None => Some(file.module.clone()),
        }
    }

    /// The modules that a file stands on.
    fn below(&self, file: &File) -> BTreeSet<Path> {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let is_used = |name: &str| file.body.split(|c| !word(c)).any(|other| other == name);
        let imported = file.imports.iter().filter(|import| !import.handed_on || is_used(&import.name));
        let mut paths: Vec<Path> = imported.map(|import| import.path.clone()).collect();
        for text in file.body.split(|c| !word(c) && c != ':').filter(|text| text.contains("::")) {
            let text = path(text);
            let import = file.imports.iter().find(|import| text.first() == Some(&import.name));
            let start = import.map_or(&text[..text.len().min(1)], |import| &import.path);
            paths.push([start, text.get(1..).unwrap_or_default()].concat());
        }
        let whole = paths.iter().filter_map(|path| self.whole(&file.module, path));
        whole.filter_map(|path| self.definer(&path, 4)).filter(|other| *other != file.module).collect()
    }
}

#[test]
fn no_circle_of_files_is_larger_than_three() {
    let sources = sources();
    let files = sources.iter().map(|(name, text)| read(name, text)).map(|file| (file.module.clone(), file));
    let house = House(files.collect());
    let below: BTreeMap<&Path, BTreeSet<Path>> =
        house.0.iter().map(|(module, file)| (module, house.below(file))).collect();
    let spec = &below[&path("integrations::spec")];
    assert!(spec.contains(&path("integrations::family")), "the rule must see what a file uses: {spec:?}");
    let reach = |from: &Path| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(module) = next.pop() {
            next.extend(below.get(module).into_iter().flatten().filter(|other| seen.insert((*other).clone())));
        }
        seen
    };
    let reached: BTreeMap<&Path, BTreeSet<Path>> = below.keys().map(|module| (*module, reach(module))).collect();
    let circle = |from: &&Path| -> Vec<String> {
        let others = reached[*from].iter().filter(|other| reached.get(other).is_some_and(|back| back.contains(*from)));
        others.map(|other| other.join("::")).collect()
    };
    let large: BTreeSet<Vec<String>> = below.keys().map(circle).filter(|circle| circle.len() > 3).collect();
    assert!(large.is_empty(), "these files stand on each other in a circle:\n{large:#?}");
}
