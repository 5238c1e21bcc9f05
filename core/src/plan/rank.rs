//! The clauses that rank: their ranges, their defaults, and what they need.

use super::{
    DEFAULT_MMR_LAMBDA, DEFAULT_RRF_K, MAX_MMR_CANDIDATES, Mmr,
    build::{at, positive},
};
use crate::{
    error::{QueryError, QueryErrorKind, Span},
    query::{Literal, Number, Statement},
    schema::Value,
};

/// The rows that MMR chooses from for each one that it returns, where the statement does not say, and at least.
const CANDIDATES_PER_ROW: u64 = 4;
const MIN_CANDIDATES: u64 = 50;

fn outside(kind: QueryErrorKind, number: &Number, message: &str, hint: &str) -> QueryError {
    let written = Literal { value: Value::Float(number.value), span: number.span };
    QueryError::new(kind, number.span, message).with_text(&written.to_string()).with_hint(hint)
}

fn needs(kind: QueryErrorKind, span: Span, text: &str, message: &str, hint: &str) -> QueryError {
    QueryError::new(kind, span, message).with_text(text).with_hint(hint)
}

/// RERANK BY MMR.
pub(super) fn mmr(statement: &Statement, topk: u64) -> Result<Option<Mmr>, QueryError> {
    use QueryErrorKind::{CandidatesOutOfRange, LambdaOutOfRange, RerankNotPossible};
    let Some(clause) = &statement.rerank else { return Ok(None) };
    let refused = |message, hint| Err(needs(RerankNotPossible, clause.span, "RERANK BY MMR", message, hint));
    if statement.embedding.is_empty() {
        return refused(
            "MMR needs a query to be near to",
            "add USING EMBEDDING (TEXT '...'), or leave it out",
        );
    }
    if statement.fuse.is_some() {
        return refused("MMR and RRF cannot both rank the rows", "leave out RERANK BY or FUSE BY");
    }
    let lambda = match &clause.lambda {
        Some(number) if !(0.0..=1.0).contains(&number.value) => {
            let hint = "0 is diversity alone, 1 is nearness alone; 0.5 is usual";
            return Err(outside(LambdaOutOfRange, number, "lambda is not between 0 and 1", hint));
        }
        written => written.map_or(DEFAULT_MMR_LAMBDA, |number| number.value),
    };
    let default = topk.saturating_mul(CANDIDATES_PER_ROW).clamp(MIN_CANDIDATES, MAX_MMR_CANDIDATES);
    let written = clause.candidates.as_ref();
    let asked = written
        .map_or(Ok(default), |count| positive(count, CandidatesOutOfRange, "the number of candidates"))?;
    let candidates = asked.max(topk);
    if candidates <= MAX_MMR_CANDIDATES {
        return Ok(Some(Mmr { lambda, candidates }));
    }
    let message =
        format!("MMR would compare {candidates} rows with each other, at most {MAX_MMR_CANDIDATES} are");
    Err(match written {
        Some(count) if asked > MAX_MMR_CANDIDATES => at(CandidatesOutOfRange, count, message),
        _ => needs(CandidatesOutOfRange, clause.span, "RERANK BY MMR", &message, ""),
    }
    .with_hint("ask for fewer rows, or leave out RERANK BY"))
}

/// FUSE BY RRF: its constant.
pub(super) fn rrf(statement: &Statement) -> Result<Option<f64>, QueryError> {
    let Some(clause) = &statement.fuse else { return Ok(None) };
    if !statement.batch {
        return Err(needs(
            QueryErrorKind::FuseNeedsBatch,
            clause.span,
            "FUSE BY RRF",
            "there is nothing to fuse without BATCH",
            "write USING EMBEDDING BATCH (...) with several items, or leave it out",
        ));
    }
    match &clause.k {
        Some(k) if k.value <= 0.0 => Err(outside(
            QueryErrorKind::RrfKNotPositive,
            k,
            "the constant of RRF is not positive",
            "60 is usual",
        )),
        k => Ok(Some(k.map_or(DEFAULT_RRF_K, |k| k.value))),
    }
}

/// WITH SCORE THRESHOLD, RECALL, CANDIDATES.
pub(super) fn check(statement: &Statement) -> Result<(), QueryError> {
    if let (Some(number), []) = (&statement.threshold, statement.embedding.as_slice()) {
        let message = "there are no distances to limit without USING EMBEDDING";
        let hint = "add USING EMBEDDING (TEXT '...'), or leave out WITH SCORE THRESHOLD";
        return Err(outside(QueryErrorKind::ThresholdNeedsEmbedding, number, message, hint));
    }
    match &statement.recall {
        Some(number) if !(number.value > 0.0 && number.value <= 1.0) => {
            let message = "RECALL is not above 0 and at most 1";
            let hint = "write the share of the true nearest rows that is enough, such as 0.95";
            return Err(outside(QueryErrorKind::RecallOutOfRange, number, message, hint));
        }
        _ => {}
    }
    statement.candidates.as_ref().map_or(Ok(()), |count| {
        positive(count, QueryErrorKind::CandidatesOutOfRange, "CANDIDATES").map(|_| ())
    })
}
