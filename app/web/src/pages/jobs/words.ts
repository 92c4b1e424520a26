// Jobs in words: what a kind does, how far one is, how long it took, and what it made.

import type { Job, JobItem } from "../../api/types";
import { href } from "../../router";
import { duration } from "../../ui/parts";
import { stageText } from "../../ui/progress";

export const KINDS: Record<string, string> = {
  "mark_set.create": "Mark a picture",
  "answer.create": "Answer a question",
  "annotation.create": "Write annotations",
  "annotation.help": "Help with annotations",
  "import.create": "Import pictures",
  "dataset.build": "Build a dataset",
  "dataset.preview": "Look at a mixture",
  "training.run": "Train a model",
  "evaluation.run": "Evaluate a model",
  "finding.run": "Find tagged pictures",
  "look.create": "Look inside a model",
};

export const nameOf = (job: Job): string => KINDS[job.kind] ?? job.kind;

export const isActive = (job: Job): boolean => ["queued", "running", "cancelling"].includes(job.status);
export const canCancel = (job: Job): boolean => job.status === "queued" || job.status === "running";
/** Some items of it failed, although it came to its end. */
export const isPartial = (job: Job): boolean => job.status === "succeeded" && job.progress.failed > 0;
export const canRetry = (job: Job): boolean => job.status === "failed" || job.status === "cancelled" || isPartial(job);

export function took({ started_at: from, finished_at: to }: Job): string {
  if (!from) return "";
  return duration(((to ? new Date(to) : new Date()).getTime() - new Date(from).getTime()) / 1000);
}

/** How far a job is, in a line. */
export function howFar({ status, progress, error }: Job): string {
  const failed = progress.failed ? `, ${progress.failed} failed` : "";
  const count = progress.total > 1 && (progress.failed || progress.total > 3) ? `${progress.done} of ${progress.total}${failed}` : "";
  const words = status === "running" ? stageText(progress.stage) : status === "queued" ? (error ? "Tries again by itself" : "Waiting for a worker") : null;
  const percent = status === "queued" ? null : `${Math.round(progress.percent)} %`;
  return [percent, words, count].filter(Boolean).join(" · ");
}

/** Null: busy, and nobody knows how long. */
export function percentOf(job: Job): number | null {
  return isActive(job) && !job.progress.total ? null : job.progress.percent;
}

/** Where what a job made is shown; answers are found through their mark set. */
export function resultLink(job: Job): { words: string; address: string } | { words: string; answerId: string } | null {
  const result = job.result ?? {};
  if (typeof result.mark_set_id === "string") return { words: "Open the picture", address: href("ask", result.mark_set_id) };
  if (typeof result.answer_id === "string") return { words: "Open the answer", answerId: result.answer_id };
  if (typeof result.dataset_id === "string") return { words: "Open the dataset", address: href("datasets", result.dataset_id) };
  if (typeof result.model_version_id === "string") return { words: "Open the model", address: href("models", result.model_version_id) };
  if (typeof result.evaluation_id === "string") return { words: "Open the evaluation", address: href("evaluation", result.evaluation_id) };
  if (typeof result.texts === "number") return { words: `Review its ${result.texts} texts`, address: href("review", null, { job: job.id }) };
  return null;
}

/** The picture that an item is about, if it is one of ours. */
export function imageOf(item: JobItem): string | null {
  const id = item.payload.image_id ?? item.result?.image_id;
  return typeof id === "string" ? id : null;
}

/** An item by the name that its source gave it. */
export function itemName(item: JobItem): string {
  const { record, path, url, question } = item.payload as Record<string, string | undefined>;
  return record ?? path ?? url ?? question ?? `Item ${item.item + 1}`;
}
