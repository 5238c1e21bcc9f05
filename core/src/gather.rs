//! `collect` in a fraction of its code: each instance of the standard library's, which asks an iterator for its length
//! and fills the list in another place, is a hundred bytes of the compressed wasm module.
//!
//! Code that a wasm module carries uses `gather()`; native code, and what builds maps and sets, uses `collect()`. The
//! list grows as items come, so one of millions of rows is better allocated at its length.

/// What [`gather`](Gather::gather) is called on: every iterator.
pub trait Gather: Iterator + Sized {
    /// All items as a list or text; of results and options, the first that is none of its kind.
    fn gather<C: FromItems<Self::Item>>(self) -> C {
        C::from_items(self)
    }
}

impl<I: Iterator> Gather for I {}

/// What items can be gathered into.
pub trait FromItems<T>: Sized {
    /// All items, in their order.
    fn from_items(items: impl Iterator<Item = T>) -> Self;
}

impl<T> FromItems<T> for Vec<T> {
    fn from_items(items: impl Iterator<Item = T>) -> Self {
        let mut list = Vec::new();
        for item in items {
            list.push(item);
        }
        list
    }
}

impl<T, E> FromItems<Result<T, E>> for Result<Vec<T>, E> {
    fn from_items(items: impl Iterator<Item = Result<T, E>>) -> Self {
        let mut list = Vec::new();
        for item in items {
            list.push(item?);
        }
        Ok(list)
    }
}

impl<T> FromItems<Option<T>> for Option<Vec<T>> {
    fn from_items(items: impl Iterator<Item = Option<T>>) -> Self {
        let mut list = Vec::new();
        for item in items {
            list.push(item?);
        }
        Some(list)
    }
}

impl FromItems<char> for String {
    fn from_items(items: impl Iterator<Item = char>) -> Self {
        let mut text = String::new();
        for item in items {
            text.push(item);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_items_come_in_their_order() {
        let doubled: Vec<u32> = (0..1000).map(|i| i * 2).gather();
        assert_eq!(doubled, (0..2000).step_by(2).collect::<Vec<_>>());
        assert_eq!("añb".chars().rev().gather::<String>(), "bña");
        assert!(std::iter::empty::<u8>().gather::<Vec<u8>>().is_empty());
    }

    #[test]
    fn the_first_failure_ends_it() {
        let mut asked = 0;
        let mut parse = |text: &str| {
            asked += 1;
            text.parse::<i32>()
        };
        let good: Result<Vec<i32>, _> = ["1", "2"].into_iter().map(&mut parse).gather();
        assert_eq!(good, Ok(vec![1, 2]));
        let bad: Result<Vec<i32>, _> = ["1", "x", "2", "y"].into_iter().map(&mut parse).gather();
        assert_eq!((bad, asked), ("x".parse::<i32>().map(|_| vec![]), 4));
        assert_eq!([Some(1), None, Some(2)].into_iter().gather::<Option<Vec<i32>>>(), None);
    }
}
