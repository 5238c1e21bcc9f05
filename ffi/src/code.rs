//! The numbers of all errors, as C constants.
//!
//! The engine's own numbers are repeated here because C needs them written out; a test compares them with the engine's
//! sources, in both directions.

use engine::ErrorKind;
use safer_ffi::prelude::*;

/// What went wrong, exactly. Numbers are never reused; a newer library may return numbers that are not listed here.
///
/// 1000 to 1999: the statement. 2000 to 2999: a name that is not there. 3000 to 3999: a vector or text that cannot
/// be accepted. 4000 to 4999: a file. 5000 to 5999: the operating system. 6000 to 6999: the call.
#[derive_ReprC(rename = "portolan_code")]
#[ffi_export]
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// No error.
    Ok = 0,
    /// A token that the grammar does not allow there.
    UnexpectedToken = 1001,
    /// The statement ends too early.
    UnexpectedEnd = 1002,
    /// A character that begins no token.
    UnexpectedCharacter = 1003,
    /// A string or quoted name without its closing quote.
    UnterminatedString = 1004,
    /// An escape that denotes no character.
    BadStringEscape = 1005,
    /// A number that is not written as one.
    BadNumber = 1006,
    /// A number that does not fit its type.
    NumberOutOfRange = 1007,
    /// A vector without numbers.
    EmptyVector = 1008,
    /// A comment without its end.
    UnterminatedComment = 1009,
    /// A clause that stands twice.
    DuplicateClause = 1010,
    /// A part of SQL that this language does not have.
    NotSupported = 1011,
    /// A field that no record has.
    UnknownField = 1012,
    /// The statement is longer than 1 MiB.
    StatementTooLong = 1013,
    /// Too many parentheses inside each other.
    NestingTooDeep = 1014,
    /// Too many items in one list.
    ListTooLong = 1015,
    /// A quoted name with nothing in it.
    EmptyName = 1016,
    /// TOPK without USING EMBEDDING.
    TopkNeedsEmbedding = 1101,
    /// TOPK of zero or less.
    TopkNotPositive = 1102,
    /// LIMIT below zero.
    LimitNegative = 1103,
    /// OFFSET below zero.
    OffsetNegative = 1104,
    /// Two output columns of the same name.
    DuplicateColumn = 1105,
    /// `document` compared with something that is no text.
    DocumentPredicateKind = 1106,
    /// A field that WHERE cannot test.
    FieldNotFilterable = 1107,
    /// TEXT without a text.
    EmptyText = 1108,
    /// `id` compared with something that is no text.
    IdValueType = 1109,
    /// `id` in a list that holds something that is no text.
    IdInType = 1110,
    /// ORDER BY, GROUP BY or an aggregate of `distance` without USING EMBEDDING.
    OrderDistanceNeedsEmbedding = 1111,
    /// ORDER BY, GROUP BY or an aggregate of `score` where neither MMR nor RRF gives one.
    ScoreNeedsRanking = 1112,
    /// ORDER BY, GROUP BY or an aggregate of `item` without BATCH, or where FUSE BY joins its items.
    ItemNeedsBatch = 1113,
    /// A value beside GROUP BY or an aggregate that is not one for the whole group.
    NotGrouped = 1114,
    /// An aggregate in WHERE or GROUP BY, or in the ORDER BY of rows.
    AggregateNotAllowed = 1115,
    /// `embedding` or the whole of `metadata` where values are compared: ORDER BY, GROUP BY, aggregates.
    NoOrder = 1116,
    /// Arithmetic, SUM or AVG with a field that is never a number.
    NotANumber = 1117,
    /// FUSE BY RRF without BATCH.
    FuseNeedsBatch = 1118,
    /// RERANK BY MMR without USING EMBEDDING, or together with FUSE BY.
    RerankNotPossible = 1119,
    /// WITH SCORE THRESHOLD without USING EMBEDDING.
    ThresholdNeedsEmbedding = 1120,
    /// RECALL that is not above 0 and at most 1.
    RecallOutOfRange = 1121,
    /// CANDIDATES below 1; candidates of MMR below 1 or above 10,000.
    CandidatesOutOfRange = 1122,
    /// MMR's lambda outside of 0 to 1.
    LambdaOutOfRange = 1123,
    /// The constant of RRF is zero or less.
    RrfKNotPositive = 1124,
    /// A parameter of MMR that it does not have, or one given twice.
    MmrOption = 1125,
    /// TOP of zero or less, after GROUP BY.
    TopNotPositive = 1126,
    /// ORDER BY a name that is neither a field nor an output column.
    UnknownOrderKey = 1127,
    /// LIKE, ILIKE, REGEX or STARTS WITH something that is no text.
    PatternNotText = 1128,
    /// A pattern that cannot be read.
    BadPattern = 1129,
    /// A `?` or `:name` for which no value was given.
    MissingParameter = 1130,
    /// A value for a `?` or `:name` that the statement does not have.
    UnusedParameter = 1131,
    /// The value of a parameter has a type that cannot stand there.
    ParameterType = 1132,
    /// AFTER together with BATCH, MMR, GROUP BY, an aggregate or OFFSET.
    CursorNotPossible = 1133,
    /// AFTER a text that is no cursor of this statement.
    BadCursor = 1134,
    /// A literal of another type than the column it is compared with.
    TypeMismatch = 1201,
    /// A column of lists in WHERE.
    ListNotFilterable = 1202,
    /// A text compared with a time column that is no ISO 8601 date or time.
    BadTime = 1203,
    /// An order asked of a column of booleans.
    BoolHasNoOrder = 1204,
    /// A column of JSON in WHERE.
    JsonNotFilterable = 1205,
    /// No collection of that name.
    UnknownCollection = 2001,
    /// None of the asked collections has that column.
    UnknownColumn = 2002,
    /// No model of that name.
    UnknownModel = 2003,
    /// A file of the release is not in its folder.
    MissingFile = 2004,
    /// TEXT was asked, but the release carries no embedder for the collection.
    NoEmbedder = 2005,
    /// The release holds no collections.
    EmptyRelease = 2006,
    /// MODEL names an embedder that did not make the collection's vectors.
    OtherEmbedder = 2007,
    /// The asked collections differ in metric, dimension or embedder.
    MixedSpaces = 2008,
    /// A collection is filled by an embedder that the registry does not declare.
    UndeclaredEmbedder = 2009,
    /// A routing file that cannot be used.
    BadRouting = 2010,
    /// Routing is strict, and the statement does not say which collections it needs.
    Unrouted = 2011,
    /// SIMILARITY asks for a metric that the stored vectors do not allow.
    SimilarityNotPossible = 2012,
    /// The statement took longer than allowed.
    TimedOut = 2013,
    /// The statement was stopped by its caller.
    Stopped = 2014,
    /// The statement needs vectors, and the collection was exported without.
    NoVectors = 2015,
    /// The query's vector does not have the collection's dimension.
    WrongDimension = 3001,
    /// A number of a vector is NaN or infinite.
    NotFinite = 3002,
    /// A vector of zeros, under cosine.
    ZeroVector = 3003,
    /// The text has no word that the embedder knows.
    NothingToEmbed = 3004,
    /// The embedder's files do not fit together.
    BadEmbedder = 3005,
    /// A number of a vector is too large for the encoding.
    OutOfRange = 3006,
    /// Not a Portolan file.
    BadMagic = 4001,
    /// The file needs a newer library.
    TooNew = 4002,
    /// The file's format is no longer read.
    TooOld = 4003,
    /// The file needs features that this library does not know.
    UnknownFeatures = 4004,
    /// The file is shorter or longer than it should be.
    WrongLength = 4005,
    /// A checksum does not match.
    Checksum = 4006,
    /// A value in the file contradicts another.
    Malformed = 4007,
    /// release.json cannot be read, or describes other files.
    BadRelease = 4008,
    /// A snapshot cannot be written.
    CannotWrite = 4009,
    /// A file cannot be read.
    File = 5001,
    /// An argument is NULL that must not be.
    NullArgument = 6001,
    /// A text argument is not UTF-8.
    NotUtf8 = 6002,
    /// The library has a bug: it panicked. The handles stay usable.
    Panic = 6003,
    /// There is no such row, column, set or collection in the result.
    NoSuchCell = 6004,
    /// An argument is not what it must be: JSON that is no parameter, a length that no array has. The message says why.
    BadArgument = 6005,
    /// The program's own router refused the statement.
    RouterRefused = 6006,
}

/// Whose turn it is after an error.
#[derive_ReprC(rename = "portolan_kind")]
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No error.
    None = 0,
    /// The caller must change the request.
    Usage = 1,
    /// Something named does not exist.
    NotFound = 2,
    /// The file needs another version of this library.
    Unsupported = 3,
    /// The file's bytes are not what was written.
    Damaged = 4,
    /// The operating system refused.
    Io = 5,
    /// The library has a bug; please report it.
    Internal = 6,
}

impl From<ErrorKind> for Kind {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Usage => Self::Usage,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Unsupported => Self::Unsupported,
            ErrorKind::Damaged => Self::Damaged,
            ErrorKind::Io => Self::Io,
            _ => Self::Internal,
        }
    }
}
