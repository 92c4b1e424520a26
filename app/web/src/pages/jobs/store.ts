// The list of jobs, kept fresh while it is looked at.

import { signal } from "@preact/signals";
import { list, post } from "../../api/http";
import type { Job } from "../../api/types";
import { activeJobs } from "../../health";
import { report } from "../../ui/notices";
import { isActive } from "./words";

const EVERY_MS = 2000;
const PAGE = 25;

export const JOBS = {
  rows: signal<Job[]>([]),
  loaded: signal(false),
  cursor: signal<string | null>(null),
  /** Why the list could not be read; it is tried again. */
  trouble: signal<string | null>(null),
};

let status = "";

function merge(fresh: Job[]): void {
  const known = new Map(JOBS.rows.value.map((job) => [job.id, job]));
  for (const job of fresh) known.set(job.id, job);
  JOBS.rows.value = [...known.values()].sort((a, b) => b.created_at.localeCompare(a.created_at) || b.id.localeCompare(a.id));
  if (!status) activeJobs.value = JOBS.rows.value.filter(isActive).length;
}

async function refresh(signal: AbortSignal): Promise<void> {
  try {
    const page = await list<Job>("/v1/jobs", { limit: PAGE, status }, signal);
    if (!JOBS.loaded.value) JOBS.cursor.value = page.next_cursor;
    // With a status, what has it no longer goes; those of the same page that are gone changed.
    if (status) JOBS.rows.value = JOBS.rows.value.filter((job) => page.data.some(({ id }) => id === job.id) || job.created_at < (page.data.at(-1)?.created_at ?? ""));
    merge(page.data);
    JOBS.loaded.value = true;
    JOBS.trouble.value = null;
  } catch (error) {
    if (!signal.aborted) JOBS.trouble.value = error instanceof Error ? error.message : String(error);
  }
}

/** Follow the jobs of a status ("" for all) until the returned function is called. */
export function follow(wanted: string): () => void {
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout>;
  if (wanted !== status) {
    JOBS.rows.value = [];
    JOBS.cursor.value = null;
    JOBS.loaded.value = false;
  }
  status = wanted;
  const turn = async () => {
    clearTimeout(timer);
    if (!document.hidden) await refresh(stop.signal);
    if (!stop.signal.aborted) timer = setTimeout(turn, EVERY_MS);
  };
  document.addEventListener("visibilitychange", turn, { signal: stop.signal });
  void turn();
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}

/** Fetch the next page. */
export async function older(): Promise<void> {
  try {
    const page = await list<Job>("/v1/jobs", { limit: PAGE, status, after: JOBS.cursor.value });
    JOBS.cursor.value = page.next_cursor;
    merge(page.data);
  } catch (error) {
    report(error);
  }
}

/** Cancel or retry; resolves to the job as it is then, or null if that was refused. */
export async function tellJob(job: Job, what: "cancel" | "retry"): Promise<Job | null> {
  try {
    const { body } = await post<Job>(`/v1/jobs/${job.id}/${what}`);
    merge([body]);
    return body;
  } catch (error) {
    report(error);
    return null;
  }
}
