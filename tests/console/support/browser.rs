//! A person at a real browser: Chromium, driven by its own driver. Fields and buttons are found by the names that
//! people and screen readers know them by.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};

use super::peers::free_port;

/// Longest that a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(20);

/// The driver lives as long as this process: it ends when the pipe to its shell closes.
struct Driver {
    url: String,
    _shell: Child,
}

fn driver() -> &'static Driver {
    static DRIVER: OnceLock<Driver> = OnceLock::new();
    DRIVER.get_or_init(|| {
        let port = free_port();
        let mut shell = Command::new("sh")
            .args([
                "-c",
                "chromedriver --port=$1 --log-level=OFF >/dev/null 2>&1 & read _; pkill -P $! ; kill $!",
                "sh",
            ])
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        shell.stdin.as_mut().expect("a pipe").flush().expect("a pipe");
        let started = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < PATIENCE, "chromedriver does not start: run script/test, which installs it");
            std::thread::sleep(Duration::from_millis(20));
        }
        Driver { url: format!("http://127.0.0.1:{port}"), _shell: shell }
    })
}

/// How the browser is set up.
#[derive(Clone, Copy)]
pub struct Look {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
    pub script: bool,
}

pub const WIDE: Look = Look { width: 1280, height: 900, dark: false, script: true };
pub const NARROW: Look = Look { width: 360, height: 780, dark: false, script: true };

pub struct Browser {
    client: Client,
    url: String,
    look: Look,
}

