//! The pages in a real browser, over the real binary with the demonstration's week in it.

use event::Value;

use crate::browser::{Browser, Look};
use crate::client::Client;
use crate::program::{Place, Server, TOKEN, text};

/// A server with the demonstration's week, and somebody's browser.
pub(crate) struct Site {
    _place: Place,
    server: Server,
    pub(crate) browser: Browser,
}

impl Site {
    pub(crate) fn new() -> Site {
        let place = Place::new();
        let server = Server::start_with(&place, &["--demo"], &[("INDELIBLE_BOOTSTRAP_TOKEN", TOKEN)]);
        Site { _place: place, server, browser: Browser::start() }
    }

    pub(crate) fn go(&self, path: &str) {
        self.browser.go(&format!("http://{}{path}", self.server.address));
    }

    pub(crate) fn sign_in(&self, next: &str) {
        self.go(next);
        assert!(self.browser.address().contains("/login?next="), "{}", self.browser.address());
        self.browser.keys("#key", TOKEN);
        self.browser.press("form .primary");
    }
}

#[test]
fn a_person_finds_an_event_proves_it_and_sees_new_ones_come() {
    let site = Site::new();
    let browser = &site.browser;
    site.go("/");
    browser.keys("#key", "not-a-key-of-anybody-0123456789");
    browser.press("form .primary");
    assert!(browser.text("[role=alert]").contains("does not open this door"));
    browser.keys("#key", TOKEN);
    browser.press("form .primary");
    // What went on, in figures; each leads to its events.
    browser.wait("location.pathname === '/overview' && document.querySelectorAll('.kpis a').length === 6");
    let failures = browser.text(".kpis li:nth-child(2) b");
    browser.press(".kpis li:nth-child(2) a");
    browser.wait("location.pathname === '/search' && document.getElementById('total')");
    assert!(browser.text("#total").starts_with(&failures), "{failures}: {}", browser.text("#total"));
    site.go("/overview");
    browser.keys("body", "/");
    browser.keys("#q", "type:budget.updated\u{e007}");
    browser.wait("location.pathname === '/search' && document.querySelectorAll('#list a.open').length === 2");
    site.go("/search");
    browser.wait("document.querySelectorAll('#list a.open').length === 100");

    // Completion: a value that events have.
    browser.keys("body", "/");
    browser.keys("#q", "user:marek");
    browser.wait(
        "[...document.querySelectorAll('#offers li')].some(li => li.textContent.includes('marek.dvorak@'))",
    );
    browser.keys("#q", "\u{e015}\u{e007}");
    browser.wait("document.getElementById('q').value.startsWith('user:marek.dvorak@marlowfinch.example')");
    browser.keys("#q", "\u{e007}");
    browser.wait("location.search.includes('marek.dvorak')");

    // A facet is included with a press.
    browser.press(".facet a.pick[title='Only blocked']");
    browser.wait("new URLSearchParams(location.search).get('q').includes('status:blocked')");
    browser.wait("[...document.querySelectorAll('#list .status')].every(s => s.textContent === 'blocked')");
    assert!(browser.text("#list a.open").starts_with("marek.dvorak@marlowfinch.example "));

    // With keys only: down, open, prove, close.
    browser.keys("body", "j");
    browser.keys("tr.at a.open", "\u{e007}");
    browser.wait("document.querySelector('#drawer article') && location.hash.length === 37");
    browser.press("#drawer [data-verify]");
    browser.wait("document.querySelector('#drawer .proof[data-verdict]')");
    assert_eq!(
        browser.attribute("#drawer .proof", "data-verdict"),
        "holds",
        "{}",
        browser.text("#drawer .steps")
    );
    assert_eq!(
        browser.run("return document.querySelectorAll('#drawer .steps li[data-verdict=holds]').length"),
        Value::from(6)
    );
    // Another hash than the one that is shown is noticed.
    browser.run("document.querySelector('#drawer .proof').dataset.leaf = 'sha256:' + '0'.repeat(64)");
    browser.press("#drawer [data-verify]");
    browser.wait("document.querySelector('#drawer .proof[data-verdict=fails]')");
    browser.keys("body", "\u{e00c}");
    browser.wait("document.getElementById('drawer').hidden && !location.hash");

    // Back leads to the question before.
    browser.run("history.back()");
    browser.wait("!location.search.includes('blocked') && document.querySelector('#list')");

    // New events come by themselves; a flood does not fill the page.
    site.go("/search?q=type:tool.call");
    browser.wait("!document.getElementById('live').hidden");
    browser.keys("body", "t");
    browser.wait("document.getElementById('tailing').textContent.startsWith('Live')");
    // Keys for `body` bring its end into view, and new rows are held back while somebody reads further down.
    browser.run("scrollTo(0, 0)");
    let mut client = Client::new(site.server.address);
    let one =
        r#"{"type":"tool.call","tool":{"name":"first-live"},"actor":{"id":"<img src=x onerror=alert(1)>"}}"#;
    client.post("/v1/events", one.as_bytes()).is(200);
    browser.wait("document.querySelector('#fresh tr')?.textContent.includes('first-live')");
    assert!(browser.text("#fresh .who").contains("<img src=x"), "text stays text");
    for batch in 0..4 {
        let lines: String = (0..1000)
            .map(|n| format!("{{\"type\":\"tool.call\",\"tool\":{{\"name\":\"flood-{batch}-{n}\"}}}}\n"))
            .collect();
        client.post("/v1/events", lines.as_bytes()).is(200);
    }
    browser.wait("document.querySelector('#fresh tr')?.textContent.includes('flood-3-999')");
    let rows = browser.run("return document.querySelectorAll('#fresh tr').length").as_i64().unwrap();
    assert!((1..=300).contains(&rows), "{rows}");
    browser.wait("document.getElementById('tailing').textContent.includes('more than fit')");
    browser.press("#live");
    browser.wait("document.getElementById('live').getAttribute('aria-pressed') === 'false'");
    assert_eq!(browser.complaints(), Vec::<String>::new());

    // A stretch of time drawn over the bars is asked for.
    site.go("/search");
    browser.wait("document.querySelector('.brush')");
    browser.run(
        "const box = document.querySelector('.plot svg').getBoundingClientRect(); \
         const at = (type, part) => document.querySelector('.plot svg').dispatchEvent(new PointerEvent(type, \
         {bubbles: true, button: 0, pointerType: 'mouse', clientX: box.left + box.width * part})); \
         at('pointerdown', .25); at('pointermove', .5); at('pointerup', .5)",
    );
    browser.wait("new URLSearchParams(location.search).get('to')");
    assert!(browser.text("#total").contains("event"));

    // Out again.
    browser.press(".top details:last-of-type summary");
    browser.press(".top form button");
    browser.wait("location.pathname === '/login'");
    site.go("/search");
    assert!(browser.address().contains("/login?next="));
}

