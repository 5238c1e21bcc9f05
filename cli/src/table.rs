//! Results as a table for people.

use std::io::IsTerminal;

use comfy_table::{ContentArrangement, Table, presets};
use portolan::{router::ResultSet, schema::Value};

/// The width of a table that goes into a pipe.
const PIPE_WIDTH: u16 = 120;
/// Longer cells are cut: a table is for looking, `--json` is for reading on.
const CELL_CHARACTERS: usize = 160;

/// The rows, one line or a few each.
pub fn render(result: &ResultSet) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::stdout().is_terminal() {
        table.set_width(PIPE_WIDTH);
    }
    table.set_header(&result.columns);
    for row in &result.rows {
        table.add_row(row.cells.iter().map(cell));
    }
    table
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::Text(text) => text.clone(),
        Value::Float(number) => format!("{number:.4}"),
        other => other.to_json().to_string(),
    };
    // A control character of a document could move the cursor or change the terminal.
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let cut = text.chars().nth(CELL_CHARACTERS).is_some();
    shown.take(CELL_CHARACTERS).chain(cut.then_some('…')).collect()
}
