// A job's events with reconnection. EventSource cannot send a key, so the stream is read by hand.

import { get, respond } from "./http";
import { Problem, wasAborted } from "./problem";
import type { Job, JobEvent } from "./types";

interface Sent {
  id: string | null;
  type: string;
  data: unknown;
}

function eventOf(block: string): Sent | null {
  const event = { id: null as string | null, type: "message", data: "" };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const content = line.slice(colon + 1).trimStart();
    if (line.startsWith("id:")) event.id = content;
    if (line.startsWith("event:")) event.type = content;
    if (line.startsWith("data:")) event.data += content;
  }
  return event.data ? { ...event, data: JSON.parse(event.data) } : null;
}

/** Split a body into server-sent events. */
export async function* eventsOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Sent> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true }).replaceAll("\r", "");
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const event = eventOf(text.slice(0, end));
      text = text.slice(end + 2);
      if (event) yield event;
    }
  }
}

export const hasEnded = (job: Job): boolean => ["succeeded", "failed", "cancelled"].includes(job.status);

/** The job as an event of it says that it is now. */
export function jobAfter<T extends Job>(job: T, event: JobEvent): T {
  if (event.type !== "progress") return job;
  const { status, ...progress } = event.data;
  return { ...job, status: status ?? job.status, progress: { ...job.progress, ...progress } };
}

const isFinal = (error: unknown): boolean => wasAborted(error) || (error instanceof Problem && [403, 404].includes(error.status));

export interface Watcher {
  /** Progress, log and metric events, in their order; none twice. */
  onEvent: (event: JobEvent) => void;
  /** The connection was lost (with the number of attempts since) or is back (0). */
  onMisses?: (misses: number) => void;
  /** Give up after this many attempts without an event; by default 8, about a minute. */
  patience?: number;
}

/** Follow a job to its end; resolves to the finished job. A broken stream is taken up again after the last event that was seen. */
export async function watchJob(job: Job, { onEvent, onMisses, patience = 8 }: Watcher, signal?: AbortSignal): Promise<Job> {
  let lastId: string | null = null;
  let misses = 0;
  const missed = (error: unknown): void => {
    if (isFinal(error)) throw error;
    misses += 1;
    onMisses?.(misses);
    if (misses > patience) throw error;
  };
  const heard = (): void => {
    if (misses) onMisses?.(0);
    misses = 0;
  };
  while (!hasEnded(job)) {
    try {
      const headers = { Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": lastId } : {}) };
      const response = await respond("GET", `/v1/jobs/${job.id}/events`, { headers, signal });
      for await (const { id, type, data } of eventsOf(response.body!)) {
        lastId = id ?? lastId;
        heard();
        // A job that was retried has the end of its earlier run in its history: only the stream's end is the end.
        if (type !== "completed") onEvent({ type, data } as JobEvent);
      }
    } catch (error) {
      missed(error);
    }
    try {
      job = await get<Job>(`/v1/jobs/${job.id}`, signal);
      heard();
      if (!hasEnded(job)) onEvent({ type: "progress", data: { ...job.progress, status: job.status } });
    } catch (error) {
      missed(error);
    }
    if (!hasEnded(job)) await new Promise((resume) => setTimeout(resume, Math.min(500 * 2 ** misses, 8000)));
  }
  return job;
}
