//! The tokenizer gives the tokens of the `tokenizers` crate: on real texts, on hostile ones, and on every character.
//!
//! The last test here is no check: it prints the character table of the core, and is how that was made.

use std::{
    fmt::Write,
    io::{BufRead, BufReader},
    path::PathBuf,
};

use portolan::embed::WordPiece;
use tokenizers::{
    Model, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
    Tokenizer, normalizers::BertNormalizer, pre_tokenizers::bert::BertPreTokenizer,
};

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/wordnet").join(name)
}

/// Our tokenizer and the reference, over one vocabulary.
struct Pair {
    ours: WordPiece,
    reference: Tokenizer,
    unknown: u32,
}

impl Pair {
    fn of_the_sample() -> Self {
        let vocab = std::fs::read_to_string(sample("static-256/vocab.txt")).unwrap();
        let reference =
            Tokenizer::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/data/tokenizer.json")).unwrap();
        Self::new(&vocab, reference)
    }

    /// Over a vocabulary that has every character of `characters` as a token, so that nothing hides as unknown.
    fn of_all(characters: impl Iterator<Item = char>) -> Self {
        let mut vocab = String::from("[UNK]\n");
        for c in characters.filter(|c| !matches!(c, '\n' | '\r')) {
            write!(vocab, "{c}\n##{c}\n").unwrap();
        }
        let map: serde_json::Map<_, _> =
            vocab.split_terminator('\n').map(String::from).zip((0..).map(serde_json::Value::from)).collect();
        let reference = serde_json::json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
            "normalizer": BertNormalizer::default(), "pre_tokenizer": BertPreTokenizer,
            "post_processor": null, "decoder": null,
            "model": {
                "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": map
            }
        });
        let reference = Tokenizer::from_bytes(reference.to_string()).unwrap();
        Self::new(&vocab, reference)
    }

    fn new(vocab: &str, reference: Tokenizer) -> Self {
        let unknown = reference.get_model().token_to_id("[UNK]").unwrap();
        Self { ours: WordPiece::from_vocab(vocab).unwrap(), reference, unknown }
    }

    fn assert_same(&self, text: &str) -> usize {
        let mut ours = Vec::new();
        self.ours.encode(text, &mut ours);
        let mut reference = self.reference.encode_fast(text, false).unwrap().get_ids().to_vec();
        reference.retain(|&token| token != self.unknown);
        assert_eq!(ours, reference, "{text:?}");
        ours.len()
    }
}

