//! Splitting groups that have far too many rows, in favour of groups that have none or few.

use super::{groups::Groups, kmeans::mean, rows::Rows};

/// A group with so many times the mean number of rows is split. A cluster is read as a whole, so large ones make
/// searches slow whose questions fall near them.
const LARGE: usize = 2;
/// Rounds of the power iteration that finds the direction in which rows differ most.
const ROUNDS: usize = 3;

/// Splits the largest groups, each at most once: one half stays, the other takes the place of a smallest group.
pub(super) fn rebalance(rows: &Rows, groups: &Groups, means: &mut [f32]) {
    let size = |group: &usize| groups.of(*group).len();
    let mut order: Vec<usize> = (0..groups.count()).collect();
    order.sort_by_key(|group| (size(group), *group));
    let large = LARGE * rows.count().div_ceil(groups.count().max(1));
    let (mut small, mut big) = (0, order.len());
    while small + 1 < big {
        let (from, to) = (order[big - 1], order[small]);
        let worth = size(&from) > large || (size(&to) == 0 && size(&from) > 1);
        if !worth {
            break;
        }
        big -= 1;
        if let Some((one, other)) = halves(rows, groups.of(from)) {
            put(means, rows.width, from, &one);
            put(means, rows.width, to, &other);
            small += 1;
        }
    }
}

fn put(means: &mut [f32], width: usize, group: usize, mean: &[f32]) {
    means.get_mut(group * width..(group + 1) * width).into_iter().for_each(|to| to.copy_from_slice(mean));
}

/// The means of the rows on either side of the plane through their mean that cuts across the direction in which they
/// differ most. None if they are all equal.
fn halves(rows: &Rows, numbers: &[u32]) -> Option<(Vec<f32>, Vec<f32>)> {
    let centre = mean(rows, numbers)?;
    let first = numbers.iter().find_map(|row| some_direction(rows, *row, &centre))?;
    let direction = (0..ROUNDS).fold(first, |direction, _| pull(rows, numbers, &centre, &direction));
    let level = product(&centre, &direction);
    let above = |row: &u32| rows.product(*row as usize, &direction) > level;
    let (one, other): (Vec<u32>, Vec<u32>) = numbers.iter().copied().partition(above);
    Some((mean(rows, &one)?, mean(rows, &other)?))
}

/// The way from `centre` to a row, unless it is there.
fn some_direction(rows: &Rows, row: u32, centre: &[f32]) -> Option<Vec<f32>> {
    let mut way: Vec<f32> = centre.iter().map(|x| -x).collect();
    rows.add(row as usize, 1.0, &mut way);
    way.iter().any(|x| x.abs() > 1e-6).then_some(way)
}

/// One round of the power iteration: the sum of the rows' ways from `centre`, each as often as it goes along
/// `direction`.
fn pull(rows: &Rows, numbers: &[u32], centre: &[f32], direction: &[f32]) -> Vec<f32> {
    let level = product(centre, direction);
    let mut sum = vec![0.0; rows.width];
    let mut weights = 0.0;
    for row in numbers {
        let weight = rows.product(*row as usize, direction) - level;
        weights += weight;
        rows.add(*row as usize, weight, &mut sum);
    }
    sum.iter_mut().zip(centre).for_each(|(sum, centre)| *sum -= weights * centre);
    let largest = sum.iter().fold(0.0, |largest: f32, x| if x.abs() > largest { x.abs() } else { largest });
    if largest < f32::MIN_POSITIVE {
        return direction.to_vec();
    }
    sum.iter_mut().for_each(|x| *x /= largest);
    sum
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of eight components, of which only the first is not zero: these.
    fn line(places: &[i8]) -> Rows {
        let bytes = places.iter().flat_map(|x| [*x, 0, 0, 0, 0, 0, 0, 0]).collect();
        Rows { width: 8, bytes, scales: vec![1.0; places.len()], unit: 1.0 }
    }

    fn firsts(means: &[f32]) -> Vec<f32> {
        means.iter().step_by(8).copied().collect()
    }

    fn rebalanced(places: &[i8], of: &[u32], count: usize) -> Vec<f32> {
        let mut means = vec![99.0; 8 * count];
        rebalance(&line(places), &Groups::new(&[of], count), &mut means);
        firsts(&means)
    }

    #[test]
    fn an_empty_group_takes_over_half_of_the_largest() {
        let got = rebalanced(&[10, 12, 20, 22, 40, 41], &[0, 0, 0, 0, 2, 2], 3);
        assert_eq!(got, [11.0, 21.0, 99.0]);
    }

    #[test]
    fn a_group_far_above_the_mean_is_split_in_favour_of_the_smallest() {
        let places: Vec<i8> = (0..30).chain([50, 60, 61, 70, 71]).collect();
        let of: Vec<u32> = [1; 30].into_iter().chain([0, 2, 2, 3, 3]).collect();
        assert_eq!(rebalanced(&places, &of, 4), [22.0, 7.0, 99.0, 99.0]);
        // At twice the mean it stays.
        let of: Vec<u32> = [1; 17].into_iter().chain([0; 6]).chain([2; 6]).chain([3; 6]).collect();
        assert_eq!(rebalanced(&places, &of, 4), [99.0; 4]);
    }

    #[test]
    fn equal_rows_cannot_be_split() {
        assert_eq!(rebalanced(&[5, 5, 5, 5, 7, 8, 9], &[0, 0, 0, 0, 2, 2, 2], 3), [99.0, 8.5, 7.0]);
    }
}
