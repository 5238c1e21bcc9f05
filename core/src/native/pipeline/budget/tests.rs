//! Budgets against the sample's real tokenizer and one that counts words.

use std::path::{Path, PathBuf};

use super::*;
use crate::embed::WordPiece;
use crate::native::embed::{Words, load_tokenizer};

const MARKER: &str = "[... truncated ...]";
const STRATEGIES: [Strategy; 5] =
    [Strategy::End, Strategy::Start, Strategy::MiddleOut, Strategy::Sentences, Strategy::Auto];

fn tokenizer() -> WordPiece {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/wordnet");
    let sample = std::env::var_os("PORTOLAN_SAMPLE").map_or_else(beside, PathBuf::from);
    load_tokenizer(&sample.join("static-256")).unwrap()
}

fn fit(tokenizer: &dyn Tokenizer, text: &str, max_tokens: usize, strategy: Strategy) -> Fitted {
    let budget = Budget::Truncate { max_tokens, strategy };
    let budgeter = Budgeter { budget, tokenizer, model: "m", fields: &[] };
    budgeter.fit(text.into()).remove(0)
}

fn value<'f>(fitted: &'f Fitted, name: &str) -> Option<&'f Value> {
    fitted.metadata.iter().find(|(held, _)| *held == name).map(|(_, value)| value)
}

/// Texts that break careless cutting: no white space, marks, control names, long words, emoji, other scripts.
fn hard_texts() -> Vec<String> {
    let mut texts = vec![
        "The quick brown fox jumps over the lazy dog. ".repeat(60),
        "unbelievability".repeat(200),
        "中文没有空格的文本需要按字切分。".repeat(80),
        "Cafe\u{301} [CLS] <|endoftext|> [SEP] naïve\u{0} \u{200b} 👩‍👩‍👧‍👦 ".repeat(70),
        "a,b;c:d!e?f.g-h_i/j\\k|l".repeat(50),
        "Same sentence again and again. Other one! Really? ".repeat(40),
        "line\r\nline two\n\n\tline three ".repeat(90),
        "ด้วยความเคารพ हिन्दी עברית العربية 한국어 ".repeat(60),
    ];
    // Mixed by a fixed generator.
    let mut state = 7_u64;
    for _ in 0..24 {
        let mut text = String::new();
        for _ in 0..400 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let alphabet =
                ["a", "ing", " ", ". ", "É", "中", "[MASK]", "\n", "zqx", "!", "the ", "👍", "\u{301}"];
            text.push_str(alphabet[(state >> 33) as usize % alphabet.len()]);
        }
        texts.push(text);
    }
    texts
}

#[test]
fn a8_every_strategy_stays_within_the_limit_by_the_actual_tokenizer() {
    let tokenizer = tokenizer();
    let mut cut = 0;
    for text in hard_texts() {
        for strategy in STRATEGIES {
            for limit in [1, 5, 7, 12, 20, 33, 64, 128] {
                let fitted = fit(&tokenizer, &text, limit, strategy);
                let tokens = tokenizer.count(&fitted.text);
                assert!(tokens <= limit, "{strategy:?} {limit}: {tokens} tokens of {text:.40}");
                assert_eq!(fitted, fit(&tokenizer, &text, limit, strategy), "deterministic");
                if fitted.cut {
                    cut += 1;
                    assert_eq!(value(&fitted, FINAL_TOKENS), Some(&Value::Int(tokens as i64)));
                    let original = tokenizer.count(&text) as i64;
                    assert_eq!(value(&fitted, ORIGINAL_TOKENS), Some(&Value::Int(original)));
                } else {
                    assert_eq!(fitted.text, text);
                    assert_eq!(value(&fitted, TRUNCATION), None);
                }
            }
        }
    }
    assert!(cut > 900, "only {cut} texts were cut");
}

#[test]
fn a8_each_strategy_keeps_its_documented_part() {
    let words: Vec<String> = (0..100).map(|n| format!("w{n}")).collect();
    let text = words.join(" ");
    // The marker is three words.
    let end = fit(&Words, &text, 13, Strategy::End).text;
    assert_eq!(end, format!("{}\n\n{MARKER}", words[..10].join(" ") + " "));
    let start = fit(&Words, &text, 13, Strategy::Start).text;
    assert_eq!(start, format!("{MARKER}\n\n{}", String::from(" ") + &words[90..].join(" ")));
    let middle = fit(&Words, &text, 13, Strategy::MiddleOut);
    let (head, tail) = middle.text.split_once(&format!("\n\n{MARKER}\n\n")).unwrap();
    assert_eq!(head.chars().count(), tail.chars().count());
    assert!(text.starts_with(head) && text.ends_with(tail));
    assert_eq!(value(&middle, FINAL_TOKENS), Some(&Value::Int(13)), "{:?}", middle.text);
    // No room for the marker.
    assert_eq!(fit(&Words, &text, 2, Strategy::End).text, "w0 w1 ");
    assert_eq!(fit(&Words, &text, 2, Strategy::Start).text, " w98 w99");
    assert_eq!(fit(&Words, &text, 2, Strategy::MiddleOut).text, "w0 w1 ");
}

