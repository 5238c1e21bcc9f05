//! Vectors on their way in: the check at the door, unit length, and the bytes of a stored row.
//!
//! Use these before a vector is stored or asked. Nothing here compares vectors; see [`super::Scorer`].

use half::f16;

use super::{Encoding, Metric, scalar::squared_norm};
use crate::error::InputError;

/// Accepts a vector for a collection of `dimension` and `metric`; `record` names it in the error.
///
/// Two vectors accepted for the same collection always have a finite score. O(dimension).
///
/// # Errors
/// [`InputError::WrongDimension`], [`InputError::NotFinite`] with the position; [`InputError::ZeroVector`] under cosine
/// when all components are zero; [`InputError::OutOfRange`] under the other metrics for a component so large that
/// sums of its squares could overflow.
pub fn check_vector(
    record: &str,
    vector: &[f32],
    dimension: usize,
    metric: Metric,
) -> Result<(), InputError> {
    let record = || String::from(record);
    if vector.len() != dimension {
        return Err(InputError::WrongDimension { record: record(), expected: dimension, got: vector.len() });
    }
    if let Some((position, &value)) = vector.iter().enumerate().find(|(_, x)| !x.is_finite()) {
        return Err(InputError::NotFinite { record: record(), position, value });
    }
    if metric == Metric::Cosine {
        let zero = vector.iter().all(|&x| x == 0.0);
        return if zero { Err(InputError::ZeroVector { record: record() }) } else { Ok(()) };
    }
    refuse_above(largest_component(dimension), vector).map_err(|e| e.for_record(&record()))
}

/// The magnitude up to which a squared distance cannot overflow: of two vectors within it, each has a squared norm of
/// at most MAX/8, so the square of their distance is at most 4 x MAX/8, which leaves room for rounding.
fn largest_component(dimension: usize) -> f32 {
    (f32::MAX / 8.0 / dimension.max(1) as f32).sqrt()
}

fn refuse_above(limit: f32, vector: &[f32]) -> Result<(), InputError> {
    match vector.iter().enumerate().find(|(_, x)| x.abs() > limit) {
        Some((position, &value)) => {
            Err(InputError::OutOfRange { record: String::new(), position, value, limit })
        }
        None => Ok(()),
    }
}

/// Scales `vector` to length one. The same bits on every machine; a zero vector stays as it is. O(dimension).
///
/// The components must be finite. Their squares may overflow or vanish: then the vector is first scaled by a power of
/// two.
pub fn normalize(vector: &mut [f32]) {
    let mut norm_sq = squared_norm(vector);
    // Past these bounds a square has overflowed, or has lost bits below the smallest normal float. 2^80 and 2^-80
    // bring every float's square back inside.
    let rescale = if norm_sq < 1e-20 {
        two_pow_80()
    } else if norm_sq > f32::MAX / 8.0 {
        1.0 / two_pow_80()
    } else {
        1.0
    };
    if rescale != 1.0 {
        vector.iter_mut().for_each(|x| *x *= rescale);
        norm_sq = squared_norm(vector);
    }
    if norm_sq > 0.0 {
        let norm = norm_sq.sqrt();
        vector.iter_mut().for_each(|x| *x /= norm);
    }
}

fn two_pow_80() -> f32 {
    f32::from_bits((127 + 80) << 23)
}

/// Accepts a vector that has passed [`check_vector`] for an encoding: [`encode_row`] then succeeds. O(dimension).
///
/// # Errors
/// [`InputError::OutOfRange`], with an empty record, for a component that a half float could only hold as infinity.
pub fn check_encodable(vector: &[f32], metric: Metric, encoding: Encoding) -> Result<(), InputError> {
    match (encoding, metric) {
        (Encoding::F16, Metric::InnerProduct | Metric::L2) => refuse_above(f16::MAX.to_f32(), vector),
        _ => Ok(()),
    }
}

/// Appends the stored row of `vector` to `out`: [`Encoding::row_bytes`] bytes.
///
/// Under cosine the row is stored at unit length. `vector` has passed [`check_vector`]. O(dimension).
///
/// # Errors
/// As [`check_encodable`]; `out` is then as before.
pub fn encode_row(
    vector: &[f32],
    metric: Metric,
    encoding: Encoding,
    out: &mut Vec<u8>,
) -> Result<(), InputError> {
    let unit;
    let vector = if metric == Metric::Cosine {
        let mut copy = vector.to_vec();
        normalize(&mut copy);
        unit = copy;
        &unit
    } else {
        vector
    };
    match encoding {
        Encoding::F32 => out.extend(vector.iter().flat_map(|x| x.to_le_bytes())),
        Encoding::F16 => {
            check_encodable(vector, metric, encoding)?;
            out.extend(vector.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()));
        }
        Encoding::I8 => encode_bytes(vector, out),
        Encoding::None => {}
    }
    Ok(())
}

