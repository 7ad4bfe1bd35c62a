//! `query` and `find-text`: questions about the events of one organisation.
//!
//! They read a snapshot of the data folder, also beside a server. A snapshot has no index, so every event is looked at;
//! a server answers the same questions from its index.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use access::Viewer;
use event::{Value, time};
use indelible::{
    Count, DEFAULT, Facet, Group, Indelible, Interval, Measure, Order, Page, Paging, Question, Slot,
};
use query::Filter;

use crate::config::{Held, Shape};
use crate::output::{count, grouped, json, line, object, short, table, text};
use crate::show::{parsed, print_events};
use crate::{Data, input};

/// Longest text that is looked for.
const TEXT_MOST: u64 = 4 << 20;
/// Widest bar of a histogram.
const BAR: u64 = 40;

#[derive(clap::Args)]
pub(crate) struct Query {
    #[command(flatten)]
    data: Data,
    /// Which events; all if left out (docs/reference/query.md)
    #[arg(default_value = "", allow_hyphen_values = true)]
    filter: String,
    /// Whose ledger
    #[arg(long, default_value = DEFAULT)]
    organisation: String,
    #[command(flatten)]
    page: PageArgs,
    /// In which order, latest first
    #[arg(long, value_enum, default_value = "position")]
    sort: Sort,
    #[command(flatten)]
    instead: Instead,
    /// With --top: the sum of this field, rather than how many events
    #[arg(long, value_name = "FIELD", requires = "top")]
    sum: Option<String>,
    /// With --histogram: split by the values of this field
    #[arg(long, value_name = "FIELD", requires = "histogram")]
    by: Option<String>,
}

#[derive(clap::Args)]
struct PageArgs {
    /// Most events; of --top, --facets and --by, most values
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Where the page before ended
    #[arg(long)]
    cursor: Option<String>,
    /// Print JSON, as the API answers
    #[arg(long)]
    json: bool,
}

/// What is answered instead of events.
#[derive(clap::Args)]
#[group(multiple = false)]
struct Instead {
    /// Only how many there are
    #[arg(long)]
    count: bool,
    /// The values of a field that occur most
    #[arg(long, value_name = "FIELD")]
    top: Option<String>,
    /// The values of some fields that occur most
    #[arg(long, value_name = "FIELD,...", value_delimiter = ',')]
    facets: Vec<String>,
    /// How many in each interval, such as 15m, 1h or 1d
    #[arg(long, value_name = "INTERVAL")]
    histogram: Option<String>,
    /// The filter as it is understood; asks nothing
    #[arg(long)]
    explain: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Sort {
    /// As they were recorded
    Position,
    /// By the sender's time
    Time,
}

#[derive(clap::Args)]
pub(crate) struct FindText {
    #[command(flatten)]
    data: Data,
    /// The text, exactly; `-` reads it from standard input, where nobody sees it, without a last line end
    text: String,
    /// Whose ledger
    #[arg(long, default_value = DEFAULT)]
    organisation: String,
    #[command(flatten)]
    page: PageArgs,
}

impl Query {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let filter = parsed(&self.filter)?;
        if self.instead.explain {
            line(filter.to_string());
            return Ok(ExitCode::SUCCESS);
        }
        let product = self.data.read()?;
        let question = Question { organisation: self.organisation.clone(), filter, consistent: false };
        self.answer(&product, &question)?;
        Ok(ExitCode::SUCCESS)
    }

    fn answer(&self, product: &Indelible, question: &Question) -> anyhow::Result<()> {
        let viewer = Viewer::command("query");
        let (most, as_json) = (usize::from(self.page.limit), self.page.json);
        if self.instead.count {
            let total = product.count(&viewer, question)?;
            match as_json {
                true => json(&object(vec![("total", shown_total(total))])),
                false => line(grouped(total.value)),
            }
        } else if let Some(field) = &self.instead.top {
            let measure = self.sum.clone().map_or(Measure::Count, Measure::Sum);
            let top = product.top(&viewer, question, field, &measure, most)?;
            match as_json {
                true => json(&shown_facet(&top)),
                false => print_facet(&top),
            }
        } else if !self.instead.facets.is_empty() {
            let facets = product.facets(&viewer, question, &self.instead.facets, most)?;
            match as_json {
                true => {
                    let facets = Value::Array(facets.iter().map(shown_facet).collect());
                    json(&object(vec![("facets", facets)]));
                }
                false => facets.iter().enumerate().for_each(|(n, facet)| {
                    if n > 0 {
                        line("");
                    }
                    print_facet(facet);
                }),
            }
        } else if let Some(step) = &self.instead.histogram {
            let by = self.by.clone().map(|field| (field, most));
            let interval = Interval { from_ns: None, to_ns: None, step_ns: step_ns(step)?, by };
            let slots = product.histogram(&viewer, question, &interval)?;
            match as_json {
                true => {
                    let slots = Value::Array(slots.iter().map(shown_slot).collect());
                    json(&object(vec![("intervals", slots)]));
                }
                false => print_histogram(&slots),
            }
        } else {
            let order = match self.sort {
                Sort::Position => Order::Newest,
                Sort::Time => Order::Time,
            };
            self.page.answer(product, &viewer, question, order)?;
        }
        Ok(())
    }
}

