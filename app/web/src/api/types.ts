// The bodies of the HTTP API as far as the page reads them; names are the API's. /openapi.json has all of them.

export interface List<T> {
  data: T[];
  has_more: boolean;
  next_cursor: string | null;
}

export interface FieldError {
  pointer: string;
  message: string;
}

export type Box = [number, number, number, number];
export type Point = [number, number];
export interface Rle {
  size: [number, number];
  counts: string;
}

export interface ImageOut {
  id: string;
  object: "image";
  sha256: string;
  media_type: string;
  width: number;
  height: number;
  bytes: number;
  labels: string[];
  created_at: string;
}

export interface Mark {
  id: string;
  region_id: string | null;
  bbox_xyxy_px: Box;
  point_xy_px: Point;
  occluded: boolean;
  label_xy_px: Point;
  label_bbox_xyxy_px: Box;
  leader: Box | null;
  area_px: number;
  score: number;
  text: string | null;
  role: string | null;
  lookalike?: boolean;
  rle?: Rle;
}

/** The picture itself shows what looks like one of our marks. */
export interface Warning {
  kind: string;
  text: string;
  bbox_xyxy_px: Box;
  mark: string | null;
}

export interface MarkSet {
  id: string;
  object: "mark_set";
  image: { id: string; sha256: string; width: number; height: number };
  segmenter: { name: string; version: string; granularity: number | null };
  style: string | Record<string, unknown>;
  marks: Mark[];
  omitted_regions: number;
  warnings: Warning[];
  overlay_url: string;
  cached: boolean;
  created_at: string;
}

export type Task = "ask" | "list" | "refer" | "classify" | "phrases" | "correspond" | "act";

export interface Answer {
  id: string;
  object: "answer";
  task: Task;
  query: string | null;
  text: string;
  mentions: { mark: string; char_start: number; char_end: number }[];
  marks: Mark[];
  selected: { mark: string; confidence: number | null }[];
  none_of_these: boolean;
  unresolved: string[];
  labels: { mark: string; label: string; confidence: number | null }[];
  phrases: { char_start: number; char_end: number; marks: string[] }[];
  correspondences: { mark: string; target_mark: string }[];
  action: { type: string; mark: string; point_xy_px: Point; text: string | null; steps?: { openai: Record<string, unknown>[] } } | null;
  none_confidence: number | null;
  warnings: Warning[];
  decided_by: string;
  model: { name: string; version: string | null };
  mark_set_id: string | null;
  timing_ms: Record<string, number>;
  created_at?: string;
}

export type JobStatus = "queued" | "running" | "succeeded" | "failed" | "cancelling" | "cancelled";

export interface JobProgress {
  done: number;
  total: number;
  failed: number;
  percent: number;
  stage: string | null;
}

export interface Job {
  id: string;
  object: "job";
  kind: string;
  status: JobStatus;
  progress: JobProgress;
  attempt: number;
  error: { code?: string; title?: string; detail?: string | null } | null;
  result: Record<string, unknown> | null;
  usage?: Record<string, unknown> | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export type JobEvent =
  | { type: "progress"; data: JobProgress & { status?: JobStatus } }
  | { type: "log"; data: { message: string; level?: string; at?: string } }
  | { type: "metric"; data: Record<string, unknown> };

export interface JobItem {
  item: number;
  status: string;
  attempt: number;
  payload: Record<string, unknown>;
  error: { code?: string; title?: string; detail?: string | null } | null;
  result: Record<string, unknown> | null;
  finished_at: string | null;
}

export interface Text {
  id: string;
  object: "text";
  kind: string;
  image_id: string;
  mark_set_id: string | null;
  job_id: string;
  tagged: boolean;
  conversations: { from: string; value: string }[];
  provenance: Record<string, unknown>;
  review: string;
  reviewed_at: string | null;
  revision: number;
  outdated: { newest_mark_set_id: string; fits: boolean } | null;
  created_at: string;
}

export interface ReviewCount {
  writer: string | null;
  teacher: string | null;
  prompt: string | null;
  kind: string;
  texts: number;
  reviewed: number;
  accepted: number;
  edited: number;
  rejected: number;
  agreement_rate: number | null;
  edit_rate: number | null;
  rejection_rate: number | null;
}
