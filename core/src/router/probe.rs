//! The query's vector: given as numbers, or made from text by the embedder that travels with the release.

use super::{Catalog, Needs, Sources};
use crate::{
    embed::{Pooled, TokenRows, pool},
    error::{CatalogError, InputError, Result},
    metric::check_vector,
    order::sort_unique,
    plan,
    schema::Schema,
};

/// Where the query's vector stands.
#[derive(Debug)]
pub(super) enum Probe {
    /// Ready.
    Vector(Vec<f32>),
    /// Text for the embedder at that place of the release.
    Text { text: String, embedder: usize },
}

impl Probe {
    /// The probe of a plan over collections that all have `schema`'s metric, dimension and embedder.
    pub(super) fn new(probe: &plan::Probe, schema: &Schema, catalog: &Catalog) -> Result<Self> {
        match probe {
            plan::Probe::Vector(vector) => {
                check_vector("the query", vector, schema.dimension as usize, schema.metric)?;
                Ok(Self::Vector(vector.clone()))
            }
            plan::Probe::Text { text, model } => {
                let embedder = find_embedder(model.as_deref(), schema, catalog)?;
                Ok(Self::Text { text: text.clone(), embedder })
            }
        }
    }

    /// The vector, or a note in `needs` of what is missing to make it.
    pub(super) fn vector(
        &mut self,
        catalog: &Catalog,
        sources: &dyn Sources,
        needs: &mut Needs,
    ) -> Result<Option<&[f32]>> {
        if let Self::Text { text, embedder } = self {
            let Some(vector) = embed(text, *embedder, catalog, sources, needs)? else { return Ok(None) };
            *self = Self::Vector(vector);
        }
        match self {
            Self::Vector(vector) => Ok(Some(vector)),
            Self::Text { .. } => Ok(None),
        }
    }
}

fn find_embedder(model: Option<&str>, schema: &Schema, catalog: &Catalog) -> Result<usize> {
    let missing =
        CatalogError::NoEmbedder { collection: schema.collection.clone(), dimension: schema.dimension };
    let id = schema.embedder.as_ref().ok_or(missing.clone())?;
    if let Some(name) = model.filter(|name| *name != id.name) {
        return Err(CatalogError::OtherEmbedder { name: name.into(), used: id.name.clone() }.into());
    }
    let place = catalog.index().embedders.iter().position(|entry| entry.id.fingerprint == id.fingerprint);
    Ok(place.ok_or(missing)?)
}

fn embed(
    text: &str,
    place: usize,
    catalog: &Catalog,
    sources: &dyn Sources,
    needs: &mut Needs,
) -> Result<Option<Vec<f32>>> {
    let Some(encoder) = catalog.encoder(place, sources, needs)? else { return Ok(None) };
    let number = catalog.embedder_file(place);
    let source = catalog.file(number, sources)?;
    let mut tokens = Vec::new();
    encoder.tokenizer.encode(text, &mut tokens);
    let mut rows = Rows { dimension: encoder.file.id().dimension as usize, rows: Vec::new() };
    let mut distinct = tokens.clone();
    sort_unique(&mut distinct);
    for token in distinct {
        rows.rows.extend(encoder.file.token_row(source, token)?.map(|row| (token, row)));
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
