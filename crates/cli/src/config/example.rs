//! deploy/indelible.toml, written from the table: a commented example with every setting.

use crate::config::settings::{SETTINGS, choices_to_tell, table_about};
use crate::config::shape::Choice;

/// Settings that the example says aloud, since somebody should have decided them. All others are there as comments.
const DECIDED: &[&str] = &["server.listen", "recording.content", "retention.days"];

const WIDTH: usize = 100;

/// A commented example with every setting.
pub(crate) fn example() -> String {
    let mut out = String::from(
        "# Configuration of Indelible. Everything in a comment is a default, or an example where there is none.\n\
         # What each setting does stands in docs/reference/configuration.md; `indelible config check` reads this file\n\
         # and says everything that is wrong with it. A variable of the environment overrules it: INDELIBLE__SERVER__LISTEN\n\
         # for server.listen. Secrets are never written here, only where they are: env.NAME or file:/path.\n",
    );
    let mut table = "";
    for (at, setting) in SETTINGS.iter().enumerate() {
        if setting.table() != table {
            table = setting.table();
            out.push('\n');
            comment(&mut out, table_about(table));
            out.push_str(&format!("[{table}]\n"));
        }
        out.push('\n');
        comment(&mut out, setting.about);
        for Choice(word, about) in choices_to_tell(at) {
            comment(&mut out, &format!("  {word:?}: {about}"));
        }
        let hash = if DECIDED.contains(&setting.path) { "" } else { "# " };
        out.push_str(&format!("{hash}{} = {}\n", setting.name(), setting.example()));
    }
    out
}

fn comment(out: &mut String, text: &str) {
    let indent = &text[..text.len() - text.trim_start().len()];
    let mut line = format!("#{indent}");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(&line);
            out.push('\n');
            line = format!("#{indent}");
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
}