fn json_lines(name: &str) -> impl Iterator<Item = serde_json::Value> {
    let file = std::fs::File::open(sample(name)).unwrap();
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

#[test]
fn definitions_get_the_reference_tokens() {
    let pair = Pair::of_the_sample();
    let mut tokens = 0;
    for record in json_lines("docs.jsonl.gz").step_by(11) {
        let words: Vec<_> = record["words"].as_array().unwrap().iter().filter_map(|w| w.as_str()).collect();
        let text = format!("{}: {}", words.join(", "), record["definition"].as_str().unwrap());
        tokens += pair.assert_same(&text);
    }
    assert!(tokens > 100_000, "{tokens}");
}

#[test]
fn questions_get_the_reference_tokens() {
    let pair = Pair::of_the_sample();
    for record in json_lines("questions.jsonl.gz") {
        pair.assert_same(record["text"].as_str().unwrap());
    }
}

#[test]
fn hostile_texts_get_the_reference_tokens() {
    let pair = Pair::of_the_sample();
    let long = ["x".repeat(100), "x".repeat(101), "é".repeat(100), "e\u{301}".repeat(100), "ế".repeat(101)];
    for text in HOSTILE.iter().copied().chain(long.iter().map(String::as_str)) {
        pair.assert_same(text);
        pair.assert_same(&format!("before{text}after"));
        pair.assert_same(&format!("Hello {text} World {text}"));
    }
}

/// Accents, scripts, controls, emoji, case that changes length, special names, punctuation, whitespace.
const HOSTILE: [&str; 47] = [
    "",
    " ",
    "\u{0}",
    "Crème Brûlée à l'Orléans",
    "naïve façade cafe\u{301} Cafe\u{0301}\u{0302}",
    "Tiếng Việt: Nguyễn Thị Hằng, phở, Đà Nẵng",
    "Ti\u{1ebf}ng Vie\u{323}\u{302}t e\u{302}\u{323}",
    "대한민국 한국어 서울특별시 \u{1112}\u{1161}\u{11ab}",
    "中文字符 日本語テキスト ひらがな カタカナ ｶﾀｶﾅ",
    "hello中国world 北京2008",
    "\u{f900}\u{fa0e}\u{2f800}\u{20000}\u{2a700}\u{2b920}\u{2ebf0}\u{30000}",
    "😀 👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 ❤️ ☃️ 🇩🇪",
    "a\u{200d}b a\u{200c}b a\u{200b}b a\u{feff}b a\u{ad}b",
    "tab\tnew\nline\r\nreturn\u{b}vt\u{c}ff\u{85}nel\u{1c}fs",
    "nbsp\u{a0}ogham\u{1680}en\u{2002}line\u{2028}para\u{2029}narrow\u{202f}ideographic\u{3000}end",
    "\u{fffd}replacement\u{fffd} private\u{e000} \u{f8ff} \u{fffff} \u{10ffff}",
    "İstanbul Iğdır ısparta I\u{307} i\u{307}",
    "Straße STRASSE ẞ ﬁn ﬂow ﬀ",
    "ΟΔΥΣΣΕΥΣ Σίσυφος ὈΔΥΣΣΕΎΣ ᾳ ᾼ ΐ ΰ",
    "Ǆ ǅ ǆ Ǉ ǈ ǉ Ǌ Ǳ ǲ ǳ",
    "ЁЖИК ёжик Йод Ѐ Ї",
    "שָׁלוֹם עֲלֵיכֶם שּׁ",
    "السَّلَامُ عَلَيْكُمْ ﷺ ـ",
    "हिन्दी में क्षेत्र क़ ज़ ড় ো ொ ൊ ො",
    "ภาษาไทย กำ ລາວ ຳ",
    "བོད་སྐད་ ཀྵ བྷ",
    "አማርኛ ᏣᎳᎩ ꮳꮃꭹ 𐐀𐐨 𞤀𞤢",
    "𝅘𝅥𝅮 𝅗𝅥 \u{1d16d}\u{1d165} \u{1d16d}\u{301}\u{1d165} \u{1d16d}\u{34f}\u{1d165}",
    "Å \u{212b} \u{212a} \u{2126} \u{1e9b}\u{323}",
    "\u{340}\u{341}\u{343}\u{344}\u{374}\u{37e}\u{387}\u{1fef}\u{1ffd}",
    "\u{2329}a\u{232a} \u{3008}b\u{3009} ⟨c⟩ ❨d❩",
    "¡Hola! ¿Qué? «guillemets» „quotes“ ‘single’ … — – ‐ ‑ ‒ ―",
    "$1+1=2 a<b>c ^x` |y| ~z~ £ € ¥ ₹ § ¶ © ® ° ± × ÷",
    "۔ ، ؟ ؛ ۝ । ॥ ๏ ༄ ། ၊ ។ ᠀ ‰ ′ ″ ⁇ 、 。 〃 「」 ・ ！ （） ． ： ？ ～",
    "don't can't U.S.A. e-mail C++ C# 3.14 1,000 50% #tag @user under_score",
    "[CLS] [SEP] [MASK] [PAD] [UNK]",
    "a[CLS]b[SEP]c[MASK]d[PAD]e[UNK]f",
    "[cls] [Sep] [CLS [[CLS]] [CL[CLS]S] [CLS][CLS]",
    "e[SEP]\u{301} [M\u{301}ASK]",
    "##ing ## # un##able",
    "unaffable antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "\u{302e}\u{302f}\u{8d4} \u{1dfb}\u{302e} \u{e0001}\u{e0061}",
    "x\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}",
    "\u{3099}\u{309a} か\u{3099} は\u{309a} ヴ ヷ",
    "½ ² ³ ① Ⅷ ⅷ Ⓐ ⓐ ㎏ ℃",
    "\u{130}\u{131}\u{17f}\u{1c5}\u{1e9e}\u{2160}\u{24b6}\u{ff21}\u{10400}\u{1e900}\u{16e40}",
    "\u{1f88}\u{1fbc}\u{1fcc}\u{1ffc}\u{3f4}\u{2c2f}\u{a7c5}\u{1c90}\u{10c80}",
];

/// All characters but those that the reference treats alike by the thousand and that only cost time here.
fn characters() -> impl Iterator<Item = char> {
    ('\0'..='\u{32fff}').chain('\u{e0000}'..='\u{e0fff}').chain('\u{10ff00}'..=char::MAX)
}

#[test]
fn every_character_between_letters_gets_the_reference_tokens() {
    let pair = Pair::of_all(characters());
    for c in characters() {
        pair.assert_same(&format!("a{c}b"));
    }
}

#[test]
fn random_texts_of_remarkable_characters_get_the_reference_tokens() {
    let pair = Pair::of_all('\0'..='\u{2ffff}');
    let remarkable: Vec<char> = characters()
        .filter(|&c| {
            let plain = normalized(&String::from(c)) == String::from(c) && !is_punctuation(c);
            !plain || c < '\u{80}' || is_sorted(c)
        })
        .collect();
    let sorted: Vec<char> =
        characters().filter(|&c| is_sorted(c)).chain(['\u{301}', '\u{34f}', 'a']).collect();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |bound: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 33) as usize % bound
    };
    for round in 0..40_000 {
        let from = if round % 2 == 0 { &remarkable } else { &sorted };
        let text: String = (0..1 + next(16)).map(|_| from[next(from.len())]).collect();
        pair.assert_same(&text);
    }
}

