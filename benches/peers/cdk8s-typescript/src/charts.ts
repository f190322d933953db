// The charts: one file of the output each.
import { ApiObject, Chart } from "cdk8s";
import { Construct } from "constructs";
import { BaseState, Image, Inputs, Source } from "./inputs.js";
import { Runner } from "./jobs.js";

const KARGO = "kargo.akuity.io/v1alpha1";
const ROLLOUTS = "argoproj.io/v1alpha1";
const PROJECT = "image-factory-kargo";
const LABELS = { "app.kubernetes.io/managed-by": "image-factory" };
const AUTO_PROMOTE = "image-factory.io/auto-promote";
const IMAGE = "image-factory.io/image";
const WAVE = "argocd.argoproj.io/sync-wave";

type ManagedImage = Image & { source: Source };

const isManaged = (image: Image): image is ManagedImage => Boolean(image.source?.repo);
const repoURL = (image: Image) => `${image.registry}/${image.repository}`;
const quote = (expression: string) => `\${{ quote(${expression}) }}`;
const noted = (key: string) => quote(`stageMetadata(ctx.stage)?.${key} ?? ''`);
const imageFrom = (url: string, field: string) => quote(`imageFrom("${url}")?.${field} ?? ''`);

// As Go writes a duration, which is what the API server stores.
function duration(text: string): string {
  const minutes = Number(text.slice(0, -1)) * { d: 1440, h: 60, m: 1 }[text.slice(-1) as "d" | "h" | "m"];
  const hours = Math.floor(minutes / 60);
  return hours > 0 ? `${hours}h${minutes % 60}m0s` : `${minutes}m0s`;
}

// The tag that a pattern like ^3\.12-slim$ stands for, if it stands for one.
function literalTag(pattern: string): string | undefined {
  return /^\^((?:[A-Za-z0-9_-]|\\[.])+)\$$/.exec(pattern)?.[1]?.replaceAll("\\.", ".");
}

// The folder of the app that a Dockerfile belongs to.
function includePaths(dockerfile: string): string[] {
  const [first, second, ...rest] = dockerfile.split("/");
  if (second === undefined) return ["glob:**"];
  return [first === "apps" && rest.length > 0 ? `apps/${second}/` : `${first}/`];
}

function byTag(url: string, tag: string) {
  return {
    repoURL: url,
    imageSelectionStrategy: "Digest",
    constraint: tag,
    strictSemvers: false,
    discoveryLimit: 10,
  };
}

function watched(image: Image) {
  const tag = image.allowTags && literalTag(image.allowTags);
  if (tag) return byTag(repoURL(image), tag);
  return {
    repoURL: repoURL(image),
    imageSelectionStrategy: image.imageSelectionStrategy ?? "Lexical",
    ...(image.constraint && { constraint: image.constraint }),
    strictSemvers: false,
    ...(image.allowTags && { allowTagsRegexes: [image.allowTags] }),
    discoveryLimit: 10,
  };
}

interface Texts {
  [key: string]: string;
}

class KargoChart extends Chart {
  // No namespace here: Namespace and Project have none, and stand in one file with objects that have.
  constructor(scope: Construct, id: string) {
    super(scope, id, { labels: LABELS });
  }

  protected warehouse(name: string, interval: string, subscriptions: object[]) {
    new ApiObject(this, `warehouse-${name}`, {
      apiVersion: KARGO,
      kind: "Warehouse",
      metadata: { name, namespace: PROJECT },
      spec: { interval, freightCreationPolicy: "Automatic", subscriptions },
    });
  }

  protected stage(
    name: string,
    labels: Texts,
    requestedFreight: object[],
    verification?: { template: string; args: Texts },
  ) {
    new ApiObject(this, `stage-${name}`, {
      apiVersion: KARGO,
      kind: "Stage",
      metadata: { name, namespace: PROJECT, labels },
      spec: {
        requestedFreight,
        ...(verification && {
          promotionTemplate: { spec: { steps: [this.note()] } },
          verification: {
            analysisTemplates: [{ name: verification.template }],
            args: Object.entries(verification.args).map(([name, value]) => ({ name, value })),
          },
        }),
      },
    });
  }

