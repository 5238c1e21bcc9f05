//! Text to a query's vector, by the embedder that travels with the release.

use super::{Catalog, Needs, Sources};
use crate::{
    embed::{Pooled, TokenRows, pool},
    error::{CatalogError, InputError, Result},
    order::sort_unique,
    schema::Schema,
};

/// The place in the release of the embedder that made the collection's vectors.
pub(super) fn find_embedder(model: Option<&str>, schema: &Schema, catalog: &Catalog) -> Result<usize> {
    let missing =
        CatalogError::NoEmbedder { collection: schema.collection.clone(), dimension: schema.dimension };
    let id = schema.embedder.as_ref().ok_or(missing.clone())?;
    if let Some(name) = model.filter(|name| *name != id.name) {
        return Err(CatalogError::OtherEmbedder { name: name.into(), used: id.name.clone() }.into());
    }
    let place = catalog.index().embedders.iter().position(|entry| entry.id.fingerprint == id.fingerprint);
    Ok(place.ok_or(missing)?)
}

/// The vector of a text, or a note in `needs` of what is missing to make it. Errors of the file name it.
pub(super) fn embed(
    text: &str,
    place: usize,
    catalog: &Catalog,
    sources: &dyn Sources,
    needs: &mut Needs,
) -> Result<Option<Vec<f32>>> {
    let Some(encoder) = catalog.encoder(place, sources, needs)? else { return Ok(None) };
    let number = catalog.embedder_file(place);
    let source = catalog.file(number, sources)?;
    let blame = |error| catalog.blame(number, error);
    let mut tokens = Vec::new();
    encoder.tokenizer.encode(text, &mut tokens);
    let mut rows = Rows { dimension: encoder.file.id().dimension as usize, rows: Vec::new() };
    let mut distinct = tokens.clone();
    sort_unique(&mut distinct);
    for token in distinct {
        rows.rows.extend(encoder.file.token_row(source, token).map_err(blame)?.map(|row| (token, row)));
    }
    match pool(&tokens, &rows).map_err(|e| name_query(e, &encoder.file.id().name))? {
        Pooled::Vector(vector) => Ok(Some(vector)),
        Pooled::Missing(tokens) => {
            tokens
                .iter()
                .filter_map(|token| encoder.file.token_range(*token))
                .for_each(|range| needs.want(number, range));
            Ok(None)
        }
    }
}

/// The error with what [`pool`] could not know: whose text it was, and which embedder.
fn name_query(error: InputError, name: &str) -> InputError {
    match error.for_record("the query") {
        InputError::NothingToEmbed { record, .. } => {
            InputError::NothingToEmbed { record, embedder: name.into() }
        }
        other => other,
    }
}

/// The rows of one query's tokens.
struct Rows<'s> {
    dimension: usize,
    /// By token, ascending.
    rows: Vec<(u32, (&'s [u8], f32))>,
}

impl TokenRows for Rows<'_> {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn row(&self, token: u32) -> Option<(&[u8], f32)> {
        let place = self.rows.binary_search_by_key(&token, |(known, _)| *known).ok()?;
        self.rows.get(place).map(|(_, row)| *row)
    }
}