/// The verdict of the verification that the page shows, when there is one.
const VERDICT: &str = "#check .notice.good b";

#[test]
fn a_ledger_is_verified_while_one_looks_and_whoever_reads_it_learns_what_is_missing() {
    let site = Site::new();
    let browser = &site.browser;
    site.sign_in("/integrity");
    assert!(browser.text("main .lead").contains("events are under a checkpoint that was signed"));
    assert!(browser.text("#check").contains("No verification of this ledger from a page is on record yet"));
    // The demonstration's producers number their events, and lost none.
    let count = "document.querySelectorAll('.sequences tbody tr').length";
    browser.wait(&format!("{count} >= 3 && document.querySelectorAll('.sequences .bad').length === 0"));
    browser.press("#check form button");
    browser
        .wait("document.querySelector('#check .notice.good') && document.querySelector('#check tbody tr')");
    assert_eq!(browser.text(VERDICT), "Verified");
    assert_eq!(browser.text("#check tbody tr .status"), "verified");

    // Somebody kept two events back.
    let mut client = Client::new(site.server.address);
    for seq in [1, 2, 5, 6] {
        let event = format!(r#"{{"type":"tool.call","producer":"quiet","producer_seq":{seq}}}"#);
        client.post("/v1/events", event.as_bytes()).is(200);
    }
    client.get("/v1/events?q=producer:quiet&consistent=true").is(200);
    // Without a script the page loads itself again until the verification is over.
    browser.scripts(false);
    site.go("/integrity");
    assert_eq!(browser.text(".sequences tr:has(.bad) .which"), "3 to 4");
    assert_eq!(browser.text(".sequences tr:has(.bad) .bad"), "2");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        browser.press("#check form button");
        // It rests for as long as it took.
        if !browser.text("#checking").contains("just been verified") {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "it rests for too long");
        std::thread::sleep(std::time::Duration::from_millis(500));
        site.go("/integrity");
    }
    assert_eq!(browser.text(VERDICT), "Verified");
    let file = browser.attribute("a[download=checkpoint]", "href");
    browser.scripts(true);
    let checkpoint = browser.run(&format!("return fetch('{file}').then(answer => answer.text())"));
    assert!(text(&checkpoint, "").contains("\n\n— "), "{}", text(&checkpoint, ""));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn keys_are_enough_and_whoever_wants_no_movement_sees_none() {
    let site = Site::new();
    let browser = &site.browser;
    site.sign_in("/search");
    browser.wait("document.querySelectorAll('#list a.open').length === 100");
    browser.keys("body", "?");
    browser.wait("document.querySelector('dialog[open]')?.textContent.includes('events as they come')");
    browser.keys("body", "\u{e00c}");
    browser.wait("!document.querySelector('dialog[open]')");
    let position = |n: usize| format!("document.querySelectorAll('#list tr[data-position]')[{n}]");
    browser.keys("body", "jjjk");
    browser.wait(&format!("{}.classList.contains('at')", position(1)));
    browser.wait(&format!("{}.contains(document.activeElement)", position(1)));
    browser.keys("tr.at a.open", "\u{e007}");
    browser.wait("document.querySelector('#drawer article')");
    // The next event, beside the list, without closing this one.
    let first = browser.attribute("#drawer article", "data-position");
    browser.keys("body", "j");
    browser.wait(&format!("document.querySelector('#drawer article')?.dataset.position < {first}"));
    browser.keys("body", "\u{e00c}");
    browser.wait("document.getElementById('drawer').hidden");
    browser.wait(&format!("{}.contains(document.activeElement)", position(2)));
    browser.keys("body", "[");
    browser.wait("new URLSearchParams(location.search).get('to')");
    let to = browser.run("return new URLSearchParams(location.search).get('to')");
    browser.keys("body", "]");
    browser.wait(&format!("new URLSearchParams(location.search).get('from') === '{}'", text(&to, "")));
    browser.keys("body", "/");
    browser.wait("document.activeElement.id === 'q'");
    browser.keys("#q", "jk[]t?");
    assert_eq!(
        browser.run("return document.getElementById('q').value.endsWith('jk[]t?')"),
        Value::from(true)
    );
    // The link past everything that is on each page is the first that the keyboard comes to.
    site.go("/overview");
    browser.keys("body", "\u{e004}");
    browser.wait("document.activeElement.classList.contains('skip')");
    browser.keys("body", "[");
    browser.wait("location.pathname === '/overview' && new URLSearchParams(location.search).get('to')");

    browser.still();
    site.go("/search");
    let moves = browser.run(
        "const row = document.querySelector('#list tr[data-position]'); row.classList.add('new'); \
         return [...document.querySelectorAll('*')].filter(one => { const style = getComputedStyle(one); \
         return style.animationName !== 'none' || style.transitionDuration !== '0s' }).length",
    );
    assert_eq!(moves, Value::from(0));
}

#[test]
fn without_a_script_everything_important_works_and_every_width_is_fit_to_be_seen() {
    let site = Site::new();
    let browser = &site.browser;
    browser.scripts(false);
    site.sign_in("/search?q=type:budget.updated");
    assert_eq!(browser.text("#total"), "2 events");
    browser.press(".facet a.pick[title='Only chen.wei@marlowfinch.example']");
    browser.attribute("#q[value*='chen.wei']", "value");
    assert_eq!(browser.text("#total"), "1 event");
    browser.press("#list a.open");
    assert!(browser.text("h1").starts_with("chen.wei@marlowfinch.example updated budget Contractors"));
    assert!(browser.text(".diff del").contains("60.00") && browser.text(".diff ins").contains("300.00"));
    assert!(browser.text(".honest pre").starts_with("indelible verify "));
    let file = browser.attribute(".proof a[download]", "href");
    site.go("/search");
    browser.press(".tools details:nth-of-type(2) summary");
    browser.keys("#b-ip", "203.0.113.0/24");
    browser.press(".fields .primary");
    browser.attribute("#q[value^='ip:']", "value");
    assert!(browser.address().contains("q=ip%3A203.0.113.0%2F24"), "{}", browser.address());
    assert!(browser.text("#list .c[data-heading=Address]").starts_with("203.0.113."));
    browser.press("a[rel=next]");
    assert!(browser.text("a[rel=prev]").contains("Newer"));
    let event = browser.attribute("#list a.open", "href");

    browser.scripts(true);
    // The file is there to be fetched with the session alone.
    let proof = browser.run(&format!("return fetch('{file}').then(answer => answer.text())"));
    assert!(text(&proof, "").starts_with("c2sp.org/tlog-proof@v1\n"), "{}", text(&proof, ""));
    for width in [390, 1280, 2560] {
        for is_dark in [false, true] {
            browser.look(Look { width, height: if width == 390 { 844 } else { 1200 }, is_dark });
            let shade = if is_dark { "dark" } else { "light" };
            for (name, path) in [
                ("overview", "/overview".to_owned()),
                ("integrity", "/integrity".to_owned()),
                ("search", "/search".to_owned()),
                ("filtered", "/search?q=actor.ip:203.0.113.0/24&by=severity".to_owned()),
                ("wrong", "/search?q=statsu:failed".to_owned()),
                ("nothing", "/search?q=type:key.rotated+status:timeout".to_owned()),
                ("event", event.clone()),
                ("missing", "/events/nothing".to_owned()),
            ] {
                site.go(&path);
                browser.wait("document.readyState === 'complete'");
                browser.picture(&format!("{name}-{width}-{shade}"));
                let over = browser
                    .run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
                    .as_i64()
                    .unwrap();
                assert!(over <= 0, "{name} at {width}: {over} px wider than the window");
            }
        }
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let page = browser.run("return document.title");
    assert_eq!(text(&page, ""), "Not here · Indelible");
}
