//! The stages of a statement, in the order in which rows pass them.
//!
//! Of one collection, side by side with the others: [`search`] finds the rows nearest to the query; [`sort`] and
//! [`group`] do what ORDER BY and GROUP BY ask where there is no query. Over all collections: [`merge`] makes one
//! ranking of them, [`rerank`] applies MMR and RRF, [`records`] reads the winners' payload, [`answer`] orders, groups and
//! cuts what is left and calculates the columns. None of them reads bytes that are not resident.

pub(super) mod answer;
pub(super) mod group;
pub(super) mod merge;
pub(super) mod page;
pub(super) mod records;
pub(super) mod rerank;
pub(super) mod search;
pub(super) mod sort;
