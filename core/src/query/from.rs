//! FROM: collections, patterns of names, EXCEPT, and an alias without effect.

use super::{
    ast::{CollectionPattern, FromClause, Name},
    lexer::Kind,
    parser::{Parsed, Parser},
};

impl Parser<'_> {
    /// `pattern {, pattern} [AS name] [EXCEPT pattern {, pattern}]`
    pub(super) fn from(&mut self) -> Parsed<FromClause> {
        let include = self.list("collections", Self::pattern)?;
        let alias = match self.at_word("AS") {
            false => None,
            true if matches!(include.as_slice(), [CollectionPattern { prefix: false, .. }]) => {
                self.advance()?;
                Some(self.name("a name")?)
            }
            true => return Err(self.unexpected("a clause").with_hint("only a single collection takes AS")),
        };
        let except = match self.take_word("EXCEPT")? {
            true => self.list("collections", Self::pattern)?,
            false => Vec::new(),
        };
        Ok(FromClause { include, except, alias })
    }

    /// `*`, a name, or a name and a `*` that touches it.
    fn pattern(&mut self) -> Parsed<CollectionPattern> {
        let start = self.token.span;
        if self.take_symbol("*")? {
            return Ok(CollectionPattern { name: Name { text: String::new(), span: start }, prefix: true });
        }
        let bare = self.token.kind == Kind::Word;
        let mut name = self.name("a collection name or *")?;
        while bare && self.take_symbol(".")? {
            name.text.push('.');
            if self.at_star() {
                break;
            }
            name.text.push_str(&self.name("the rest of the collection name")?.text);
        }
        let prefix = self.at_star();
        if prefix {
            self.advance()?;
        } else if self.at_symbol("*") {
            return Err(self.unexpected("a clause").with_hint("the * of a pattern touches the name: docs_*"));
        }
        name.span = start.to(self.last);
        Ok(CollectionPattern { name, prefix })
    }

    /// Whether the cursor is at a `*` that touches what is before it.
    fn at_star(&self) -> bool {
        self.at_symbol("*") && self.token.span.start == self.last.end
    }
}
