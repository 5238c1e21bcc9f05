//! Against the standard library, which is right about every number.

use super::*;

/// A fixed sequence of bits.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) ^ self.0.rotate_left(17)
    }
}

fn check_shown(value: f64) {
    assert_eq!(Shown::from(value).to_string(), value.to_string());
    assert_eq!(literal(value), format!("{value:?}"));
    let single = value as f32;
    assert_eq!(Shown::from(single).to_string(), single.to_string());
}

fn check_read(text: &str) {
    let bits = |value: Option<f64>| value.map(f64::to_bits);
    assert_eq!(bits(parse_f64(text)), bits(text.parse().ok()), "{text}");
    let bits = |value: Option<f32>| value.map(f32::to_bits);
    assert_eq!(bits(parse_f32(text)), bits(text.parse().ok()), "{text}");
}

/// The numbers at which something changes.
fn corners() -> Vec<f64> {
    let mut out = vec![0.0, 1e15, 1e16, 1e17, 1e-3, 1e-4, 1e-5, 123_456.789, 0.1, 1.0 / 3.0, 9.5, 9.999e22];
    for bits in [0, 1, 2, F64.precision as u64] {
        out.push(f64::from_bits(bits));
    }
    for exponent in (0..2047_u64).step_by(3) {
        let power = exponent << 52;
        out.extend(
            [power, power.wrapping_sub(1), power + 1].map(|bits| f64::from_bits(bits & (u64::MAX >> 1))),
        );
    }
    for exponent in 0..255_u32 {
        let power = exponent << 23;
        out.extend(
            [power, power.wrapping_sub(1), power + 1]
                .map(|bits| f64::from(f32::from_bits(bits & (u32::MAX >> 1)))),
        );
    }
    // Half way between two shortest texts.
    out.extend((0..1000).map(|step| 1_125_899_906_842_624.0 + f64::from(step) * 0.25));
    out.extend([f64::MAX, f64::MIN_POSITIVE, f64::from(f32::MAX), f64::INFINITY]);
    out
}

#[test]
fn floats_are_shown_as_by_the_standard_library() {
    for value in corners() {
        check_shown(value);
        check_shown(-value);
    }
    check_shown(f64::NAN);
    let mut noise = Noise(1);
    for _ in 0..5_000 {
        let bits = noise.next();
        check_shown(f64::from_bits(bits));
        check_shown(f64::from(f32::from_bits(bits as u32)));
        check_shown((bits % 1_000_000) as f64 / 1000.0);
    }
}

#[test]
fn floats_are_read_as_by_the_standard_library() {
    for value in corners().into_iter().filter(|value| value.is_finite()) {
        check_read(&format!("{value}"));
        check_read(&format!("{value:e}"));
        check_read(&format!("-{value:.40}"));
        check_read(&format!("{value:.17e}"));
    }
    let mut noise = Noise(2);
    for _ in 0..20_000 {
        let (digits, exponent) = (noise.next() >> (noise.next() % 60), noise.next() % 700);
        check_read(&format!("{digits}e{}", exponent as i64 - 350));
        check_read(&format!("{}.{digits}", noise.next() % 1000));
    }
}

/// The exact middle of two floats, and the smallest step beside it, which may be hundreds of digits away.
#[test]
fn middles_are_read_as_the_even_neighbour() {
    let mut noise = Noise(3);
    for round in 0..900 {
        let bits = match round % 3 {
            0 => noise.next() % (0x7fe_u64 << 52),
            1 => noise.next() % (2 << 52),
            _ => noise.next() % (1 << 10),
        };
        let half = f64::from_bits(bits);
        // Printed in full, a float and its neighbour give their middle: the digits are added and halved.
        let [low, high] = [half, half.next_up()].map(|value| format!("{value:.1080}"));
        let middle = middle_of(&low, &high);
        check_read(&middle);
        check_read(&format!("{middle}0000000001"));
        check_read(&format!("{middle}{}1", "0".repeat(900)));
        let below = middle.trim_end_matches('0');
        let (kept, last) = below.split_at(below.len() - 1);
        let Ok(last) = last.parse::<u32>() else { continue };
        check_read(&format!("{kept}{}9999", last - 1));
    }
    // Of singles, around the smallest and the largest.
    for text in
        ["7.006492321624085e-46", "7.006492321624086e-46", "3.4028235677973366e38", "3.4028235677973365e38"]
    {
        check_read(text);
    }
    for text in [
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "2.4703282292062327e-324",
    ] {
        check_read(text);
    }
}

/// Short decimals that lie very near to a middle, from Vern Paxson, "A Program for Testing IEEE Decimal-Binary
/// Conversion", 1991.
#[test]
fn short_texts_near_middles_are_read_right() {
    for text in [
        "5e125",
        "69e267",
        "999e-26",
        "7861e-34",
        "75569e-254",
        "928609e-261",
        "9210917e80",
        "84863171e114",
        "653777767e273",
        "5232604057e-298",
        "27235667517e-109",
        "653532977297e-123",
        "3142213164987e-294",
        "46202199371337e-72",
        "231010996856685e-73",
        "9324754620109615e212",
        "78459735791271921e49",
        "272104041512242479e200",
        "6802601037806061975e198",
        "20505426358836677347e-221",
        "836168422905420598437e-234",
        "4891559871276714924261e222",
        "9e-265",
        "85e-37",
        "623e100",
        "3571e263",
        "81661e153",
        "920657e-23",
        "4603285e-24",
        "87575437e-309",
        "245540327e122",
        "6138508175e120",
        "83356057653e193",
        "619534293513e124",
        "2335141086879e218",
        "36167929443327e-159",
        "609610927149051e-255",
        "3743626360493413e-165",
        "94080055902682397e-242",
        "899810892172646163e283",
        "7120190517612959703e120",
        "25188282901709339043e-252",
        "308984926168550152811e-52",
        "6372891218502368041059e64",
    ] {
        check_read(text);
    }
}

/// Half the sum of two decimals with the point in the same distance from the end.
fn middle_of(low: &str, high: &str) -> String {
    let width = high.len().max(low.len());
    let digits = |text: &str| -> Vec<u32> {
        format!("{text:0>width$}").chars().filter_map(|digit| digit.to_digit(10)).collect()
    };
    let (mut sum, mut carry) = (Vec::new(), 0);
    for (a, b) in digits(low).iter().zip(digits(high)).rev() {
        sum.push((a + b + carry) % 10);
        carry = (a + b + carry) / 10;
    }
    sum.push(carry);
    let (mut out, mut rest) = (String::new(), 0);
    for digit in sum.iter().rev() {
        let value = rest * 10 + digit;
        out.push(char::from_digit(value / 2, 10).unwrap());
        rest = value % 2;
    }
    out.insert(out.len() - 1080, '.');
    out + if rest == 1 { "5" } else { "" }
}

#[test]
fn forms_of_numbers() {
    for text in [
        "1",
        "+1",
        "-0",
        "1.",
        ".5",
        "-.5e1",
        "1e5",
        "1E+05",
        "1e-05",
        "00012.500",
        "0e999999999999999999999",
    ] {
        check_read(text);
    }
    for text in ["", ".", "-", "e5", ".e5", "1e", "1e+", "1.2.3", "--1", " 1", "1 ", "1x", "0x1", "1_0"] {
        check_read(text);
    }
    check_read(&format!("0.{}1", "0".repeat(5000)));
    check_read(&format!("1{}", "0".repeat(5000)));
    check_read(&format!("{}e-5000", "1".repeat(5001)));
    check_read("1e99999999999999999999");
    check_read("1e-99999999999999999999");
}
