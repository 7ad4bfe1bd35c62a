//! The most frequent values beside the list: a press includes one, another leaves it out.

use indelible::{Facet, Group};

use crate::narrow::{Narrow, Stand};
use crate::question::Ask;
use crate::row::{grouped, short};

/// Fields whose values are counted: field, heading, whether the list is open at first.
pub(crate) const FACETS: &[(&str, &str, bool)] = &[
    ("category", "Category", true),
    ("status", "Status", true),
    ("severity", "Severity", true),
    ("actor.email", "Person", true),
    ("type", "Type", true),
    ("actor.id", "Actor id", false),
    ("llm.model", "Model", false),
    ("tool.name", "Tool", false),
    ("project", "Project", false),
    ("producer", "Producer", false),
    ("environment", "Environment", false),
];
/// Values of each.
pub(crate) const VALUES: usize = 8;

/// A field with its values.
pub(crate) struct Shown {
    pub(crate) heading: &'static str,
    pub(crate) is_open: bool,
    pub(crate) is_exact: bool,
    pub(crate) values: Vec<Choice>,
}

/// A value, how many events have it, and where presses lead.
pub(crate) struct Choice {
    pub(crate) text: String,
    pub(crate) count: String,
    /// Of the most frequent one, in parts of a hundred.
    pub(crate) share: u64,
    pub(crate) is_included: bool,
    pub(crate) is_excluded: bool,
    /// With it only; or without the clause, if it is there already.
    pub(crate) include: String,
    pub(crate) exclude: String,
}

/// What is shown of counted values. Fields that no event has are left out.
pub(crate) fn shown(facets: Vec<Facet>, ask: &Ask, narrow: &Narrow) -> Vec<Shown> {
    let mut all = Vec::new();
    for mut facet in facets {
        // What says nothing comes last, however many events say nothing.
        facet.groups.sort_by_key(|group| group.key.is_none());
        let Some((field, heading, is_open)) = FACETS.iter().find(|(field, ..)| *field == facet.field) else {
            continue;
        };
        if facet.groups.iter().all(|group| group.key.is_none()) {
            continue;
        }
        let said = facet.groups.iter().filter(|group| group.key.is_some());
        let most = said.map(|group| group.count).max().unwrap_or(1).max(1);
        let values: Vec<Choice> =
            facet.groups.iter().map(|group| choice(field, group, most, ask, narrow)).collect();
        let is_used = values.iter().any(|value| value.is_included || value.is_excluded);
        let is_open = *is_open || is_used;
        all.push(Shown { heading, is_open, is_exact: facet.is_exact, values });
    }
    all
}

fn choice(field: &str, group: &Group, most: u64, ask: &Ask, narrow: &Narrow) -> Choice {
    let value = group.key.as_deref();
    let stand = narrow.stand(field, value);
    let link = |q: String| ask.with_q(q).link();
    let forget = || link(narrow.forget(field, value));
    Choice {
        text: value.map_or_else(|| "none".to_owned(), |value| short(value, 60)),
        count: grouped(&group.count.to_string()),
        share: if value.is_some() { group.count * 100 / most } else { 0 },
        is_included: stand == Stand::Included,
        is_excluded: stand == Stand::Excluded,
        include: if stand == Stand::Included { forget() } else { link(narrow.include(field, value)) },
        exclude: if stand == Stand::Excluded { forget() } else { link(narrow.exclude(field, value)) },
    }
}
