//! The bytes of format version 1. They are frozen: an edit here is a new version of the format.

use crate::world::*;
use expect_test::expect;
use proof::*;

fn hex(bytes: &[u8]) -> String {
    bytes
        .chunks(32)
        .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n")
        .collect()
}

#[test]
fn an_event_with_a_tag() {
    let key = MacKey::new(b"0123456789abcdef0123456789abcdef").unwrap();
    let mut bytes = Vec::new();
    Leaf::decode(&event(10).0).unwrap().encode_with_mac(&key, ORIGIN, &mut bytes).unwrap();
    expect![[r#"
        01010a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a17979cfe362a00000000018bcfe5
        680a00010101011961757468656e7469636174696f6e2e757365725f6c6f6769
        6e09676174657761792d31000000000000000a0207636f6e74656e74fe5d0505
        f9e1551458505d62a7520e353f61838c75c4927dd6c53b8f512f1a0d0377686f
        b959d3b3505ed3b573329388e9546e394e75c9e98061e8596fb58e2b3b53a85e
        0103a4dffc4fe947939fe63d196e2b10cd5cdb2926598e0589eca2464ea46765
        5d3be594994c7a0429
    "#]]
    .assert_eq(&hex(&bytes));
    expect!["673b0e7fe14b19a2476b40a5f123a7fd2f9e283eccc9c28872f768298a2eb0f5"]
        .assert_eq(&leaf_hash(&bytes).to_string());
}

#[test]
fn a_control_leaf() {
    expect![[r#"
        01020909090909090909090909090909090900000000000000000000018bcfe5
        680000000000000e6c65646765722e67656e6573697300000000000000000000
        00fd7b2263726561746564223a313730303030303030303030302c22666f726d
        6174223a312c226964656e74697479223a22696e64656c69626c652e6578616d
        706c652f366631612b62303432643263642b4159714934393130436647562f56
        4c624c54793658584c4b5a776d2f485a5153472f4e306941473044323963222c
        226f726967696e223a22696e64656c69626c652e6578616d706c652f36663161
        222c227365616c223a22696e64656c69626c652e6578616d706c652f36663161
        2f7365616c2f312b66633533333733342b4164597641576f652f52355033336b
        2b74437a59524848687570384d384530536837584d636659574b487934227d00
    "#]]
    .assert_eq(&hex(&genesis()));
    expect![[r#"{"created":1700000000000,"format":1,"identity":"indelible.example/6f1a+b042d2cd+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c","origin":"indelible.example/6f1a","seal":"indelible.example/6f1a/seal/1+fc533734+AdYvAWoe/R5P33k+tCzYRHHhup8M8E0Sh7XMcfYWKHy4"}"#]].assert_eq(&String::from_utf8_lossy(LeafRef::decode(&genesis()).unwrap().body));
    expect![[r#"{"epoch":1,"next":"indelible.example/6f1a/seal/2+c9f08ca7+ATS02QQxVsttzwvrCilJt1WclA0ry22+jFOpswJ446dG"}"#]].assert_eq(&String::from_utf8_lossy(LeafRef::decode(&rotation(1)).unwrap().body));
}

#[test]
fn a_commitment() {
    let hash = commitment(&[7; 16], "who", br#"{"actor":{"id":"u1"}}"#);
    expect!["eb23275e6ad0503308590e8efdf209408115f606bb063dd8c01a615422891e82"].assert_eq(&hash.to_string());
}

#[test]
fn a_checkpoint_with_a_cosignature() {
    let mut note = World::new().head(12);
    note.push(witness(1).sign(note.text(), 1_700_000_123)).unwrap();
    expect![[r#"
        indelible.example/6f1a
        12
        Qbi39p8dqvDEGuuYSLw65iZ5YXDJVT5XuvMRlbxu5FQ=

        — indelible.example/6f1a sELSzVMzR6NhIy8Q8dQN8ICJDIVXV2+eoD21uss3sXlIhKXh0Dxk+B7lmu+Zb8q4c5eDTlXC2XvQMvDHX3irtZtjog4=
        — indelible.example/6f1a/seal/3 C/jisZevQxIiyFTCyoHOth4KcvlCkHC1KkqR8vbTWtUpBKPyhK7n1rW6cHdQ9cDACVTrPq3gNLCoJJdV6AbXzaK8Ow8=
        — witness1.example YtBCJQAAAABlU/F73hOlMRZ31mb/riIQ17iQ3Ys3ygzG1Ig0IMZD11IcrIq1th7mJpxeFTY2OZ1I3Ni+2v5/XIla83aY/0Nh4N76Cw==
    "#]].assert_eq(&note.to_string());
}

#[test]
fn vkeys() {
    let keys = [identity().verifying_key(), seal(1).verifying_key(), witness(1).verifying_key()]
        .map(|k| format!("{k}\n"));
    expect![[r#"
        indelible.example/6f1a+b042d2cd+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c
        indelible.example/6f1a/seal/1+fc533734+AdYvAWoe/R5P33k+tCzYRHHhup8M8E0Sh7XMcfYWKHy4
        witness1.example+62d04225+BLo7YR4ogsG2qksq4+x46gc2462ZI4NTRQFxUHpLnxW1
    "#]]
    .assert_eq(&keys.concat());
}

#[test]
fn a_proof() {
    let world = World::new();
    let extra = Extra { sections: event(10).1, ..Extra::default() };
    let proof = world.proof(10, &world.head(12), extra);
    expect![[r#"
        c2sp.org/tlog-proof@v1
        extra eyJsZWFmIjoiQVFFS0Nnb0tDZ29LQ2dvS0Nnb0tDZ29LRjVlYy9qWXFBQUFBQUFHTHorVm9DZ0FCQVFFQkdXRjFkR2hsYm5ScFkyRjBhVzl1TG5WelpYSmZiRzluYVc0SloyRjBaWGRoZVMweEFBQUFBQUFBQUFvQ0IyTnZiblJsYm5UK1hRVUYrZUZWRkZoUVhXS25VZzQxUDJHRGpIWEVrbjNXeFR1UFVTOGFEUU4zYUcrNVdkT3pVRjdUdFhNeWs0anBWRzQ1VG5YSjZZQmg2Rmx2dFk0ck8xT29YZ0E9Iiwic2VjdGlvbnMiOnsiY29udGVudCI6eyJib2R5Ijoie1wiY29udGVudFwiOjEwfSIsInNhbHQiOiJDZ29LQ2dvS0Nnb0tDZ29LQ2dvS0NnPT0ifSwid2hvIjp7ImJvZHkiOiJ7XCJ3aG9cIjoxMH0iLCJzYWx0IjoiQ2dvS0Nnb0tDZ29LQ2dvS0Nnb0tDZz09In19fQ==
        index 10
        TombujS9i20VMf875cP5q6llriNPUeQ/uOZexKbbDBQ=
        9Mlb2l2Q8HQF0m2DOEsrvvGuIwZos0nf8sPdCNdDQS0=
        w1LjjEOkN64Z4BytZhDVPe3bJAfOFmXDrP6/19N+i1U=

        indelible.example/6f1a
        12
        Qbi39p8dqvDEGuuYSLw65iZ5YXDJVT5XuvMRlbxu5FQ=

        — indelible.example/6f1a sELSzVMzR6NhIy8Q8dQN8ICJDIVXV2+eoD21uss3sXlIhKXh0Dxk+B7lmu+Zb8q4c5eDTlXC2XvQMvDHX3irtZtjog4=
        — indelible.example/6f1a/seal/3 C/jisZevQxIiyFTCyoHOth4KcvlCkHC1KkqR8vbTWtUpBKPyhK7n1rW6cHdQ9cDACVTrPq3gNLCoJJdV6AbXzaK8Ow8=
    "#]].assert_eq(&proof.to_string());
    expect![[r#"{"leaf":"AQEKCgoKCgoKCgoKCgoKCgoKF5ec/jYqAAAAAAGLz+VoCgABAQEBGWF1dGhlbnRpY2F0aW9uLnVzZXJfbG9naW4JZ2F0ZXdheS0xAAAAAAAAAAoCB2NvbnRlbnT+XQUF+eFVFFhQXWKnUg41P2GDjHXEkn3WxTuPUS8aDQN3aG+5WdOzUF7TtXMyk4jpVG45TnXJ6YBh6FlvtY4rO1OoXgA=","sections":{"content":{"body":"{\"content\":10}","salt":"CgoKCgoKCgoKCgoKCgoKCg=="},"who":{"body":"{\"who\":10}","salt":"CgoKCgoKCgoKCgoKCgoKCg=="}}}"#]].assert_eq(&String::from_utf8_lossy(proof.extra.as_ref().unwrap()));
    expect![[r#"{"position":"10","sections":{"content":{"body":"{\"content\":10}","salt":"CgoKCgoKCgoKCgoKCgoKCg=="},"who":{"body":"{\"who\":10}","salt":"CgoKCgoKCgoKCgoKCgoKCg=="}}}"#]].assert_eq(&disclosure::encode_line(10, &event(10).1));
}
