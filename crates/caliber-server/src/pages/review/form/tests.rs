//! What a form says, and what becomes of it on the way through an address.

use caliber_platform::campaigns::Goal;

use super::*;

fn form(fields: &[(&str, &str)]) -> ReviewForm {
    ReviewForm::of(fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
}

#[test]
fn only_what_was_changed_is_mapped_by_hand() {
    let same = form(&[("found.0", "domain"), ("column.0", "domain"), ("found.1", ""), ("column.1", "")]);
    assert!(same.mapping().is_empty());
    let moved = form(&[("found.0", "clicks"), ("column.0", ""), ("found.1", ""), ("column.1", "clicks")]);
    assert_eq!(moved.mapping(), BTreeMap::from([("clicks".into(), "#2".into())]));
    let left_out = form(&[("found.0", "clicks"), ("column.0", "")]);
    assert_eq!(left_out.mapping(), BTreeMap::from([("clicks".into(), String::new())]));
    let one_of_two = form(&[
        ("found.0", "conversions"),
        ("column.0", ""),
        ("found.1", "conversions"),
        ("column.1", "conversions"),
    ]);
    assert!(one_of_two.mapping().is_empty());
}

#[test]
fn what_was_mapped_before_holds_until_it_is_changed() {
    let kept = [("kept.clicks", "#2"), ("found.1", "clicks")];
    let same = form(&[kept[0], kept[1], ("column.1", "clicks")]);
    assert_eq!(same.mapping(), BTreeMap::from([("clicks".into(), "#2".into())]));
    let changed = form(&[kept[0], kept[1], ("column.1", ""), ("column.4", "clicks")]);
    assert_eq!(changed.mapping(), BTreeMap::from([("clicks".into(), "#5".into())]));
    let other_sheet = form(&[kept[0], ("sheet_was", "Data"), ("sheet", "Notes"), ("column.4", "clicks")]);
    assert!(other_sheet.mapping().is_empty(), "another sheet has other columns");
}

#[test]
fn a_form_that_went_through_an_address_says_the_same() {
    let fields = [
        ("name", "Spring & more"),
        ("platform", "trade_desk"),
        ("goal", "action"),
        ("ctr_sensitivity", "on"),
        ("recipe", "ours"),
        ("sheet", "Data 2"),
        ("found.0", "clicks"),
        ("column.0", ""),
        ("kept.cost", "#4"),
        ("scale.ctr", "percent"),
        ("where.0.column", "Campaign"),
        ("where.0.value", "Spring = 50 % & more*"),
        ("where.3.column", "#7"),
        ("where.3.value", "EUR"),
        ("where.4.column", "Country"),
        ("where.4.value", ""),
        ("no_header", "on"),
    ];
    let before = form(&fields);
    let query = before.query();
    let fields: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    assert!(ReviewForm::is_in(&fields));
    let after = ReviewForm::of(fields);
    assert_eq!(format!("{:?}", after.read_as()), format!("{:?}", before.read_as()));
    assert_eq!((after.name.clone(), after.query()), (before.name.clone(), query));
}

#[test]
fn a_rate_is_read_by_the_scale_that_was_chosen_and_by_what_it_looks_like_where_none_was() {
    let chosen = form(&[("scale.ctr", "percent"), ("scale.viewability", ""), ("scale.x", "tenth")]);
    assert_eq!(chosen.reading().scales, BTreeMap::from([("ctr".to_owned(), Scale::Percent)]));
}

#[test]
fn filters_of_rows_hold_once_they_are_whole_and_one_a_column() {
    let said = [
        ("where.0.column", "Campaign"),
        ("where.0.value", "Spring*"),
        ("where.1.column", "Currency"),
        ("where.1.value", "USD"),
        ("where.2.column", ""),
        ("where.2.value", ""),
    ];
    let whole = form(&said);
    assert!(!whole.has_open_filter(), "an empty pair says nothing");
    let both = [("Campaign", "Spring*"), ("Currency", "USD")];
    let words = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    };
    assert_eq!(whole.reading().filters, words(&both));
    let euros = form(&[&said[..], &[("only", "Currency=EUR")]].concat());
    assert_eq!(euros.reading().filters, words(&[both[0], ("Currency", "EUR")]));
    let open = form(&[said[0], ("where.0.value", " ")]);
    assert!(open.has_open_filter() && open.reading().filters.is_empty());
    assert_eq!(open.filters.len(), 1, "it is shown as it was left");
}

#[test]
fn without_a_header_row_nothing_stays_that_went_by_headers() {
    let said = [
        ("kept.clicks", "Taps"),
        ("found.0", "domain"),
        ("column.0", ""),
        ("where.0.column", "Country"),
        ("where.0.value", "DE"),
        ("no_header", "on"),
    ];
    let same = form(&[&said[..], &[("no_header_was", "on")]].concat());
    assert_eq!((same.mapping().len(), same.filters.len()), (2, 1));
    let begun = form(&[&said[..], &[("no_header_was", "")]].concat());
    assert!(begun.mapping().is_empty() && begun.filters.is_empty() && begun.reading().no_header);
    let ended = form(&[&said[..5], &[("no_header_was", "on")]].concat());
    assert!(ended.mapping().is_empty() && ended.filters.is_empty() && !ended.reading().no_header);
}

#[test]
fn a_recipe_and_the_settings_come_together() {
    let recipe = serde_json::json!({
        "version": 1, "name": "pulsepoint-display-action", "platform": "pulsepoint", "channel": "display",
        "goal": "action", "ctr_sensitive": true, "dimension": "domain", "min_impressions": 250,
        "min_impression_share": 0.0, "metrics": [{"metric": "ctr", "weight": 1.0, "better": "higher"}],
    });
    let recipe = serde_json::from_value(recipe).unwrap();
    let recipes = [KnownRecipe { id: String::new(), shipped: true, recipe }];
    let settled = |fields: &[(&str, &str)], is_scored| {
        let mut form = form(fields);
        form.settle_recipe(&recipes, is_scored);
        (form.recipe, form.platform, form.channel, form.goal)
    };
    let word = |words: [&str; 4]| words.map(str::to_owned).into();
    let chosen = ("recipe", "pulsepoint-display-action");
    let was = [("platform", "trade_desk"), ("channel", "display"), ("goal", "awareness")];
    assert_eq!(
        settled(&[chosen, was[0], was[1], was[2]], false),
        word(["pulsepoint-display-action", "pulsepoint", "display", "action"]),
        "what was chosen last says what it is for"
    );
    assert_eq!(
        settled(&[chosen, ("recipe_was", chosen.1), was[0], was[1], was[2]], false),
        word(["", "trade_desk", "display", "awareness"]),
        "settings that were changed since leave it"
    );
    assert_eq!(
        settled(&[chosen, was[0], was[1], was[2]], true),
        word([chosen.1, "trade_desk", "display", "awareness"]),
        "the settings of a campaign with results stay"
    );
    assert_eq!(settled(&[("recipe", "gone"), was[0]], false).0, "", "one that is not there any more");
}

#[test]
fn a_campaign_is_called_as_its_file_is() {
    assert_eq!(ReviewForm::for_file("trade_desk-october.2026.csv.gz").name, "Trade desk october");
    assert_eq!(ReviewForm::for_file("").name, "");
}

#[test]
fn a_channel_without_its_platform_is_not_held_to() {
    let open = form(&[("platform", ""), ("channel", "ctv"), ("goal", "action")]);
    let read_as = open.read_as();
    assert_eq!((read_as.platform, read_as.channel, read_as.goal), (None, None, Some(Goal::Action)));
}
