//! A plain table for a terminal or a log: columns as wide as their widest cell, numbers to the right.

/// Lays out `rows` under `header`. Columns listed in `right` are aligned to the right.
pub fn render(header: &[&str], rows: &[Vec<String>], right: &[usize]) -> String {
    let width_of = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(header.get(column).map(|name| name.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width_of).collect();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let titles: Vec<String> = header.iter().map(|&name| name.to_owned()).collect();
    let mut text = String::new();
    for row in [&titles, &rule].into_iter().chain(rows) {
        text.push_str(&line(row, &widths, right));
        text.push('\n');
    }
    text
}

fn line(cells: &[String], widths: &[usize], right: &[usize]) -> String {
    let padded = cells.iter().zip(widths).enumerate().map(|(column, (cell, &width))| {
        if right.contains(&column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_take_the_width_of_their_widest_cell() {
        let rows = vec![vec!["format".into(), "1.5 s".into()], vec!["native tests".into(), "100.0 s".into()]];
        let text = render(&["step", "time"], &rows, &[1]);
        let expected = "\
step             time
------------  -------
format          1.5 s
native tests  100.0 s
";
        assert_eq!(text, expected);
    }

    #[test]
    fn width_counts_characters_and_not_bytes() {
        let rows = vec![vec!["é".into(), "x".into()]];
        assert!(render(&["a", "b"], &rows, &[]).ends_with("é  x\n"));
    }
}