impl Browser {
    pub async fn open(url: &str, look: Look) -> Self {
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--no-first-run".to_owned(),
            "--hide-scrollbars".to_owned(),
            // Names that no browser takes for this machine itself, and that lead here all the same.
            "--host-resolver-rules=MAP *.test 127.0.0.1".to_owned(),
            format!("--window-size={},{}", look.width, look.height),
        ];
        if look.dark {
            arguments.push("--force-dark-mode".to_owned());
        }
        let script = if look.script { 1 } else { 2 };
        let capabilities = json!({
            "goog:chromeOptions": {
                "args": arguments,
                "prefs": {"profile.managed_default_content_settings.javascript": script},
            },
            "goog:loggingPrefs": {"browser": "ALL"},
            // Certificates of tests are their own issuers.
            "acceptInsecureCerts": true,
        });
        let capabilities = capabilities.as_object().expect("an object").clone();
        let mut builder = ClientBuilder::rustls().expect("a client");
        let client = builder.capabilities(capabilities).connect(&driver().url).await.expect("Chromium starts");
        let browser = Self { client, url: url.to_owned(), look };
        browser.resize(u64::from(look.height)).await;
        let scheme = if look.dark { "dark" } else { "light" };
        browser
            .devtools(
                "Emulation.setEmulatedMedia",
                json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
            )
            .await;
        browser
    }

    async fn devtools(&self, command: &str, parameters: Value) {
        let sent = self.client.issue_cmd(Post("goog/cdp/execute", json!({"cmd": command, "params": parameters}))).await;
        sent.unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    pub async fn goto(&self, path: &str) {
        let to = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
        self.client.goto(&to).await.expect("the page opens");
        // On a loaded machine the driver answers at times before styles and scripts are there.
        for _ in 0..500 {
            if self.script("return document.readyState", Vec::new()).await == "complete" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{path} was not loaded after ten seconds");
    }

    /// The path and query of the page.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.expect("an address");
        url.as_str().strip_prefix(&self.url).unwrap_or(url.as_str()).to_owned()
    }

    /// Takes a session over from a visitor of the tests.
    pub async fn take(&self, cookie: Option<&str>) {
        self.goto("/static/favicon.svg").await;
        let (name, value) = cookie.and_then(|cookie| cookie.split_once('=')).expect("a session");
        let cookie = json!({"name": name, "value": value, "url": self.url, "httpOnly": true, "sameSite": "Lax"});
        self.devtools("Network.setCookie", cookie).await;
    }

    /// Types into the field with this label, in place of what is there.
    pub async fn fill(&self, label: &str, text: &str) {
        let field = self.wait(&labelled(label)).await;
        field.clear().await.expect("an editable field");
        field.send_keys(text).await.expect("a field to type into");
    }

    /// Chooses an option, by its text or the name before a dash, of the list with this label; or the radio button of that
    /// name.
    pub async fn choose(&self, label: &str, option: &str) {
        let path = format!(
            "//select[@id=//label[{0}]/@for]/option[normalize-space()={1} or starts-with(., concat({1}, ' — '))] \
             | //fieldset[legend[{0}]]//label[normalize-space()={1}]",
            says(label),
            quoted(option)
        );
        self.wait(&path).await.click().await.expect("an option");
    }

    /// Presses the button or follows the link of that name.
    pub async fn press(&self, name: &str) {
        let name = quoted(name);
        // A card that is one link begins with its title.
        let starting = format!("starts-with(normalize-space(), concat({name}, ' '))");
        let path = format!(
            "//main//*[self::button or self::a][normalize-space()={name}] | //main//*[self::button or self::a][{starting} \
             and not(//main//*[self::button or self::a][normalize-space()={name}])]"
        );
        self.wait(&path).await.click().await.unwrap_or_else(|error| panic!("pressing {name}: {error}"));
    }

    /// Presses Enter in the field with this label.
    pub async fn enter(&self, label: &str) {
        self.wait(&labelled(label)).await.send_keys("\u{e007}").await.expect("a field to type into");
    }

    /// Opens the part of a page that is folded away under this name.
    pub async fn unfold(&self, name: &str) {
        self.wait(&format!("//main//summary[normalize-space()={}]", quoted(name))).await.click().await.expect("a fold");
    }

    /// Waits until a text is in sight.
    pub async fn sees(&self, text: &str) {
        self.wait(&format!("//body//*[contains(normalize-space(), {})][not(self::script)]", quoted(text))).await;
    }

    /// What a script of the test says, which may do what the page's own may not.
    pub async fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(script, arguments).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Opens the page again and again until a text is in sight, as a person without the script does.
    pub async fn reloads_until(&self, path: &str, text: &str) {
        let started = Instant::now();
        while !self.source().await.contains(text) {
            assert!(started.elapsed() < PATIENCE, "{text} is not on {path}");
            self.goto(path).await;
        }
    }

    pub async fn source(&self) -> String {
        self.client.source().await.expect("a page")
    }

    async fn wait(&self, xpath: &str) -> fantoccini::elements::Element {
        match self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(xpath)).await {
            Ok(element) => element,
            Err(_) => {
                let text = self.client.find(Locator::Css("body")).await.ok();
                let text = match text {
                    Some(body) => body.text().await.unwrap_or_default(),
                    None => String::new(),
                };
                panic!("{xpath} is not on {}:\n{text}", self.path().await)
            }
        }
    }

    /// A picture of the whole page, kept under the name for whoever wants to look.
    pub async fn picture(&self, name: &str) {
        let directory = pictures();
        std::fs::create_dir_all(&directory).expect("a directory");
        let height = self.client.execute("return document.documentElement.scrollHeight", vec![]).await;
        let height = height.expect("a height").as_u64().unwrap_or(900);
        self.resize(height.clamp(300, 4_000)).await;
        let png = self.client.screenshot().await.expect("a picture");
        std::fs::write(directory.join(format!("{name}.png")), png).expect("a file");
        self.resize(u64::from(self.look.height)).await;
    }

    /// The window has a least width; the page's own size is set by the device.
    async fn resize(&self, height: u64) {
        let metrics = json!({"width": self.look.width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// What axe-core finds on the page: rule, element, remedy. WCAG 2.2 A and AA and its best practices.
    pub async fn axe(&self) -> Vec<String> {
        static SOURCE: OnceLock<String> = OnceLock::new();
        let source = SOURCE.get_or_init(|| {
            let path = std::env::var("STRONGROOM_TEST_AXE")
                .expect("run script/test, which installs axe-core and names it here");
            std::fs::read_to_string(path).expect("axe-core")
        });
        self.client.execute(source, vec![]).await.expect("axe loads");
        let run = "const done = arguments[arguments.length - 1];
            axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
                .then(result => done(result.violations.map(v => v.id + ' at ' + v.nodes.map(n => n.target.join(' ') + ' ('
                    + n.failureSummary.replace(/\\s+/g, ' ') + ')').join(', '))), error => done([String(error)]));";
        let found = self.client.execute_async(run, vec![]).await.expect("axe runs");
        found.as_array().into_iter().flatten().map(|one| one.as_str().unwrap_or("").to_owned()).collect()
    }

    /// Pixels by which the page is wider than the window.
    pub async fn overflow(&self) -> i64 {
        let script = "return document.documentElement.scrollWidth - window.innerWidth";
        self.client.execute(script, vec![]).await.expect("a width").as_i64().unwrap_or(0)
    }

    /// Errors and warnings on the console since last asked: a violated policy is one.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(Post("se/log", json!({"type": "browser"}))).await.expect("the log");
        let entries = log.as_array().cloned().unwrap_or_default();
        let serious = entries.iter().filter(|entry| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")));
        // A page with status 422 is logged as a failed load; it is an answer.
        let messages = serious.map(|entry| entry["message"].as_str().unwrap_or("").to_owned());
        messages.filter(|message| !message.contains("the server responded with a status of 4")).collect()
    }

    pub async fn close(self) {
        self.client.close().await.expect("the browser closes");
    }
}

/// Where pictures go: STRONGROOM_TEST_PICTURES, else below the build folder.
pub fn pictures() -> PathBuf {
    let below_target = || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::env::var_os("STRONGROOM_TEST_PICTURES").map_or_else(below_target, PathBuf::from)
}

/// A label's own text, without the word *optional* beside it.
fn says(label: &str) -> String {
    let label = quoted(label);
    format!("normalize-space(text()[1])={label} or normalize-space()={label}")
}

fn labelled(label: &str) -> String {
    format!("//*[self::input or self::textarea or self::select][@id=//label[{}]/@for]", says(label))
}

fn quoted(text: &str) -> String {
    if text.contains('"') { format!("'{text}'") } else { format!("\"{text}\"") }
}

/// A command of the driver that WebDriver does not have.
#[derive(Debug)]
struct Post(&'static str, Value);

impl WebDriverCompatibleCommand for Post {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or(""), self.0))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.1.to_string()))
    }
}
