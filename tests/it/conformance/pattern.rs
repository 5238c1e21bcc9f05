//! The oracle's patterns: LIKE, ILIKE and regular expressions by trying everything.
//!
//! The expressions are those that the cases need: characters, `.`, classes, `\d \w \s \b` and their opposites, groups,
//! `|`, `* + ? {n,m}`, `^ $`, and `(?i)` at the beginning. Exponential in the worst case, as an oracle may be.

/// Whether the whole of `text` is like `pattern`: `%` any run, `_` one character, a backslash before what is meant
/// literally.
pub fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skip| like(&text[skip..], rest)),
        ['_', rest @ ..] => !text.is_empty() && like(&text[1..], rest),
        ['\\', literal, rest @ ..] => text.first() == Some(literal) && like(&text[1..], rest),
        [literal, rest @ ..] => text.first() == Some(literal) && like(&text[1..], rest),
    }
}

/// Letter case taken away, character by character.
pub fn fold(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Whether the expression matches somewhere in `text`.
pub fn regex(text: &str, expression: &str) -> bool {
    let (expression, ignore_case) = match expression.strip_prefix("(?i)") {
        Some(rest) => (rest, true),
        None => (expression, false),
    };
    let chars = |text: &str| if ignore_case { fold(text) } else { text.chars().collect() };
    let (text, expression) = (chars(text), chars(expression));
    let (tree, rest) = alternatives(&expression);
    assert!(rest.is_empty(), "the oracle does not know this expression");
    (0..=text.len()).any(|start| run(&tree, &text, start, &mut |_| true))
}

/// A regular expression.
enum Tree {
    /// One character that the test accepts.
    One(Box<dyn Fn(char) -> bool>),
    Start,
    End,
    /// `\b`, or `\B` if false.
    Boundary(bool),
    Sequence(Vec<Tree>),
    Either(Vec<Tree>),
    Repeat(Box<Tree>, usize, usize),
}

/// Calls `then` with every place where a match that begins at `at` can end, until it is content.
fn run(tree: &Tree, text: &[char], at: usize, then: &mut dyn FnMut(usize) -> bool) -> bool {
    match tree {
        Tree::One(accepts) => text.get(at).is_some_and(|c| accepts(*c)) && then(at + 1),
        Tree::Start => at == 0 && then(at),
        Tree::End => at == text.len() && then(at),
        Tree::Boundary(wanted) => {
            let before = at > 0 && word(text[at - 1]);
            let after = text.get(at).is_some_and(|c| word(*c));
            (before != after) == *wanted && then(at)
        }
        Tree::Sequence(parts) => sequence(parts, text, at, then),
        Tree::Either(parts) => parts.iter().any(|part| run(part, text, at, then)),
        Tree::Repeat(inner, least, most) => repeat(inner, (*least, *most), text, at, then),
    }
}

fn sequence(parts: &[Tree], text: &[char], at: usize, then: &mut dyn FnMut(usize) -> bool) -> bool {
    match parts {
        [] => then(at),
        [first, rest @ ..] => run(first, text, at, &mut |next| sequence(rest, text, next, then)),
    }
}

fn repeat(
    inner: &Tree,
    (least, most): (usize, usize),
    text: &[char],
    at: usize,
    then: &mut dyn FnMut(usize) -> bool,
) -> bool {
    let more = most > 0
        && run(inner, text, at, &mut |next| {
            // A turn that takes nothing leads nowhere new.
            next > at && repeat(inner, (least.saturating_sub(1), most - 1), text, next, then)
        });
    more || (least == 0 && then(at))
}

fn word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn alternatives(mut rest: &[char]) -> (Tree, &[char]) {
    let mut found = Vec::new();
    loop {
        let mut parts = Vec::new();
        while !matches!(rest.first(), None | Some('|' | ')')) {
            let (part, after) = repeated(rest);
            parts.push(part);
            rest = after;
        }
        found.push(Tree::Sequence(parts));
        match rest {
            ['|', after @ ..] => rest = after,
            _ => return (Tree::Either(found), rest),
        }
    }
}

fn repeated(rest: &[char]) -> (Tree, &[char]) {
    let (atom, rest) = atom(rest);
    let (least, most, rest) = match rest {
        ['*', rest @ ..] => (0, usize::MAX, rest),
        ['+', rest @ ..] => (1, usize::MAX, rest),
        ['?', rest @ ..] => (0, 1, rest),
        ['{', rest @ ..] => {
            let end = rest.iter().position(|c| *c == '}').unwrap();
            let bounds: String = rest[..end].iter().collect();
            let (least, most) = bounds.split_once(',').unwrap_or((&bounds, &bounds));
            let most = if most.is_empty() { usize::MAX } else { most.parse().unwrap() };
            (least.parse().unwrap(), most, &rest[end + 1..])
        }
        _ => return (atom, rest),
    };
    (Tree::Repeat(Box::new(atom), least, most), rest)
}

fn atom(rest: &[char]) -> (Tree, &[char]) {
    match rest {
        ['(', '?', ':', rest @ ..] | ['(', rest @ ..] => {
            let (tree, rest) = alternatives(rest);
            assert_eq!(rest.first(), Some(&')'));
            (tree, &rest[1..])
        }
        ['^', rest @ ..] => (Tree::Start, rest),
        ['$', rest @ ..] => (Tree::End, rest),
        ['.', rest @ ..] => (Tree::One(Box::new(|c| c != '\n')), rest),
        ['\\', 'b', rest @ ..] => (Tree::Boundary(true), rest),
        ['\\', 'B', rest @ ..] => (Tree::Boundary(false), rest),
        ['\\', escaped, rest @ ..] => (Tree::One(class(*escaped)), rest),
        ['[', '^', rest @ ..] => {
            let (inside, rest) = set(rest);
            (Tree::One(Box::new(move |c| !inside(c))), rest)
        }
        ['[', rest @ ..] => {
            let (inside, rest) = set(rest);
            (Tree::One(inside), rest)
        }
        [literal, rest @ ..] => {
            let literal = *literal;
            (Tree::One(Box::new(move |c| c == literal)), rest)
        }
        [] => panic!("the expression ends too early"),
    }
}

fn class(letter: char) -> Box<dyn Fn(char) -> bool> {
    match letter {
        'd' => Box::new(|c| c.is_numeric()),
        'D' => Box::new(|c| !c.is_numeric()),
        'w' => Box::new(word),
        'W' => Box::new(|c| !word(c)),
        's' => Box::new(char::is_whitespace),
        'S' => Box::new(|c| !c.is_whitespace()),
        'n' => Box::new(|c| c == '\n'),
        't' => Box::new(|c| c == '\t'),
        other => Box::new(move |c| c == other),
    }
}

/// What stands between brackets, and the rest behind them.
fn set(mut rest: &[char]) -> (Box<dyn Fn(char) -> bool>, &[char]) {
    let mut accepts: Vec<Box<dyn Fn(char) -> bool>> = Vec::new();
    loop {
        match rest {
            [']', after @ ..] if !accepts.is_empty() => {
                return (Box::new(move |c| accepts.iter().any(|accepts| accepts(c))), after);
            }
            ['\\', escaped, after @ ..] => {
                accepts.push(class(*escaped));
                rest = after;
            }
            [low, '-', high, after @ ..] if *high != ']' => {
                let range = *low..=*high;
                accepts.push(Box::new(move |c| range.contains(&c)));
                rest = after;
            }
            [literal, after @ ..] => {
                let literal = *literal;
                accepts.push(Box::new(move |c| c == literal));
                rest = after;
            }
            [] => panic!("the brackets do not end"),
        }
    }
}

#[test]
fn like_takes_the_whole_text() {
    let like = |text: &str, pattern: &str| {
        like(&text.chars().collect::<Vec<_>>(), &pattern.chars().collect::<Vec<_>>())
    };
    assert!(like("abc", "a%") && like("abc", "%b%") && like("abc", "a_c") && like("", "%"));
    assert!(!like("abc", "b%") && !like("abc", "a_") && !like("", "_"));
    assert!(like("100%", r"100\%") && !like("1000", r"100\%") && like("a\nb", "a_b"));
    assert!(like(r"a\b", r"a\\b") && like("éa", "_a"));
}

#[test]
fn expressions_match_anywhere() {
    for (text, expression, expected) in [
        ("zebra", "b", true),
        ("zebra", "^b", false),
        ("zebra", "bra$", true),
        ("abab", "^(ab){2}$", true),
        ("ababa", "^(?:ab)*$", false),
        ("cat dog", r"\bdog\b", true),
        ("catdog", r"\bdog", false),
        ("A1", "[a-z]", false),
        ("A1", "(?i)[a-z][0-9]", true),
        ("x", "[^a-w]", true),
        ("a\nb", "a.b", false),
        ("gray", "gr(a|e)y", true),
        ("groy", "gr(a|e)y", false),
        ("a.b", r"a\.b", true),
        ("aXb", r"a\.b", false),
        ("", "^$", true),
        ("aaa", "^a{2}$", false),
        ("a-b", "[x-]b", true),
    ] {
        assert_eq!(regex(text, expression), expected, "{text:?} {expression:?}");
    }
}
