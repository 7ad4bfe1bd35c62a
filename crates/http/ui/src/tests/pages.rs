//! What is on the pages.

use super::*;

fn seeded() -> Site {
    let site = Site::new();
    let mona = indelible::User {
        id: "mona".into(),
        name: "Mona".into(),
        email: Some("mona@acme.example".into()),
        ..Default::default()
    };
    site.product.create_user(&site.command, mona).unwrap();
    let mut events = Vec::new();
    for n in 0..130 {
        let (status, who) = if n % 10 == 0 { ("failed", "mona") } else { ("success", "other") };
        events.push(format!(
            r#"{{"type":"key.rotated","status":"{status}","source_id":"{n}","actor":{{"id":"{who}","email":"{who}@acme.example","ip":"203.0.113.7"}},"targets":[{{"id":"sk-{n}"}}]}}"#
        ));
    }
    events.push(
        r#"{"type":"budget.updated","status":"success","source_id":"budget","trace_id":"t-1","actor":{"type":"agent","id":"bot","on_behalf_of":[{"id":"mona","email":"mona@acme.example"}]},
            "targets":[{"type":"budget","name":"Contractors"}],"changes":{"before":{"max":"60","soft":1},"after":{"max":"300","soft":1,"new":true}},
            "llm":{"model":"m-1","tokens_total":1234,"cost":"0.5"}}"#
            .to_owned(),
    );
    events.push(r#"{"type":"llm.completion","source_id":"call","trace_id":"t-1"}"#.to_owned());
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    site.record("default", &events);
    site
}

fn count(page: &str, what: &str) -> usize {
    page.matches(what).count()
}

