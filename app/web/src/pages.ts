// The pages in the order of the navigation. A page is a folder below pages/ whose index.tsx exports its component as default; it is
// loaded when it is first opened.

import type { ComponentType } from "preact";
import type { IconName } from "./ui/icon";

export interface Page {
  name: string;
  title: string;
  icon: IconName;
  group: "work" | "teach" | "run";
  load: () => Promise<{ default: ComponentType }>;
}

export const PAGES: Page[] = [
  { name: "ask", title: "Ask", icon: "ask", group: "work", load: () => import("./pages/ask") },
  { name: "gallery", title: "Gallery", icon: "gallery", group: "work", load: () => import("./pages/gallery") },
  { name: "editor", title: "Editor", icon: "editor", group: "work", load: () => import("./pages/editor") },
  { name: "review", title: "Review", icon: "review", group: "work", load: () => import("./pages/review") },
  { name: "jobs", title: "Jobs", icon: "jobs", group: "work", load: () => import("./pages/jobs") },
  { name: "datasets", title: "Datasets", icon: "datasets", group: "teach", load: () => import("./pages/datasets") },
  { name: "training", title: "Training", icon: "training", group: "teach", load: () => import("./pages/training") },
  { name: "evaluation", title: "Evaluation", icon: "evaluation", group: "teach", load: () => import("./pages/evaluation") },
  { name: "models", title: "Models", icon: "models", group: "teach", load: () => import("./pages/models") },
  { name: "settings", title: "Settings", icon: "keys", group: "run", load: () => import("./pages/settings") },
];