  protected track(warehouse: string, url: string) {
    this.stage(
      `track-${warehouse}`,
      { [AUTO_PROMOTE]: "true" },
      [{ origin: { kind: "Warehouse", name: warehouse }, sources: { direct: true } }],
      {
        template: "record-update",
        args: {
          image: warehouse,
          tag: imageFrom(url, "Tag"),
          digest: imageFrom(url, "Digest"),
          freight: noted("freight"),
        },
      },
    );
  }

  // Notes on the Stage which Promotion brought which Freight.
  private note() {
    return {
      uses: "set-metadata",
      config: {
        updates: [
          {
            kind: "Stage",
            name: "${{ ctx.stage }}",
            values: {
              promotion: quote("ctx.promotion"),
              actor: quote("ctx.meta.promotion.actor"),
              freight: quote("ctx.targetFreight.name"),
              origin: quote("ctx.targetFreight.origin.name"),
            },
          },
        ],
      },
    };
  }
}

export class FactoryChart extends KargoChart {
  constructor(scope: Construct, inputs: Inputs) {
    super(scope, "image-factory");
    this.project();
    for (const base of inputs.bases.filter((base) => !base.managedImage)) {
      this.warehouse(base.name, "24h0m0s", [{ image: byTag(base.repoURL, base.tag) }]);
      this.track(base.name, base.repoURL);
    }
    for (const image of inputs.images.filter((image) => !isManaged(image))) {
      this.warehouse(image.name, "24h0m0s", [{ image: watched(image) }]);
      this.track(image.name, repoURL(image));
    }
    const bases = new Map(inputs.bases.map((base) => [base.name, base]));
    for (const image of inputs.images.filter(isManaged)) {
      this.rebuild(image, (inputs.imageStates.get(image.name)?.baseImages ?? []).map((name) => bases.get(name)!));
    }
  }

  private project() {
    const annotations = (wave: string) => ({
      "argocd.argoproj.io/sync-options": "Prune=false",
      [WAVE]: wave,
      "kargo.akuity.io/keep-namespace": "true",
    });
    new ApiObject(this, "namespace", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: PROJECT, labels: { "kargo.akuity.io/project": "true" }, annotations: annotations("-3") },
    });
    new ApiObject(this, "project", {
      apiVersion: KARGO,
      kind: "Project",
      metadata: { name: PROJECT, annotations: annotations("-2") },
    });
    new ApiObject(this, "project-config", {
      apiVersion: KARGO,
      kind: "ProjectConfig",
      metadata: { name: PROJECT, namespace: PROJECT, annotations: { [WAVE]: "-1" } },
      spec: {
        promotionPolicies: [
          {
            autoPromotionEnabled: true,
            stageSelector: {
              name: "regex:^(track-|rebuild-|analyze-dockerfile-|update-kustomize-|update-yaml-)",
              matchLabels: { [AUTO_PROMOTE]: "true" },
            },
          },
        ],
      },
    });
  }

  private rebuild(image: ManagedImage, bases: BaseState[]) {
    if (bases.length === 0) return;
    const requestedFreight = bases.map((base) => ({
      origin: { kind: "Warehouse", name: base.name },
      sources: {
        stages: [`track-${base.name}`],
        ...(!base.managedImage && {
          requiredSoakTime: duration(image.rebuildDelay ?? "7d"),
          autoPromotionOptions: { selectionPolicy: "MatchUpstream" },
        }),
      },
    }));
    this.stage(
      `rebuild-${image.name}`,
      { ...(image.autoRebuild !== false && { [AUTO_PROMOTE]: "true" }), [IMAGE]: image.name },
      requestedFreight,
      { template: "trigger-rebuild", args: { image: image.name, actor: noted("actor") } },
    );
  }
}

export class ManagedChart extends KargoChart {
  constructor(
    scope: Construct,
    private readonly inputs: Inputs,
  ) {
    super(scope, "managed-images");
    for (const image of inputs.images.filter(isManaged)) {
      this.build(image);
      this.analysis(image);
    }
    for (const base of inputs.bases.filter((base) => base.managedImage)) {
      this.warehouse(base.name, "5m0s", [{ image: byTag(base.repoURL, base.tag) }]);
      this.track(base.name, base.repoURL);
    }
  }

