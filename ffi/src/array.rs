//! Arrays across the boundary: a pointer to the first item and a count.

use crate::error::Fault;

/// A copy of an array that C lends for a call. NULL is the empty array.
pub(crate) fn copy<T: Copy>(name: &str, first: *const T, count: usize) -> Result<Vec<T>, Fault> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if first.is_null() {
        return Err(Fault::null(name));
    }
    // No array of C is longer: this is a number that was negative.
    let longest = isize::MAX as usize / size_of::<T>().max(1);
    if count > longest || !first.is_aligned() {
        return Err(Fault::argument(name, "is no array"));
    }
    // SAFETY: C promises `count` items, as for every array it passes; null, alignment and length were checked.
    Ok(unsafe { std::slice::from_raw_parts(first, count) }.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_array_is_refused() {
        let numbers = [1.0_f32, 2.0];
        assert_eq!(copy("numbers", numbers.as_ptr(), 2).unwrap(), numbers);
        assert!(copy::<f32>("numbers", std::ptr::null(), 0).unwrap().is_empty());
        assert!(copy::<f32>("numbers", std::ptr::null(), 1).is_err());
        assert!(copy("numbers", numbers.as_ptr(), usize::MAX).is_err());
        assert!(copy("numbers", numbers.as_ptr().cast::<u8>().wrapping_add(1).cast::<f32>(), 1).is_err());
    }
}
