//! Why a text is no filter, and where.

use expect_test::{Expect, expect};
use query::Filter;

fn check(texts: &[&str], expect: Expect) {
    let mut out = String::new();
    for text in texts {
        let error = Filter::parse(text).expect_err(text);
        let marks: String = text
            .char_indices()
            .map(|(at, _)| if error.span.contains(&at) { '^' } else { ' ' })
            .chain((error.span.start >= text.len()).then_some('^'))
            .collect();
        out += &format!("{text}\n{}\n{error}\n\n", marks.trim_end());
    }
    expect.assert_eq(&out);
}

#[test]
fn names() {
    check(
        &[
            "actor.emial:x",
            "foo:bar",
            "sevrity>=high",
            "https://example.com/x",
            "fe80::1",
            "a=b&c=d",
            "<script>",
            "llm:gpt",
            "changes:budget",
            "attributes:x",
            "exists:nothing_like_it",
            "exists:",
            "actor.*:x",
            "attributes.:x",
            ":x",
        ],
        expect![[r#"
            actor.emial:x
            ^^^^^^^^^^^
            there is no field `actor.emial`; did you mean `actor.email`?

            foo:bar
            ^^^
            there is no field `foo`; one of your own would be `attributes.foo`, and text must be quoted

            sevrity>=high
            ^^^^^^^
            there is no field `sevrity`; did you mean `severity`?

            https://example.com/x
            ^^^^^^^^^^^^^^^^^^^^^
            text with `:` in it must be quoted, unless what is before it is a field, and `https` is not; did you mean `"https://example.com/x"`?

            fe80::1
            ^^^^^^^
            text with `:` in it must be quoted, unless what is before it is a field, and `fe80` is not; did you mean `"fe80::1"`?

            a=b&c=d
            ^^^^^^^
            text with `=` in it must be quoted, unless what is before it is a field, and `a` is not; did you mean `"a=b&c=d"`?

            <script>
            ^
            the name of a field is missing before `<`

            llm:gpt
            ^^^
            `llm` is a block of fields: ask for one of them, such as llm.provider, llm.model, llm.requested_model

            changes:budget
            ^^^^^^^
            `changes` is a block of fields: ask for one of them, such as changes.before, changes.after

            attributes:x
            ^^^^^^^^^^
            `attributes` is a block of fields: ask for something in it, as in attributes.name

            exists:nothing_like_it
                   ^^^^^^^^^^^^^^^
            there is no field `nothing_like_it`; one of your own would be `attributes.nothing_like_it`, and text must be quoted

            exists:
                   ^
            the name of a field is missing

            actor.*:x
            ^^^^^^^
            the name of a field cannot have a wildcard

            attributes.:x
            ^^^^^^^^^^^
            there is no field `attributes.`; did you mean `attributes`?

            :x
            ^
            the name of a field is missing before `:`

        "#]],
    );
}

#[test]
fn values() {
    check(
        &[
            "severity>=hihg",
            "severity:[low TO urgent]",
            "category:authentcation",
            "status>failed",
            "llm.stream:yes",
            "tokens:many",
            "latency>2x",
            "cost:[1 TO lots]",
            "actor.ip:10.0.0.0/99",
            "actor.ip>10.0.0.1",
            "time:yesterday",
            "time>2026-11-22T10:30:00",
            "time:2026-02-30",
            "message:!!!",
            "attributes.x:[1 TO b]",
            "attributes.x>5*",
            "status:",
            "status:OR",
            "status: AND x",
            "type:(auth.login OR status:failed)",
            "user:>5*",
        ],
        expect![[r#"
            severity>=hihg
                      ^^^^
            `hihg` is not a severity: info, low, medium, high or critical; did you mean `high`?

            severity:[low TO urgent]
                             ^^^^^^
            `urgent` is not a severity: info, low, medium, high or critical

            category:authentcation
                     ^^^^^^^^^^^^^
            there is no category `authentcation`; did you mean `authentication`?

            status>failed
                   ^^^^^^
            the values of `status` have no order; ask for the ones you mean, status:(a OR b)

            llm.stream:yes
                       ^^^
            `llm.stream` is true or false, not `yes`

            tokens:many
                   ^^^^
            `llm.tokens_total` is a number, and `many` is not

            latency>2x
                    ^^
            `llm.latency_ms` is a number of milliseconds, or a length of time such as 2s; `2x` is neither

            cost:[1 TO lots]
                       ^^^^
            `llm.cost` is a number, and `lots` is not

            actor.ip:10.0.0.0/99
                     ^^^^^^^^^^^
            `10.0.0.0/99` is neither an address such as 203.0.113.7 nor a network such as 203.0.113.0/24

            actor.ip>10.0.0.1
                     ^^^^^^^^
            addresses are compared by network: actor.ip:203.0.113.0/24

            time:yesterday
                 ^^^^^^^^^
            `yesterday` is not a time: write 2026-11-22T10:30:00Z, 2026-11-22, 2026-11, now-7d or -24h

            time>2026-11-22T10:30:00
                 ^^^^^^^^^^^^^^^^^^^
            `2026-11-22T10:30:00` lacks an offset from UTC: end it with Z or ±hh:mm

            time:2026-02-30
                 ^^^^^^^^^^
            `2026-02-30` is not a time: write 2026-11-22T10:30:00Z, 2026-11-22, 2026-11, now-7d or -24h

            message:!!!
                    ^^^
            there is no word to look for in `!!!`

            attributes.x:[1 TO b]
                         ^^^^^^^^
            the two ends of the range cannot be compared; quote both to compare them as text

            attributes.x>5*
                         ^^
            a wildcard has no place in a comparison

            status:
            ^^^^^^^
            a value is missing after `status`

            status:OR
            ^^^^^^^^^
            a value is missing after `status`

            status: AND x
            ^^^^^^^^^^^
            a value is missing after `status`

            type:(auth.login OR status:failed)
                                ^^^^^^^^^^^^^
            a value of `type` looks like a clause about `status`; quote it if it is a value; did you mean `"status:failed"`?

            user:>5*
                  ^^
            a wildcard has no place in a comparison

        "#]],
    );
}

#[test]
fn structure() {
    check(
        &[
            "(status:failed",
            "status:failed)",
            "()",
            "status:(failed OR )",
            "\"open",
            "AND x",
            "x OR",
            "x AND OR y",
            "NOT",
            "failed or blocked",
            "a && b",
            "-",
            "\"\"",
            "time:[now-7d TO now",
            "time:[now-7d now]",
            "tokens>(1 OR 2)",
            "\"two words\"*",
            "foo\"bar\"",
            "foo(bar)",
            "f*l",
            "foo-bar*",
        ],
        expect![[r#"
            (status:failed
            ^
            a parenthesis is opened and never closed

            status:failed)
                         ^
            a parenthesis is closed that was never opened

            ()
            ^^
            there is nothing between the parentheses

            status:(failed OR )
            ^^^^^^^^^^^^^^^^^^
            a value is missing after `status`

            "open
            ^^^^^
            a quote is opened and never closed

            AND x
            ^^^
            something to look for is missing before this

            x OR
                ^
            something to look for is missing here

            x AND OR y
                  ^^
            something to look for is missing before this

            NOT
               ^
            something to look for is missing here

            failed or blocked
                   ^^
            operators are capital words; quote it to look for the word; did you mean `OR`?

            a && b
              ^^
            operators are capital words; quote it to look for the word; did you mean `AND`?

            -
            ^
            there is no letter or digit in it to look for

            ""
            ^^
            there is nothing to look for in it

            time:[now-7d TO now
                 ^^^^^^^^^^^^^^
            a range is opened and never closed with ] or }

            time:[now-7d now]
                 ^^^^^^^^
            a range is written [a TO b], with `*` for an end that is open

            tokens>(1 OR 2)
                   ^
            `>` compares with one value; in parentheses it goes with each: (>1 <9)

            "two words"*
            ^^^^^^^^^^^^
            a wildcard cannot follow a quote: leave the quotes out, and put a backslash before spaces

            foo"bar"
            ^^^^
            a space is missing before `"`, or quotes around the whole

            foo(bar)
            ^^^^
            a space is missing before `(`, or quotes around the whole

            f*l
            ^^^
            in free text a wildcard goes after the letters and digits that begin a word, as in fail*; ask a field, as in error.message:*time*out*, for anything else

            foo-bar*
            ^^^^^^^^
            in free text a wildcard goes after the letters and digits that begin a word, as in fail*; ask a field, as in error.message:*time*out*, for anything else

        "#]],
    );
}

#[test]
fn limits() {
    let check = |text: String, expect: &str| {
        let error = Filter::parse(&text).unwrap_err();
        assert_eq!(error.to_string(), expect);
        assert!(text.get(error.span).is_some());
    };
    check("a".repeat(4097), "a filter has at most 4096 bytes, with every name written out");
    check("é".repeat(3000), "a filter has at most 4096 bytes, with every name written out");
    assert!(Filter::parse(&"é".repeat(2048)).is_ok());
    // With every name written out it is three times as long.
    check(
        format!("user:{}", "a".repeat(3000)),
        "a filter has at most 4096 bytes, with every name written out",
    );

    check("a ".repeat(201), "a filter has at most 200 clauses");
    check("user:a ".repeat(67), "a filter has at most 200 clauses");
    assert!(Filter::parse(&"a ".repeat(200)).is_ok());

    let deep =
        |depth: usize, open: &str, close: &str| format!("{}x{}", open.repeat(depth), close.repeat(depth));
    for (open, close) in
        [("(", ")"), ("-", ""), ("NOT ", ""), ("type:(", ")"), ("type:!=(", ")"), ("exists:(", ")")]
    {
        let text = deep(33, open, close);
        let error = Filter::parse(&text).unwrap_err();
        assert!(!error.message.is_empty() && text.get(error.span).is_some());
    }
    for (open, close) in [("(", ")"), ("-", ""), ("NOT ", "")] {
        assert!(Filter::parse(&deep(32, open, close)).is_ok());
        check(deep(33, open, close), "a filter goes at most 32 levels deep");
        check(deep(900, open, close), "a filter goes at most 32 levels deep");
    }
    check("(".repeat(4096), "a filter goes at most 32 levels deep");
    // What is accepted is accepted again, also where writing it out takes parentheses.
    for depth in 0..=33 {
        for inner in ["user:x y", "user!=x y", "status!=(failed OR blocked) y", "status:(a OR b (c OR -d)) y"]
        {
            if let Ok(filter) =
                Filter::parse(&format!("{}{inner}{}", "-(a OR b ".repeat(depth), ")".repeat(depth)))
            {
                assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
            }
        }
    }
}