#[tokio::test]
async fn a_search_is_a_sentence_a_line_and_leads_on_and_back() {
    let site = seeded();
    let browser = site.somebody(Role::Auditor);
    let page = site.get(&browser, "/search?q=type:key.rotated").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(count(&page.text, "<tr data-position="), 100);
    assert!(
        page.text.contains("at least 100 events") && page.text.contains("<b>130</b> in this time"),
        "{}",
        page.text
    );
    assert!(site.get(&browser, "/search?q=type:key.rotated&count=exact").await.text.contains(">130 events<"));
    assert!(page.text.contains(
        "<b class=\"who\">mona@acme.example</b> could not rotate key <b class=\"what\">sk-120</b>"
    ));
    assert!(page.text.contains("<use href=\"#i-failed\"></use></svg>failed"), "a word and a shape");
    let older = page
        .text
        .split("rel=\"next\" href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&");
    let second = site.get(&browser, &older).await.text;
    assert_eq!(count(&second, "<tr data-position="), 30);
    assert!(second.contains("That is all."));
    let newer =
        second.split("rel=\"prev\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    assert_eq!(newer, "/search?q=type%3Akey.rotated");
    // Each kind of files is of exactly this question.
    for format in ["csv", "json", "ndjson"] {
        let place = format!(
            "/v1/events/export?format={format}&#38;organisation=default&#38;q=type%3Akey.rotated%20time%3E%3Dnow-7d"
        );
        assert!(page.text.contains(&place), "{format}");
    }
    // A press on a facet asks for that value, and another one takes it back.
    assert!(page.text.contains("href=\"/search?q=type%3Akey.rotated%20status%3Afailed\""));
    assert!(page.text.contains("href=\"/search?q=type%3Akey.rotated%20-status%3Afailed\""));
    let narrow = site.get(&browser, "/search?q=type:key.rotated+status:failed").await.text;
    assert_eq!(count(&narrow, "<tr data-position="), 13);
    assert!(
        narrow.contains("class=\"pick\" href=\"/search?q=type%3Akey.rotated\" aria-current=\"true\""),
        "{narrow}"
    );
}

#[tokio::test]
async fn a_builder_is_read_from_the_filter_and_writes_it() {
    let site = seeded();
    let browser = site.somebody(Role::Auditor);
    let page = site.get(&browser, "/search?q=user:mona+status:failed+%22a+b%22").await.text;
    assert!(
        page.contains("name=\"user\" value=\"mona\"") && page.contains("<option selected>failed</option>")
    );
    assert!(page.contains("name=\"rest\" value=\"&#34;a b&#34;\""), "{page}");
    let built = site
        .get(&browser, "/search/build?from=now-1h&user=mona&severity=high&ip=203.0.113.0/24&rest=x")
        .await;
    let place = "/search?q=x%20user%3Amona%20severity%3E%3Dhigh%20ip%3A203.0.113.0%2F24&from=now-1h";
    assert_eq!((built.status.as_u16(), built.header("location")), (303, place));
    assert_eq!(site.get(&browser, "/search/build?ip=nonsense").await.status.as_u16(), 400);
}

#[tokio::test]
async fn what_is_wrong_is_shown_where_it_is() {
    let site = seeded();
    let browser = site.somebody(Role::Auditor);
    let page = site.get(&browser, "/search?q=type:a+statsu:failed").await;
    assert_eq!(page.status.as_u16(), 400);
    assert!(page.text.contains("type:a <mark>statsu</mark>:failed"), "{}", page.text);
    assert!(
        page.text.contains("href=\"/search?q=type%3Aa%20status%3Afailed\""),
        "what may have been meant is a link"
    );
    let page = site.get(&browser, "/search?from=yesterday").await;
    assert!(page.status.as_u16() == 400 && page.text.contains("<mark>yesterday"));
    let page = site.get(&browser, "/search?q=type:key.rotated+status:blocked").await;
    assert!(page.status.as_u16() == 200 && page.text.contains("Nothing was found"));
    assert!(
        page.text.contains("href=\"/search?q=type%3Akey.rotated\">Without status:blocked"),
        "{}",
        page.text
    );
    assert_eq!(site.get(&browser, "/search?organisation=nobody").await.status.as_u16(), 404);
    assert_eq!(site.get(&browser, "/events/none").await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_new_server_says_what_to_do() {
    let site = Site::new();
    let browser = site.somebody(Role::Admin);
    let page = site.get(&browser, "/search").await;
    assert!(
        page.status == StatusCode::OK && page.text.contains("Nothing has been recorded yet"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn an_event_tells_what_changed_for_whom_and_what_is_near_it() {
    let site = seeded();
    let browser = site.somebody(Role::Auditor);
    let page = site.get(&browser, "/events/budget").await.text;
    for part in [
        "<b class=\"who\">bot</b> updated budget <b class=\"what\">Contractors</b> for <b class=\"who\">mona@acme.example</b>",
        "<del>&#34;60&#34;</del>",
        "<ins>&#34;300&#34;</ins>",
        "<span class=\"sr\"> added</span>",
        "<summary>1 unchanged</summary>",
        "acted for",
        "<dt>tokens</dt><dd class=\"num\">1\u{202f}234</dd>",
        "<dt>cost</dt><dd class=\"num\">0.5 USD</dd>",
        "<b>Same trace</b> <span class=\"num\">2</span>",
        "indelible verify ",
        "cannot convict this server",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let hash = page.split("data-leaf=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(hash.starts_with("sha256:") && hash.len() == 71, "{hash}");
    let part = site.get(&browser, "/events/budget?part=body").await.text;
    assert!(
        part.trim_start().starts_with("<article") && page.contains(part.trim()),
        "the same, without what is around it"
    );
}

#[tokio::test]
async fn what_is_gone_is_said_to_be_gone() {
    let site = seeded();
    let browser = site.somebody(Role::Auditor);
    let ledger = site.product.ledger("default").unwrap();
    let (positions, _) =
        site.product.find(&site.command, "default", "call", access::Permission::ReadEvents).unwrap();
    let erasure = ledger::Erasure {
        first: positions[0],
        last: positions[0],
        sections: vec![2],
        request: "request-7".to_owned(),
    };
    ledger.erase(&erasure).unwrap();
    let page = site.get(&browser, &format!("/events/{}", positions[0])).await.text;
    assert!(page.contains("<b>Erased.</b> <code>what</code> of this event was erased for good"), "{page}");
}

#[tokio::test]
async fn a_member_sees_their_own_and_a_viewer_is_told_why_there_is_nothing() {
    let site = seeded();
    let here = Reach::One("default".into());
    let member = site.browser(&site.key(here.clone(), Role::Member, Some("mona")).1);
    let page = site.get(&member, "/search").await.text;
    assert!(page.contains("You see what you did yourself"), "{page}");
    let rows = count(&page, "<tr data-position=");
    let theirs = count(&page, "<b class=\"who\">mona@acme.example</b>");
    assert!(rows >= 13 && rows == theirs, "{rows} {theirs}");
    assert!(!page.contains("other@acme.example"));
    assert_eq!(site.get(&member, "/events/2").await.status.as_u16(), 404, "nor by its address");
    assert_eq!(site.get(&member, "/events/budget").await.status.as_u16(), 404, "nor what was done for them");
    let offers = site.get(&member, "/search/complete?q=actor.email:o").await.text;
    assert!(!offers.contains("other@"), "{offers}");

    let viewer = site.browser(&site.key(here.clone(), Role::Viewer, Some("mona")).1);
    let page = site.get(&viewer, "/search").await;
    assert_eq!(page.status.as_u16(), 403);
    assert!(
        page.text.contains("to read events here needs the role admin, member or auditor"),
        "{}",
        page.text
    );
    assert!(page.text.contains("You are signed in as viewer of default"), "{}", page.text);

    let auditor = site.browser(&site.key(here, Role::Auditor, None).1);
    let page = site.get(&auditor, "/search?q=type:key.rotated&count=exact").await.text;
    assert!(
        page.contains("130 events") && !page.contains("Save this filter as"),
        "sees everything, changes nothing"
    );
}

#[tokio::test]
async fn what_may_come_next_is_offered() {
    let site = seeded();
    let browser = site.somebody(Role::Auditor);
    let offers = async |q: &str| site.get(&browser, &format!("/search/complete?q={q}")).await.text;
    assert!(offers("sever").await.contains(r#""insert":"severity:""#));
    let values = offers("user:mo").await;
    assert!(values.contains(r#""about":"13 events","from":5,"insert":"mona","to":7"#), "{values}");
    assert!(offers("%22half+a+quo").await == "[]");
}
