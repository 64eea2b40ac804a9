use super::*;

static FIELDS: &[Field] = &[
    Field::choice("method", "Subtype", &[("key", "Key"), ("none", "None")]),
    Field::text("server", "Server URL").max(20).identity(),
    Field::secret("token", "Access token").when("method", &["key"]).max(10),
    Field::secret_document("document", "Private key").when("method", &["key"]).optional(),
    Field::number("cap", "Cap", 0, 100).default("5").optional(),
    Field::checkbox("active", "Active"),
];

fn values(pairs: &[(&str, &str)]) -> Values {
    Values::from_iter(pairs.iter().copied())
}

fn stored() -> Values {
    values(&[("method", "key"), ("server", "one"), ("token", "t"), ("document", "d")])
}

#[test]
fn what_is_valid_comes_back_trimmed_and_without_blanks() {
    let posted = values(&[("method", "key"), ("server", " one "), ("token", " t "), ("cap", "007"), ("active", "on")]);
    let checked = check(FIELDS, &posted, None).expect("valid");
    let expected = [("method", "key"), ("server", "one"), ("token", " t "), ("cap", "7"), ("active", "on")];
    assert!(checked == values(&expected));
}

#[test]
fn a_missing_required_field_is_named_as_people_read_it() {
    let errors = check(FIELDS, &Values::default(), None).expect_err("missing");
    assert_eq!(errors.of("server"), Some("Enter the server URL."));
    assert_eq!(errors.of("token"), Some("Enter the access token."));
    assert_eq!(errors.of("document"), None);
}

#[test]
fn a_field_of_another_method_is_left_out_whatever_was_posted() {
    let posted = values(&[("method", "none"), ("server", "one"), ("token", "t"), ("unknown", "x")]);
    let checked = check(FIELDS, &posted, None).expect("valid");
    assert!(checked == values(&[("method", "none"), ("server", "one")]));
}

#[test]
fn wrong_choices_numbers_ticks_lengths_and_control_characters_are_refused() {
    for (name, value) in [
        ("method", "other"),
        ("method", "\u{feff}"),
        ("method", " key"),
        ("server", "123456789012345678901"),
        ("server", "a\nb"),
        ("server", "a\0b"),
        ("token", "a\nb"),
        ("document", "a\0b"),
        ("cap", "101"),
        ("cap", "-1"),
        ("cap", "99999999999999999999"),
        ("active", "yes"),
    ] {
        let mut posted = stored();
        posted.set("method", "key");
        posted.set(name, value);
        let errors = check(FIELDS, &posted, None).expect_err(name);
        assert!(errors.of(name).is_some(), "{name}");
    }
}

#[test]
fn lengths_are_counted_in_characters() {
    let posted = values(&[("method", "none"), ("server", "éééééééééééééééééééé")]);
    assert!(check(FIELDS, &posted, None).is_ok());
}

#[test]
fn a_secret_left_blank_keeps_its_stored_value() {
    let checked = check(FIELDS, &values(&[("method", "key"), ("server", "one")]), Some(&stored())).expect("kept");
    assert!(checked == stored());
}

#[test]
fn a_new_secret_takes_the_place_of_the_stored_one() {
    let posted = values(&[("method", "key"), ("server", "one"), ("token", "new")]);
    let checked = check(FIELDS, &posted, Some(&stored())).expect("valid");
    assert_eq!((checked.get("token"), checked.get("document")), ("new", "d"));
}

#[test]
fn a_changed_identity_asks_for_every_kept_secret_again() {
    let errors =
        check(FIELDS, &values(&[("method", "key"), ("server", "two")]), Some(&stored())).expect_err("asked again");
    let message = "The server URL has changed: enter the access token that belongs to it.";
    assert_eq!(errors.of("token"), Some(message));
    assert!(errors.of("document").is_some());
}

#[test]
fn spaces_in_place_of_a_document_do_not_carry_the_stored_one_to_a_new_address() {
    let posted = values(&[("method", "key"), ("server", "two"), ("token", "new"), ("document", " \n")]);
    let errors = check(FIELDS, &posted, Some(&stored())).expect_err("asked again");
    assert!(errors.of("document").is_some() && errors.of("token").is_none());
}

#[test]
fn a_view_never_holds_a_secret() {
    let posted = values(&[("method", "key"), ("server", "two"), ("token", "CANARY"), ("document", "CANARY")]);
    let shown = view(FIELDS, Some(&posted), Some(&stored()), &Errors::default(), &|_| Vec::new());
    assert!(!format!("{shown:?}").contains("CANARY"));
    assert!(shown.iter().filter(|field| field.control.is_secret()).all(|field| field.stored));
}

#[test]
fn a_view_shows_the_fields_of_the_chosen_method_with_what_was_posted() {
    let posted = values(&[("method", "none"), ("server", "two")]);
    let shown = view(FIELDS, Some(&posted), None, &Errors::one("server", "Wrong."), &|_| Vec::new());
    let names: Vec<&str> = shown.iter().map(|field| field.name).collect();
    assert_eq!(names, ["method", "server", "cap", "active"]);
    assert!(
        shown[0].switches
            && shown[0].options == [("key".into(), "Key".into(), false), ("none".into(), "None".into(), true)]
    );
    assert_eq!((shown[1].value.as_str(), shown[1].error.as_deref()), ("two", Some("Wrong.")));
}

#[test]
fn a_new_form_starts_with_the_defaults() {
    let shown = view(FIELDS, None, None, &Errors::default(), &|_| Vec::new());
    let cap = shown.iter().find(|field| field.name == "cap").expect("the cap");
    assert_eq!(cap.value, "5");
    assert!(shown.iter().any(|field| field.name == "token"));
}

#[test]
fn debug_output_of_values_has_names_only() {
    assert_eq!(format!("{:?}", values(&[("token", "CANARY")])), "{\"token\"}");
}

#[test]
fn values_come_back_from_their_canonical_json_without_blanks() {
    let before = values(&[("b", "2"), ("a", "\"é\n"), ("c", "")]);
    assert_eq!(&*before.to_json(), "{\"a\":\"\\\"é\\n\",\"b\":\"2\"}".as_bytes());
    let after = Values::from_json(&before.to_json()).expect("values");
    assert_eq!((after.get("a"), after.get("b"), after.contains("c")), ("\"é\n", "2", false));
    assert!(Values::from_json(b"[1]").is_none() && Values::from_json(b"{\"a\":1}").is_none());
}

#[test]
fn labels_fit_into_sentences() {
    for (label, inside) in [("Access key ID", "access key ID"), ("API key", "API key"), ("URL", "URL"), ("", "")] {
        assert_eq!(in_sentence(label), inside);
    }
}
