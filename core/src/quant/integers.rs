//! Floats as small integers of one unit.

use super::lanes::largest;

/// 1.5 x 2^23: a float of this size has integers as its steps, and keeps them in its lowest bits, negative ones in
/// two's complement.
const TO_INTEGERS: f32 = 12_582_912.0;

/// `x` in units of its largest magnitude / `limit`, and that unit: the nearest integers, the even one of two equally
/// near, from -`limit` to `limit`. If the unit is too small for its quotients to be exact, it is 0 and so are all.
///
/// One addition rounds, and the bits are the integer: a cast would not become vector code.
#[inline(always)]
pub(super) fn to_integers(x: &[f32], limit: i8) -> (f32, Vec<i8>) {
    let unit = largest(x) / f32::from(limit);
    if unit < f32::MIN_POSITIVE {
        return (0.0, vec![0; x.len()]);
    }
    (unit, x.iter().map(|x| (x / unit + TO_INTEGERS).to_bits() as i8).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_become_the_nearest_integers() {
        let (unit, integers) = to_integers(&[30.0, -30.0, 0.9, 1.1, -1.1, 5.0, 3.0, -4.2, 0.0, -0.0], 15);
        assert_eq!(unit, 2.0);
        assert_eq!(integers, [15, -15, 0, 1, -1, 2, 2, -2, 0, 0]);
    }

    #[test]
    fn the_largest_component_never_leaves_the_limit() {
        for limit in [15, 127] {
            for bits in (0x0800_0000..0x7f00_0000_u32).step_by(0x0012_3457) {
                let x = f32::from_bits(bits);
                assert_eq!(to_integers(&[x, -x], limit).1, [limit, -limit], "{x:e}");
            }
        }
    }

    #[test]
    fn what_has_no_unit_is_zero() {
        for x in [0.0, f32::from_bits(1), f32::MIN_POSITIVE] {
            assert_eq!(to_integers(&[x, -x], 15), (0.0, vec![0, 0]));
        }
        assert_eq!(to_integers(&[], 15), (0.0, vec![]));
    }
}
