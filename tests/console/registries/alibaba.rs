//! Alibaba Cloud Container Registry: names that its form demands, since its v2 interface lists none.

use strongroom::form::{self, Values};
use strongroom::integrations::Spec;

#[test]
fn alibabas_form_takes_names_and_says_why_it_takes_no_pattern() {
    let spec = Spec::find("alibaba").unwrap();
    let checked = |names: &str| {
        let posted = Values::from_iter([("registry", "registry.cn-hangzhou.aliyuncs.com"), ("repository", names)]);
        form::check(spec.fields, &posted, None).and_then(|settings| {
            (spec.suits)(&settings, "basic", &Values::default())?;
            Ok(spec.host(&settings))
        })
    };
    assert_eq!(checked("team/app").unwrap().as_deref(), Some("registry.cn-hangzhou.aliyuncs.com"));
    let said = checked("team/*").unwrap_err();
    assert!(said.of("repository").unwrap().contains("lists no repositories to a user name and password"));
    assert!(checked("").is_err());
    assert_eq!(spec.credential_kinds(), ["basic"]);
}
