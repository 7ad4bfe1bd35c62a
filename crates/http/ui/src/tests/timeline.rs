//! Timelines: order, days, gaps, sessions, totals, who acted for whom, and who may see them.

use super::*;

fn seeded() -> Site {
    let site = Site::new();
    let at = |time: &str, rest: &str| format!(r#"{{"time":"2026-03-0{time}Z",{rest}}}"#);
    let kim = r#""actor":{"type":"user","id":"u-1","email":"kim@acme.example","session_id":"s-1","ip":"192.0.2.1"}"#;
    let bot = r#""actor":{"type":"agent","id":"bot","name":"Bot","session_id":"s-2","on_behalf_of":[{"id":"u-1","email":"kim@acme.example"}]}"#;
    let events = [
        at("2T09:00:00", &format!(r#""type":"auth.login","status":"success",{kim}"#)),
        at("1T23:59:00", &format!(r#""type":"auth.login","status":"failed",{kim}"#)),
        at(
            "2T12:12:00",
            &format!(
                r#""type":"llm.completion","status":"success","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","llm":{{"model":"m","tokens_total":1200,"cost":"0.25"}},{bot}"#
            ),
        ),
        at(
            "2T12:12:03",
            &format!(
                r#""type":"budget.updated","status":"success","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","targets":[{{"type":"budget","id":"b-7","name":"Contractors"}}],"llm":{{"cost":"0.5"}},{bot}"#
            ),
        ),
        at("2T12:13:00", r#""type":"auth.login","actor":{"id":"u-2","email":"eve@acme.example"}"#),
    ];
    site.record("default", &events.iter().map(String::as_str).collect::<Vec<_>>());
    site
}

/// Text of the page without tags, on one line.
fn words(page: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in page.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            _ if !inside => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn in_order(page: &str, parts: &[&str]) {
    let text = words(page);
    let mut rest = text.as_str();
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part} in {text}"));
        rest = &rest[at + part.len()..];
    }
}

#[tokio::test]
async fn an_actors_day_is_told_in_order_with_its_gaps_and_who_acted_for_them() {
    let site = seeded();
    let auditor = site.somebody(Role::Auditor);
    let page = site.get(&auditor, "/timeline?by=actor&id=u-1&from=all").await;
    assert_eq!(page.status, StatusCode::OK);
    in_order(&page.text, &["Timeline of actor", "kim@acme.example", "4 events"].map(|part| part)[..2]);
    for figure in [
        "<dt>events</dt><dd class=\"num\">4</dd>",
        "<dt>did not go well</dt><dd class=\"num\">1</dd>",
        "<dt>tokens</dt><dd class=\"num\">1\u{202f}200</dd>",
        "<dt>cost</dt><dd class=\"num\">0.75 USD</dd>",
    ] {
        assert!(page.text.contains(figure), "{figure}\n{}", page.text);
    }
    in_order(
        &page.text,
        &[
            "On whose behalf",
            "Bot acted for kim@acme.example 2 times",
            "Sunday, 1 Mar 2026",
            "Session s-1",
            "kim@acme.example could not sign in",
            "Monday, 2 Mar 2026",
            "9 h 1 min without events",
            "kim@acme.example signed in",
            "3 h 12 min without events",
            "Session s-2",
            "Bot called m for kim@acme.example",
            "Bot updated budget Contractors",
            "That is all",
        ],
    );
    assert!(!page.text.contains("eve@acme"), "somebody else");
}

#[tokio::test]
async fn sessions_traces_and_targets_have_timelines_and_events_lead_to_them() {
    let site = seeded();
    let auditor = site.somebody(Role::Auditor);
    for (by, id, events) in [
        ("session", "s-1", 2),
        ("trace", "4bf92f3577b34da6a3ce929d0e0e4736", 2),
        ("target", "b-7", 1),
        ("actor", "bot", 2),
        ("actor", "eve@acme.example", 1),
    ] {
        let page = site.get(&auditor, &format!("/timeline?by={by}&id={id}&from=all")).await;
        assert!(
            page.text.contains(&format!("<dt>events</dt><dd class=\"num\">{events}</dd>")),
            "{by} {id}\n{}",
            page.text
        );
    }
    let search = site.get(&auditor, "/search?from=all&q=type:budget.updated").await.text;
    assert!(search.contains("/timeline?by=actor&#38;id=bot&#38;organisation=default"), "{search}");
    let event =
        search.split("href=\"/events/").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let event = site.get(&auditor, &format!("/events/{event}")).await.text;
    for place in ["by=actor&#38;id=u-1", "by=trace&#38;id=4bf9", "by=session&#38;id=s-2"] {
        assert!(event.contains(place), "{place}\n{event}");
    }
}

#[tokio::test]
async fn a_member_sees_their_own_and_nothing_of_others() {
    let site = seeded();
    let kim = indelible::User { id: "u-1".into(), name: "Kim".into(), ..Default::default() };
    site.product.create_user(&site.command, kim).unwrap();
    let kim = site.browser(&site.key(Reach::One("default".into()), Role::Member, Some("u-1")).1);
    // Up to a day: that they look is an event of theirs, too.
    let own = site.get(&kim, "/timeline?by=actor&id=u-1&from=all&to=2026-04-01").await.text;
    assert!(own.contains("<dt>events</dt><dd class=\"num\">2</dd>"), "{own}");
    assert!(!own.contains("Contractors"));
    for other in ["actor&id=u-2", "actor&id=bot", "session&id=s-2", "target&id=b-7"] {
        let page = site.get(&kim, &format!("/timeline?by={other}&from=all")).await.text;
        assert!(page.contains("Nothing in this time"), "{other}\n{page}");
    }
}

#[tokio::test]
async fn pages_of_a_long_timeline_lead_on_and_back() {
    let site = Site::new();
    let events: Vec<String> = (0..450)
        .map(|n| {
            format!(
                r#"{{"type":"a.b","time":"2026-03-01T{:02}:{:02}:00Z","message":"number {n}.","actor":{{"id":"u","session_id":"s"}}}}"#,
                n / 60,
                n % 60
            )
        })
        .collect();
    site.record("default", &events.iter().map(String::as_str).collect::<Vec<_>>());
    let auditor = site.somebody(Role::Auditor);
    for (by, first, second) in [("actor", 250..450, 50..250), ("session", 0..200, 200..400)] {
        let page = site.get(&auditor, &format!("/timeline?by={by}&id={}&from=all", &by[..1])).await.text;
        let page = if by == "actor" {
            site.get(&auditor, "/timeline?by=actor&id=u&from=all").await.text
        } else {
            page
        };
        let shown =
            |page: &str| (0..450).filter(|n| page.contains(&format!("number {n}."))).collect::<Vec<_>>();
        assert_eq!(shown(&page), first.collect::<Vec<_>>(), "{by}");
        assert!(page.contains("<dd class=\"num\">450</dd>"), "all are counted");
        let word = if by == "actor" { "‹ Earlier" } else { "Later ›" };
        let link =
            page.split(word).next().unwrap().rsplit("href=\"").next().unwrap().split('"').next().unwrap();
        let next = site.get(&auditor, &link.replace("&#38;", "&")).await.text;
        assert_eq!(shown(&next), second.collect::<Vec<_>>(), "{by} {link}");
        assert!(next.contains("‹ Earlier") && next.contains("Later ›"), "both ways");
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_is_said() {
    let site = seeded();
    let auditor = site.somebody(Role::Auditor);
    for path in [
        "/timeline",
        "/timeline?by=colour&id=red",
        "/timeline?by=actor",
        "/timeline?by=actor&id=u&from=soon",
        "/timeline?by=actor&id=u-1&from=all&cursor=x",
    ] {
        assert_eq!(site.get(&auditor, path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let long = format!("/timeline?by=actor&id={}", "a".repeat(1025));
    assert_eq!(site.get(&auditor, &long).await.status, StatusCode::BAD_REQUEST);
}
