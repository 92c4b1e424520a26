// Deleting many pictures: some at a time, with a way out. It goes on while other pages are looked at, waits for a server that is
// away, and what is left is remembered by the tab: after a reload a person says whether it goes on.

import { signal } from "@preact/signals";
import { post } from "../../api/http";
import { Problem } from "../../api/problem";
import { tell } from "../../ui/notices";
import { gallery } from "./store";

/** The API takes a hundred; with half of them the bar moves and stopping takes a second. */
const AT_ONCE = 50;
/** Tries without an answer, each wait longer than the one before, the last ones 8 s: about a minute. */
const PATIENCE = 10;
const REMEMBERED = "markwise-deletion";

export interface Kept {
  id: string;
  reason: string;
}

interface DeletedOut {
  deleted: string[];
  missing: string[];
  kept: Kept[];
}

export interface Deletion {
  /** Not tried yet, in the order in which they go. */
  left: string[];
  gone: number;
  /** Not deleted, each with the server's reason. */
  kept: Kept[];
  /** `waiting`: the server is away. `stopped`: something is left, and a person decides. `ended`: all were tried. */
  state: "running" | "waiting" | "stopped" | "ended";
  /** Why it waits or has stopped, unless a person stopped it or the page was loaded again. */
  problem: Problem | null;
}

function remembered(): Deletion | null {
  const text = sessionStorage.getItem(REMEMBERED);
  return text && { ...(JSON.parse(text) as Pick<Deletion, "left" | "gone" | "kept">), state: "stopped", problem: null } || null;
}

function remember(now: Deletion | null): void {
  if (!now?.left.length) return sessionStorage.removeItem(REMEMBERED);
  const { left, gone, kept } = now;
  try {
    sessionStorage.setItem(REMEMBERED, JSON.stringify({ left, gone, kept }));
  } catch {
    // More than a tab may remember (some 100,000 ids): it works all the same, a reload forgets the rest.
  }
}

async function ask(ids: string[]): Promise<DeletedOut> {
  try {
    return (await post<DeletedOut>("/v1/images/delete", { ids })).body;
  } catch (error) {
    // None of them is there: a request whose answer was lost has deleted them, or somebody else.
    if (error instanceof Problem && error.status === 404) return { deleted: [], missing: ids, kept: [] };
    throw error;
  }
}

function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resume) => {
    const timer = setTimeout(resume, 1000 * seconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resume(); });
  });
}

class Deleting {
  readonly now = signal<Deletion | null>(remembered());
  private stopping = new AbortController();

  private change(changes: Partial<Deletion>): void {
    this.now.value = { ...this.now.value!, ...changes };
  }

  /** Delete these, after what is being deleted already. */
  start(ids: string[]): void {
    const before = this.now.value;
    const busy = before?.state === "running" || before?.state === "waiting";
    const { left, gone, kept } = before && before.state !== "ended" ? before : { left: [], gone: 0, kept: [] };
    this.now.value = { left: [...new Set([...left, ...ids])], gone, kept, state: busy ? before.state : "running", problem: null };
    if (!busy) void this.run();
  }

  /** Go on after it has stopped. */
  resume(): void {
    this.start([]);
  }

  /** Stop after the pictures that are on their way; the others stay. */
  stop(): void {
    this.stopping.abort();
  }

  /** Forget it, and what is left of it. */
  dismiss(): void {
    this.now.value = null;
    remember(null);
  }

  private async run(): Promise<void> {
    const { signal } = (this.stopping = new AbortController());
    remember(this.now.value);
    let misses = 0;
    while (this.now.value!.left.length && !signal.aborted) {
      const some = this.now.value!.left.slice(0, AT_ONCE);
      try {
        this.take(some, await ask(some));
        misses = 0;
      } catch (error) {
        const problem = Problem.of(error);
        misses += 1;
        if (!(problem.away || problem.status === 429) || misses > PATIENCE) return this.change({ state: "stopped", problem });
        this.change({ state: "waiting", problem });
        await pause(problem.retryAfterS ?? Math.min(0.5 * 2 ** misses, 8), signal);
      }
    }
    this.end();
  }

  private take(tried: string[], { deleted, missing, kept }: DeletedOut): void {
    const { left, gone, kept: before } = this.now.value!;
    this.change({ left: left.slice(tried.length), gone: gone + deleted.length + missing.length, kept: [...before, ...kept], state: "running", problem: null });
    remember(this.now.value);
    gallery.forget([...deleted, ...missing]);
  }

  private end(): void {
    const { left, gone, kept } = this.now.value!;
    void gallery.count();
    if (left.length) return this.change({ state: "stopped", problem: null });
    this.change({ state: "ended", problem: null });
    if (kept.length) return;
    this.dismiss();
    tell(gone === 1 ? "One picture is deleted" : `${gone.toLocaleString("en")} pictures are deleted`);
  }
}

export const deletion = new Deleting();