  private build(image: ManagedImage) {
    const host = image.source.provider === "gitlab" ? "https://gitlab.com" : "https://github.com";
    this.warehouse(image.name, "5m0s", [
      {
        image: {
          repoURL: repoURL(image),
          imageSelectionStrategy: "SemVer",
          strictSemvers: false,
          discoveryLimit: 10,
        },
      },
      {
        git: {
          repoURL: `${host}/${image.source.repo}.git`,
          commitSelectionStrategy: "NewestFromBranch",
          branch: image.source.branch ?? "main",
          strictSemvers: false,
          includePaths: includePaths(image.source.dockerfile ?? "Dockerfile"),
          discoveryLimit: 5,
        },
      },
    ]);
  }

  private analysis(image: ManagedImage) {
    const origin = { kind: "Warehouse", name: image.name };
    const url = repoURL(image);
    const analyze = `analyze-dockerfile-${image.name}`;
    this.stage(
      analyze,
      { [AUTO_PROMOTE]: "true", [IMAGE]: image.name },
      [{ origin, sources: { direct: true } }],
      {
        template: "analyze-dockerfile",
        args: {
          imageName: image.name,
          imageTag: imageFrom(url, "Tag"),
          imageDigest: imageFrom(url, "Digest"),
          dockerfile: image.source.dockerfile ?? "Dockerfile",
          sourceRepo: image.source.repo,
          sourceProvider: image.source.provider ?? "github",
          gitRepo: this.inputs.git.repo,
          gitBranch: this.inputs.git.branch,
        },
      },
    );
    this.stage(`analyzed-${image.name}`, { [IMAGE]: image.name }, [{ origin, sources: { stages: [analyze] } }]);
  }
}

export class AutomationChart extends KargoChart {
  private readonly runner: Runner;

  constructor(scope: Construct, inputs: Inputs) {
    super(scope, "automation");
    this.runner = new Runner(inputs);
    this.templates();
    new ApiObject(this, "service-account", {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "image-factory", namespace: PROJECT, annotations: { [WAVE]: "-1" } },
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: "image-factory-registry" }],
    });
    this.cron("rebuild-due", "7 * * * *", ["rebuild", "--due"]);
    this.cron("discover-resolve", "37 3 * * *", ["discover", "--resolve"]);
  }

  private templates() {
    const arg = (name: string) => `{{args.${name}}}`;
    this.template("record-update", "record-update", ["image", "tag", "digest", "freight"], [
      "record", arg("image"), `--tag=${arg("tag")}`, `--digest=${arg("digest")}`, `--freight=${arg("freight")}`,
    ]);
    this.template("trigger-rebuild", "trigger-rebuild", ["image", "actor"], [
      "rebuild", arg("image"), `--requested-by=${arg("actor")}`,
    ]);
    const flags = {
      image: "imageName",
      tag: "imageTag",
      digest: "imageDigest",
      dockerfile: "dockerfile",
      "source-repo": "sourceRepo",
      "source-provider": "sourceProvider",
      "git-repo": "gitRepo",
      "git-branch": "gitBranch",
    };
    this.template("analyze-dockerfile", "dockerfile-analysis", Object.values(flags), [
      "analyze",
      ...Object.entries(flags).map(([flag, name]) => `--${flag}=${arg(name)}`),
      "--image-factory-dir=/workspace/repo",
    ]);
  }

  private template(name: string, metric: string, args: string[], command: string[]) {
    new ApiObject(this, `template-${name}`, {
      apiVersion: ROLLOUTS,
      kind: "AnalysisTemplate",
      metadata: { name, namespace: PROJECT, annotations: { [WAVE]: "-1" } },
      spec: {
        args: args.map((name) => ({ name })),
        metrics: [
          { name: metric, provider: { job: { spec: this.runner.job([...command, "--commit", "--push"]) } } },
        ],
      },
    });
  }

  private cron(name: string, schedule: string, command: string[]) {
    new ApiObject(this, `cron-${name}`, {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name, namespace: PROJECT, annotations: { [WAVE]: "-1" } },
      spec: {
        concurrencyPolicy: "Forbid",
        failedJobsHistoryLimit: 3,
        jobTemplate: { spec: this.runner.job([...command, "--commit", "--push"]) },
        schedule,
        startingDeadlineSeconds: 600,
        successfulJobsHistoryLimit: 1,
        timeZone: "Etc/UTC",
      },
    });
  }
}
