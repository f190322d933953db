// Reads images.yaml and state/.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";

export interface Source {
  provider?: "github" | "gitlab";
  repo: string;
  branch?: string;
  dockerfile?: string;
}

export interface Image {
  name: string;
  registry: string;
  repository: string;
  source?: Source;
  rebuildDelay?: string;
  autoRebuild?: boolean;
  allowTags?: string;
  constraint?: string;
  imageSelectionStrategy?: string;
}

export interface ImageState {
  name: string;
  baseImages: string[];
}

export interface BaseState {
  name: string;
  repoURL: string;
  tag: string;
  managedImage?: string;
}

export interface Inputs {
  git: { repo: string; branch: string };
  images: Image[];
  imageStates: Map<string, ImageState>;
  bases: BaseState[];
}

function readFolder<T extends { name: string }>(folder: string): T[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml") && !file.endsWith(".example.yaml"))
    .sort()
    .map((file) => load(readFileSync(join(folder, file), "utf8")) as T);
}

export function readInputs(root: string): Inputs {
  const file = load(readFileSync(join(root, "images.yaml"), "utf8")) as {
    settings: { git: { repo: string; branch?: string } };
    images: Image[];
  };
  const states = readFolder<ImageState>(join(root, "state/images"));
  return {
    git: { branch: "main", ...file.settings.git },
    images: file.images,
    imageStates: new Map(states.map((state) => [state.name, state])),
    bases: readFolder<BaseState>(join(root, "state/base-images")),
  };
}
