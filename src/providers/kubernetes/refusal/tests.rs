use serde_json::{Value, json};

use super::*;

fn read(code: u16, mut status: Value) -> ApiError {
    status["kind"] = json!("Status");
    judged(Answer::made_up(code, &status.to_string())).err().unwrap()
}

fn refused(code: u16, status: Value) -> Refusal {
    match read(code, status) {
        ApiError::Refused(refusal) => refusal,
        ApiError::Call(error) => panic!("{error:?}"),
    }
}

#[test]
fn a_conflict_names_the_manager_and_the_field() {
    let field = ".spec.template.spec.containers[name=\"d\"].image";
    let message = "conflict with \"kubectl-set\" using apps/v1";
    let cause = json!({ "reason": "FieldManagerConflict", "message": message, "field": field });
    let owned = vec![Owned { manager: "kubectl-set".into(), field: field.into() }];
    let status = json!({ "reason": "Conflict", "details": { "causes": [cause] } });
    assert_eq!(refused(409, status), Refusal::Conflicts(owned));
    let stale = json!({ "reason": "Conflict", "message": "the object has been modified" });
    assert_eq!(refused(409, stale), Refusal::Stale);
    let uid = "Precondition failed: UID in the precondition: a, UID in object meta: b";
    assert_eq!(refused(409, json!({ "reason": "Conflict", "message": uid })), Refusal::OtherUid);
}

#[test]
fn missing_rights_are_told_as_rights_and_a_403_may_give_no_reason() {
    let message = "clusterroles \"x\" is forbidden: user \"u\" (groups=[]) is attempting to grant RBAC permissions \
                   not currently held:\n{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\" \"list\"]}\n\
                   {NonResourceURLs:[\"/metrics\"], Verbs:[\"get\"]}";
    let rights = vec!["get, list on nodes".to_owned(), "get on /metrics".to_owned()];
    assert_eq!(refused(403, json!({ "reason": "Forbidden", "message": message })), Refusal::Escalation { rights });
    assert_eq!(refused(403, json!({ "reason": "", "message": "" })), Refusal::Forbidden);
    assert_eq!(refused(403, json!({})), Refusal::Forbidden);
    let causes = json!([{ "reason": "NamespaceTerminating", "field": "metadata.namespace" }]);
    assert_eq!(refused(403, json!({ "details": { "causes": causes } })), Refusal::Terminating);
}

#[test]
fn a_field_that_cannot_change_is_told_from_a_wrong_one() {
    let cause =
        |field: &str, message: &str| json!({ "reason": "FieldValueInvalid", "field": field, "message": message });
    let fixed = cause("spec.selector", "Invalid value: {…}: field is immutable");
    let wrong = cause("spec.template.spec.containers[0].image", "Invalid value: \"hunter2\"");
    let status = |causes: Vec<Value>| json!({ "reason": "Invalid", "details": { "causes": causes } });
    assert_eq!(
        refused(422, status(vec![fixed, wrong.clone()])),
        Refusal::Immutable { fields: vec!["spec.selector".into()] }
    );
    let fields = vec!["spec.template.spec.containers[0].image".to_owned()];
    assert_eq!(refused(422, status(vec![wrong])), Refusal::Invalid { fields });
    let role = cause("roleRef", "Invalid value: rbac.RoleRef{}: cannot change roleRef");
    assert!(matches!(refused(422, status(vec![role])), Refusal::Immutable { .. }));
}

#[test]
fn what_is_not_there_is_told_apart_from_its_namespace() {
    let of = |kind: &str| json!({ "reason": "NotFound", "details": { "kind": kind, "name": "x" } });
    assert_eq!(refused(404, of("namespaces")), Refusal::NoNamespace);
    assert_eq!(refused(404, of("daemonsets")), Refusal::Missing);
    let page = judged(Answer::made_up(404, "<html>")).err();
    assert_eq!(page, Some(ApiError::Call(ProviderError::NotFound)), "another server");
}

#[test]
fn policies_and_webhooks_are_named_and_nothing_else_is_repeated() {
    let denied = "admission webhook \"policy.example\" denied the request: token hunter2";
    assert_eq!(refused(400, json!({ "message": denied })), Refusal::Admission { by: Some("policy.example".into()) });
    let away = read(500, json!({ "message": "Internal error occurred: failed calling webhook \"a.example\": x" }));
    assert!(away.may_pass() && !format!("{away:?}").contains("occurred"));
    let schema = "failed to create typed patch object: .spec.selectr: field not declared in schema";
    assert_eq!(refused(500, json!({ "message": schema })), Refusal::UnknownField);
    assert!(read(500, json!({ "message": "etcdserver: request timed out" })).may_pass());
}
