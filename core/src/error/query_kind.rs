//! The kinds of errors about statements: each with its number and its name, in one list.

/// Makes the enum of `Kind = number as name`, so that no kind lacks a name or a place among all.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $code:literal as $name:ident,)*) => {
        /// What is wrong with a statement. The discriminant is the fixed number of the error.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u32)]
        pub enum QueryErrorKind {
            $($(#[$doc])* $kind = $code,)*
        }

        impl QueryErrorKind {
            /// All kinds, by number.
            pub const ALL: &'static [QueryErrorKind] = &[$(Self::$kind),*];

            /// The fixed name, in snake case. Where the reference dialect refuses the same thing, the name is the same.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($name),)*
                }
            }
        }
    };
}

kinds! {
    /// A token that the grammar does not allow there. Remedy: see what was expected.
    UnexpectedToken = 1001 as unexpected_token,
    /// The statement ends too early. Remedy: complete it.
    UnexpectedEnd = 1002 as unexpected_end,
    /// A character that begins no token. Remedy: quote names that hold it.
    UnexpectedCharacter = 1003 as unexpected_character,
    /// A string or quoted name without its closing quote on the same line.
    UnterminatedString = 1004 as unterminated_string,
    /// An escape that denotes no character.
    BadStringEscape = 1005 as bad_string_escape,
    /// A number that is not written as one, or runs into a word.
    BadNumber = 1006 as bad_number,
    /// A number that does not fit its type.
    NumberOutOfRange = 1007 as number_out_of_range,
    /// `VECTOR []`.
    EmptyVector = 1008 as empty_vector,
    /// `/*` without `*/`.
    UnterminatedComment = 1009 as unterminated_comment,
    /// A clause that stands twice.
    DuplicateClause = 1010 as duplicate_clause,
    /// A part of SQL that this language does not have.
    NotSupported = 1011 as not_supported,
    /// A field that no record has. Remedy: metadata fields are written `metadata.name`.
    UnknownField = 1012 as unknown_field,
    /// The statement is longer than 1 MiB, or its parameters take more than 64 MiB.
    StatementTooLong = 1013 as statement_too_long,
    /// More than 256 parentheses inside each other, or operators in one value.
    NestingTooDeep = 1014 as nesting_too_deep,
    /// More items than a list may have: mostly 100,000.
    ListTooLong = 1015 as list_too_long,
    /// A quoted name with nothing in it.
    EmptyName = 1016 as empty_name,
    /// TOPK without USING EMBEDDING.
    TopkNeedsEmbedding = 1101 as topk_needs_embedding,
    /// TOPK of zero or less.
    TopkNotPositive = 1102 as topk_not_positive,
    /// LIMIT below zero.
    LimitNegative = 1103 as limit_negative,
    /// OFFSET below zero.
    OffsetNegative = 1104 as offset_negative,
    /// Two output columns of the same name. Remedy: `AS`.
    DuplicateColumn = 1105 as duplicate_column,
    /// `document` compared with something that is no text.
    DocumentPredicateKind = 1106 as document_predicate_kind,
    /// A field that WHERE cannot test.
    FieldNotFilterable = 1107 as field_not_filterable,
    /// `TEXT ''`.
    EmptyText = 1108 as empty_text,
    /// `id` compared with something that is no text.
    IdValueType = 1109 as id_value_type,
    /// `id` in a list that holds something that is no text.
    IdInType = 1110 as id_in_type,
    /// ORDER BY, GROUP BY or an aggregate of `distance` without USING EMBEDDING.
    OrderDistanceNeedsEmbedding = 1111 as order_distance_needs_embedding,
    /// ORDER BY, GROUP BY or an aggregate of `score` where neither MMR nor RRF gives one.
    ScoreNeedsRanking = 1112 as score_needs_ranking,
    /// ORDER BY, GROUP BY or an aggregate of `item` without BATCH, or where FUSE BY joins its items.
    ItemNeedsBatch = 1113 as item_needs_batch,
    /// A value beside GROUP BY or an aggregate that is not one for the whole group.
    NotGrouped = 1114 as not_grouped,
    /// An aggregate in WHERE or GROUP BY, or in the ORDER BY of rows.
    AggregateNotAllowed = 1115 as aggregate_not_allowed,
    /// `embedding` or the whole of `metadata` where values are compared: ORDER BY, GROUP BY, aggregates.
    NoOrder = 1116 as no_order,
    /// Arithmetic, SUM or AVG with a field that is never a number.
    NotANumber = 1117 as not_a_number,
    /// FUSE BY RRF without BATCH.
    FuseNeedsBatch = 1118 as fuse_needs_batch,
    /// RERANK BY MMR without USING EMBEDDING, or together with FUSE BY.
    RerankNotPossible = 1119 as rerank_not_possible,
    /// WITH SCORE THRESHOLD without USING EMBEDDING.
    ThresholdNeedsEmbedding = 1120 as threshold_needs_embedding,
    /// RECALL that is not above 0 and at most 1.
    RecallOutOfRange = 1121 as recall_out_of_range,
    /// CANDIDATES below 1; candidates of MMR below 1 or above 10,000.
    CandidatesOutOfRange = 1122 as candidates_out_of_range,
    /// MMR's lambda outside of 0 to 1.
    LambdaOutOfRange = 1123 as lambda_out_of_range,
    /// The constant of RRF is zero or less.
    RrfKNotPositive = 1124 as rrf_k_not_positive,
    /// A parameter of MMR that it does not have, or one given twice.
    MmrOption = 1125 as mmr_option,
    /// TOP of zero or less, after GROUP BY.
    TopNotPositive = 1126 as top_not_positive,
    /// ORDER BY a name that is neither a field nor an output column.
    UnknownOrderKey = 1127 as unknown_order_key,
    /// LIKE, ILIKE, REGEX or STARTS WITH something that is no text; CONTAINS too, on `id` and `document`.
    PatternNotText = 1128 as pattern_not_text,
    /// A pattern that cannot be read, or is too large.
    BadPattern = 1129 as bad_pattern,
    /// A `?` or `:name` for which no value was given.
    MissingParameter = 1130 as missing_parameter,
    /// A value for a `?` or `:name` that the statement does not have.
    UnusedParameter = 1131 as unused_parameter,
    /// The value of a parameter has a type that cannot stand there.
    ParameterType = 1132 as parameter_type,
    /// AFTER together with BATCH, MMR, GROUP BY, an aggregate or OFFSET.
    CursorNotPossible = 1133 as cursor_not_possible,
    /// AFTER a text that is no cursor of this statement.
    BadCursor = 1134 as bad_cursor,
    /// A literal of another type than the column it is compared with.
    TypeMismatch = 1201 as type_mismatch,
    /// A comparison of a column of lists. Remedy: CONTAINS.
    ListNotFilterable = 1202 as list_not_filterable,
    /// A text compared with a time column that is no ISO 8601 date or time.
    BadTime = 1203 as bad_time,
    /// `<`, `>` or BETWEEN on a boolean column.
    BoolHasNoOrder = 1204 as bool_has_no_order,
    /// A column of JSON in WHERE.
    JsonNotFilterable = 1205 as json_not_filterable,
}

impl QueryErrorKind {
    /// The fixed number.
    pub fn code(self) -> u32 {
        self as u32
    }

    /// Whether the error was found while parsing. The others are found while planning or binding.
    pub fn is_parse(self) -> bool {
        self.code() < 1100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_number_and_name_in_the_documentation() {
        let page = include_str!("../../../docs/query.md");
        for kind in QueryErrorKind::ALL {
            let row = format!("| {} | `{}` |", kind.code(), kind.name());
            assert!(page.contains(&row), "docs/query.md lacks the row {row}");
        }
        let mut codes: Vec<u32> = QueryErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        codes.dedup();
        assert!(codes.is_sorted() && codes.len() == QueryErrorKind::ALL.len());
    }
}
