//! Texts that the host embeds, beside those that the release embeds.

use std::sync::Arc;

use super::{embedder, ids, record, schema};
use crate::{
    Error, Result,
    bytes::Resident,
    embed::Embedder,
    error::{CatalogError, InputError},
    metric::{Encoding, Metric},
    plan::Plan,
    release::ReleaseBuilder,
    router::{Catalog, Fanout, HostText, Options, Preview, ResultSet},
    schema::{EmbedderId, Schema},
    snapshot::{write_collection, write_embedder},
};

/// `deeds` come with their embedder, `songs` name one that the release does not carry, `tales` none.
fn release() -> (Arc<Catalog>, Vec<Resident<Vec<u8>>>) {
    let embedder = embedder();
    let foreign = EmbedderId { name: "foreign".into(), fingerprint: "ff".into(), dimension: 8 };
    let (mut builder, mut files) = (ReleaseBuilder::new(), Vec::new());
    for (name, id) in [("deeds", Some(embedder.id().clone())), ("songs", Some(foreign)), ("tales", None)] {
        let records = (0..20).map(|number| record(&embedder, name, number)).collect();
        let schema = Schema { embedder: id, ..schema(name, Metric::Cosine, embedder.id()) };
        let file = write_collection(&schema, Encoding::F16, records).unwrap();
        builder.add_collection(&format!("{name}.portolan"), &file).unwrap();
        files.push(file);
    }
    let file = write_embedder(&embedder).unwrap();
    builder.add_embedder("embedder.portolan", &file).unwrap();
    files.push(file);
    let built = builder.finish().unwrap();
    files.insert(0, built.heads);
    (Arc::new(Catalog::open(&built.json).unwrap()), files.into_iter().map(Resident).collect())
}

fn ask(sql: &str, texts: Vec<(HostText, Vec<f32>)>) -> Result<ResultSet> {
    let (catalog, files) = release();
    Fanout::with(catalog, Plan::parse(sql)?, Options { texts, ..Options::default() })?.run(&files)
}

fn preview(sql: &str) -> Preview {
    Preview::new(&release().0, &Plan::parse(sql).unwrap()).unwrap()
}

const TEXT: &str = "SELECT id FROM songs USING EMBEDDING (TEXT 'run cat the') TOPK 4";

#[test]
fn a_text_is_asked_of_the_host_once_for_each_embedder_that_is_missing() {
    let seen = preview(
        "SELECT id FROM * USING EMBEDDING BATCH (TEXT 'a', VECTOR [1], TEXT 'b' MODEL 'm', TEXT 'a')",
    );
    let text = |text: &str, model: Option<&str>, fingerprint: Option<&str>| HostText {
        text: text.into(),
        model: model.map(String::from),
        fingerprint: fingerprint.map(String::from),
        dimension: 8,
    };
    assert_eq!(seen.collections, ["deeds", "songs", "tales"]);
    // The text for the embedder `m` is no song's: asked of the songs, it is an error.
    let expected =
        [text("a", Some("foreign"), Some("ff")), text("a", None, None), text("b", Some("m"), None)];
    assert_eq!(seen.texts, expected);
    assert_eq!(preview("SELECT id FROM deeds USING EMBEDDING (TEXT 'a')").texts, []);
}

#[test]
fn the_vector_of_the_host_takes_the_place_of_the_text() {
    let missing = ask(TEXT, Vec::new());
    assert!(matches!(missing, Err(Error::Catalog(CatalogError::NoEmbedder { .. }))), "{missing:?}");
    let vector = embedder().embed(&["run cat the"]).remove(0).unwrap();
    let given: Vec<_> = preview(TEXT).texts.into_iter().map(|text| (text, vector.clone())).collect();
    let answer = ask(TEXT, given.clone()).unwrap();
    let same = ask("SELECT id FROM deeds USING EMBEDDING (TEXT 'run cat the') TOPK 4", Vec::new()).unwrap();
    let places = |result: &ResultSet| ids(result).iter().map(|id| id[6..].to_owned()).collect::<Vec<_>>();
    assert_eq!(places(&answer), places(&same));
    // Another text's vector is never taken.
    let other = TEXT.replace("run cat", "cat run");
    assert!(matches!(ask(&other, given), Err(Error::Catalog(CatalogError::NoEmbedder { .. }))));
}

#[test]
fn the_embedder_of_the_release_is_never_replaced() {
    let sql = "SELECT id, distance FROM deeds USING EMBEDDING (TEXT 'run cat the') TOPK 4";
    let id = embedder().id().clone();
    let text = HostText {
        text: "run cat the".into(),
        model: Some(id.name),
        fingerprint: Some(id.fingerprint),
        dimension: id.dimension,
    };
    let other = embedder().embed(&["swim water"]).remove(0).unwrap();
    assert_eq!(ask(sql, vec![(text, other)]).unwrap().rows, ask(sql, Vec::new()).unwrap().rows);
}

#[test]
fn a_vector_of_the_host_has_to_fit() {
    let short: Vec<_> = preview(TEXT).texts.into_iter().map(|text| (text, vec![1.0])).collect();
    let answer = ask(TEXT, short);
    assert!(matches!(answer, Err(Error::Input(InputError::WrongDimension { .. }))), "{answer:?}");
}
