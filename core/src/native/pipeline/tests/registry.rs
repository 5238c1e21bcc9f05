//! The registry file.

use super::*;

#[test]
fn the_registry_names_the_line_of_an_unknown_key_and_near_names() {
    let error = |text: &str| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("portolan.toml");
        std::fs::write(&path, text).unwrap();
        match Registry::load(&path) {
            Err(StoreError::BadRegistry { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    };
    let unknown = error(&REGISTRY.replace("template =", "tempalte ="));
    assert!(unknown.starts_with("line 11 ") && unknown.contains("tempalte"), "{unknown}");
    let undeclared = error(&REGISTRY.replace("\"{text}\"", "\"{txet}\""));
    assert!(undeclared.contains("did you mean \"text\"?"), "{undeclared}");
    let embedder = error(&REGISTRY.replace("embedder = \"fake\"", "embedder = \"fakee\""));
    assert!(embedder.contains("did you mean \"fake\"?"), "{embedder}");
    for (from, to) in [
        ("key = [\"id\"]", "key = []"),
        ("n = \"int\"", "n = \"integer\""),
        ("tags = [\"text\"]", "tags = [\"text\", \"int\"]"),
        ("path = \"nowhere\"", "dimension = 3"),
        ("key = [\"id\"]", "key = [\"tags\"]"),
    ] {
        error(&REGISTRY.replacen(from, to, 1));
    }
}

#[test]
fn the_registry_may_be_json_and_unknown_models_have_near_names() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("portolan.json");
    let json = r#"{"embedder":{"s":{"provider":"static","path":"p"}},"model":[{"name":"word","key":["id"],
        "fields":{"id":"text"},"text":["id"],"collection":"c","embedder":"s"}]}"#;
    std::fs::write(&path, json).unwrap();
    let registry = Registry::load(&path).unwrap();
    assert_eq!(registry.embedder("s"), Some(&EmbedderSpec::Static(dir.path().join("p"))));
    match registry.model("wrod") {
        Err(CatalogError::UnknownModel { near, .. }) => assert_eq!(near, ["word"]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_sample_registry_is_valid() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/wordnet/portolan.toml");
    let registry = Registry::load(&path).unwrap();
    assert_eq!(registry.model("synset").unwrap().metadata.len(), 5);
}
