//! Opens a release and asks it one question.
//! Run: cargo run -p portolan --example search --features mmap -- RELEASE_FOLDER 'a small furry animal'

use portolan::{local::LocalRelease, query::quote_text};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name the release's folder")?;
    let question = arguments.next().unwrap_or("a small furry animal".into());
    let release = LocalRelease::open(folder)?;
    let sql = format!("SELECT id, document FROM * USING EMBEDDING (TEXT {}) TOPK 5", quote_text(&question));
    for row in release.query(&sql)?.rows {
        println!(
            "{:.3}  {}  {}  {}",
            row.distance.unwrap_or(0.0),
            row.collection.unwrap_or_default(),
            row.id.unwrap_or_default(),
            row.cells[1].to_json()
        );
    }
    Ok(())
}
