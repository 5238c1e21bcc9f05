//! The reader against `serde_json`, on texts that are JSON and on texts that almost are.

use super::*;
use crate::schema::Value;

/// What `serde_json` reads.
fn expected(text: &str) -> Option<Value> {
    serde_json::from_str::<serde_json::Value>(text).ok().map(|json| Value::from_json(&json))
}

#[test]
fn values_are_read() {
    for text in [
        "null",
        " true ",
        "false",
        "0",
        "-1",
        "12.5",
        "1e3",
        "1E-3",
        "2.5e+2",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "1e-400",
        "\"\"",
        r#""a\"\\\/\b\f\n\r\té""#,
        r#""\u0041\u00e9\ud83d\ude00""#,
        "[]",
        "[ ]",
        "[1,[2,[]],{}]",
        "{}",
        "\t{ \"a\" : 1 ,\r\n\"b\":{\"c\":[null]}, \"a\": 2}",
    ] {
        let value = expected(text);
        assert!(value.is_some(), "{text}");
        assert_eq!(parse(text).ok(), value, "{text}");
    }
}

#[test]
fn what_is_not_json_is_refused() {
    for text in [
        "",
        " ",
        "nul",
        "nulll",
        "NaN",
        "+1",
        "-",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "1 2",
        "1e400",
        "-1e400",
        "\"",
        "\"\n\"",
        "'a'",
        r#""\q""#,
        r#""\u12""#,
        r#""\u12g4""#,
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800\u0041""#,
        r#""\ud800\ue000""#,
        r#""\ud800\ud800""#,
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,]",
        "[1 2]",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "{\"a\" 1}",
        "[}",
        "{]",
        "// x\n1",
    ] {
        assert_eq!(expected(text), None, "{text}");
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn altered_texts_are_read_or_refused_as_by_serde_json() {
    let text = r#"{"a":[1,-2.5,true,null,"xA\n"],"b":{"c":"é","d":{}},"e":""}"#;
    let letters: Vec<char> = text.chars().collect();
    let mut noise = 7_u64;
    for round in 0..200_000 {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = (noise >> 33) as usize % letters.len();
        let other = letters[(noise >> 13) as usize % letters.len()];
        let mut altered = letters.clone();
        match round % 3 {
            0 => altered[place] = other,
            1 => altered.insert(place, other),
            _ => drop(altered.remove(place)),
        }
        let altered: String = altered.into_iter().collect();
        assert_eq!(parse(&altered).ok(), expected(&altered), "{altered}");
    }
}

#[test]
fn nesting_ends_at_128_levels() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert!(parse(&nested(128)).is_ok());
        let error = parse(&nested(129)).unwrap_err().to_string();
        assert!(error.starts_with("lists and objects nest too deeply"), "{error}");
        assert!(parse(&open.repeat(1_000_000)).is_err());
    }
}

#[test]
fn errors_say_where() {
    for (text, message) in [
        ("{\n  \"a\": x\n}", "expected a value at line 2 column 9"),
        ("[1\n", "the text ends too early at line 2 column 1"),
        ("1 1", "something after the value at line 1 column 3"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn wrong_turns_name_their_way() {
    let tree = parse(r#"{"a":[{"b":-1}]}"#).unwrap();
    let wrong = |turn: &dyn Fn(&Node<'_>)| {
        let fault = Fault::default();
        turn(&Node::root(&tree, &fault));
        fault.check().err().map(String::from)
    };
    let item = |root: &Node<'_>, turn: &dyn Fn(&Node<'_>)| {
        root.get("a").items().for_each(|item| turn(&item));
    };
    let reason = |text: &str| Some(String::from(text));
    let missing = |item: &Node<'_>| assert_eq!((item.get("c").count(), item.text()), (0, ""));
    assert_eq!(wrong(&|root| item(root, &missing)), reason("a[0].c is missing"));
    assert_eq!(wrong(&|root| item(root, &|item| assert_eq!(item.text(), ""))), reason("a[0] is not a text"));
    let number = |item: &Node<'_>| assert_eq!(item.get("b").count(), 0);
    assert_eq!(
        wrong(&|root| item(root, &number)),
        reason("a[0].b is not a whole number that is not negative")
    );
    assert_eq!(wrong(&|root| item(root, &|item| assert!(item.get_optional("c").is_none()))), None);
    assert_eq!(wrong(&|root| assert_eq!(root.items().count(), 0)), reason("the whole is not a list"));
    assert_eq!(wrong(&|root| assert_eq!(root.text(), "")), reason("the whole is not a text"));
    assert_eq!(wrong(&|root| assert_eq!(root.get("a").get("b").text(), "")), reason("a is not an object"));
}
