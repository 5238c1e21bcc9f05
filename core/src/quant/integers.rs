//! Floats as small integers of one unit.

use super::lanes::largest;

/// `x` in units of its largest magnitude / `limit`, and that unit: integers from -`limit` to `limit`, the nearest ones,
/// halves away from zero. If the unit is 0, or too small to be a float, all are 0.
#[inline(always)]
pub(super) fn to_integers(x: &[f32], limit: i8) -> (f32, Vec<i8>) {
    let limit = f32::from(limit);
    let unit = largest(x) / limit;
    if unit == 0.0 {
        return (0.0, vec![0; x.len()]);
    }
    let round = |x: &f32| {
        // The unit is rounded, far too small if it is subnormal: hence the limit.
        let quotient = (x / unit).clamp(-limit, limit);
        (quotient + 0.5_f32.copysign(quotient)) as i8
    };
    (unit, x.iter().map(round).collect())
}
