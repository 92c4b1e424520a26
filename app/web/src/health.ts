// What the frame says about the server: whether it is ready, and how many jobs are active. Pages hear from here that it is back.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { glance, onAway, readiness } from "./api/http";
import type { Job, List } from "./api/types";

const EVERY_MS = 15_000;
const EVERY_MS_WHILE_NOT_READY = 3000;

export interface Health {
  state: "unknown" | "down" | "partly" | "ready";
  words: string;
  title: string;
}

export const health = signal<Health>({ state: "unknown", words: "Connecting", title: "" });

/** How many jobs wait or run, as far as somebody has looked. */
export const activeJobs = signal(0);

/** How often the server has come back. */
const comebacks = signal(0);

/** Call `again` when the server is back, where it was `away` before: nobody needs to reload the page. */
export function useComeback(away: boolean, again: () => void): void {
  const { value: count } = comebacks;
  useEffect(() => {
    if (away) again();
  }, [count]);
}

async function look(): Promise<void> {
  const found = await readiness();
  const down = Object.entries(found?.checks ?? {}).filter(([, state]) => state !== "ok");
  const state = !found ? "down" : down.length ? "partly" : "ready";
  const names = down.map(([name]) => name).join(", ");
  const words = { down: "No server", partly: `Waiting for ${names}`, ready: "Ready" }[state];
  // What answers again may not be ready yet: then the pages hear of it twice.
  if (found && state !== health.value.state && ["down", "partly"].includes(health.value.state)) comebacks.value += 1;
  health.value = { state, words, title: down.map(([name, sentence]) => `${name}: ${sentence}`).join("\n") };
}

/** Count the jobs that are under way; silent when nobody answers. */
async function countJobs(): Promise<void> {
  const pages = await Promise.all(["queued", "running"].map((status) => glance<List<Job>>(`/v1/jobs?limit=100&status=${status}`)));
  if (pages.every((page) => page !== null)) activeJobs.value = pages.reduce((sum, page) => sum + (page?.data.length ?? 0), 0);
}

/** Look at once and then every now and then; returns how to stop. */
export function keepHealth(): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const turn = async () => {
    if (!document.hidden) await look();
    if (health.value.state === "ready") await countJobs();
    timer = setTimeout(turn, health.value.state === "ready" ? EVERY_MS : EVERY_MS_WHILE_NOT_READY);
  };
  void turn();
  // A request that nobody answers says it sooner than the next look.
  onAway(() => {
    if (health.value.state === "down") return;
    health.value = { state: "down", words: "No server", title: "" };
    clearTimeout(timer);
    timer = setTimeout(turn, EVERY_MS_WHILE_NOT_READY);
  });
  return () => clearTimeout(timer);
}
