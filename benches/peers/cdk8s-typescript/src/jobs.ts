// The pod that every Job of the factory is.
import { Inputs } from "./inputs.js";

const CHECKOUT = "/workspace/repo";
const IMAGE = "ghcr.io/craigedmunds/image-factory:0.1.0";

const secretEnv = (name: string, secret: string, key: string, optional?: boolean) => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key, ...(optional && { optional }) } },
});

const container = {
  image: IMAGE,
  resources: {
    limits: { cpu: "1", memory: "512Mi" },
    requests: { cpu: "100m", memory: "128Mi" },
  },
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    readOnlyRootFilesystem: true,
  },
};

const mounts = [
  { name: "workspace", mountPath: "/workspace" },
  { name: "tmp", mountPath: "/tmp" },
];

export class Runner {
  private readonly git: { repo: string; branch: string };
  private readonly tokens: object[] = [];

  constructor(inputs: Inputs) {
    this.git = inputs.git;
    const providers = new Set(inputs.images.filter((i) => i.source?.repo).map((i) => i.source?.provider ?? "github"));
    if (providers.has("github")) this.tokens.push(secretEnv("GITHUB_TOKEN", "image-factory-github", "token", true));
    if (providers.has("gitlab")) this.tokens.push(secretEnv("GITLAB_TOKEN", "image-factory-gitlab", "token", true));
  }

  job(args: string[]): object {
    return {
      activeDeadlineSeconds: 1800,
      backoffLimit: 1,
      template: {
        spec: {
          automountServiceAccountToken: false,
          containers: [
            {
              ...container,
              name: "image-factory",
              command: ["image-factory"],
              args,
              env: [
                ...this.gitEnvironment(),
                { name: "DOCKER_CONFIG", value: "/var/run/secrets/image-factory/registry" },
                ...this.tokens,
              ],
              volumeMounts: [
                ...mounts,
                { name: "registry", mountPath: "/var/run/secrets/image-factory/registry", readOnly: true },
              ],
              workingDir: CHECKOUT,
            },
          ],
          initContainers: [
            {
              ...container,
              name: "clone",
              command: ["git"],
              args: [
                "clone", "--depth=1", "--no-tags", "--single-branch", "--branch",
                this.git.branch, "--", this.git.repo, CHECKOUT,
              ],
              env: this.gitEnvironment(),
              volumeMounts: mounts,
            },
          ],
          restartPolicy: "Never",
          securityContext: {
            fsGroup: 1000,
            runAsGroup: 1000,
            runAsNonRoot: true,
            runAsUser: 1000,
            seccompProfile: { type: "RuntimeDefault" },
          },
          serviceAccountName: "image-factory",
          volumes: [
            { name: "workspace", emptyDir: { sizeLimit: "2Gi" } },
            { name: "tmp", emptyDir: { sizeLimit: "256Mi" } },
            {
              name: "registry",
              secret: {
                secretName: "image-factory-registry",
                items: [{ key: ".dockerconfigjson", path: "config.json" }],
                optional: true,
              },
            },
          ],
        },
      },
    };
  }

  private gitEnvironment(): object[] {
    const { origin } = new URL(this.git.repo);
    return [
      { name: "HOME", value: "/workspace" },
      { name: "GIT_TERMINAL_PROMPT", value: "0" },
      { name: "GIT_CONFIG_COUNT", value: "1" },
      { name: "GIT_CONFIG_KEY_0", value: `credential.${origin}.helper` },
      {
        name: "GIT_CONFIG_VALUE_0",
        value: `!f() { printf 'username=%s\\npassword=%s\\n' "$GIT_USERNAME" "$GIT_PASSWORD"; }; f`,
      },
      secretEnv("GIT_USERNAME", "image-factory-git", "username"),
      secretEnv("GIT_PASSWORD", "image-factory-git", "password"),
    ];
  }
}
