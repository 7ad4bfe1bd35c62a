//! The pages in a real browser, over the real binary with the demonstration's week in it.

use event::Value;

use crate::browser::{Browser, Look};
use crate::client::Client;
use crate::program::{Place, Server, TOKEN, text};

struct Site {
    _place: Place,
    server: Server,
    browser: Browser,
}

impl Site {
    fn new() -> Site {
        let place = Place::new();
        let server = Server::start_with(&place, &["--demo"], &[("INDELIBLE_BOOTSTRAP_TOKEN", TOKEN)]);
        Site { _place: place, server, browser: Browser::start() }
    }

    fn go(&self, path: &str) {
        self.browser.go(&format!("http://{}{path}", self.server.address));
    }

    fn sign_in(&self, next: &str) {
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
    browser
        .wait("location.pathname === '/search' && document.querySelectorAll('#list a.open').length === 100");

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

#[test]
fn without_a_script_everything_important_works_and_every_width_is_fit_to_be_seen() {
    let site = Site::new();
    let browser = &site.browser;
    browser.scripts(false);
    site.sign_in("/search?q=type:budget.updated");
    assert_eq!(browser.text("#total"), "2 events");
    browser.press(".facet a.pick[title='Only chen.wei@marlowfinch.example']");
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
