//! One item of safer-ffi's list: its comment and its declaration, read from the text and written in C's usual dress.

/// Lines longer than this are broken at the arguments.
const LINE_WIDTH: usize = 110;

/// A type or a function.
#[derive(Debug, Default)]
pub(super) struct Item {
    comment: Vec<String>,
    code: Vec<String>,
}

/// The items in a text that safer-ffi wrote. Its frame, its includes and its remarks for Doxygen are left out.
pub(super) fn parse(raw: &str) -> Vec<Item> {
    let remark = "/** \\remark Has the same ABI as `uint32_t` **/\n#ifdef DOXYGEN\ntypedef\n#endif\n";
    let alias = "}\n#ifndef DOXYGEN\n; typedef uint32_t\n#endif\n";
    let text = raw.replace(remark, "").replace(alias, "};\ntypedef uint32_t ").replace("r#", "");
    let from = text.find("/** \\brief").unwrap_or(text.len());
    let to = text.rfind("#ifdef __cplusplus").unwrap_or(text.len());
    let mut items: Vec<Item> = Vec::new();
    let mut depth = 0;
    for line in text.get(from..to).unwrap_or_default().lines().filter(|line| !line.starts_with("#include")) {
        if depth == 0 && line.starts_with("/**") {
            items.push(Item::default());
        }
        depth += line.matches('{').count();
        depth -= line.matches('}').count().min(depth);
        if let Some(item) = items.last_mut() {
            item.push(line);
        }
    }
    items
}

impl Item {
    fn push(&mut self, line: &str) {
        let in_comment = self.code.is_empty() && (line.starts_with("/**") || line.starts_with(" *"));
        match line {
            _ if line.trim().is_empty() => {}
            _ if in_comment => self.comment.push(line.into()),
            _ => self.code.push(line.into()),
        }
    }

    /// What it declares: a function's name, or a type's without `_t`.
    pub(super) fn name(&self) -> String {
        let code = self.code.join(" ");
        let last = code.trim_end_matches(';').split_whitespace().last().unwrap_or_default();
        match code.split_once(" (") {
            Some((front, _)) if code.ends_with(");") => {
                front.split_whitespace().last().unwrap_or_default().into()
            }
            _ => last.trim_end_matches("_t").into(),
        }
    }

    /// Whether somebody wrote a comment on it and on each of its parts.
    pub(super) fn is_documented(&self) -> bool {
        !self.comment.iter().chain(&self.code).any(|line| line.contains("<No documentation available>"))
    }

    /// The item as it stands in the header.
    pub(super) fn render(&self) -> String {
        let mut text = comment(&self.comment, "");
        if self.code.last().is_some_and(|line| line.ends_with(");")) {
            text.push_str(&function(&self.code.join(" ")));
            return text;
        }
        let mut inner = Vec::new();
        for line in &self.code {
            if line.trim_start().starts_with(['/', '*']) {
                inner.push(line.trim_start().into());
                continue;
            }
            text.push_str(&comment(&std::mem::take(&mut inner), "    "));
            text.push_str(&format!("{}\n", declaration(line)));
        }
        text
    }
}

/// A comment, on one line if it is one sentence.
fn comment(lines: &[String], indent: &str) -> String {
    let inner: Vec<&str> = lines
        .iter()
        .map(|line| line.trim())
        .filter(|line| *line != "*/" && !line.starts_with("/**"))
        .map(|line| line.trim_start_matches('*').trim())
        .collect();
    match inner.as_slice() {
        [] => String::new(),
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let lines: Vec<String> =
                lines.iter().map(|line| format!("{indent} * {line}").trim_end().into()).collect();
            format!("{indent}/**\n{}\n{indent} */\n", lines.join("\n"))
        }
    }
}

/// A function's declaration, on one line if it fits.
fn function(code: &str) -> String {
    let (front, arguments) = code.trim_end_matches(");").split_once(" (").unwrap_or((code, ""));
    let arguments: Vec<String> =
        split(arguments).into_iter().map(|argument| declaration(argument.trim())).collect();
    let front = declaration(front);
    let line = format!("{front}({});\n", arguments.join(", "));
    if line.len() <= LINE_WIDTH {
        return line;
    }
    format!("{front}(\n    {});\n", arguments.join(",\n    "))
}

/// A function's arguments; one of them may be a function with its own.
fn split(arguments: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let outer = |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    };
    arguments.split(outer).collect()
}

/// `T const * * x` as `const T **x`.
fn declaration(code: &str) -> String {
    let indent: String = code.chars().take_while(|c| *c == ' ').collect();
    let mut words: Vec<&str> = code.split_whitespace().collect();
    for place in 1..words.len() {
        if words.get(place) == Some(&"const") && words.get(place - 1) != Some(&"*") {
            words.swap(place - 1, place);
        }
    }
    format!("{indent}{}", words.join(" ").replace("* *", "**").replace("* ", "*"))
}
