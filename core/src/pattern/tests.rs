//! Patterns against slow or foreign judges: the `regex` crate, and LIKE by recursion.

use std::time::Instant;

use super::*;
use crate::query::tests::Random;

const LETTERS: [char; 24] = [
    'a', 'b', 'B', 'k', 'K', 's', 'S', 'z', '0', '9', '_', '-', ' ', '\n', '.', 'é', 'É', 'ß', 'σ', 'ς', 'Σ',
    'ж', 'Ж', '\u{212a}',
];

fn text(random: &mut Random) -> String {
    (0..random.below(9)).map(|_| LETTERS[random.below(LETTERS.len())]).collect()
}

fn atom(random: &mut Random, depth: usize) -> String {
    const SIMPLE: [&str; 42] = [
        "a",
        "b",
        "k",
        "S",
        "é",
        "σ",
        "Ж",
        " ",
        "\\n",
        "\\.",
        "-",
        ".",
        "\\d",
        "\\w",
        "\\s",
        "\\D",
        "\\W",
        "\\S",
        "\\b",
        "\\B",
        "^",
        "$",
        "\\A",
        "\\z",
        "[a-z]",
        "[^a-z]",
        "[abé]",
        "[^\\w]",
        "[\\d_-]",
        "[Σ-ω]",
        "[^\\s\\d]",
        "[]a]",
        "[a-]",
        "[\\n-a]",
        "\\x41",
        "\\u{4b}",
        "\\u00e9",
        "[^É]",
        "[K]",
        "[\\W]",
        "(?s:.)",
        "(?m:^|$)",
    ];
    match random.below(if depth == 0 { 10 } else { 16 }) {
        0..10 => String::from(SIMPLE[random.below(SIMPLE.len())]),
        10 => format!("({})", pattern(random, depth - 1)),
        11 => format!("(?:{})", pattern(random, depth - 1)),
        12 => format!("(?i:{})", pattern(random, depth - 1)),
        13 => format!("(?P<n{}>{})", random.next(), pattern(random, depth - 1)),
        14 => format!("(?i-s){}", pattern(random, depth - 1)),
        _ => format!("(?ms){}", pattern(random, depth - 1)),
    }
}

fn pattern(random: &mut Random, depth: usize) -> String {
    const QUANTIFIERS: [&str; 12] =
        ["*", "+", "?", "*?", "+?", "??", "{2}", "{0}", "{1,}", "{0,2}", "{1,3}?", "{2}{2}"];
    let mut out = String::new();
    for _ in 0..random.below(4) {
        let atom = atom(random, depth);
        out.push_str(&atom);
        // Flags cannot be repeated, nor what comes after them as a whole.
        if random.below(3) == 0 && !atom.starts_with("(?i-") && !atom.starts_with("(?ms)") {
            out.push_str(QUANTIFIERS[random.below(QUANTIFIERS.len())]);
        }
        if random.below(8) == 0 {
            out.push('|');
        }
    }
    out
}

#[test]
fn verdicts_equal_those_of_the_regex_crate() {
    let mut random = Random(21);
    let (mut matched, mut tried, mut scratch) = (0, 0, Scratch::default());
    for _ in 0..6000 {
        let pattern = pattern(&mut random, 3);
        let Ok(theirs) = ::regex::Regex::new(&pattern) else {
            assert!(Regex::new(&pattern).is_err(), "{pattern:?} is refused there");
            continue;
        };
        let ours = Regex::new(&pattern).unwrap_or_else(|error| panic!("{pattern:?}: {error:?}"));
        for _ in 0..20 {
            let text = text(&mut random);
            let expected = theirs.is_match(&text);
            assert_eq!(ours.is_match(&text, &mut scratch), expected, "{pattern:?} in {text:?}\n{ours:?}");
            matched += usize::from(expected);
            tried += 1;
        }
    }
    assert!(tried > 100_000 && matched > tried / 10 && matched < tried, "{matched} of {tried}");
}