fn encode_bytes(vector: &[f32], out: &mut Vec<u8>) {
    let scale = vector.iter().fold(0.0, |most: f32, x| most.max(x.abs())) / 127.0;
    out.extend(scale.to_le_bytes());
    // A scale that vanishes leaves nothing but zeros to tell.
    let byte = |x: f32| if scale > 0.0 { (x / scale).round().clamp(-127.0, 127.0) as i8 } else { 0 };
    out.extend(vector.iter().map(|&x| byte(x).cast_unsigned()));
    let filled = out.len() + vector.len().next_multiple_of(4) - vector.len();
    out.resize(filled, 0);
}

/// The numbers of a stored row.
pub fn decode_row(row: &[u8], encoding: Encoding, dimension: usize) -> Vec<f32> {
    let mut numbers: Vec<f32> = match encoding {
        Encoding::F32 => row.as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect(),
        Encoding::F16 => row.as_chunks::<2>().0.iter().map(|x| f16::from_le_bytes(*x).to_f32()).collect(),
        Encoding::I8 => {
            let (scale, bytes) = row.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
            let scale = f32::from_le_bytes(*scale);
            bytes.iter().map(|byte| scale * f32::from(byte.cast_signed())).collect()
        }
        Encoding::None => Vec::new(),
    };
    numbers.truncate(dimension);
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(vector: &[f32]) -> f64 {
        vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt()
    }

    #[test]
    fn the_door_names_record_and_position() {
        let nan = check_vector("n1", &[0.0, f32::NAN], 2, Metric::L2);
        assert!(matches!(nan, Err(InputError::NotFinite { record, position: 1, .. }) if record == "n1"));
        let short = check_vector("n2", &[0.0], 2, Metric::L2);
        assert!(matches!(short, Err(InputError::WrongDimension { expected: 2, got: 1, .. })));
    }

    #[test]
    fn only_cosine_refuses_a_zero_vector() {
        assert!(matches!(
            check_vector("z", &[0.0, -0.0], 2, Metric::Cosine),
            Err(InputError::ZeroVector { .. })
        ));
        assert_eq!(check_vector("z", &[0.0, -0.0], 2, Metric::L2), Ok(()));
        assert_eq!(check_vector("z", &[0.0, -0.0], 2, Metric::InnerProduct), Ok(()));
    }

    #[test]
    fn a_component_whose_square_overflows_is_refused_unless_cosine() {
        let vector = [1.0, -2e19];
        let refused = check_vector("big", &vector, 2, Metric::L2);
        assert!(
            matches!(refused, Err(InputError::OutOfRange { record, position: 1, .. }) if record == "big")
        );
        assert_eq!(check_vector("big", &vector, 2, Metric::Cosine), Ok(()));
    }

    #[test]
    fn any_finite_vector_gets_unit_length() {
        for scale in [f32::MAX, 1e25, 1.0, 1e-15, 1e-25, 1e-40] {
            let mut vector = vec![scale, scale / 2.0, 0.0, -scale];
            normalize(&mut vector);
            assert!((length(&vector) - 1.0).abs() < 1e-4, "scale {scale:e}: {vector:?}");
        }
        let mut zero = [0.0; 3];
        normalize(&mut zero);
        assert_eq!(zero, [0.0; 3]);
    }

    #[test]
    fn half_rows_never_hold_an_infinity() {
        let mut out = vec![7];
        let refused = encode_row(&[1.0, 65_520.0], Metric::L2, Encoding::F16, &mut out);
        assert!(matches!(refused, Err(InputError::OutOfRange { position: 1, .. })));
        assert_eq!(out, [7]);
        assert_eq!(encode_row(&[1.0, -65_504.0], Metric::L2, Encoding::F16, &mut out), Ok(()));
        assert_eq!(out, [7, 0x00, 0x3c, 0xff, 0xfb]);
    }

    #[test]
    fn a_row_of_bytes_is_within_half_a_step() {
        for vector in
            [vec![0.0; 5], vec![1e-45, 0.0, -1e-45], vec![3.0, -1.0, 0.5, 0.013, -2.999], vec![-7e18]]
        {
            let mut out = vec![9];
            assert_eq!(encode_row(&vector, Metric::L2, Encoding::I8, &mut out), Ok(()));
            assert_eq!(out.len(), 1 + Encoding::I8.row_bytes(vector.len()));
            let decoded = decode_row(&out[1..], Encoding::I8, vector.len());
            let step = vector.iter().fold(0.0, |most: f32, x| most.max(x.abs())) / 127.0;
            assert_eq!(decoded.len(), vector.len());
            for (x, y) in vector.iter().zip(decoded) {
                assert!((x - y).abs() <= step * 0.5001 + 1e-44, "{x} {y}");
            }
        }
    }

    #[test]
    fn cosine_rows_are_stored_at_unit_length() {
        let mut out = Vec::new();
        assert_eq!(encode_row(&[3e20, 4e20], Metric::Cosine, Encoding::F32, &mut out), Ok(()));
        assert_eq!(out, [0.6_f32.to_le_bytes(), 0.8_f32.to_le_bytes()].concat());
    }
}