#[test]
fn a8_sentences_are_whole_and_repeated_ones_stay() {
    let text =
        format!("Keep me. Keep me. {}Middle ends. Keep me. Keep me.", "Filler goes here now. ".repeat(20));
    let fitted = fit(&Words, &text, 21, Strategy::Sentences);
    let expected =
        format!("Keep me. Keep me. Filler goes here now.\n\n{MARKER}\n\nMiddle ends. Keep me. Keep me.");
    // 8 of 18 words at the beginning, of the other 10 as many as fit whole at the end.
    assert!(
        fitted.text == expected || fitted.text.ends_with("Middle ends. Keep me. Keep me."),
        "{}",
        fitted.text
    );
    assert!(fitted.text.starts_with("Keep me. Keep me. Filler goes here now.\n\n"), "{}", fitted.text);
    assert_eq!(value(&fitted, TRUNCATION), Some(&Value::Text("sentences".into())));
    // Too little room, or too few sentences: both ends.
    assert_eq!(
        value(&fit(&Words, &text, 19, Strategy::Sentences), TRUNCATION),
        Some(&Value::Text("middle_out".into()))
    );
    let two = "word ".repeat(50) + ". " + &"word ".repeat(50);
    assert_eq!(
        value(&fit(&Words, &two, 30, Strategy::Sentences), TRUNCATION),
        Some(&Value::Text("middle_out".into()))
    );
}

#[test]
fn a8_auto_goes_by_the_kind_of_text() {
    let resolve = |model: &str, fields: &[&str], text: &str| {
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        Strategy::Auto.resolve(model, &fields, text)
    };
    assert_eq!(resolve("Table", &[], "x"), Strategy::End);
    assert_eq!(resolve("m", &[], "The TABLE of contents"), Strategy::End);
    assert_eq!(resolve("m", &["title", "meta.description"], "x"), Strategy::Sentences);
    assert_eq!(resolve("m", &["title"], &format!("{}table", "x".repeat(200))), Strategy::MiddleOut);
    assert_eq!(Strategy::Start.resolve("Table", &[], "x"), Strategy::Start);
}

#[test]
fn chunks_fit_overlap_and_cover_every_word() {
    let words: Vec<String> = (0..100).map(|n| format!("w{n}")).collect();
    let text = words.join("  ");
    let chunks = chunk::chunks(&Words, &text, 10, 3);
    assert!(chunks.iter().all(|chunk| Words.count(chunk) <= 10));
    assert!(chunks[1].starts_with("w7  w8  w9  w10"), "{}", chunks[1]);
    assert_eq!(chunks.len(), 14);
    assert!(words.iter().all(|word| chunks.iter().any(|chunk| chunk.split_whitespace().any(|w| w == word))));
    assert_eq!(chunk::chunks(&Words, "few words", 10, 3), ["few words"]);
    assert_eq!(chunk::chunks(&Words, " ", 10, 3), [" "]);
}

#[test]
fn chunks_of_hard_texts_fit_by_the_actual_tokenizer() {
    let tokenizer = tokenizer();
    for text in hard_texts() {
        for (tokens, overlap) in [(1, 0), (16, 4), (64, 63)] {
            for chunk in chunk::chunks(&tokenizer, &text, tokens, overlap) {
                // A character of several tokens cannot be divided.
                let count = tokenizer.count(&chunk);
                assert!(count <= tokens || chunk.chars().count() == 1, "{count} of {tokens}: {chunk}");
            }
        }
    }
}

/// Two tokens around every text, and more tokens in the whole than in its parts.
struct Crowded;

impl Tokenizer for Crowded {
    fn count(&self, text: &str) -> usize {
        let bytes = text.len();
        2 + bytes / 4 + bytes * bytes / 2000
    }
}

#[test]
fn a8_the_whole_is_counted_where_parts_do_not_add_up() {
    for text in hard_texts() {
        for strategy in STRATEGIES {
            for limit in [3, 20, 100, 300] {
                let fitted = fit(&Crowded, &text, limit, strategy);
                assert!(Crowded.count(&fitted.text) <= limit, "{strategy:?} {limit}");
                assert!(limit < 20 || !fitted.text.is_empty(), "{strategy:?} {limit}: nothing is left");
            }
        }
        for chunk in chunk::chunks(&Crowded, &text, 100, 20) {
            assert!(Crowded.count(&chunk) <= 100, "{chunk}");
        }
    }
}