#[test]
fn what_is_not_offered_is_refused_with_a_hint() {
    for pattern in [
        "(",
        ")",
        "a)",
        "(a",
        "*",
        "+a",
        "a|*",
        "(?i)*",
        "[a",
        "[z-a]",
        "[[:alpha:]]",
        "[a&&b]",
        "[a-\\d]",
        "a{",
        "a{x}",
        "a{2",
        "a{3,2}",
        "{2}",
        "\\",
        "\\q",
        "\\p{L}",
        "\\P{L}",
        "\\1",
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "(?<!a)",
        "(?x)a",
        "(?z)",
        "(?<n",
        "\\x4",
        "\\x{}",
        "\\u{110000}",
        "\\u{d800}",
        "\\u{41",
        "[\\",
        "[a-",
    ] {
        let error = Regex::new(pattern).expect_err(pattern);
        assert!(error.message.contains("of the pattern") && !error.hint.is_empty(), "{pattern}: {error:?}");
    }
}

#[test]
fn programs_are_bounded() {
    for pattern in ["(a{1000}){1000}", "((((a{9}){9}){9}){9}){9}", "a{999999999999}", "(a?){9999}{9999}"] {
        let error = Regex::new(pattern).expect_err(pattern);
        assert!(error.message.contains("10000 instructions"), "{error:?}");
    }
    let start = Instant::now();
    assert!(Regex::new("((){999999999}){999999999}").is_ok() && Regex::new("a{9000}").is_ok());
    assert!(Regex::new(&"(".repeat(1 << 20)).is_err() && Regex::new(&"a|".repeat(1 << 20)).is_err());
    let nested = format!("{}a{}", "(".repeat(1 << 18), ")+".repeat(1 << 18));
    assert!(Regex::new(&nested).is_err_and(|error| error.message.contains("instructions")));
    let nested = format!("{}a{}", "(".repeat(1000), ")+".repeat(1000));
    assert!(Regex::new(&nested).unwrap().is_match("xa", &mut Scratch::default()));
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

/// What takes backtracking engines longer than anyone waits.
#[test]
fn time_is_linear_in_the_text() {
    let text = "a".repeat(20_000);
    let mut scratch = Scratch::default();
    for pattern in ["(a*)*b", "(a|aa)+$b", "(a|a)*c", "(.*)(.*)(.*)(.*)x", "a?{30}a{30}b", "^(a+)+$\\b\\B"] {
        assert!(!Regex::new(pattern).unwrap().is_match(&text, &mut scratch), "{pattern}");
    }
    let like = Pattern::like(&"%a".repeat(50).replace("aa", "ab"), false).unwrap();
    assert!(like.is_match(&text, &mut scratch));
}

fn like_by_recursion(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skip| like_by_recursion(rest, &text[skip..])),
        ['_', rest @ ..] => !text.is_empty() && like_by_recursion(rest, &text[1..]),
        ['\\', c, rest @ ..] | [c, rest @ ..] => {
            text.first() == Some(c) && like_by_recursion(rest, &text[1..])
        }
    }
}

#[test]
fn like_equals_its_definition() {
    let mut random = Random(22);
    let (mut matched, mut scratch) = (0, Scratch::default());
    for _ in 0..200_000 {
        let mut draw = |from: &[char]| -> Vec<char> {
            (0..random.below(7)).map(|_| from[random.below(from.len())]).collect()
        };
        let pattern = draw(&['%', '_', 'a', 'b', 'é', '\\', '%']);
        let text = draw(&['a', 'b', 'é', '%', '\\', '_']);
        let (shown, subject): (String, String) = (pattern.iter().collect(), text.iter().collect());
        let Ok(compiled) = Pattern::like(&shown, false) else {
            assert!(shown.ends_with('\\'), "{shown}");
            continue;
        };
        let expected = like_by_recursion(&pattern, &text);
        assert_eq!(compiled.is_match(&subject, &mut scratch), expected, "{shown} on {subject}: {compiled:?}");
        if expected {
            assert!(subject.starts_with(&compiled.prefix()), "{shown} on {subject}");
            matched += 1;
        }
    }
    assert!(matched > 10_000, "{matched}");
}

#[test]
fn ilike_ignores_case_in_three_scripts() {
    let mut scratch = Scratch::default();
    let mut ilike =
        |pattern: &str, text: &str| Pattern::like(pattern, true).unwrap().is_match(text, &mut scratch);
    assert!(ilike("straße%", "STRAßE 5") && ilike("%ΟΔΟΣ", "μια οδος") && ilike("ЖУ_", "жук"));
    assert!(
        ilike("", "")
            && ilike("%", "x")
            && !ilike("a", "b")
            && !ilike("a%c", "ab")
            && !ilike("strasse", "straße")
    );
}
