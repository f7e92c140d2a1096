use caliber_engine::dictionary::Dictionary;
use caliber_engine::explain::Explainer;
use caliber_engine::recipe::Dimension;
use caliber_platform::results::{ListRequest, ListRule, ListType, ResultsTable};
use serde_json::json;

use crate::sample::{Row, results, table};

fn request(list_type: ListType) -> ListRequest {
    ListRequest {
        campaign_id: "the-campaign".into(),
        list_type,
        rule: ListRule::default(),
        min_impressions: 0.0,
        protected: Vec::new(),
        added: Vec::new(),
        removed: Vec::new(),
    }
}

/// Eight rows; the score falls and the impressions rise from `1.example` to `8.example`.
fn rows() -> Vec<Row> {
    let row = |at: u32| {
        let mut row = Row::new(&format!("{at}.example"), f64::from(90 - at), f64::from(at * 100));
        row.view_rate = Some(row.score / 100.0);
        row
    };
    (1..=8).map(row).collect()
}

#[test]
fn a_list_has_the_keys_of_the_contract() {
    let list = table(&rows()).list(&request(ListType::Blacklist)).unwrap();
    assert_eq!(
        serde_json::to_value(&list).unwrap(),
        json!({
            "list_type": "blacklist",
            "campaign_id": "the-campaign",
            "domains": ["8.example", "7.example"],
            "rows": [
                {"name": "8.example", "score": 82, "impressions": 800, "spend": 1.6, "reason": list.rows[0].reason},
                {"name": "7.example", "score": 83, "impressions": 700, "spend": 1.4, "reason": list.rows[1].reason},
            ],
            "criteria_used": {
                "policy": "quartile", "min_impressions": 0, "share": 0.25, "total_candidates": 8, "selected_count": 2,
            },
            "total_impressions": 1500,
            "total_spend": 3,
            "average_score": 82.5,
        })
    );
}

#[test]
fn reasons_are_those_of_the_command_lines_lists() {
    let results = results(&rows(), Dimension::Domain, true);
    let explainer = Explainer::new(&results, Dictionary::shipped());
    let table = ResultsTable::new(results.clone(), Dictionary::shipped().clone()).unwrap();
    let allowed = table.list(&request(ListType::Whitelist)).unwrap();
    assert_eq!(allowed.domains, ["1.example", "2.example"]);
    assert_eq!(allowed.rows[1].reason, explainer.best_reason(1));
    let blocked = table.list(&request(ListType::Blacklist)).unwrap();
    assert_eq!(blocked.rows[0].reason, explainer.worst_reason(7));
}

#[test]
fn more_impressions_leave_fewer_candidates() {
    let table = table(&rows());
    let request = ListRequest {
        min_impressions: 500.0,
        rule: ListRule { share: 0.5, ..ListRule::default() },
        ..request(ListType::Whitelist)
    };
    let list = table.list(&request).unwrap();
    assert_eq!(list.domains, ["5.example", "6.example"]);
    assert_eq!(list.criteria_used.total_candidates, 4);
    let list = table.list(&ListRequest { min_impressions: 1e9, ..request }).unwrap();
    assert_eq!((list.rows.len(), list.average_score, list.criteria_used.total_candidates), (0, None, 0));
}

#[test]
fn what_is_protected_is_not_blocked_and_nothing_takes_its_place() {
    let protected = vec!["https://WWW.8.example/".to_owned()];
    let table = table(&rows());
    let list =
        table.list(&ListRequest { protected: protected.clone(), ..request(ListType::Blacklist) }).unwrap();
    assert_eq!(list.domains, ["7.example"]);
    assert_eq!(list.criteria_used.selected_count, 1);
}

#[test]
fn a_share_or_a_bar_that_makes_no_sense_is_refused() {
    let table = table(&rows());
    for share in [0.0, -0.1, 0.500_001, f64::NAN] {
        let error = table
            .list(&ListRequest {
                rule: ListRule { share, ..ListRule::default() },
                ..request(ListType::Whitelist)
            })
            .unwrap_err();
        assert_eq!(error.field, "share");
    }
    for min_impressions in [-1.0, f64::NAN, f64::INFINITY] {
        let error = table.list(&ListRequest { min_impressions, ..request(ListType::Whitelist) }).unwrap_err();
        assert_eq!(error.field, "min_impressions");
    }
}

#[test]
fn what_people_put_on_a_list_stands_at_its_end_and_what_they_take_off_is_gone() {
    let table = table(&rows());
    let added =
        ["https://3.EXAMPLE/page", "unknown.example", "8.example", "3.example"].map(str::to_owned).to_vec();
    let by_hand = ListRequest {
        added: added.clone(),
        removed: vec!["7.example".into()],
        ..request(ListType::Blacklist)
    };
    let list = table.list(&by_hand).unwrap();
    assert_eq!(list.domains, ["3.example", "8.example", "unknown.example"]);
    assert!(list.rows.iter().all(|row| row.reason == "by hand"));
    assert_eq!(list.rows[2].score, None);
    assert_eq!(list.rows[2].impressions, None);
    assert_eq!(list.criteria_used.selected_count, 3);
    assert_eq!(serde_json::to_value(list.total_impressions).unwrap(), json!(300 + 800));

    let protected = ListRequest { protected: vec!["unknown.example".into()], ..by_hand };
    assert_eq!(table.list(&protected).unwrap().domains, ["3.example", "8.example"]);
    let allowed = ListRequest { list_type: ListType::Whitelist, removed: Vec::new(), ..protected };
    assert_eq!(
        table.list(&allowed).unwrap().domains,
        ["1.example", "2.example", "3.example", "8.example", "unknown.example"]
    );
}
