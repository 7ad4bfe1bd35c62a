//! A table with a few words around it: on the terminal and in docs/performance.md alike.

use std::fmt::Write;

pub(crate) struct Table {
    pub(crate) title: String,
    /// What is measured and how.
    pub(crate) about: String,
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    /// What to take from it.
    pub(crate) after: Vec<String>,
}

impl Table {
    pub(crate) fn new(title: impl Into<String>, about: impl Into<String>, head: &[&str]) -> Table {
        Table {
            title: title.into(),
            about: about.into(),
            head: head.iter().map(|&name| name.to_owned()).collect(),
            rows: Vec::new(),
            after: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(crate) fn after(&mut self, sentence: impl Into<String>) {
        self.after.push(sentence.into());
    }

    pub(crate) fn plain(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
            widest.max(self.head[column].chars().count())
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let mut out = format!("\n{}\n", self.title);
        let mut line = |cells: &mut dyn Iterator<Item = &str>| {
            for (column, cell) in cells.enumerate() {
                let pad = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
                let (before, after) = if column == 0 { ("", &*pad) } else { (&*pad, "") };
                let _ = write!(out, "  {before}{cell}{after}");
            }
            out.push('\n');
        };
        line(&mut self.head.iter().map(String::as_str));
        for row in &self.rows {
            line(&mut row.iter().map(String::as_str));
        }
        for sentence in &self.after {
            let _ = writeln!(out, "  {sentence}");
        }
        out
    }

    pub(crate) fn markdown(&self) -> String {
        let mut out = format!("## {}\n\n{}\n\n", self.title, self.about);
        let _ = writeln!(out, "| {} |", self.head.join(" | "));
        let _ = writeln!(out, "|---{}|", "|---:".repeat(self.head.len() - 1));
        for row in &self.rows {
            let _ = writeln!(out, "| {} |", row.join(" | "));
        }
        if !self.after.is_empty() {
            let _ = writeln!(out, "\n{}", self.after.join("\n"));
        }
        out.push('\n');
        out
    }
}
