//! What nobody should type into a field: texts that are too long, hide something, or are meant for another parser. They
//! are the seeds of the fuzz targets too.

/// Addresses and headers that lead elsewhere; the same are sent as X-Forwarded-For.
pub const ADDRESSES: [&str; 9] = [
    "::ffff:127.0.0.1",
    "1.2.3.4, 5.6.7.8, 9",
    ",,,,",
    "[::1]:8080",
    "127.0.0.1:99999",
    "fe80::1%eth0",
    "for=192.0.2.60;proto=http;by=203.0.113.43",
    "registry.example.com:5000/v2",
    "https://[::ffff:169.254.169.254]/",
];

const PATTERNS: [&str; 4] = ["*,*,*", "a*b*c*d*e*f*g*h*i*j*k*", ",", "team/*\n!team/**"];

/// Percent-encoded bytes of hostile values.
pub fn hostile() -> Vec<String> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let mut values: Vec<String> = vec![
        "%00".into(),
        "a%00b".into(),
        "%ff%fe".into(),
        "%c3%28".into(),
        "%".into(),
        "%zz".into(),
        "%E2%80%AEprod".into(),
    ];
    let texts = [
        "",
        " ",
        "\t\r\n",
        "-1",
        "0",
        "99999999999999999999",
        "1e309",
        "NaN",
        "null",
        "true",
        "[]",
        "{}",
        "x\r\nBcc: e@e",
        "' OR 1=1 --",
        "'; DROP TABLE credentials; --",
        "\"><img src=x onerror=alert(1)>",
        "{{7*7}}",
        "${7*7}",
        "{% raw %}",
        "../../etc/passwd",
        "/proc/self/environ",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://169.254.169.254/",
        "https://127.0.0.1:1/",
        "https://user:password@host/",
        "\u{202e}gnp.exe",
        "a\u{200b}b",
        "\u{feff}x",
        "\u{0}",
        "\u{1b}[31m",
        "AKIA",
        "ASIAIOSFODNN7EXAMPLE",
        "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "{\"type\":\"service_account\"}",
        "{\"type\":\"external_account\",\"type\":\"service_account\"}",
        "{\"a\":1,\"a\":2}",
        "apiVersion: v1\nkind: Config\ncurrent-context: a\n",
        "a: &a [x]\nb: *a\n",
        "!!python/object:os.system x",
        "? ? ? ? :",
        "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\nd: [*c,*c,*c]\n",
        "users:\n- name: x\n  user:\n    exec:\n      command: touch\n      args: [/tmp/pwn]\n",
    ];
    values.extend(ADDRESSES.iter().chain(&PATTERNS).map(|text| encoded(text)));
    values.extend(texts.iter().map(|text| encoded(text)));
    values.extend([
        encoded(&"[".repeat(60_000)),
        encoded(&"{\"a\":".repeat(10_000)),
        "x".repeat(70_000),
        "y".repeat(300_000),
    ]);
    values
}
