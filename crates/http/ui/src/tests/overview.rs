//! The overview and the integrity of a ledger.

use super::*;

/// What people did in two projects: model calls with a price, failures, and what guardrails blocked.
fn seeded() -> Site {
    let site = Site::new();
    let mut events = Vec::new();
    let call = |who: &str, project: &str, model: &str, tokens: u64, cost: &str, more: &str| {
        format!(
            r#"{{"type":"llm.completion","status":"success","project":"{project}","actor":{{"id":"{who}","email":"{who}@acme.example"}},"llm":{{"provider":"p","model":"{model}","tokens_total":{tokens},"cost":"{cost}"{more}}}}}"#
        )
    };
    for _ in 0..7 {
        events.push(call("mona", "search", "m-large", 1000, "1.25", ""));
    }
    for _ in 0..3 {
        events.push(call("ola", "chat", "m-small", 50_000, "0.1", ""));
    }
    events.push(call("ola", "chat", "m-small", 1, "2", r#","currency":"EUR""#));
    for status in ["failed", "failed", "error", "timeout", "blocked"] {
        events.push(format!(
            r#"{{"type":"key.rotated","status":"{status}","actor":{{"id":"ola","email":"ola@acme.example"}}}}"#
        ));
    }
    events.push(
        r#"{"type":"guardrail.block","status":"blocked","actor":{"id":"bot"},"llm":{"model":"m-large"}}"#
            .to_owned(),
    );
    for seq in [1, 2, 3, 7, 8, 20] {
        events.push(format!(r#"{{"type":"a.b","producer":"gw","producer_seq":{seq}}}"#));
    }
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    site.record("default", &events);
    site
}

/// Address and text of each link of a part of a page.
fn links(part: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for link in part.split("<a href=\"").skip(1) {
        let (place, rest) = link.split_once('"').unwrap();
        let inner = rest.split_once('>').unwrap().1.split("</a>").next().unwrap();
        found.push((place.replace("&#38;", "&"), inner.to_owned()));
    }
    found
}

fn between<'p>(page: &'p str, from: &str, to: &str) -> &'p str {
    page.split(from).nth(1).unwrap_or_else(|| panic!("{from}\n{page}")).split(to).next().unwrap()
}

#[tokio::test]
async fn every_number_is_how_many_events_its_search_finds() {
    let site = seeded();
    let browser = site.somebody(Role::Auditor);
    let page = site.get(&browser, "/overview").await.text;
    let kpis = between(&page, "class=\"kpis\"", "</ul>");
    let figures: Vec<String> = links(kpis)
        .iter()
        .map(|(_, inner)| between(inner, "<b class=\"num", "</b>").split('>').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(figures[1..], ["4", "1", "12", "157 k", "11.05"], "{kpis}");
    let mut checked = 0;
    let counted = |inner: &str| inner.chars().all(|c| c.is_ascii_digit()) && !inner.is_empty();
    let mut numbers: Vec<(String, String)> = links(kpis)
        .into_iter()
        .zip(figures)
        .filter(|((place, _), _)| !place.contains("exists%3Allm."))
        .map(|((place, _), figure)| (place, figure))
        .collect();
    // The first number of each row of a table is how many events it has.
    for row in page.split("<tr><th scope=\"row\">").skip(1).filter(|row| row.contains("class=\"n num\"")) {
        let row = row.split("</tr>").next().unwrap();
        numbers.push(links(row)[1].clone());
    }
    for (place, number) in numbers.iter().filter(|(_, number)| counted(number)) {
        let answer = site
            .get(&browser, &format!("{place}{}count=exact", if place.contains('?') { "&" } else { "?" }))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{place}: {}", answer.text);
        let found = between(&answer.text, "id=\"total\" class=\"num\">", " event").to_owned();
        // Reading is recorded, so that there may be more by now of everything, and of whoever reads.
        let grows = !place.contains("q=") || place.contains("q=-");
        assert!(found == *number || grows, "{place}: {found} for {number}");
        checked += 1;
    }
    assert!(checked >= 15, "{checked}");
    for (name, cells) in [(">mona</a>", ["7", "7\u{202f}000", "8.75"]), (">ola</a>", ["4", "150 k", "2.30"])]
    {
        let row = between(between(&page, "<h2>Cost by user</h2>", "</table>"), name, "</tr>");
        for cell in cells {
            assert!(row.contains(&format!(">{cell}</a>")), "{name} {cell}: {row}");
        }
    }
    assert!(page.contains("1 calls</a> name a price in another currency"), "{page}");
    assert!(page.contains("Small enough to be read through"), "{page}");
}

#[tokio::test]
async fn times_are_chosen_and_a_member_sees_figures_of_their_own() {
    let site = seeded();
    let browser = site.somebody(Role::Auditor);
    let page = site.get(&browser, "/overview?from=now-24h").await.text;
    assert!(page.contains("href=\"/overview?from=now-24h\" aria-current=\"true\">Last 24 hours"), "{page}");
    assert!(page.contains("none before"), "compared with the day before");
    let old = site.get(&browser, "/overview?from=2020-01-01&to=2020-01-02").await.text;
    assert!(old.contains("No model was called in this time") && !old.contains("class=\"plot\""), "{old}");
    assert_eq!(site.get(&browser, "/overview?from=nonsense").await.status.as_u16(), 400);

    let mona = indelible::User { id: "mona".into(), name: "Mona".into(), ..Default::default() };
    site.product.create_user(&site.command, mona).unwrap();
    let key = site.key(Reach::One("default".into()), Role::Member, Some("mona")).1;
    let member = site.browser(&key);
    let page = site.get(&member, "/overview").await.text;
    assert!(page.contains("figures of what you did yourself") && page.contains("8.75"), "{page}");
    assert!(!page.contains("ola@acme.example") && !page.contains("<h2>Storage"), "{page}");
    let page = site.get(&member, "/integrity").await.text;
    assert!(!page.contains("Missing numbers"), "what is missing can't be told from what is not shown");
}

#[tokio::test]
async fn missing_numbers_are_named_and_a_verification_is_on_record() {
    let site = seeded();
    site.product.tend();
    let browser = site.somebody(Role::Auditor);
    let page = site.get(&browser, "/integrity").await.text;
    let row = between(&page, ">gw</a>", "</tr>");
    assert!(row.contains("4 to 6, 9 to 19") && row.contains("</svg>14</span>"), "{row}");
    assert!(page.contains("Verify now") && page.contains("Exposure window"), "{page}");

    let form = [("organisation", "default"), ("form", browser.form.as_str())];
    let answer = site.post(&browser, "/integrity/verify", &form).await;
    assert_eq!(answer.header("location"), "/integrity?organisation=default#check");
    let mut part = String::new();
    for _ in 0..600 {
        part = site.get(&browser, "/integrity?part=check").await.text;
        if !part.contains("data-running") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(part.contains("<b>Verified</b>") && part.contains("signed heads"), "{part}");
    let page = site.get(&browser, "/integrity").await.text;
    assert!(page.contains("#i-success\"></use></svg>verified</span>"), "{page}");
    let found = site.get(&browser, "/search?q=type:audit.verified").await.text;
    assert!(found.contains("verified the ledger"), "{found}");
}

#[tokio::test]
async fn evidence_of_a_range_is_a_file_that_others_can_check() {
    let site = seeded();
    let ledger = site.product.ledger("default").unwrap();
    ledger.sign().unwrap();
    let browser = site.somebody(Role::Auditor);
    let page = site.get(&browser, "/integrity").await.text;
    assert!(page.contains("action=\"/integrity/evidence\""), "{page}");
    let answer = site.get(&browser, "/integrity/evidence?first=3&last=12").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"evidence-default-3.tar\"");
    let home = TempDir::new().unwrap();
    let file = home.path().join("evidence.tar");
    ledger::io::replace(&OsIo::new(), home.path(), "evidence.tar", &answer.bytes).unwrap();
    let unpacked =
        std::process::Command::new("tar").arg("-xf").arg(&file).arg("-C").arg(home.path()).status();
    assert!(unpacked.unwrap().success());
    let checked = indelible::verify_evidence(&OsIo::new(), &home.path().join("evidence"), None, &[]);
    assert_eq!(checked.verdict().word(), "verified", "{:?}", checked.findings);
    assert_eq!(checked.leaves, 10);
    let found = site.get(&browser, "/search?q=type:audit.bundle_issued").await.text;
    assert!(found.contains("was given evidence") && found.contains("positions 3 to 12"), "{found}");

    for wrong in ["first=12&last=3", "first=99999&last=100000"] {
        assert_eq!(
            site.get(&browser, &format!("/integrity/evidence?{wrong}")).await.status.as_u16(),
            400,
            "{wrong}"
        );
    }
    let mona = indelible::User { id: "mona".into(), name: "Mona".into(), ..Default::default() };
    site.product.create_user(&site.command, mona).unwrap();
    let member = site.browser(&site.key(Reach::One("default".into()), Role::Member, Some("mona")).1);
    assert!(!site.get(&member, "/integrity").await.text.contains("/integrity/evidence"));
    assert_eq!(site.get(&member, "/integrity/evidence?first=3&last=12").await.status.as_u16(), 400);
}
