//! The help page about secrets in containers: which way suits which platform, with the manifests to copy.

use super::paths;
use super::topic::{Block, Section, Topic};

const IMAGE: &str = r#"COPY strongroom-client /usr/local/bin/
ENTRYPOINT ["strongroom-client", "exec", "db", "--"]
CMD ["my-program"]"#;

const DOCKER: &str = "docker run --tmpfs /run/secrets \\
  -e STRONGROOM_URL=https://strongroom.example.com \\
  -v /etc/strongroom/token:/run/token:ro -e STRONGROOM_TOKEN_FILE=/run/token \\
  my-image";

const POD: &str = r#"apiVersion: v1
kind: ServiceAccount
metadata: {name: shop, namespace: shop}
automountServiceAccountToken: false
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      serviceAccountName: shop
      containers:
      - name: shop
        image: registry.example.com/shop:1.0   # its entry point is strongroom-client
        env:
        - {name: STRONGROOM_URL, value: "https://strongroom.example.com"}
        - {name: STRONGROOM_CLIENT, value: shop}
        - {name: STRONGROOM_IDENTITY, value: kubernetes}
        volumeMounts:
        - {name: identity, mountPath: /var/run/secrets/strongroom, readOnly: true}
        - {name: secrets, mountPath: /run/secrets}
      volumes:
      - name: identity
        projected:
          sources:
          - serviceAccountToken: {audience: strongroom, expirationSeconds: 3600, path: token}
      - name: secrets
        emptyDir: {medium: Memory}"#;

const REVIEWER: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: strongroom-token-review}
rules:
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]";

const EXTERNAL: &str = r#"apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: strongroom, namespace: shop}
spec:
  provider:
    vault:
      server: https://strongroom.example.com
      path: secret
      version: v2
      auth: {tokenSecretRef: {name: strongroom-token, key: token}}"#;

const SYSTEMD: &str = "[Service]
DynamicUser=yes
LoadCredential=token:/etc/strongroom/token
Environment=STRONGROOM_URL=https://strongroom.example.com STRONGROOM_TOKEN_FILE=%d/token
ExecStart=/usr/local/bin/strongroom-client exec db -- /usr/bin/my-program";

/// How an entry or a stored value reaches a container at run time.
pub fn page() -> Topic {
    let ways = [
        (
            "Docker, Compose, Nomad",
            "strongroom-client is the entry point of the image. It needs no access to a container socket.",
        ),
        (
            "Kubernetes",
            "The same, and the pod logs in with its service account: no token is stored, and no Secret is in the cluster.",
        ),
        (
            "Kubernetes, images that can't be changed",
            "A Secret Sync writes Kubernetes Secrets, and restarts the workloads that use them.",
        ),
        (
            "Kubernetes with External Secrets",
            "The operator in the cluster reads by Vault's API and keeps the Secret. No kubeconfig is stored here.",
        ),
        ("A server without containers", "strongroom-client in the unit of systemd."),
        (
            "GitHub Actions, GitLab CI",
            "The job logs in with its own identity token: strongroom-client exec, or secrets:vault of GitLab.",
        ),
    ];
    let delivery = [
        "A rule says how a program gets its value: as variables or as files, with names of your choice.",
        "Files are in a folder in memory (/run/secrets unless you choose another), readable by their owner alone (0400), \
         and gone when the program ends.",
        "Variables can be read by everything that runs as the same user. Prefer files.",
        "While the program runs, the value is read again as often as the rule says, and at once by Refresh on the \
         client's page. A change restarts the program or sends it a signal.",
        "While the store or this console is away, a running program keeps what it has. One that starts waits or \
         fails, as the rule says.",
        "Values of a secret store pass through memory. They are kept there for the seconds that the rule allows.",
    ];
    Topic::concept(
        paths::CONTAINERS,
        "Secrets in containers",
        "How values reach programs at run time, without being stored in an image, in a manifest or on disk.",
        vec![
            Section::new("ways", "Which way suits which platform", vec![Block::terms(ways)]),
            Section::new("delivery", "What the program gets", vec![Block::points(&delivery)]),
            Section::new("image", "An image", vec![code("Dockerfile", IMAGE), code("Start it", DOCKER)]),
            Section::new(
                "kubernetes",
                "Kubernetes",
                vec![
                    code("Deployment that logs in by its service account", POD),
                    code("Right that the kubeconfig needs to verify it", REVIEWER),
                ],
            ),
            Section::new("external", "External Secrets", vec![code("SecretStore", EXTERNAL)]),
            Section::new("systemd", "systemd", vec![code("Unit", SYSTEMD)]),
            Section::new(
                "see",
                "See also",
                vec![Block::links(&[(paths::CLIENTS, "Clients"), (paths::SYNCS, "Secret syncs")])],
            ),
        ],
    )
}

fn code(caption: &str, text: &str) -> Block {
    Block::Code(caption.to_owned(), text.to_owned())
}
