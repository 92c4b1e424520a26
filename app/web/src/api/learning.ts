// The bodies of the HTTP API that the pages of datasets, training, evaluation, models and settings read.

import type { Job } from "./types";

export interface Sample {
  position: number;
  sample_id: string;
  text_id: string | null;
  image: string | null;
  image_url: string | null;
  kind: string;
  review: string | null;
  part: string;
  stage: string;
  conversations: { from: string; value: string }[];
}

export interface Statistics {
  texts: number;
  images: number;
  tagged: number;
  text_only: number;
  answer_words: number;
  answer_words_mean: number;
  by_kind: Record<string, number>;
  by_review: Record<string, number>;
  parts?: Record<string, Record<string, number>>;
  stages?: Record<string, Record<string, number>>;
  excluded?: { count: number; reasons: Record<string, number>; listed: { part: string; id: string; reason: string }[] };
}

/** What a part takes from the catalog; fields that the form does not show are kept as they are. */
export interface TextsRule {
  kinds?: string[];
  labels?: string[];
  reviews?: string[];
  tagged?: boolean | null;
  [other: string]: unknown;
}

export interface Part {
  name: string;
  texts?: TextsRule | null;
  file?: string | null;
  images?: string | null;
  take?: number | null;
  repeat?: number;
  optional?: boolean;
  [other: string]: unknown;
}

export interface Mixture {
  name: string;
  purpose: string;
  parts: Part[];
  seed?: number;
  shuffle?: boolean;
  hold_out?: { share: number; split: "train" | "test" } | null;
  [other: string]: unknown;
}

export interface Recipe {
  name: string;
  object: "dataset_recipe" | "training_recipe";
  purpose: string;
  needs: "files" | "dataset" | null;
  recipe: Mixture | null;
}

export interface Dataset {
  id: string;
  name: string;
  version: number;
  content_sha256: string;
  recipe: Mixture;
  statistics: Statistics;
  created_at: string;
}

export interface Preview {
  recipe: Mixture;
  statistics: Statistics;
  content_sha256: string;
  samples: Sample[];
}

/** A job with what was asked for: `?include=order`. */
export interface OrderedJob extends Job {
  order?: Record<string, Record<string, unknown> | undefined>;
}

export interface Curve {
  name: string;
  stage: string | null;
  count: number;
  points: { step: number | null; value: number; low: number; high: number; at: string }[];
}

export interface Model {
  id: string;
  name: string;
  version: number | null;
  kind: string;
  base_id: string | null;
  job_id: string | null;
  recipe: Record<string, unknown>;
  metrics: Record<string, unknown>;
  origin: Record<string, unknown>;
  deployed: boolean;
  created_at: string | null;
}

export interface GateFinding {
  benchmark: string;
  metric: string;
  new: number;
  current: number;
  kept: boolean;
}

export interface Deployment {
  name: string;
  model_version: Model | null;
  gate: GateFinding[];
}

export interface Benchmark {
  name: string;
  chief: string;
  judged: boolean;
  source: "files" | "drawings" | null;
}

export interface Interval {
  value: number;
  low: number;
  high: number;
  n?: number;
}

export interface Run {
  run: string;
  n: number;
  missing: number;
  about: { evaluation_id?: string; [other: string]: unknown };
  metrics: Record<string, number | null>;
  categories?: Record<string, { n: number } & Record<string, Interval | number>>;
  difference?: Interval & { n: number };
  worst?: { id: string; position: number; grade: number; label: string; answer: string }[];
  changed?: { id: string; change: number; label: string; baseline: string; run: string }[];
  [chief: string]: unknown;
}

export interface Section {
  benchmark: string;
  chief: string;
  bootstrap_rounds?: number;
  runs: Run[];
}

export interface Evaluation {
  id: string;
  benchmark: string;
  model_version_id: string | null;
  dataset_id: string | null;
  job_id: string | null;
  settings: Record<string, unknown>;
  metrics: Record<string, unknown>;
  report: Record<string, unknown> & { comparison?: Section[]; source?: string };
  created_at: string;
}

export interface Key {
  id: string;
  name: string;
  prefix: string;
  scopes: string[];
  expires_at: string | null;
  revoked_at: string | null;
  created_at: string;
  storage?: { images: number; bytes: number; max_images: number | null; max_bytes: number | null };
  key?: string;
}

export interface Webhook {
  id: string;
  url: string;
  events: string[];
  kinds: string[] | null;
  active: boolean;
  created_at: string;
  secret?: string;
}

export interface Delivery {
  id: string;
  event: string;
  status: "queued" | "delivered" | "failed";
  attempts: number;
  response_status: number | null;
  error: string | null;
  job_id: string | null;
  created_at: string;
}

export interface AuditEntry {
  id: string;
  action: string;
  subject: string;
  actor: string;
  detail: Record<string, unknown>;
  created_at: string;
}

/** Where a model looked: rows of a grid over the square that it sees, the picture in its middle. */
export interface LookResult {
  mark_set_id: string;
  model: string;
  words: string[];
  weights: number[][];
}
