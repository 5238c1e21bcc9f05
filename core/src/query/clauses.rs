//! The clauses after FROM: any order, each at most once.

use super::{
    MAX_BATCH_ITEMS, MAX_KEYS, MAX_LIST_ITEMS,
    ast::{
        Count, Duplicates, Embedding, FuseClause, GroupClause, MmrClause, Number, OrderItem, Similarity,
        Statement, TextQuery,
    },
    keywords,
    lexer::Kind,
    parser::{Parsed, Parser},
    predicate::conjunction,
};
use crate::{
    error::{QueryError, QueryErrorKind, Span},
    metric::Metric,
};

type Read = fn(&mut Parser<'_>, &mut Statement, Span) -> Parsed<()>;

/// Each clause by its words, and what reads the rest of it into the statement.
const CLAUSES: [(&str, Read); 16] = [
    ("USING EMBEDDING", |p, s, _| p.embedding(s)),
    ("WHERE", |p, s, _| p.condition(false).map(|expr| conjunction(&mut s.filter, expr))),
    ("WHERE_DOCUMENT", |p, s, _| p.condition(true).map(|expr| conjunction(&mut s.filter, expr))),
    ("SIMILARITY", |p, s, _| p.similarity().map(|metric| s.similarity = Some(metric))),
    ("TOPK", |p, s, _| p.count().map(|count| s.topk = Some(count))),
    ("ORDER BY", |p, s, _| p.list_of(MAX_KEYS, "keys", Parser::order_item).map(|order| s.order = order)),
    ("GROUP BY", |p, s, at| p.group(at).map(|group| s.group = Some(group))),
    ("LIMIT", |p, s, _| p.count().map(|count| s.limit = Some(count))),
    ("OFFSET", |p, s, _| p.count().map(|count| s.offset = Some(count))),
    ("RERANK BY MMR", |p, s, at| p.mmr(at).map(|mmr| s.rerank = Some(mmr))),
    ("FUSE BY RRF", |p, s, at| p.fuse(at).map(|fuse| s.fuse = Some(fuse))),
    ("WITH SCORE THRESHOLD", |p, s, _| p.number().map(|number| s.threshold = Some(number))),
    ("ON DUPLICATE ID KEEP", |p, s, _| {
        let nearest = p.either("NEAREST", "ALL")?;
        s.duplicates = Some(if nearest { Duplicates::KeepNearest } else { Duplicates::KeepAll });
        Ok(())
    }),
    ("RECALL", |p, s, _| p.number().map(|number| s.recall = Some(number))),
    ("CANDIDATES", |p, s, _| p.count().map(|count| s.candidates = Some(count))),
    ("AFTER", |p, s, _| p.text("a cursor in single quotes").map(|cursor| s.after = Some(cursor))),
];

impl Parser<'_> {
    /// Reads one clause into `statement`; false if the cursor is at none.
    pub(super) fn clause(&mut self, statement: &mut Statement) -> Parsed<bool> {
        if self.token.kind != Kind::Word {
            return Ok(false);
        }
        let first = |clause: &'static str| clause.split(' ').next().unwrap_or_default();
        let Some(position) = CLAUSES.iter().position(|(words, _)| self.at_word(first(words))) else {
            return self.no_clause();
        };
        let (words, read) = CLAUSES[position];
        let start = self.token.span;
        for word in words.split(' ') {
            self.expect_word(word)?;
        }
        let bit = 1 << position;
        if self.clauses & bit != 0 {
            return Err(QueryError::new(
                QueryErrorKind::DuplicateClause,
                start.to(self.last),
                format!("{words} stands twice"),
            )
            .with_text(words)
            .with_hint("keep one of them"));
        }
        self.clauses |= bit;
        read(self, statement, start)?;
        Ok(true)
    }

    /// No clause begins here; refuses what SQL would read.
    fn no_clause(&self) -> Parsed<bool> {
        match keywords::FOREIGN.iter().find(|(word, _)| self.at_word(word)) {
            Some((word, hint)) => Err(self.not_supported(word, hint)),
            None => Ok(false),
        }
    }

    // USING EMBEDDING.

    fn embedding(&mut self, statement: &mut Statement) -> Parsed<()> {
        statement.batch = self.take_word("BATCH")?;
        self.expect_symbol("(")?;
        loop {
            let item = match self.either("TEXT", "VECTOR")? {
                true => Embedding::Text(self.text_query()?),
                false => Embedding::Vector(self.vector()?),
            };
            statement.embedding.push(item);
            if !self.at_symbol(",") {
                break;
            }
            if !statement.batch {
                return Err(self.unexpected(")").with_hint("several items are written BATCH (...)"));
            }
            if statement.embedding.len() == MAX_BATCH_ITEMS {
                return Err(self.list_too_long(MAX_BATCH_ITEMS, "items"));
            }
            self.advance()?;
        }
        self.expect_symbol(")")
    }

    fn text_query(&mut self) -> Parsed<TextQuery> {
        let text = self.text("a text in single quotes")?;
        let model = match self.take_word("MODEL")? {
            true => Some(self.text("a model name in single quotes")?),
            false => None,
        };
        Ok(TextQuery { text, model })
    }

    fn similarity(&mut self) -> Parsed<Similarity> {
        let metrics = [("COSINE", Metric::Cosine), ("L2", Metric::L2), ("IP", Metric::InnerProduct)];
        match metrics.into_iter().find(|(word, _)| self.at_word(word)) {
            None => Err(self.unexpected("COSINE, L2 or IP")),
            Some((_, metric)) => {
                let span = self.advance()?.span;
                Ok(Similarity { metric, span })
            }
        }
    }

    // Order and groups.

    fn order_item(&mut self) -> Parsed<OrderItem> {
        let start = self.token.span;
        let key = self.scalar(true)?;
        let descending = self.take_word("DESC")?;
        if !descending {
            self.take_word("ASC")?;
        }
        let nulls_first = self.take_word("NULLS")? && self.either("FIRST", "LAST")?;
        Ok(OrderItem { key, descending, nulls_first, span: start.to(self.last) })
    }

    fn group(&mut self, start: Span) -> Parsed<GroupClause> {
        let keys = self.list_of(MAX_KEYS, "keys", Self::field)?;
        let top = match self.take_word("TOP")? {
            true => Some(self.count()?),
            false => None,
        };
        Ok(GroupClause { keys, top, span: start.to(self.last) })
    }

    // Ranking.

    /// `[(lambda, candidates)]`, by position or by name.
    fn mmr(&mut self, start: Span) -> Parsed<MmrClause> {
        let mut mmr = MmrClause { lambda: None, candidates: None, span: start };
        if self.take_symbol("(")? && !self.take_symbol(")")? {
            for position in 0..MAX_LIST_ITEMS {
                self.mmr_option(&mut mmr, position)?;
                if !self.take_symbol(",")? {
                    break;
                }
            }
            self.expect_symbol(")")?;
        }
        mmr.span = start.to(self.last);
        Ok(mmr)
    }

    fn mmr_option(&mut self, mmr: &mut MmrClause, position: usize) -> Parsed<()> {
        let at = self.token;
        let name = match at.kind {
            Kind::Word => {
                self.advance()?;
                self.expect_symbol("=")?;
                at.text
            }
            _ => ["lambda", "candidates"].get(position).copied().unwrap_or_default(),
        };
        let fresh = if name.eq_ignore_ascii_case("lambda") {
            mmr.lambda.replace(self.number()?).is_none()
        } else if name.eq_ignore_ascii_case("candidates") {
            mmr.candidates.replace(self.whole()?).is_none()
        } else {
            false
        };
        if fresh {
            return Ok(());
        }
        let message = format!("MMR cannot take {} here", keywords::clip(at.text));
        Err(QueryError::new(QueryErrorKind::MmrOption, at.span, message)
            .with_text(at.text)
            .with_hint("write MMR (lambda, candidates), or MMR (lambda = 0.5, candidates = 50), each once"))
    }

    /// A whole number that may be written with a point or an exponent: ChromaSQL reads MMR's numbers as floats.
    fn whole(&mut self) -> Parsed<Count> {
        if self.token.kind != Kind::Decimal {
            return self.count();
        }
        let error = self.unexpected("a whole number");
        let Number { value, span } = self.number()?;
        match value == value.trunc() && value.abs() < 9e15 {
            true => Ok(Count { value: value as i64, span }),
            false => Err(error),
        }
    }

    fn fuse(&mut self, start: Span) -> Parsed<FuseClause> {
        let k = match self.take_symbol("(")? {
            true => {
                let k = self.number()?;
                self.expect_symbol(")")?;
                Some(k)
            }
            false => None,
        };
        Ok(FuseClause { k, span: start.to(self.last) })
    }
}