// What follows asks the reference about single characters.

fn normalized(text: &str) -> String {
    let mut text = NormalizedString::from(text);
    BertNormalizer::default().normalize(&mut text).unwrap();
    String::from(text.get())
}

fn is_punctuation(c: char) -> bool {
    let mut text = PreTokenizedString::from(format!("a{c}a"));
    BertPreTokenizer.pre_tokenize(&mut text).unwrap();
    text.get_splits(OffsetReferential::Original, OffsetType::Byte).len() == 3
}

/// One kept mark of each canonical combining class that kept marks have, ascending: 7, 9, 216, 224, 226, 230.
const MARKS: [char; 6] = ['\u{11446}', '\u{1b44}', '\u{1d165}', '\u{302e}', '\u{1d16d}', '\u{8d4}'];

/// Whether normalization puts `b` before `a`.
fn swaps(a: char, b: char) -> bool {
    a != b && normalized(&format!("{a}{b}")) == format!("{b}{a}")
}

fn is_sorted(c: char) -> bool {
    normalized(&String::from(c)) == String::from(c) && (swaps(MARKS[5], c) || swaps(c, MARKS[0]))
}

fn rank(c: char) -> usize {
    1 + MARKS.iter().filter(|&&mark| swaps(c, mark)).count()
}

/// A class and a target, as `core/src/embed/characters.rs` describes them.
#[derive(Clone, Copy, PartialEq)]
struct Fate {
    class: u32,
    target: u32,
}

fn fate(c: char, sequences: &mut Vec<Vec<char>>) -> Fate {
    let code = c as u32;
    let result: Vec<char> = normalized(&String::from(c)).chars().collect();
    let (class, target) = match result.as_slice() {
        [] if swaps_across(c) => (1, code),
        [] => (2, code),
        [' '] => (3, code),
        [' ', ideograph, ' '] => (4, *ideograph as u32),
        _ if ('\u{ac00}'..='\u{d7a3}').contains(&c) => (6, code),
        [one] if is_punctuation(*one) => (5, *one as u32),
        [one] => (0, *one as u32),
        _ => {
            sequences.push(result);
            (7, sequences.len() as u32 - 1)
        }
    };
    Fate { class, target }
}

fn swaps_across(c: char) -> bool {
    normalized(&format!("{}{c}{}", MARKS[4], MARKS[2])) == format!("{}{}", MARKS[2], MARKS[4])
}

/// The fates of all characters, coded as the head of `core/src/embed/unicode_tables.rs` describes.
struct Coder {
    fates: Vec<Fate>,
    bytes: Vec<u8>,
}

impl Coder {
    fn is_plain(&self, code: usize) -> bool {
        self.fates.get(code).is_none_or(|fate| fate.class == 0 && fate.target == code as u32)
    }

