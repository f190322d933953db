// cdk8s: main.js ROOT OUT
import { App, Yaml, YamlOutputType } from "cdk8s";
import { join } from "node:path";
import { AutomationChart, FactoryChart, ManagedChart } from "./charts.js";
import { readInputs } from "./inputs.js";

const [root, out] = process.argv.slice(2);
if (!root || !out) throw new Error("usage: main.js ROOT OUT");

const inputs = readInputs(root);
const app = new App({ outdir: out, outputFileExtension: ".k8s.yaml", yamlOutputType: YamlOutputType.FILE_PER_CHART });
new FactoryChart(app, inputs);
new ManagedChart(app, inputs);
new AutomationChart(app, inputs);
app.synth();
Yaml.save(join(out, "kustomization.yaml"), [
  {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: ["image-factory.k8s.yaml", "managed-images.k8s.yaml", "automation.k8s.yaml"],
  },
]);
