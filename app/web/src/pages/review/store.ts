// The reviewer's pile: one text at a time with all that belongs to it. A text and its picture are fetched first and shown in one go,
// so that no verdict meets a text that is not on the screen, and no form fills up after somebody has typed into it.

import { signal } from "@preact/signals";
import { get, list, patch, picture } from "../../api/http";
import { Problem, wasAborted } from "../../api/problem";
import type { Box, Mark, MarkSet, ReviewCount, Text } from "../../api/types";
import { report } from "../../ui/notices";

const PAGE = 50;

export interface Filter {
  review: string;
  jobId: string | null;
}

/** What is on the screen. */
export interface Case {
  text: Text;
  place: number;
  url: string;
  /** The marks that the text is about; null where it is about none. */
  marks: Mark[] | null;
}

/** The marks that a text is about, corrected if somebody did. */
export function setOf(text: Text): string | null {
  return text.outdated?.newest_mark_set_id ?? text.mark_set_id;
}

/** Where the picture of a text is served: the newest marks if they were corrected, the plain picture if it has none. */
function pictureOf(text: Text): string {
  const set = setOf(text);
  return text.tagged && set ? `/v1/marksets/${set}/overlay.png` : `/v1/images/${text.image_id}/content`;
}

export class Review {
  readonly shown = signal<Case | null>(null);
  readonly editing = signal(false);
  readonly busy = signal(false);
  readonly count = signal("");
  /** All was looked at; false also while the first page is on its way. */
  readonly done = signal(false);
  /** Why nothing could be shown at all. */
  readonly problem = signal<Problem | null>(null);
  readonly statistics = signal<ReviewCount[]>([]);
  private texts: Text[] = [];
  private cursor: string | null = null;
  private filter: Filter = { review: "unreviewed", jobId: null };
  private place = 0;
  private stopped = false;

  /** Start with the first text of a filter. */
  load(filter: Filter): Promise<void> {
    return this.working(async () => {
      this.filter = filter;
      this.problem.value = null;
      await this.fetch(null);
      await this.turnTo(0);
      void this.countVerdicts();
    });
  }

  stop(): void {
    this.stopped = true;
    if (this.shown.value) URL.revokeObjectURL(this.shown.value.url);
  }

  private async fetch(after: string | null): Promise<void> {
    const page = await list<Text>("/v1/texts", { limit: PAGE, review: this.filter.review, job_id: this.filter.jobId, after });
    this.texts = after === null ? page.data : [...this.texts, ...page.data];
    this.cursor = page.next_cursor;
  }

  /** Beside the work: a verdict never waits for the numbers. */
  private async countVerdicts(): Promise<void> {
    try {
      this.statistics.value = (await list<ReviewCount>("/v1/texts/statistics", { job_id: this.filter.jobId })).data;
    } catch {
      // The rates stay as they were; the next verdict asks again.
    }
  }

  /** Do one thing at a time; what goes wrong is told and changes nothing. */
  private async working(steps: () => Promise<void>): Promise<void> {
    if (this.busy.value) return;
    this.busy.value = true;
    try {
      await steps();
    } catch (error) {
      if (this.stopped || wasAborted(error)) return;
      if (this.shown.value || this.done.value) report(error);
      else this.problem.value = Problem.of(error);
    } finally {
      this.busy.value = false;
    }
  }

  step(by: number): Promise<void> {
    return this.working(() => this.turn(by));
  }

  private async turn(by: number): Promise<void> {
    const next = this.place + by;
    if (next >= this.texts.length && this.cursor) await this.fetch(this.cursor);
    await this.turnTo(Math.max(0, Math.min(this.texts.length, next)));
  }

  private async turnTo(place: number): Promise<void> {
    const text = this.texts[place] ?? null;
    const made = text && (await this.caseOf(text, place));
    if (this.stopped) {
      if (made) URL.revokeObjectURL(made.url);
      return;
    }
    if (this.shown.value) URL.revokeObjectURL(this.shown.value.url);
    this.place = place;
    this.editing.value = false;
    this.count.value = text ? `${place + 1} of ${this.texts.length}${this.cursor ? "+" : ""}` : "";
    this.done.value = text === null;
    this.shown.value = made;
  }

  private async caseOf(text: Text, place: number): Promise<Case> {
    const set = text.tagged ? setOf(text) : null;
    const [url, marks] = await Promise.all([picture(pictureOf(text)), set ? get<MarkSet>(`/v1/marksets/${set}`) : null]);
    const image = new Image();
    image.src = url;
    await image.decode().catch(() => undefined);
    return { text, place, url, marks: marks && marks.marks };
  }

  /** Send a verdict about the revision that is on the screen, then go on. */
  judge(verdict: { review: string; conversations?: Text["conversations"] }, reason: string): Promise<void> {
    return this.working(async () => {
      const { text } = this.shown.value!;
      const body = { ...verdict, revision: text.revision, ...(reason ? { reason } : {}) };
      this.texts[this.place] = await patch<Text>(`/v1/texts/${text.id}`, body);
      await this.turn(1);
      void this.countVerdicts();
    });
  }

  /** A corrected mark is a new mark set; the text is read again, because it may fit no longer. */
  correct(mark: Mark, changes: { text?: string; bbox_xyxy_px?: Box }): Promise<void> {
    return this.working(async () => {
      const { text } = this.shown.value!;
      await patch(`/v1/marksets/${setOf(text)}/marks/${encodeURIComponent(mark.id)}`, changes);
      this.texts[this.place] = await get<Text>(`/v1/texts/${text.id}`);
      await this.turnTo(this.place);
    });
  }
}
