//! Pages by number: they meet, they end where they say, and what is recorded meanwhile does not shift them.

use std::sync::Arc;

use access::Viewer;
use event::{Event, Limits, Value};
use indelible::{Arranged, AskError, Indelible, Question, Rows, RowsPage, SORTED_MOST, Sender, Settings};
use ledger::io::OsIo;
use query::Filter;

fn record(product: &Indelible, from: usize, to: usize) {
    let event = |n: usize| {
        // Every time is that of seven events, and they are not in the order in which they were recorded.
        let second = (n / 7 * 37) % 3600;
        let text = format!(
            r#"{{"type":"a.b","action":"n{n}","time":"2026-01-01T00:{:02}:{:02}Z"}}"#,
            second / 60,
            second % 60
        );
        Event::parse(text.as_bytes(), &Limits::default()).unwrap().into_owned()
    };
    product.record((from..to).map(event).collect(), &Sender::local("acme")).unwrap();
}

fn ask(product: &Indelible, rows: Rows<'_>) -> Result<RowsPage, AskError> {
    let filter = Filter::parse("type:a.b").unwrap();
    let question = Question { organisation: "acme".into(), filter, consistent: false };
    product.rows(&Viewer::command("test"), &question, &rows)
}

fn action(event: &Value<'_>) -> String {
    event.get("action").and_then(Value::as_str).unwrap().to_owned()
}

/// Time and position, by which rows of one time are in order.
fn place(event: &Value<'_>) -> (String, i64) {
    let time = event.get("time").and_then(Value::as_str).unwrap().to_owned();
    (time, event.get("position").and_then(Value::as_i64).unwrap())
}

#[test]
fn pages_by_number_meet_and_are_bounded() {
    for is_indexed in [false, true] {
        let data = tempfile::tempdir().unwrap();
        let scan_below = if is_indexed { 0 } else { u64::MAX };
        let settings = Settings { scan_below, ..Settings::new(data.path()) };
        let product = Arc::new(Indelible::open(Arc::new(OsIo::new()), settings).unwrap());
        let settle = || {
            for _ in 0..1000 {
                if !product.index_step() && is_indexed {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
            }
        };
        record(&product, 0, 500);
        settle();
        for descending in [false, true] {
            let (mut seen, mut skip) = (Vec::new(), 0);
            loop {
                let order = Arranged::ByTime { descending };
                let page = ask(&product, Rows { order, skip, limit: 33, below: None }).unwrap();
                assert_eq!(page.total, 500);
                if page.events.is_empty() {
                    break;
                }
                seen.extend(page.events.iter().map(place));
                skip += 33;
            }
            let mut sorted = seen.clone();
            sorted.sort();
            sorted.dedup();
            if descending {
                sorted.reverse();
            }
            assert_eq!((seen.len(), &seen), (500, &sorted), "{descending} {is_indexed}");
        }
        let by_action = |skip, below| {
            let order = Arranged::By { key: &action, descending: false };
            ask(&product, Rows { order, skip, limit: 3, below })
        };
        let page = by_action(2, None).unwrap();
        assert_eq!(page.events.iter().map(action).collect::<Vec<_>>(), ["n10", "n100", "n101"]);
        let verified = page.events[0].pointer("/verification/verified");
        assert_eq!(verified, Some(&Value::from(true)));

        let below = page.searchable;
        record(&product, 500, SORTED_MOST + 1);
        settle();
        // Those that came later do not shift the rows, nor make them too many.
        let page = by_action(2, Some(below)).unwrap();
        assert_eq!(page.total, 500);
        assert_eq!(page.events.iter().map(action).collect::<Vec<_>>(), ["n10", "n100", "n101"]);
        assert!(matches!(by_action(0, None), Err(AskError::Wrong(_))), "{is_indexed}");
        // Whoever asks for a page behind the last one is told how many there are, however far behind it is.
        let order = Arranged::ByTime { descending: true };
        let page = ask(&product, Rows { order, skip: u64::MAX, limit: 10, below: None }).unwrap();
        assert_eq!((page.events.len(), page.total), (0, SORTED_MOST as u64 + 1));
        let order = Arranged::ByTime { descending: true };
        let page = ask(&product, Rows { order, skip: 9_995, limit: 10, below: None }).unwrap();
        assert_eq!(page.events.len(), 6);
    }
}