impl FindText {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let product = self.data.read()?;
        let viewer = Viewer::command("find-text");
        let filter = self.filter(&product, &viewer)?;
        let question = Question { organisation: self.organisation.clone(), filter, consistent: false };
        self.page.answer(&product, &viewer, &question, Order::Newest)?;
        Ok(ExitCode::SUCCESS)
    }

    fn filter(&self, product: &Indelible, viewer: &Viewer) -> anyhow::Result<Filter> {
        let text = match self.text.as_str() {
            "-" => {
                let text = String::from_utf8(input::whole(Path::new("-"), TEXT_MOST)?);
                let text = text.map_err(|_| anyhow::anyhow!("the text is not UTF-8"))?;
                let without = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text));
                without.unwrap_or(&text).to_owned()
            }
            text => text.to_owned(),
        };
        Ok(product.text_filter(viewer, &self.organisation, &text)?)
    }
}

impl PageArgs {
    fn answer(
        &self,
        product: &Indelible,
        viewer: &Viewer,
        question: &Question,
        order: Order,
    ) -> anyhow::Result<()> {
        let limit = usize::from(self.limit);
        let paging = Paging { order, cursor: self.cursor.clone(), limit, count: Count::Exact };
        let page = product.search(viewer, question, &paging)?;
        if self.json {
            json(&shown_page(page));
            return Ok(());
        }
        print_events(&page.events);
        let total = page.total.map_or(page.events.len() as u64, |total| total.value);
        let more = page.next.map(|cursor| format!("; go on with --cursor {cursor}")).unwrap_or_default();
        line(format_args!("{} of {} events{more}", grouped(page.events.len() as u64), grouped(total)));
        Ok(())
    }
}

fn step_ns(step: &str) -> anyhow::Result<i64> {
    let most = Duration::from_hours(366 * 24);
    match Shape::Time(1, most.as_secs()).read_text(step) {
        Ok(Held::Time(time)) => Ok(i64::try_from(time.as_nanos())?),
        Ok(_) => unreachable!("a time is a time"),
        Err(wrong) => {
            let why: Vec<String> = wrong.into_iter().map(|wrong| wrong.what).collect();
            anyhow::bail!("--histogram: {}", why.join("; "))
        }
    }
}

fn shown_page(page: Page) -> Value<'static> {
    let mut members = vec![
        ("events", Value::Array(page.events)),
        ("next", page.next.map_or(Value::Null, Value::from)),
        ("searchable", count(page.searchable)),
        ("size", count(page.size)),
    ];
    members.extend(page.total.map(|total| ("total", shown_total(total))));
    object(members)
}

fn shown_total(total: indelible::Total) -> Value<'static> {
    object(vec![("value", count(total.value)), ("exact", Value::from(total.is_exact))])
}

fn shown_group(group: &Group) -> Value<'static> {
    let key = group.key.clone().map_or(Value::Null, Value::from);
    let mut members = vec![("value", key), ("count", count(group.count))];
    members.extend(group.sum.clone().map(|sum| ("sum", text(sum))));
    object(members)
}

fn shown_facet(facet: &Facet) -> Value<'static> {
    object(vec![
        ("field", text(facet.field.clone())),
        ("groups", Value::Array(facet.groups.iter().map(shown_group).collect())),
        ("exact", Value::from(facet.is_exact)),
    ])
}

fn shown_slot(slot: &Slot) -> Value<'static> {
    let mut members = vec![("from", text(time::format_ns(slot.from_ns))), ("count", count(slot.count))];
    if !slot.split.is_empty() {
        members.push(("by", Value::Array(slot.split.iter().map(shown_group).collect())));
    }
    object(members)
}

fn name(group: &Group) -> String {
    group.key.as_deref().map_or_else(|| "(none)".to_owned(), |key| short(key, 60))
}

fn print_facet(facet: &Facet) {
    let has_sums = facet.groups.iter().any(|group| group.sum.is_some());
    let mut rows = vec![vec![facet.field.clone(), "events".to_owned()]];
    if has_sums {
        rows[0].push("sum".to_owned());
    }
    rows.extend(facet.groups.iter().map(|group| {
        let mut row = vec![name(group), grouped(group.count)];
        row.extend(group.sum.clone());
        row
    }));
    table(&rows);
}

fn print_histogram(slots: &[Slot]) {
    let most = slots.iter().map(|slot| slot.count).max().unwrap_or(0).max(1);
    let mut rows = vec![["from", "events", ""].map(str::to_owned).to_vec()];
    for slot in slots {
        let width = usize::try_from((slot.count * BAR).div_ceil(most)).unwrap_or(0);
        rows.push(vec![time::format_ns(slot.from_ns), grouped(slot.count), "▇".repeat(width)]);
        rows.extend(
            slot.split
                .iter()
                .map(|group| vec![format!("  {}", name(group)), grouped(group.count), String::new()]),
        );
    }
    table(&rows);
}