    /// The class of a character and the difference to its target.
    fn step(&self, code: usize) -> Option<(u32, u32)> {
        self.fates.get(code).map(|fate| (fate.class, fate.target.wrapping_sub(code as u32)))
    }

    /// How many characters from `start` on, `stride` apart, have the same step, those between standing for themselves.
    fn run(&self, start: usize, stride: usize) -> usize {
        let same = |&code: &usize| self.step(code) == self.step(start);
        let apart = |&code: &usize| stride == 1 || code == start || self.is_plain(code - 1);
        (start..self.fates.len()).step_by(stride).take_while(same).take_while(apart).count()
    }

    /// The end of the list from `start` on, which ends where a run pays.
    fn list_end(&self, start: usize) -> usize {
        let class = self.fates[start].class;
        let fits = |&code: &usize| {
            self.fates[code].class == class && !self.is_plain(code) && (class == 7 || self.run(code, 1) < 4)
        };
        start + 1 + (start + 1..self.fates.len()).take_while(fits).count()
    }

    fn number(&mut self, mut number: u32) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn difference(&mut self, difference: u32) {
        self.number((difference << 1) ^ (difference.cast_signed() >> 31).cast_unsigned());
    }

    /// Codes the run that begins at `start`, `gap` after the one before; returns its end.
    fn code_run(&mut self, start: usize, gap: usize) -> usize {
        let Fate { class, target } = self.fates[start];
        let (dense, sparse) = (self.run(start, 1), self.run(start, 2));
        let (shape, count, end) = if target == start as u32 && class != 7 {
            (0, dense, start + dense)
        } else if sparse >= 3 && sparse > dense {
            (2, sparse, start + 2 * sparse - 1)
        } else if dense >= 3 {
            (1, dense, start + dense)
        } else {
            let end = self.list_end(start);
            (3, end - start, end)
        };
        self.number(gap as u32);
        self.number(((count as u32 - 1) << 5) | (shape << 3) | class);
        let mut before = start as u32;
        let listed = [0, 1, 1, count][shape as usize];
        for code in start..start + listed {
            let target = self.fates[code].target;
            self.difference(target.wrapping_sub(before));
            before = target;
        }
        end
    }
}

#[test]
#[ignore = "prints the data of core/src/embed/unicode_tables.rs"]
fn print_unicode_tables() {
    let mut sequences = Vec::new();
    let fates = (0..=char::MAX as u32)
        .map(|code| match char::from_u32(code) {
            Some(c) => fate(c, &mut sequences),
            None => Fate { class: 0, target: code },
        })
        .collect();
    let mut coder = Coder { fates, bytes: Vec::new() };
    let (mut code, mut end) = (0, 0);
    while code < coder.fates.len() {
        if coder.is_plain(code) {
            code += 1;
        } else {
            end = coder.code_run(code, code - end);
            code = end;
        }
    }
    println!("SEQUENCES");
    for sequence in &sequences {
        let padded = sequence.iter().chain(&['\0', '\0']).take(3);
        let letters: Vec<String> = padded.map(|c| format!("'{}'", escaped(*c))).collect();
        println!("    [{}],", letters.join(", "));
    }
    println!("MARKS");
    let marks: Vec<(char, usize)> = characters().filter(|&c| is_sorted(c)).map(|c| (c, rank(c))).collect();
    for run in marks.chunk_by(|a, b| b.0 as u32 == a.0 as u32 + 1 && a.1 == b.1) {
        let (first, last) = (run[0].0, run[run.len() - 1].0);
        println!("    ('{}', '{}', {}),", escaped(first), escaped(last), run[0].1);
    }
    println!("RUNS\n{}", wrapped(&coder.bytes));
}

fn escaped(c: char) -> String {
    if c == '\0' { String::from("\\0") } else { c.escape_unicode().to_string() }
}

/// The bytes as the lines of an array, up to 110 columns wide.
fn wrapped(bytes: &[u8]) -> String {
    let (mut text, mut width) = (String::new(), 110);
    for byte in bytes {
        let item = format!(" {byte},");
        if width + item.len() > 110 {
            text.push_str(if text.is_empty() { "   " } else { "\n   " });
            width = 3;
        }
        width += item.len();
        text.push_str(&item);
    }
    text
}
